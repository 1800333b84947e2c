//! Servers that are held to their domain's policy of MTA-STS (RFC 8461).

use std::sync::Arc;
use std::time::Duration;

use ::tls::{Connector, Roots};
use async_trait::async_trait;
use delivery::{OwnMail, Tls};
use diagnosis::tls::{CertificateProblem, Trust, WhyInsecure};
use diagnosis::tls_policy::{Applied, AppliedPolicy, ResultType};
use mta_sts::{Failed, Found, Held, Mode, NoAnswer, Policies, Policy, Trouble};
use parking_lot::Mutex;
use queue::route::Routes;
use queue::{MessageId, RecipientState};
use world::World;

use crate::dane::Seen;
use crate::peer::Peer;
use crate::relay::{Relay, causes, states};
use crate::tls::{acceptor_of, insecure, trusts};

const SENDER: &str = "anna@sender.example";
const TO: [&str; 1] = ["a@example.org"];
const STARTTLS: &str = "250-peer\r\n250-STARTTLS\r\n250 SIZE";
const PLAIN: &str = "250-peer\r\n250 SIZE";

/// What everybody finds.
#[derive(Debug, Default)]
struct Told(Mutex<Found>);

#[async_trait]
impl Policies for Told {
    async fn of(&self, domain: &str) -> Found {
        match domain {
            "example.org" => self.0.lock().clone(),
            _ => Found::default(),
        }
    }
}

fn held(mode: Mode, mx: &str) -> Found {
    let text = format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n");
    Found {
        held: Some(Arc::new(Held {
            id: "20260101".into(),
            fetched: "2026-01-01T00:00:00Z".parse().unwrap(),
            policy: Policy::parse(text.as_bytes()).unwrap(),
        })),
        trouble: None,
    }
}

struct Scene {
    relay: Relay,
    seen: Arc<Seen>,
    /// For `mx1.example`, by itself; trusted or not.
    acceptor: ::tls::Acceptor,
    _dir: tempfile::TempDir,
}

impl Scene {
    async fn new(found: Found, trusted: bool) -> Scene {
        let seen = Arc::new(Seen::default());
        let witness = seen.clone();
        let (acceptor, dir, _) = acceptor_of(&World::real());
        let world = World::real();
        let roots = match trusted {
            true => {
                let file = dir.path().join("mx1.pem");
                Roots::none().and_file(&*world.disk, &file).unwrap()
            }
            false => Roots::none(),
        };
        let relay = Relay::start_with(Routes::default(), |settings| {
            settings.tls = Tls {
                connector: Some(Connector::new(&world, roots)),
                mta_sts: Some(Arc::new(Told(Mutex::new(found)))),
                witness,
                ..Tls::default()
            };
        })
        .await;
        Scene {
            relay,
            seen,
            acceptor,
            _dir: dir,
        }
    }

    async fn peer(&self, n: u8, offers: &'static str) -> Arc<Peer> {
        self.relay.secure_peer(n, &self.acceptor, offers).await
    }

    /// Signs the DNS with a record about the key of `mx1.example`.
    fn publish(&self, usage: u8, data: Vec<u8>) {
        let dns = &self.relay.dns;
        let name = "_25._tcp.mx1.example";
        for signed in ["example.org", "mx1.example", name] {
            dns.sign(signed);
        }
        let record = dns::RecordData::Tlsa(dns::Tlsa {
            usage,
            selector: 1,
            matching: 1,
            data,
        });
        dns.set(name, dns::RecordKind::Tlsa, Ok(vec![record]));
    }

    fn seen(&self) -> Vec<Applied> {
        self.seen.0.lock().clone()
    }
}

fn result(applied: &Applied) -> Option<ResultType> {
    applied.outcome.as_ref().err().map(|short| short.result)
}

#[tokio::test(start_paused = true)]
async fn a_listed_server_with_a_valid_certificate_gets_mail_and_is_counted() {
    let scene = Scene::new(held(Mode::Enforce, "mx1.example"), true).await;
    let _peer = scene.peer(1, STARTTLS).await;
    let id = scene.relay.send(SENDER, &TO).await;
    let story = scene.relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    let name = "mx1.example".to_owned();
    assert_eq!(trusts(&story), [Trust::Authority { name }]);
    let seen = scene.seen();
    assert_eq!((seen.len(), result(&seen[0])), (1, None));
    let AppliedPolicy::Sts(facts) = &seen[0].policy else {
        panic!("{seen:?}");
    };
    assert_eq!(facts.lines[1], "mode: enforce");
    assert_eq!(
        (&facts.id[..], &facts.mx[0][..]),
        ("20260101", "mx1.example")
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_listed_is_passed_over_and_where_all_are_mail_waits() {
    let scene = Scene::new(held(Mode::Enforce, "*.elsewhere.example"), true).await;
    let (first, second) = (scene.peer(1, STARTTLS).await, scene.peer(2, STARTTLS).await);
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    let story = scene.relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Queued]);
    assert_eq!(causes(&story), ["tls.mta-sts"]);
    assert_eq!(first.connections().0 + second.connections().0, 0);
    assert_eq!(insecure(&story)[0], WhyInsecure::NotInPolicy);
    let last = story.recipients[0].last.as_ref().unwrap();
    let evidence: Vec<&str> = last.evidence.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(
        evidence[1],
        "their policy: MTA-STS of example.org, id 20260101, mode enforce, mx *.elsewhere.example"
    );
    assert_eq!(
        result(&scene.seen()[0]),
        Some(ResultType::ValidationFailure)
    );

    // One that is listed gets it.
    let scene = Scene::new(held(Mode::Enforce, "mx1.example"), true).await;
    let other = scene.peer(2, STARTTLS).await;
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    assert_eq!(
        states(&scene.relay.story(id).await),
        [RecipientState::Queued]
    );
    assert_eq!(other.connections().0, 0);
}

#[tokio::test(start_paused = true)]
async fn no_encryption_or_a_certificate_that_nobody_vouches_for_keeps_mail() {
    for (offers, why, counted) in [
        (PLAIN, None, ResultType::StartTlsNotSupported),
        (
            STARTTLS,
            Some(CertificateProblem::SelfSigned),
            ResultType::CertificateNotTrusted,
        ),
    ] {
        let scene = Scene::new(held(Mode::Enforce, "mx1.example"), false).await;
        let peer = scene.peer(1, offers).await;
        let id = scene.relay.send(SENDER, &TO).await;
        scene.relay.pass(60).await;
        let story = scene.relay.story(id).await;
        assert_eq!(states(&story), [RecipientState::Queued]);
        assert_eq!(causes(&story), ["tls.mta-sts"]);
        assert_eq!(peer.taken(), []);
        match (why, &insecure(&story)[0]) {
            (None, WhyInsecure::NotOffered) => {}
            (Some(problem), WhyInsecure::Handshake(failure)) => {
                assert!(failure.to_string().contains(&problem.to_string()));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(result(&scene.seen()[0]), Some(counted));
    }
}

#[tokio::test(start_paused = true)]
async fn in_testing_all_is_told_and_nothing_is_kept_back() {
    for (offers, mx, counted) in [
        (STARTTLS, "mx1.example", ResultType::CertificateNotTrusted),
        (STARTTLS, "mx9.example", ResultType::ValidationFailure),
        (PLAIN, "mx1.example", ResultType::StartTlsNotSupported),
    ] {
        let scene = Scene::new(held(Mode::Testing, mx), false).await;
        let peer = scene.peer(1, offers).await;
        let id = scene.relay.send(SENDER, &TO).await;
        let story = scene.relay.settled(id).await;
        assert_eq!(states(&story), [RecipientState::Delivered], "{mx} {offers}");
        assert_eq!(peer.taken().len(), 1);
        let seen = scene.seen();
        assert_eq!((seen.len(), result(&seen[0])), (1, Some(counted)));
        assert!(matches!(seen[0].policy, AppliedPolicy::Sts(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_ended_or_could_not_be_fetched_demands_nothing() {
    let trouble = Trouble::from(NoAnswer::TimedOut {
        url: "https://mta-sts.example.org/".into(),
    });
    let failed = Found {
        held: None,
        trouble: Some(Failed {
            id: "7".into(),
            trouble,
        }),
    };
    let counts = [(held(Mode::None, "mx9.example"), 1), (failed, 2)];
    for (found, count) in counts {
        let scene = Scene::new(found, false).await;
        let _peer = scene.peer(1, STARTTLS).await;
        let id = scene.relay.send(SENDER, &TO).await;
        let story = scene.relay.settled(id).await;
        assert_eq!(states(&story), [RecipientState::Delivered]);
        let seen = scene.seen();
        assert_eq!(seen.len(), count, "{seen:?}");
        assert_eq!(seen[count - 1].policy, AppliedPolicy::None);
        if count == 2 {
            assert_eq!(seen[0].server, None);
            assert_eq!(result(&seen[0]), Some(ResultType::StsPolicyFetchError));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_used_leave_it_to_the_policy_that_is_enforced() {
    // With whomever (RFC 7672 §2.2), if it were for the records alone.
    for (mode, cause) in [(Mode::Enforce, Some("tls.mta-sts")), (Mode::Testing, None)] {
        let scene = Scene::new(held(mode, "mx1.example"), false).await;
        scene.publish(1, vec![7; 32]);
        let peer = scene.peer(1, STARTTLS).await;
        let id = scene.relay.send(SENDER, &TO).await;
        scene.relay.pass(60).await;
        let story = scene.relay.story(id).await;
        assert_eq!(causes(&story), Vec::from_iter(cause), "{mode}");
        assert_eq!(peer.taken().len(), usize::from(cause.is_none()));
    }
}

#[tokio::test(start_paused = true)]
async fn dane_goes_first() {
    // The certificate is nobody's but the DNS's, and the policy names another server.
    let scene = Scene::new(held(Mode::Enforce, "mx9.example"), false).await;
    scene.publish(3, vec![7; 32]);
    let peer = scene.peer(1, STARTTLS).await;
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    assert_eq!(causes(&scene.relay.story(id).await), ["tls.dane"]);
    assert_eq!(peer.taken(), []);
}

#[tokio::test(start_paused = true)]
async fn an_enforced_policy_names_servers_surely_enough_for_requiretls() {
    const REQUIRES: &str = "250-peer\r\n250-STARTTLS\r\n250 REQUIRETLS";
    for mode in [Mode::Enforce, Mode::Testing] {
        let scene = Scene::new(held(mode, "mx1.example"), true).await;
        let peer = scene.peer(1, REQUIRES).await;
        let id = scene
            .relay
            .send_with(SENDER, &TO, |new| new.message.options.require_tls = true);
        let story = scene.relay.settled(id.await).await;
        let taken = usize::from(mode == Mode::Enforce);
        assert_eq!(peer.taken().len(), taken, "{mode}: {story:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_long_in_coming_holds_up_its_own_domain_only() {
    #[derive(Debug)]
    struct Slow;
    #[async_trait]
    impl Policies for Slow {
        async fn of(&self, domain: &str) -> Found {
            if domain == "example.org" {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
            Found::default()
        }
    }
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.tls = Tls {
            connector: Some(Connector::new(&World::real(), Roots::none())),
            mta_sts: Some(Arc::new(Slow)),
            ..Tls::default()
        };
    })
    .await;
    let (slow, quick) = (relay.willing_peer(1).await, relay.willing_peer(3).await);
    let first = relay.send(SENDER, &TO).await;
    let second = relay.send(SENDER, &["b@other.example"]).await;
    let (first, second) = (relay.settled(first).await, relay.settled(second).await);
    assert_eq!((slow.taken().len(), quick.taken().len()), (1, 1));
    let took = |story: &queue::Story| {
        let attempt = &story.attempts[0];
        attempt
            .ended_at
            .duration_since(attempt.started_at)
            .as_secs()
    };
    assert_eq!((took(&first), took(&second)), (30, 0));
}

#[tokio::test(start_paused = true)]
async fn a_report_on_tls_goes_in_spite_of_the_policy_and_is_counted_nowhere_and_queued_once() {
    let scene = Scene::new(held(Mode::Enforce, "*.elsewhere.example"), true).await;
    let peer = scene.peer(1, PLAIN).await;
    let mail = OwnMail {
        id: MessageId::from_bytes([7; 16]),
        to: "r@example.org".parse().unwrap(),
        content: b"Subject: Report Domain: example.org\r\n\r\nx\r\n".to_vec(),
        lifetime: Duration::from_secs(86_400),
    };
    scene.relay.engine.post(mail.clone()).await.unwrap();
    let story = scene.relay.settled(mail.id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert!(story.message.sender.is_null());
    assert_eq!(scene.seen(), []);
    let sessions = peer.connections().0;
    scene.relay.engine.post(mail).await.unwrap();
    scene.relay.pass(60).await;
    assert_eq!(peer.connections().0, sessions);
    // Other mail waits.
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    assert_eq!(
        states(&scene.relay.story(id).await),
        [RecipientState::Queued]
    );
}
