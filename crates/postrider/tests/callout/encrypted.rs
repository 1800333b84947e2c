//! Next hops that speak TLS, well and badly.

use peers::{Place, Postfix};

use crate::authority::Authority;
use crate::sinking::Sink;
use crate::{rcpt, relay};

#[test]
fn a_next_hop_that_demands_tls_is_asked_under_tls() {
    let place = Place::new("callout-tls").unwrap();
    let pair = Authority::new(place.path()).issue("postfix", "localhost");
    let config = format!(
        "smtpd_tls_security_level = encrypt\nsmtpd_tls_loglevel = 1\nsmtpd_tls_chain_files = {}, {}\n",
        pair.key.display(),
        pair.chain.display(),
    );
    let postfix = Postfix::start(&config).unwrap();
    let relay = relay(postfix.port, "true");
    let known = rcpt(&relay, "bert@dest.example");
    assert!(known.starts_with("250 "), "{known}\n{}", relay.log());
    let unknown = rcpt(&relay, "nobody@dest.example");
    assert!(unknown.starts_with("550 5.1.1 "), "{unknown}");
    let log = postfix.log();
    assert!(log.contains("TLS connection established from"), "{log}");
}

#[test]
fn where_the_handshake_fails_the_question_goes_in_the_clear_as_mail_does() {
    let sink = Sink::scenario("starttls-broken");
    let relay = relay(sink.port(), "true");
    let known = rcpt(&relay, "bert@dest.example");
    assert!(known.starts_with("250 "), "{known}\n{}", relay.log());
}
