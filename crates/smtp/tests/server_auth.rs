//! AUTH (RFC 4954) and XCLIENT on the server's side, as transcripts.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use smtp::server::{AuthOffer, Session};
use support::{check, config, drive, greeted};

/// A session that has announced AUTH, and XCLIENT.
fn offering() -> Session {
    let mut session = greeted(config());
    session.offer_auth(Some(Arc::new(AuthOffer {
        mechanisms: vec!["SCRAM-SHA-256".into(), "LOGIN".into()],
        needs_tls: vec!["PLAIN".into()],
    })));
    session.offer_xclient();
    session.input().extend_from_slice(b"EHLO me\r\n");
    drive(&mut session, &mut false);
    let said = String::from_utf8(session.take_output().to_vec()).unwrap();
    assert!(
        said.contains("\r\n250-AUTH SCRAM-SHA-256 LOGIN\r\n"),
        "{said}"
    );
    assert!(said.contains("250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n"));
    session
}

// RFC 4954 §4.

#[test]
fn an_exchange_goes_by_challenges_and_ends_with_235() {
    check(
        &mut offering(),
        r"
        C: AUTH login
        E: auth LOGIN
        S: 334 d2hvPw==
        C: bW9yZQ==
        E: response more
        S: 334 eA==
        C: eWVz
        E: response yes
        S: 235 2.7.0 authenticated
        C: MAIL FROM:<a@b> AUTH=<>
        E: mail a@b auth=<>
        S: 250 2.1.0 sender ok
        ",
    );
}

#[test]
fn the_first_response_may_stand_in_the_command_and_may_be_empty() {
    check(
        &mut offering(),
        r"
        C: AUTH LOGIN eWVz
        E: auth LOGIN with `yes`
        S: 235 2.7.0 authenticated
        ",
    );
    check(
        &mut offering(),
        r"
        C: AUTH LOGIN =
        E: auth LOGIN with ``
        S: 235 2.7.0 authenticated
        ",
    );
}

#[test]
fn a_client_may_cancel_and_begin_again() {
    check(
        &mut offering(),
        r"
        C: AUTH LOGIN
        E: auth LOGIN
        S: 334 d2hvPw==
        C: *
        E: refused : the client cancelled the authentication
        S: 501 5.7.0 authentication cancelled
        C: AUTH LOGIN
        E: auth LOGIN
        S: 334 d2hvPw==
        C: d3Jvbmc=
        E: response wrong
        S: 535 5.7.8 wrong
        C: AUTH LOGIN eWVz
        E: auth LOGIN with `yes`
        S: 235 2.7.0 authenticated
        ",
    );
}

#[test]
fn what_is_not_offered_not_base64_or_out_of_order_is_refused() {
    check(
        &mut offering(),
        r"
        C: AUTH CRAM-MD5
        E: refused AUTH CRAM-MD5: the mechanism is not offered
        S: 504 5.5.4 this mechanism is not offered
        C: AUTH PLAIN AGEAYg==
        E: refused AUTH PLAIN: the mechanism is offered under TLS only
        S: 538 5.7.11 this mechanism needs TLS: say STARTTLS first
        C: AUTH LOGIN ?
        E: refused AUTH LOGIN: the response is not base64
        S: 501 5.5.2 the response is not base64
        C: AUTH LOGIN
        E: auth LOGIN
        S: 334 d2hvPw==
        C: NOOP
        E: response 4\xe3\x8f
        S: 235 2.7.0 authenticated
        C: AUTH LOGIN
        E: refused AUTH LOGIN: out of order: the session is authenticated already
        S: 503 5.5.1 the session is authenticated already
        ",
    );
    check(
        &mut offering(),
        r"
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: AUTH LOGIN
        E: refused AUTH LOGIN: out of order: a transaction is open; finish it or say RSET
        S: 503 5.5.1 a transaction is open; finish it or say RSET
        ",
    );
    check(
        &mut greeted(config()),
        r"
        C: AUTH LOGIN
        E: refused AUTH LOGIN: out of order: EHLO or HELO must come first
        S: 503 5.5.1 EHLO or HELO must come first
        C: EHLO me
        E: ehlo me
        S: 250-mx.test
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-ENHANCEDSTATUSCODES
        S: 250-CHUNKING
        S: 250-SMTPUTF8
        S: 250-SIZE 1000
        S: 250 LIMITS RCPTMAX=3
        C: MAIL FROM:<a@b> AUTH=<>
        E: refused MAIL FROM:<a@b> AUTH=<>: the parameter AUTH is not supported
        S: 555 5.5.4 parameter AUTH is not supported
        ",
    );
}

#[test]
fn a_response_that_is_no_base64_ends_the_exchange() {
    check(
        &mut offering(),
        r"
        C: AUTH LOGIN
        E: auth LOGIN
        S: 334 d2hvPw==
        C: a secret
        E: refused : the response is not base64
        S: 501 5.5.2 the response is not base64
        C: NOOP
        S: 250 2.0.0 ok
        ",
    );
}

#[test]
fn a_response_may_have_12288_bytes_and_no_more() {
    let mut session = offering();
    let (fits, more) = ("AAAA".repeat(3071), "AAAA".repeat(3072));
    for (line, code) in [
        (fits, "235 2.7.0"),
        (more.clone(), "500 5.5.6"),
        (more.repeat(9), "500 5.5.6"),
    ] {
        session.set_authenticated(false);
        session.input().extend_from_slice(b"AUTH LOGIN\r\n");
        drive(&mut session, &mut false);
        assert_eq!(session.take_output(), "334 d2hvPw==\r\n");
        for piece in format!("{line}\r\nNOOP\r\n").as_bytes().chunks(5000) {
            session.input().extend_from_slice(piece);
            drive(&mut session, &mut false);
        }
        let said = String::from_utf8(session.take_output().to_vec()).unwrap();
        assert!(said.starts_with(code), "{} bytes: {said}", line.len());
        assert!(said.ends_with("\r\n250 2.0.0 ok\r\n"), "{said}");
    }
}

#[test]
fn no_refusal_shows_what_may_be_a_password() {
    let mut session = offering();
    let long = format!("auth plain {}", "c2VjcmV0".repeat(300));
    for line in [
        "AUTH PLAIN c2VjcmV0",
        "AUTH c2VjcmV0",
        "AUTH\tx c2VjcmV0 y",
        &long,
    ] {
        session
            .input()
            .extend_from_slice(format!("{line}\r\n").as_bytes());
        let shown = format!("{:?}", drive(&mut session, &mut false));
        let named = line.starts_with("AUTH c2");
        assert!(named || !shown.contains("c2VjcmV0"), "{shown}");
    }
    session
        .input()
        .extend_from_slice(b"AUTH LOGIN c2VjcmV0\r\n");
    let shown = format!("{:?}", drive(&mut session, &mut false));
    assert!(
        shown.contains("Secret") && !shown.contains("secret"),
        "{shown}"
    );
}

// Postfix's XCLIENT_README.

#[test]
fn xclient_begins_the_session_anew() {
    check(
        &mut offering(),
        r#"
        C: XCLIENT ADDR=192.0.2.1 LOGIN=anna
        E: xclient Is(192.0.2.1) Is("anna")
        S: 220 mx.test ESMTP Postrider
        C: MAIL FROM:<a@b>
        E: refused MAIL FROM:<a@b>: out of order: EHLO or HELO must come first
        S: 503 5.5.1 EHLO or HELO must come first
        C: XCLIENT ADDR=nowhere
        E: refused XCLIENT ADDR=nowhere: `ADDR=nowhere` is not an attribute of XCLIENT with a value that it can have
        S: 501 5.5.4 `ADDR=nowhere` is not an attribute of XCLIENT with a value that it can have
        "#,
    );
}

#[test]
fn xclient_is_for_those_to_whom_it_is_offered_and_not_within_a_transaction() {
    check(
        &mut greeted(config()),
        r"
        C: XCLIENT ADDR=192.0.2.1
        E: refused XCLIENT ADDR=192.0.2.1: not available
        S: 502 5.5.1 this command is not available here
        ",
    );
    check(
        &mut offering(),
        r"
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: XCLIENT ADDR=192.0.2.1
        E: refused XCLIENT ADDR=192.0.2.1: out of order: a transaction is open; finish it or say RSET
        S: 503 5.5.1 a transaction is open; finish it or say RSET
        ",
    );
}
