//! Encryption on the way to the next hop (RFC 3207, RFC 7435).

use std::sync::Arc;

use ::tls::{Acceptor, Connector, Identities, IdentityFiles, Roots};
use delivery::{Tls, TlsPolicy};
use diagnosis::FailureKind;
use diagnosis::facts::StepKind;
use diagnosis::tls::{CertificateProblem, Trust, WhyInsecure};
use queue::route::Routes;
use queue::{RecipientState, Story};
use tempfile::TempDir;
use world::World;

use crate::peer::{Answer, Ask, Peer, at};
use crate::relay::{Relay, causes, states};

const SENDER: &str = "anna@sender.example";
const OFFERS: &str = "250-peer\r\n250-STARTTLS\r\n250 SIZE";

/// A server's certificate for `mx1.example`, by nobody else than itself.
fn acceptor(world: &World) -> (Acceptor, TempDir) {
    let (acceptor, dir, _) = acceptor_of(world);
    (acceptor, dir)
}

/// The same with the SHA-256 of its key.
pub(crate) fn acceptor_of(world: &World) -> (Acceptor, TempDir, Vec<u8>) {
    let dir = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["mx1.example".to_owned()]).unwrap();
    let files = IdentityFiles {
        certificate: dir.path().join("mx1.pem"),
        key: dir.path().join("mx1.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let (identities, _) = Identities::load(world, vec![files]).unwrap();
    let certificate = ::tls::describe(made.cert.der()).unwrap();
    let key = data_encoding::HEXLOWER.decode(certificate.key_sha256.as_bytes());
    (identities.acceptor(), dir, key.unwrap())
}

async fn relay(policy: TlsPolicy) -> Relay {
    Relay::start_with(Routes::default(), |settings| {
        settings.tls = Tls {
            connector: Some(Connector::new(&World::real(), Roots::none())),
            policy: TlsPolicy::Opportunistic,
            by_domain: [("example.org".to_owned(), policy)].into(),
            ..Tls::default()
        };
    })
    .await
}

async fn secure_peer(relay: &Relay, acceptor: Option<Acceptor>) -> Arc<Peer> {
    let listener = relay.world.net.listen(at(1)).await.unwrap();
    Peer::start_secure(listener, acceptor, |ask| match ask {
        Ask::Hello => Answer::Say(OFFERS),
        _ => Answer::Say(""),
    })
}

fn steps(story: &Story) -> Vec<&StepKind> {
    let steps = story.attempts.iter().flat_map(|a| &a.attempt.steps);
    steps.map(|step| &step.what).collect()
}

pub(crate) fn trusts(story: &Story) -> Vec<Trust> {
    let trust = |step: &&StepKind| match step {
        StepKind::Secured(session) => Some(session.trust.clone()),
        _ => None,
    };
    steps(story).iter().filter_map(trust).collect()
}

pub(crate) fn insecure(story: &Story) -> Vec<WhyInsecure> {
    let why = |step: &&StepKind| match step {
        StepKind::Went(FailureKind::Insecure(insecure)) => Some(insecure.why.clone()),
        _ => None,
    };
    steps(story).iter().filter_map(why).collect()
}

#[tokio::test(start_paused = true)]
async fn mail_goes_encrypted_to_a_server_that_offers_it_whoever_vouches_for_it() {
    let relay = relay(TlsPolicy::Opportunistic).await;
    let (acceptor, _dir) = acceptor(&relay.world);
    let peer = secure_peer(&relay, Some(acceptor)).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    let heard = peer.heard();
    let start = [
        "EHLO relay.example",
        "STARTTLS",
        "(handshake)",
        "EHLO relay.example",
    ];
    assert_eq!(heard[..4], start);
    let problem = Some(CertificateProblem::SelfSigned);
    assert_eq!(trusts(&story), [Trust::Opportunistic { problem }]);
}

#[tokio::test(start_paused = true)]
async fn mail_goes_in_the_clear_on_a_new_connection_after_a_handshake_that_failed() {
    let relay = relay(TlsPolicy::Opportunistic).await;
    let peer = secure_peer(&relay, None).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert_eq!(peer.connections().0, 2);
    assert_eq!(story.attempts.len(), 1, "it is one attempt");
    let why = insecure(&story);
    assert!(matches!(&why[..], [WhyInsecure::Handshake(_)]), "{why:?}");
    assert_eq!(trusts(&story), []);
}

#[tokio::test(start_paused = true)]
async fn mail_waits_where_encryption_is_required_and_not_offered() {
    let relay = relay(TlsPolicy::Required).await;
    let peer = relay.willing_peer(1).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(60).await;
    let story = relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Queued]);
    assert_eq!(causes(&story), ["tls.policy"]);
    assert_eq!(peer.taken(), []);
    assert_eq!(insecure(&story)[0], WhyInsecure::NotOffered);
}

#[tokio::test(start_paused = true)]
async fn mail_waits_where_encryption_is_required_and_the_handshake_fails() {
    let relay = relay(TlsPolicy::Required).await;
    let peer = secure_peer(&relay, None).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(60).await;
    let story = relay.story(id).await;
    assert_eq!(causes(&story), ["tls.failed"]);
    assert_eq!(peer.taken(), []);
    assert!(!peer.heard().iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_does_not_fit_the_policy_is_diagnosed_with_both() {
    let relay = relay(TlsPolicy::Verify(Vec::new())).await;
    let (acceptor, _dir) = acceptor(&relay.world);
    let peer = secure_peer(&relay, Some(acceptor)).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    relay.pass(60).await;
    let story = relay.story(id).await;
    assert_eq!(states(&story), [RecipientState::Queued]);
    assert_eq!(causes(&story), ["tls.certificate"]);
    assert_eq!(peer.taken(), []);
    let last = story.recipients[0].last.as_ref().unwrap();
    let evidence: Vec<&str> = last.evidence.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(evidence[0], "mx1.example: the certificate is self-signed");
    assert!(
        evidence[1].starts_with("certificate: subject "),
        "{evidence:?}"
    );
    assert!(
        evidence[1].contains(", for mx1.example, valid from "),
        "{evidence:?}"
    );
    assert_eq!(
        evidence[2],
        "our policy: encryption is required, with a certificate for mx1.example or example.org"
    );
}

#[tokio::test(start_paused = true)]
async fn a_configured_fingerprint_is_enough_and_another_is_not() {
    let relay = relay(TlsPolicy::Opportunistic).await;
    let (acceptor, _dir) = acceptor(&relay.world);
    let first = secure_peer(&relay, Some(acceptor.clone())).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    let story = relay.settled(id).await;
    assert_eq!(first.taken().len(), 1);
    let certificate = steps(&story).iter().find_map(|step| match step {
        StepKind::Secured(session) => session.certificate.clone(),
        _ => None,
    });
    let sha256 = certificate.unwrap().sha256;

    for (fingerprint, cause) in [(sha256, None), ("00".repeat(32), Some("tls.certificate"))] {
        let relay = self::relay(TlsPolicy::Fingerprint(vec![fingerprint])).await;
        let peer = secure_peer(&relay, Some(acceptor.clone())).await;
        let id = relay.send(SENDER, &["a@example.org"]).await;
        relay.pass(60).await;
        let story = relay.story(id).await;
        assert_eq!(peer.taken().len(), usize::from(cause.is_none()));
        assert_eq!(causes(&story).first().copied(), cause);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_starttls_gets_its_mail_in_the_clear_on_the_same_connection() {
    let relay = relay(TlsPolicy::Off).await;
    let peer = secure_peer(&relay, None).await;
    let id = relay.send(SENDER, &["a@example.org"]).await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered]);
    assert!(!peer.heard().contains(&"STARTTLS".to_owned()), "off is off");
    assert_eq!(peer.connections().0, 1);
}

#[tokio::test(start_paused = true)]
async fn what_requires_tls_does_not_go_to_a_server_that_cannot_show_who_it_is() {
    let (acceptor, _dir) = acceptor(&World::real());
    let listening = async |relay: &Relay| {
        let listener = relay.world.net.listen(at(1)).await.unwrap();
        Peer::start_secure(listener, Some(acceptor.clone()), |ask| match ask {
            Ask::Hello => Answer::Say("250-peer\r\n250-STARTTLS\r\n250 REQUIRETLS"),
            _ => Answer::Say(""),
        })
    };
    let relay = relay(TlsPolicy::Opportunistic).await;
    let peer = listening(&relay).await;
    let send = async |relay: &Relay| {
        let to = ["a@example.org"];
        let id = relay.send_with(SENDER, &to, |new| new.message.options.require_tls = true);
        relay.settled(id.await).await
    };
    let story = send(&relay).await;
    assert_eq!(states(&story), [RecipientState::Failed]);
    assert_eq!(causes(&story), ["tls.policy"]);
    assert_eq!(peer.taken(), []);

    let fingerprint = steps(&story).iter().find_map(|step| match step {
        StepKind::Secured(session) => session.certificate.as_ref().map(|c| c.sha256.clone()),
        _ => None,
    });
    let relay = self::relay(TlsPolicy::Fingerprint(vec![fingerprint.unwrap()])).await;
    let peer = listening(&relay).await;
    assert_eq!(states(&send(&relay).await), [RecipientState::Delivered]);
    let mail = format!("MAIL FROM:<{SENDER}> REQUIRETLS");
    assert!(peer.heard().contains(&mail), "{:?}", peer.heard());
}
