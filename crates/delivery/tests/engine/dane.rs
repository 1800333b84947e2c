//! Servers that are held to what the signed DNS says of them (RFC 7672).

use std::sync::Arc;

use ::tls::{Acceptor, Connector, Roots};
use delivery::{Tls, TlsPolicy, TlsWitness};
use diagnosis::tls::{Trust, WhyInsecure};
use diagnosis::tls_policy::{Applied, AppliedPolicy, ResultType};
use dns::{AskError, RecordData, RecordKind, Tlsa, Unanswered};
use parking_lot::Mutex;
use queue::RecipientState;
use queue::route::Routes;
use world::World;

use crate::peer::{Peer, at};
use crate::relay::{Relay, causes, states};
use crate::tls::{acceptor_of, insecure, trusts};

const SENDER: &str = "anna@sender.example";
const TO: [&str; 1] = ["a@example.org"];

#[derive(Debug, Default)]
pub(crate) struct Seen(pub(crate) Mutex<Vec<Applied>>);

impl TlsWitness for Seen {
    fn saw(&self, applied: Applied) {
        self.0.lock().push(applied);
    }
}

struct Scene {
    relay: Relay,
    seen: Arc<Seen>,
    acceptor: Acceptor,
    /// SHA-256 of the server's key.
    key: Vec<u8>,
    _dir: tempfile::TempDir,
}

impl Scene {
    /// `example.org` is signed, with the exchangers 1 and 2, and their zone.
    async fn new() -> Scene {
        Scene::with(None, TlsPolicy::Opportunistic).await
    }

    async fn with(own: Option<TlsPolicy>, policy: TlsPolicy) -> Scene {
        let seen = Arc::new(Seen::default());
        let witness = seen.clone();
        let relay = Relay::start_with(Routes::default(), |settings| {
            settings.tls = Tls {
                connector: Some(Connector::new(&World::real(), Roots::none())),
                policy,
                by_domain: own
                    .map(|own| ("example.org".into(), own))
                    .into_iter()
                    .collect(),
                witness,
                ..Tls::default()
            };
        })
        .await;
        for name in ["example.org", "mx1.example", "mx2.example"] {
            relay.dns.sign(name);
        }
        let (acceptor, dir, key) = acceptor_of(&relay.world);
        Scene {
            relay,
            seen,
            acceptor,
            key,
            _dir: dir,
        }
    }

    fn publish(&self, n: u8, records: &[(u8, &[u8])]) {
        let record = |(usage, data): &(u8, &[u8])| {
            RecordData::Tlsa(Tlsa {
                usage: *usage,
                selector: 1,
                matching: 1,
                data: data.to_vec(),
            })
        };
        let name = format!("_25._tcp.mx{n}.example");
        self.relay.dns.sign(&name);
        let records = records.iter().map(record).collect();
        self.relay.dns.set(&name, RecordKind::Tlsa, Ok(records));
    }

    fn bogus(&self, n: u8) {
        let name = format!("_25._tcp.mx{n}.example");
        let trouble = AskError::Unanswered {
            how: Unanswered::ServerFailure,
            reported: "SERVFAIL".into(),
        };
        self.relay.dns.set(&name, RecordKind::Tlsa, Err(trouble));
    }

    async fn peer(&self, n: u8, offers: &'static str) -> Arc<Peer> {
        self.relay.secure_peer(n, &self.acceptor, offers).await
    }

    /// Result types, in order; `None`: all was well.
    fn results(&self) -> Vec<Option<ResultType>> {
        let seen = self.seen.0.lock();
        let result = |a: &Applied| a.outcome.as_ref().err().map(|short| short.result);
        seen.iter().map(result).collect()
    }
}

const STARTTLS: &str = "250-peer\r\n250-STARTTLS\r\n250 SIZE";
const PLAIN: &str = "250-peer\r\n250 SIZE";

#[tokio::test(start_paused = true)]
async fn a_server_with_the_published_key_gets_mail_and_who_counts_is_told() {
    let scene = Scene::new().await;
    scene.publish(1, &[(3, &scene.key)]);
    let peer = scene.peer(1, STARTTLS).await;
    let id = scene.relay.send(SENDER, &TO).await;
    let story = scene.relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert_eq!(peer.taken().len(), 1);
    assert!(
        matches!(&trusts(&story)[..], [Trust::Dane { record }] if record.starts_with("3 1 1 ")),
        "{story:?}"
    );
    let seen = scene.seen.0.lock();
    let [applied] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert_eq!(applied.domain, "example.org");
    assert_eq!(applied.outcome, Ok(()));
    let AppliedPolicy::Dane { name, records } = &applied.policy else {
        panic!("{applied:?}");
    };
    assert_eq!((&name[..], records.len()), ("_25._tcp.mx1.example", 1));
    let server = applied.server.as_ref().unwrap();
    assert_eq!(server.host, "mx1.example");
    assert_eq!(server.address, at(1).to_string());
}

#[tokio::test(start_paused = true)]
async fn another_certificate_than_the_published_keeps_mail_and_the_story_names_both() {
    let scene = Scene::new().await;
    scene.publish(1, &[(3, &[7; 32])]);
    let peer = scene.peer(1, STARTTLS).await;
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    let story = scene.relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Queued]);
    assert_eq!(causes(&story), ["tls.dane"]);
    assert_eq!(peer.taken(), []);
    let last = story.recipients[0].last.as_ref().unwrap();
    assert_eq!(last.responsible, diagnosis::Responsible::Receiver);
    let evidence: Vec<&str> = last.evidence.iter().map(|e| e.text.as_str()).collect();
    let record = format!("3 1 1 {}", "07".repeat(32));
    assert_eq!(
        evidence[0],
        format!("mx1.example: the certificate fits none of the TLSA records: {record}")
    );
    assert!(
        evidence[1].starts_with("certificate: subject "),
        "{evidence:?}"
    );
    assert_eq!(
        evidence[2],
        format!("their policy: DANE: _25._tcp.mx1.example TLSA {record}")
    );
    assert_eq!(scene.results()[0], Some(ResultType::TlsaInvalid));
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_used_demand_encryption_with_whomever() {
    let scene = Scene::new().await;
    scene.publish(1, &[(1, &[7; 32]), (3, &[7; 5])]);
    let _peer = scene.peer(1, STARTTLS).await;
    let id = scene.relay.send(SENDER, &TO).await;
    let story = scene.relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert!(matches!(&trusts(&story)[..], [Trust::Opportunistic { .. }]));
    assert_eq!(scene.results(), [Some(ResultType::TlsaInvalid)]);

    let scene = Scene::new().await;
    scene.publish(1, &[(1, &[7; 32])]);
    let peer = scene.peer(1, PLAIN).await;
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    let story = scene.relay.story(id).await;
    assert_eq!(causes(&story), ["tls.dane"]);
    assert_eq!(insecure(&story)[0], WhyInsecure::NotOffered);
    assert_eq!(peer.taken(), []);
    assert_eq!(scene.results()[0], Some(ResultType::StartTlsNotSupported));
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_records_cannot_be_looked_up_is_passed_over_and_never_gets_mail_in_the_clear()
{
    let scene = Scene::new().await;
    scene.bogus(1);
    let (first, second) = (scene.peer(1, PLAIN).await, scene.peer(2, PLAIN).await);
    let id = scene.relay.send(SENDER, &TO).await;
    let story = scene.relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert_eq!((first.connections().0, second.taken().len()), (0, 1));
    let unanswered = |why: &WhyInsecure| matches!(why, WhyInsecure::TlsaUnanswered { .. });
    assert!(unanswered(&insecure(&story)[0]), "the story tells it");

    let scene = Scene::new().await;
    scene.bogus(1);
    scene.bogus(2);
    let (first, second) = (scene.peer(1, PLAIN).await, scene.peer(2, PLAIN).await);
    let id = scene.relay.send(SENDER, &TO).await;
    scene.relay.pass(60).await;
    let story = scene.relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Queued]);
    assert_eq!(causes(&story), ["tls.dane"]);
    assert_eq!(first.connections().0 + second.connections().0, 0);
    assert_eq!(scene.results()[0], Some(ResultType::DnssecInvalid));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_signed_is_not_believed_and_changes_nothing() {
    // The TLSA records, the exchanger's addresses and the MX records, each unsigned for once.
    for unsigned in ["_25._tcp.mx1.example", "mx1.example", "example.org"] {
        let scene = Scene::new().await;
        scene.publish(1, &[(3, &[7; 32])]);
        scene.relay.dns.unsign(unsigned);
        let peer = scene.peer(1, PLAIN).await;
        let id = scene.relay.send(SENDER, &TO).await;
        let story = scene.relay.settled(id).await;
        assert_eq!(states(&story), [RecipientState::Delivered], "{unsigned}");
        assert_eq!(peer.taken().len(), 1);
        let seen = scene.seen.0.lock();
        assert_eq!(seen[0].policy, AppliedPolicy::None);
        let outcome = seen[0].outcome.as_ref().unwrap_err();
        assert_eq!(outcome.result, ResultType::StartTlsNotSupported);
    }
}

#[tokio::test(start_paused = true)]
async fn the_administrators_word_on_a_domain_goes_first() {
    let scene = Scene::with(Some(TlsPolicy::Opportunistic), TlsPolicy::Opportunistic).await;
    scene.publish(1, &[(3, &[7; 32])]);
    let peer = scene.peer(1, PLAIN).await;
    let id = scene.relay.send(SENDER, &TO).await;
    let story = scene.relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert_eq!(peer.taken().len(), 1);
    assert_eq!(scene.results(), [], "it is not theirs to count");
}

#[tokio::test(start_paused = true)]
async fn what_requires_tls_asks_for_exchangers_that_the_domain_surely_named() {
    const REQUIRES: &str = "250-peer\r\n250-STARTTLS\r\n250 REQUIRETLS";
    for signed in [true, false] {
        let scene = Scene::with(None, TlsPolicy::Opportunistic).await;
        scene.publish(1, &[(3, &scene.key)]);
        if !signed {
            scene.relay.dns.unsign("example.org");
        }
        let peer = scene.peer(1, REQUIRES).await;
        let id = scene
            .relay
            .send_with(SENDER, &TO, |new| new.message.options.require_tls = true);
        let story = scene.relay.settled(id.await).await;
        assert_eq!(peer.taken().len(), usize::from(signed));
        let expected: &[&str] = if signed { &[] } else { &["tls.policy"] };
        assert_eq!(causes(&story), expected);
    }
}
