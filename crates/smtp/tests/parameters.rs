//! The parameters of MAIL and RCPT by their RFCs, as transcripts.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use smtp::server::{AuthOffer, Config, Session};
use support::{check, config, drive, greeted, introduced};

fn everything() -> Config {
    Config {
        dsn: true,
        binary_mime: true,
        require_tls: true,
        deliver_by: true,
        priority: true,
        starttls: true,
        ..config()
    }
}

/// A session after EHLO that knows all parameters.
fn knowing() -> Session {
    let mut session = greeted(everything());
    session.offer_auth(Some(Arc::new(AuthOffer {
        mechanisms: vec!["PLAIN".to_owned()],
        needs_tls: Vec::new(),
    })));
    said(&mut session, "EHLO me");
    session
}

fn said(session: &mut Session, line: &str) -> String {
    session
        .input()
        .extend_from_slice(format!("{line}\r\n").as_bytes());
    drive(session, &mut false);
    String::from_utf8(session.take_output().to_vec()).unwrap()
}

#[test]
fn what_whoever_keeps_the_message_promises_is_announced_and_the_rest_is_not() {
    let mut plain = greeted(config());
    let announced = said(&mut plain, "EHLO me");
    for keyword in [
        "DSN",
        "BINARYMIME",
        "REQUIRETLS",
        "DELIVERBY",
        "MT-PRIORITY",
        "FUTURERELEASE",
    ] {
        assert!(!announced.contains(keyword), "{announced}");
    }
    let mut all = greeted(Config {
        max_messages: 7,
        ..everything()
    });
    all.offer_holding(Some((3600, "2026-11-24T02:29:23.5Z".parse().unwrap())));
    let announced = said(&mut all, "EHLO me");
    for line in [
        "250-DSN\r\n",
        "250-BINARYMIME\r\n",
        "250-DELIVERBY\r\n",
        "250-MT-PRIORITY\r\n",
        "250-LIMITS RCPTMAX=3 MAILMAX=7\r\n",
        "250 FUTURERELEASE 3600 2026-11-24T02:29:23Z\r\n",
    ] {
        assert!(announced.contains(line), "{announced}");
    }
    assert!(!announced.contains("REQUIRETLS"), "{announced}");
    assert_eq!(
        said(&mut all, "STARTTLS"),
        "220 2.0.0 ready to start TLS\r\n"
    );
    assert!(said(&mut all, "EHLO me").contains("250-REQUIRETLS\r\n"));
}

#[test]
fn binary_content_needs_chunking_announced_too() {
    let mut session = greeted(Config {
        chunking: false,
        ..everything()
    });
    assert!(!said(&mut session, "EHLO me").contains("BINARYMIME"));
}

// RFC 3461 §4.

#[test]
fn what_the_sender_wants_to_hear_is_handed_on() {
    check(
        &mut knowing(),
        r"
        C: MAIL FROM:<a@b> RET=hdrs ENVID=QQ+20314159
        E: mail a@b ret=HDRS envid=QQ 314159
        S: 250 2.1.0 sender ok
        C: RCPT TO:<c@d> NOTIFY=success,FAILURE ORCPT=rfc822;carol+2Bx@d
        E: rcpt c@d notify=SUCCESS,FAILURE orcpt=rfc822;carol+x@d
        S: 250 2.1.5 recipient ok
        C: RCPT TO:<e@d> NOTIFY=NEVER
        E: rcpt e@d notify=NEVER
        S: 250 2.1.5 recipient ok
        ",
    );
}

#[test]
fn a_wrong_value_is_refused_with_the_way_to_write_it() {
    for (parameter, usage) in [
        ("RET=ALL", "RET=HDRS or RET=FULL"),
        ("RET", "RET=HDRS or RET=FULL"),
        ("ENVID=+C3", "ENVID= and at most 100 characters of xtext"),
        (
            "BODY=9BIT",
            "BODY=7BIT, BODY=8BITMIME or, before BDAT, BODY=BINARYMIME",
        ),
        ("SMTPUTF8=yes", "SMTPUTF8 alone"),
        ("MT-PRIORITY=10", "MT-PRIORITY= and a number from -9 to 9"),
        (
            "BY=0;R",
            "BY= with seconds, a semicolon, and R (seconds above 0) or N",
        ),
        ("AUTH=a+b", "AUTH=<> or an address in xtext"),
        ("SIZE=many", "SIZE=1000"),
    ] {
        let name = parameter.split('=').next().unwrap();
        assert_eq!(
            said(&mut knowing(), &format!("MAIL FROM:<a@b> {parameter}")),
            format!("501 5.5.4 parameter {name} has a wrong value; write {usage}\r\n")
        );
    }
    for (parameter, usage) in [
        (
            "NOTIFY=NEVER,DELAY",
            "NOTIFY=NEVER or a list of SUCCESS, FAILURE and DELAY",
        ),
        ("ORCPT=carol@d", "ORCPT=rfc822; and the address in xtext"),
    ] {
        let mut session = knowing();
        said(&mut session, "MAIL FROM:<a@b>");
        let name = parameter.split('=').next().unwrap();
        assert_eq!(
            said(&mut session, &format!("RCPT TO:<c@d> {parameter}")),
            format!("501 5.5.4 parameter {name} has a wrong value; write {usage}\r\n")
        );
    }
}

#[test]
fn what_is_not_announced_is_not_known() {
    for parameter in [
        "RET=HDRS",
        "ENVID=x",
        "REQUIRETLS",
        "MT-PRIORITY=1",
        "BY=1;R",
        "HOLDFOR=1",
        "AUTH=<>",
    ] {
        let name = parameter.split('=').next().unwrap();
        assert_eq!(
            said(
                &mut introduced(config()),
                &format!("MAIL FROM:<a@b> {parameter}")
            ),
            format!("555 5.5.4 parameter {name} is not supported\r\n")
        );
    }
}

// RFC 3030 §3.

#[test]
fn binary_content_comes_in_chunks_and_not_by_data() {
    check(
        &mut knowing(),
        r"
        C: MAIL FROM:<a@b> BODY=BINARYMIME
        E: mail a@b binary
        S: 250 2.1.0 sender ok
        C: RCPT TO:<c@d>
        E: rcpt c@d
        S: 250 2.1.5 recipient ok
        C: DATA
        E: refused DATA: out of order: BODY=BINARYMIME goes with BDAT, not with DATA
        S: 503 5.5.1 BODY=BINARYMIME goes with BDAT, not with DATA
        C+ BDAT 5 LAST
        C> \0\r\n\n\r
        E: chunks
        E: content \x00\r\n\n\r
        E: end 5
        S: 250 2.0.0 message accepted
        ",
    );
}

// RFC 8689 §2.

#[test]
fn tls_is_required_over_tls_only() {
    let mut session = knowing();
    assert_eq!(
        said(&mut session, "MAIL FROM:<a@b> REQUIRETLS"),
        "555 5.5.4 parameter REQUIRETLS is supported over TLS only; say STARTTLS first\r\n"
    );
    said(&mut session, "STARTTLS");
    said(&mut session, "EHLO me");
    check(
        &mut session,
        r"
        C: MAIL FROM:<a@b> REQUIRETLS
        E: mail a@b requiretls
        S: 250 2.1.0 sender ok
        ",
    );
}

// RFC 2852 §4, RFC 6710 §4, RFC 4954 §5.

#[test]
fn a_time_a_priority_and_a_submitter_are_handed_on() {
    check(
        &mut knowing(),
        r"
        C: MAIL FROM:<a@b> BY=120;RT MT-PRIORITY=-3 AUTH=anna+2Bx@b
        E: mail a@b priority=-3 by=120;RT auth=anna+x@b
        S: 250 2.1.0 sender ok
        ",
    );
}

// RFC 4865 §4.

#[test]
fn a_message_is_held_for_seconds_or_until_a_time_but_not_both() {
    let mut session = greeted(everything());
    session.offer_holding(Some((3600, "2026-11-24T02:29:23Z".parse().unwrap())));
    said(&mut session, "EHLO me");
    check(
        &mut session,
        r"
        C: MAIL FROM:<a@b> HOLDFOR=60 HOLDUNTIL=2026-11-24T02:00:00Z
        E: refused MAIL FROM:<a@b> HOLDFOR=60 HOLDUNTIL=2026-11-24T02:00:00Z: HOLDFOR and HOLDUNTIL exclude each other
        S: 501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other
        C: MAIL FROM:<a@b> HOLDUNTIL=tomorrow
        E: refused MAIL FROM:<a@b> HOLDUNTIL=tomorrow: the parameter HOLDUNTIL has a value that is not supported
        S: 501 5.5.4 parameter HOLDUNTIL has a wrong value; write HOLDUNTIL=2026-11-24T02:29:23Z
        C: MAIL FROM:<a@b> HOLDFOR=60
        E: mail a@b hold=For(60)
        S: 250 2.1.0 sender ok
        ",
    );
}

// RFC 9422 §4.1.

#[test]
fn a_connection_brings_as_many_messages_as_were_announced() {
    let mut session = introduced(Config {
        max_messages: 1,
        ..everything()
    });
    said(&mut session, "MAIL FROM:<a@b>");
    said(&mut session, "RSET");
    assert_eq!(
        said(&mut session, "MAIL FROM:<a@b>"),
        "421 4.5.3 1 messages are taken over one connection; open another, try again in 0 seconds\r\n"
    );
    assert!(session.is_closed());
}
