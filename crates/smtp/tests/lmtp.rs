//! LMTP (RFC 2033) on the server's side, as transcripts.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use smtp::server::{Config, Session};
use support::{check, config};

fn session() -> Session {
    let mut session = Session::new(Config {
        lmtp: true,
        chunking: false,
        ..config()
    });
    session.accept();
    assert_eq!(session.take_output(), "220 mx.test LMTP Postrider\r\n");
    session
}

const LHLO: &str = r"
        C: LHLO me
        E: ehlo me
        S: 250-mx.test
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-ENHANCEDSTATUSCODES
        S: 250-SMTPUTF8
        S: 250-SIZE 1000
        S: 250 LIMITS RCPTMAX=3
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
";

/// RFC 2033 §4.1.
#[test]
fn helo_and_ehlo_are_refused_and_lhlo_is_elsewhere() {
    check(
        &mut session(),
        r"
        C: HELO me
        E: refused HELO me: LMTP is spoken here
        S: 500 5.5.1 this is LMTP: begin with LHLO
        C: EHLO me
        E: refused EHLO me: LMTP is spoken here
        S: 500 5.5.1 this is LMTP: begin with LHLO
        ",
    );
    check(
        &mut support::greeted(config()),
        r"
        C: LHLO me
        E: refused LHLO me: SMTP is spoken here
        S: 500 5.5.1 this is SMTP: begin with EHLO
        ",
    );
}

/// RFC 2033 §4.2.
#[test]
fn the_content_is_answered_for_each_accepted_recipient() {
    let rest = r"
        C: RCPT TO:<one@d>
        E: rcpt one@d
        S: 250 2.1.5 recipient ok
        C: RCPT TO:<nobody@d>
        E: rcpt nobody@d
        S: 550 5.1.1 nobody
        C: RCPT TO:<two@d>
        E: rcpt two@d
        S: 250 2.1.5 recipient ok
        C: DATA
        E: data
        S: 354 end the message with <CR><LF>.<CR><LF>
        C+ each recipient has its own answer!!!
        C: .
        E: content each recipient has its own answer!!!\r\n
        E: end 38
        S: 250 kept
        S: 550 not kept
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        ";
    check(&mut session(), &format!("{LHLO}{rest}"));
    let same_for_all = r"
        C: RCPT TO:<one@d>
        E: rcpt one@d
        S: 250 2.1.5 recipient ok
        C: RCPT TO:<two@d>
        E: rcpt two@d
        S: 250 2.1.5 recipient ok
        C: DATA
        E: data
        S: 354 end the message with <CR><LF>.<CR><LF>
        C: .
        E: end 0
        S: 250 2.0.0 message accepted
        S: 250 2.0.0 message accepted
        ";
    check(&mut session(), &format!("{LHLO}{same_for_all}"));
}

/// RFC 2033 §4.2: content that cannot be taken is refused as often.
#[test]
fn content_that_is_not_taken_is_refused_for_each_recipient() {
    let rest = r"
        C: RCPT TO:<one@d>
        E: rcpt one@d
        S: 250 2.1.5 recipient ok
        C: RCPT TO:<two@d>
        E: rcpt two@d
        S: 250 2.1.5 recipient ok
        C: DATA
        E: data
        S: 354 end the message with <CR><LF>.<CR><LF>
        C+ a\0b
        C: .
        E: aborted: line 1 has a NUL byte
        S: 554 5.6.0 message refused: line 1 has a NUL byte
        S: 554 5.6.0 message refused: line 1 has a NUL byte
        ";
    check(&mut session(), &format!("{LHLO}{rest}"));
}

/// RFC 2033 §4.2: "the DATA command MUST fail with a 503 reply code".
#[test]
fn data_without_an_accepted_recipient_is_out_of_order() {
    let rest = r"
        C: RCPT TO:<nobody@d>
        E: rcpt nobody@d
        S: 550 5.1.1 nobody
        C: DATA
        E: refused DATA: out of order: RCPT must come first
        S: 503 5.5.1 RCPT must come first
        ";
    check(&mut session(), &format!("{LHLO}{rest}"));
}
