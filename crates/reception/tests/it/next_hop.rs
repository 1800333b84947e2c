//! Recipients of relayed domains, about whom the next hop is asked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diagnosis::facts::{ConnectError, ConnectTry};
use diagnosis::{Failure, FailureKind, Stage};
use queue::route::Target;
use queue::{Answer, Callout, CalloutPolicy, Unanswered, Unsure};
use reception::{Neighbours, Settings};
use recipients::{Book, Class, Domain, Fixed, Table};
use smtp::{Address, Reply};

use crate::support::{Relay, settings, world};

const STRANGER: &str = "198.51.100.7:4000";
const ALIASES: &str = "some@v.example: bert@relay.example, gone@relay.example\n\
     none@v.example: gone@relay.example, off@relay.example\n\
     either@v.example: gone@relay.example, silent@relay.example\n";

/// Knows what a next hop would say by the name of the recipient.
#[derive(Debug)]
struct NextHop;

#[async_trait]
impl Callout for NextHop {
    async fn ask(&self, address: &Address, _: &Target, _: &CalloutPolicy) -> Answer {
        let said = |raw: &str| Answer::Refused {
            reply: Reply::parse("mx.relay.example[192.0.2.1]:25", raw.as_bytes()).unwrap(),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let failed = |kind| Answer::Unanswered {
            why: Unanswered::Failed(Box::new(Failure {
                stage: Stage::Rcpt,
                kind,
            })),
            wait: Duration::from_secs(60),
        };
        match address.local() {
            "gone" => said("550-5.1.1 who is\r\n550 5.1.1 that?\r\n"),
            "off" => said("550 5.2.1 switched off\r\n"),
            "vague" => said("550 no\r\n"),
            "long" => said(&format!("550 5.1.1 {}\r\n", "x".repeat(400))),
            "silent" => failed(FailureKind::Connect(vec![ConnectTry {
                host: "mx.relay.example".into(),
                address: "192.0.2.1:25".into(),
                error: ConnectError::Refused,
                waited_ms: 1,
            }])),
            "asking" => Answer::Unanswered {
                why: Unanswered::Asking,
                wait: Duration::from_secs(50),
            },
            _ => Answer::Taken,
        }
    }
}

fn relay(policy: CalloutPolicy, settings: Settings) -> Relay {
    let verify = Some(Arc::new(policy));
    let class = Class::Relay {
        recipients: Vec::new(),
        verify,
    };
    let domains = [("relay.example", class), ("v.example", Class::Virtual)];
    let domains = domains.map(|(name, class)| Domain {
        name: name.into(),
        class,
        aliases: Vec::new(),
    });
    let aliases: Arc<dyn Table> =
        Arc::new(Fixed::new("aliases", recipients::entries(ALIASES).unwrap()));
    let book = Book::new(
        recipients::Settings::default(),
        domains,
        vec![aliases],
        Arc::new(Fixed::new("lists", [])),
        None,
        Arc::default(),
    );
    let neighbours = Neighbours {
        directory: Some(Arc::new(book)),
        callout: Some(Arc::new(NextHop)),
        ..Neighbours::default()
    };
    Relay::start_in(world(), settings, neighbours)
}

#[tokio::test(start_paused = true)]
async fn what_the_next_hop_says_decides_and_its_words_are_told_on() {
    let relay = relay(CalloutPolicy::default(), settings());
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    let begins = "no such recipient: the next hop of this server refuses";
    let unsure = "450 4.1.1 cannot tell now whether";
    for (name, expected) in [
        ("bert", "250 ".to_owned()),
        (
            "gone",
            format!("550 5.1.1 {begins} gone@relay.example: who is that?\r\n"),
        ),
        (
            "off",
            format!("550 5.2.1 {begins} off@relay.example: switched off\r\n"),
        ),
        (
            "vague",
            format!("550 5.1.1 {begins} vague@relay.example: no\r\n"),
        ),
        (
            "long",
            format!(
                "550 5.1.1 {begins} long@relay.example: {} ...\r\n",
                "x".repeat(250)
            ),
        ),
        (
            "silent",
            format!(
                "{unsure} silent@relay.example is at the next hop of this server: it cannot be reached; try again in 60 seconds\r\n"
            ),
        ),
        (
            "asking",
            format!(
                "{unsure} asking@relay.example is at the next hop of this server: it has not answered yet; try again in 50 seconds\r\n"
            ),
        ),
    ] {
        let rcpt = format!("RCPT TO:<{name}@relay.example>");
        client.ask(&rcpt, &expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_an_alias_for_several_one_that_is_there_is_enough_and_doubt_outweighs_a_refusal() {
    let relay = relay(CalloutPolicy::default(), settings());
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    client.ask("RCPT TO:<some@v.example>", "250 ").await;
    client.ask("RCPT TO:<none@v.example>", "550 5.1.1 ").await;
    client.ask("RCPT TO:<either@v.example>", "450 4.1.1 ").await;
}

#[tokio::test(start_paused = true)]
async fn mail_is_taken_while_nobody_can_tell_where_that_is_configured() {
    let policy = CalloutPolicy {
        unanswered: Unsure::Accept,
        ..CalloutPolicy::default()
    };
    let relay = relay(policy, settings());
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    client.ask("RCPT TO:<silent@relay.example>", "250 ").await;
    client
        .ask("RCPT TO:<gone@relay.example>", "550 5.1.1 ")
        .await;
}

#[tokio::test(start_paused = true)]
async fn who_tries_names_in_turn_is_sent_away_and_who_meets_a_silent_next_hop_is_not() {
    let settings = Settings {
        max_errors: 3,
        ..settings()
    };
    let relay = relay(CalloutPolicy::default(), settings);
    let mut client = relay.session_from(STRANGER).await;
    client.ask("MAIL FROM:<x@far.example>", "250 ").await;
    for _ in 0..4 {
        client.ask("RCPT TO:<silent@relay.example>", "450 ").await;
    }
    client.ask("RCPT TO:<gone@relay.example>", "550 ").await;
    client.ask("RCPT TO:<gone@relay.example>", "550 ").await;
    client
        .ask("RCPT TO:<gone@relay.example>", "421 4.7.0 ")
        .await;
}
