//! What is asked of next hops, how often, and what is made of the answers: in a simulated network.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use callout::{Callouts, Settings};
use dns::TableResolver;
use queue::route::Target;
use queue::{Answer, Callout, CalloutMemory, CalloutPolicy, Remembered, StoreError, Unanswered};
use smtp::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Net, RealDisk, SeededRandom, SimHost, SimNet, VirtualClock, World};

/// Answers in memory.
#[derive(Debug, Default)]
struct Memory(parking_lot::Mutex<HashMap<(String, String), Remembered>>);

#[async_trait]
impl CalloutMemory for Memory {
    async fn recall(&self, address: &str, server: &str) -> Result<Option<Remembered>, StoreError> {
        let key = (address.to_owned(), server.to_owned());
        Ok(self.0.lock().get(&key).cloned())
    }

    async fn keep(
        &self,
        address: &str,
        server: &str,
        answer: &Remembered,
        _until: jiff::Timestamp,
    ) -> Result<(), StoreError> {
        let key = (address.to_owned(), server.to_owned());
        self.0.lock().insert(key, answer.clone());
        Ok(())
    }

    async fn forget(&self, _now: jiff::Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}

struct Stage {
    callouts: Callouts,
    net: Arc<SimNet>,
    heard: Arc<parking_lot::Mutex<Vec<String>>>,
}

type Rules = &'static [(&'static str, &'static str)];

impl Stage {
    /// A next hop at 192.0.2.1:25 that answers each line by the first rule whose prefix it has; `…` says
    /// nothing.
    async fn new(rules: Rules) -> Stage {
        let net = Arc::new(SimNet::default());
        let clock = Arc::new(VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
        let world = World {
            clock,
            random: Arc::new(SeededRandom::new(1)),
            net: net.clone(),
            disk: Arc::new(RealDisk),
            host: Arc::new(SimHost::default()),
        };
        let settings = Settings {
            hostname: "relay.example".into(),
            routes: Arc::default(),
            smtp_port: 25,
            connect_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(30),
            tls: None,
        };
        let memory: Arc<dyn CalloutMemory> = Arc::new(Memory::default());
        let callouts = Callouts::new(world, Arc::new(TableResolver::default()), memory, settings);
        let stage = Stage {
            callouts,
            net,
            heard: Arc::default(),
        };
        if !rules.is_empty() {
            stage.server(rules).await;
        }
        stage
    }

    async fn server(&self, rules: Rules) {
        let address: SocketAddr = "192.0.2.1:25".parse().unwrap();
        let listener = self.net.listen(address).await.unwrap();
        let heard = self.heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, rules, heard.clone()));
            }
        });
    }

    async fn ask(&self, address: &str) -> Answer {
        self.ask_by(address, &CalloutPolicy::default()).await
    }

    async fn ask_by(&self, address: &str, policy: &CalloutPolicy) -> Answer {
        let address: Address = address.parse().unwrap();
        let target = Target::Hop("smtp://192.0.2.1:25".parse().unwrap());
        self.callouts.ask(&address, &target, policy).await
    }

    fn heard(&self, what: &str) -> usize {
        let heard = self.heard.lock();
        heard.iter().filter(|line| line.starts_with(what)).count()
    }
}

async fn serve(
    mut stream: world::Stream,
    rules: Rules,
    heard: Arc<parking_lot::Mutex<Vec<String>>>,
) {
    let (mut have, mut buffer) = (Vec::new(), [0; 1024]);
    stream.write_all(b"220 mx ESMTP\r\n").await.unwrap();
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        have.extend_from_slice(&buffer[..read]);
        while let Some(end) = have.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = have.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let fitting = rules.iter().find(|(prefix, _)| line.starts_with(prefix));
            heard.lock().push(line);
            match fitting.map_or("250 ok", |(_, reply)| *reply) {
                "…" => {}
                reply => stream
                    .write_all(format!("{reply}\r\n").as_bytes())
                    .await
                    .unwrap(),
            }
        }
    }
}

const KNOWS: Rules = &[
    ("RCPT TO:<anna@", "250 2.1.5 ok"),
    ("RCPT TO:<postmaster@", "250 2.1.5 ok"),
    ("RCPT", "550 5.1.1 no such user here"),
];

#[tokio::test(start_paused = true)]
async fn a_known_and_an_unknown_recipient_are_asked_about_once_without_any_content() {
    let stage = Stage::new(KNOWS).await;
    for _ in 0..3 {
        assert_eq!(stage.ask("anna@x.example").await, Answer::Taken);
        let Answer::Refused { reply, .. } = stage.ask("bert@x.example").await else {
            panic!("bert is taken");
        };
        assert_eq!(reply.text(), "no such user here");
    }
    let counts = stage.callouts.counts();
    assert_eq!(
        (counts.questions, counts.from_memory, counts.talks),
        (6, 4, 2)
    );
    assert_eq!(stage.heard("MAIL FROM:<>"), 2, "the reverse-path is empty");
    assert_eq!(stage.heard("DATA"), 0);
    assert_eq!((stage.heard("RSET"), stage.heard("QUIT")), (2, 2));
    assert_eq!(
        stage.heard("RCPT TO:<nobody-"),
        1,
        "every name: asked once for the domain"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_ends_after_its_time_and_a_good_one_is_renewed_without_anybody_waiting() {
    let stage = Stage::new(KNOWS).await;
    stage.ask("anna@x.example").await;
    stage.ask("bert@x.example").await;
    tokio::time::sleep(Duration::from_secs(3_601)).await;
    stage.ask("bert@x.example").await;
    stage.ask("anna@x.example").await;
    assert_eq!(stage.heard("RCPT TO:<bert@"), 2);
    assert_eq!(stage.heard("RCPT TO:<anna@"), 1);
    tokio::time::sleep(Duration::from_secs(2 * 86_400)).await;
    assert_eq!(stage.ask("anna@x.example").await, Answer::Taken);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        stage.heard("RCPT TO:<anna@"),
        2,
        "asked anew in the background"
    );
    assert_eq!(stage.callouts.counts().from_memory, 2);
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_about_one_recipient_hear_the_answer_to_one_question() {
    let stage = Stage::new(KNOWS).await;
    let asked = (0..50).map(|_| stage.ask("anna@x.example"));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer, Answer::Taken);
    }
    assert_eq!(stage.heard("RCPT TO:<anna@"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_destination_is_asked_by_few_connections_at_a_time() {
    let stage = Stage::new(&[("RCPT", "…")]).await;
    let policy = CalloutPolicy {
        connections: 2,
        wait: Duration::from_secs(1),
        ..CalloutPolicy::default()
    };
    let names: Vec<String> = (0..300).map(|n| format!("u{n}@x.example")).collect();
    let asked = names.iter().map(|name| stage.ask_by(name, &policy));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(stage.heard("RCPT"), 2);
    let crowded = |answer: &&Answer| {
        let why = |why: &Unanswered| *why == Unanswered::Crowded;
        matches!(answer, Answer::Unanswered { why: w, .. } if why(w))
    };
    assert_eq!(answers.iter().filter(crowded).count(), 100, "200 may wait");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_waited_long_enough_finds_the_answer_when_it_comes_back() {
    let stage = Stage::new(&[("EHLO", "…")]).await;
    let policy = CalloutPolicy {
        wait: Duration::from_secs(2),
        ..CalloutPolicy::default()
    };
    let answer = stage.ask_by("anna@x.example", &policy).await;
    let Answer::Unanswered { why, wait } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((why, wait), (Unanswered::Asking, Duration::from_secs(58)));
    tokio::time::sleep(Duration::from_secs(31)).await;
    let answer = stage.ask_by("anna@x.example", &policy).await;
    let failed = matches!(
        &answer,
        Answer::Unanswered {
            why: Unanswered::Failed(_),
            ..
        }
    );
    assert!(failed, "{answer:?}");
    assert_eq!(stage.heard("EHLO"), 1, "it is not asked again at once");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_the_empty_reverse_path_makes_nobody_unknown() {
    for rules in [
        &[
            ("MAIL FROM:<>", "550 5.7.1 null senders are not taken here"),
            ("RCPT TO:<anna@", "250 ok"),
            ("RCPT", "550 5.1.1 no such user"),
        ] as Rules,
        // One that only shows it at RCPT is no different.
        &[
            ("RCPT TO:<bert@", "550 5.1.1 no such user"),
            ("RCPT TO:<nobody-", "550 5.1.1 no such user"),
        ],
    ] {
        let stage = Stage::new(rules).await;
        assert_eq!(stage.ask("anna@x.example").await, Answer::Taken);
        let bert = stage.ask("bert@x.example").await;
        assert!(matches!(bert, Answer::Refused { .. }), "{bert:?}");
    }
    let stage = Stage::new(&[("MAIL", "550 5.7.1 you are not welcome")]).await;
    let answer = stage.ask("anna@x.example").await;
    assert!(matches!(answer, Answer::Unanswered { .. }), "{answer:?}");
    assert_eq!(stage.heard("MAIL FROM:<postmaster@relay.example>"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unclear_refusal_is_about_the_recipient_where_postmaster_is_taken() {
    let unclear: Rules = &[("RCPT TO:<anna@", "550 no")];
    let stage = Stage::new(unclear).await;
    let answer = stage.ask("anna@x.example").await;
    assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
    let stage = Stage::new(&[("RCPT", "550 no")]).await;
    let answer = stage.ask("anna@x.example").await;
    assert!(matches!(answer, Answer::Unanswered { .. }), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_us_and_a_greylist_leave_it_open_and_the_wait_is_the_servers() {
    let stage = Stage::new(&[(
        "RCPT",
        "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org",
    )])
    .await;
    let answer = stage.ask("anna@x.example").await;
    assert!(matches!(answer, Answer::Unanswered { .. }), "{answer:?}");
    let stage = Stage::new(&[("RCPT", "450 4.2.0 greylisted, try again in 300 seconds")]).await;
    let Answer::Unanswered { wait, .. } = stage.ask("anna@x.example").await else {
        panic!("a greylist says nothing about the recipient");
    };
    assert_eq!(wait, Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn a_next_hop_that_is_down_leaves_it_open_and_is_not_asked_for_every_client() {
    let stage = Stage::new(&[]).await;
    for _ in 0..3 {
        let answer = stage.ask("anna@x.example").await;
        assert!(matches!(answer, Answer::Unanswered { .. }), "{answer:?}");
    }
    assert_eq!(stage.callouts.counts().talks, 1);
    tokio::time::sleep(Duration::from_secs(61)).await;
    stage.server(KNOWS).await;
    assert_eq!(stage.ask("anna@x.example").await, Answer::Taken);
}
