//! The server's side by topic of the RFCs, as transcripts.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use smtp::server::Config;
use support::{check, config, greeted, introduced};

// Ordering, RFC 5321 §4.1.4.

#[test]
fn a_transaction_from_ehlo_to_quit() {
    check(
        &mut greeted(config()),
        r"
        C: EHLO me.example
        E: ehlo me.example
        S: 250-mx.test
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-ENHANCEDSTATUSCODES
        S: 250-CHUNKING
        S: 250-SMTPUTF8
        S: 250-SIZE 1000
        S: 250 LIMITS RCPTMAX=3
        C: MAIL FROM:<a@me.example> SIZE=12 BODY=8BITMIME
        E: mail a@me.example size=12 8bit
        S: 250 2.1.0 sender ok
        C: RCPT TO:<b@example.org>
        E: rcpt b@example.org
        S: 250 2.1.5 recipient ok
        C: DATA
        E: data
        S: 354 end the message with <CR><LF>.<CR><LF>
        C: Subject: x
        E: content Subject: x\r\n
        C: .
        E: end 12
        S: 250 2.0.0 message accepted
        C: QUIT
        E: quit
        S: 221 2.0.0 mx.test closing connection
        -- closed
        C: NOOP
        ",
    );
}

#[test]
fn commands_out_of_order_say_what_must_come_first() {
    check(
        &mut greeted(config()),
        r"
        C: MAIL FROM:<a@b>
        E: refused MAIL FROM:<a@b>: out of order: EHLO or HELO must come first
        S: 503 5.5.1 EHLO or HELO must come first
        C: HELO me
        E: helo me
        S: 250 mx.test
        C: RCPT TO:<a@b>
        E: refused RCPT TO:<a@b>: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        C: DATA
        E: refused DATA: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        C: MAIL FROM:<>
        E: mail <>
        S: 250 2.1.0 sender ok
        C: MAIL FROM:<a@b>
        E: refused MAIL FROM:<a@b>: out of order: a transaction is open; finish it or say RSET
        S: 503 5.5.1 a transaction is open; finish it or say RSET
        C: DATA
        E: refused DATA: out of order: RCPT must come first
        S: 503 5.5.1 RCPT must come first
        C: RCPT TO:<nobody@b>
        E: rcpt nobody@b
        S: 550 5.1.1 nobody
        C: DATA
        E: refused DATA: out of order: no recipient was accepted
        S: 554 5.5.1 no valid recipients
        ",
    );
}

#[test]
fn rset_and_ehlo_end_a_transaction() {
    check(
        &mut introduced(config()),
        r"
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: RSET
        E: reset
        S: 250 2.0.0 ok
        C: RCPT TO:<c@d>
        E: refused RCPT TO:<c@d>: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: HELO other
        E: helo other
        S: 250 mx.test
        C: RCPT TO:<c@d>
        E: refused RCPT TO:<c@d>: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        ",
    );
}

#[test]
fn commands_beside_a_transaction_leave_it_alone() {
    check(
        &mut introduced(config()),
        r"
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: NOOP anything
        S: 250 2.0.0 ok
        C: VRFY someone
        E: vrfy someone
        S: 252 2.0.0 cannot say; send a message and see
        C: HELP
        S: 214 2.0.0 commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT
        C: EXPN list
        E: refused EXPN list: not available
        S: 502 5.5.1 this command is not available here
        C: TURN
        E: refused TURN: not available
        S: 502 5.5.1 this command is not available here
        C: AUTH PLAIN AGEAYg==
        E: refused AUTH PLAIN: not available
        S: 502 5.5.1 this command is not available here
        C: RCPT TO:<c@d>
        E: rcpt c@d
        S: 250 2.1.5 recipient ok
        ",
    );
}

// Grammar, RFC 5321 §4.1.1 and §4.5.3.

#[test]
fn what_is_no_command_is_refused_with_the_reason() {
    check(
        &mut introduced(config()),
        r"
        C: BLAH
        E: refused BLAH: unknown command
        S: 500 5.5.2 unknown command
        C:
        E: refused : unknown command
        S: 500 5.5.2 unknown command
        C> NOOP\n
        E: refused NOOP: the line ends in LF alone; lines end in CR LF
        S: 500 5.5.2 the line ends in LF alone; lines end in CR LF
        C: NOOP \0
        E: refused NOOP \x00: byte 6 of the line is a control character
        S: 500 5.5.2 byte 6 of the line is a control character
        C: MAIL FROM:a@b
        E: refused MAIL FROM:a@b: sender: put the address between < and >
        S: 501 5.1.7 sender: put the address between < and >
        C: MAIL FROM:<a@b..c>
        E: refused MAIL FROM:<a@b..c>: sender: not a domain name (at character 5)
        S: 501 5.1.8 sender: not a domain name (at character 5)
        C: DATA please
        E: refused DATA please: write it as `DATA`
        S: 501 5.5.4 write it as `DATA`
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: RCPT TO:<two words@b>
        E: refused RCPT TO:<two words@b>: recipient: this character needs a quoted local part (at character 4)
        S: 501 5.1.3 recipient: this character needs a quoted local part (at character 4)
        ",
    );
}

#[test]
fn parameters_are_checked_against_what_is_announced() {
    check(
        &mut introduced(Config {
            smtputf8: false,
            ..config()
        }),
        r"
        C: MAIL FROM:<a@b> SMTPUTF8
        E: refused MAIL FROM:<a@b> SMTPUTF8: the parameter SMTPUTF8 is not supported
        S: 555 5.5.4 parameter SMTPUTF8 is not supported
        C: MAIL FROM:<a@b> BODY=BINARYMIME
        E: refused MAIL FROM:<a@b> BODY=BINARYMIME: the parameter BODY has a value that is not supported
        S: 501 5.5.4 parameter BODY has a wrong value; write BODY=7BIT, BODY=8BITMIME or, before BDAT, BODY=BINARYMIME
        C: MAIL FROM:<a@b> SIZE=x
        E: refused MAIL FROM:<a@b> SIZE=x: the parameter SIZE has a value that is not supported
        S: 501 5.5.4 parameter SIZE has a wrong value; write SIZE=1000
        C: MAIL FROM:<a@b> RET=HDRS
        E: refused MAIL FROM:<a@b> RET=HDRS: the parameter RET is not supported
        S: 555 5.5.4 parameter RET is not supported
        C: MAIL FROM:<a@b> BODY=7bit
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: RCPT TO:<c@d> NOTIFY=NEVER
        E: refused RCPT TO:<c@d> NOTIFY=NEVER: the parameter NOTIFY is not supported
        S: 555 5.5.4 parameter NOTIFY is not supported
        ",
    );
}

#[test]
fn a_line_that_is_too_long_is_read_to_its_end_and_refused() {
    let mut session = introduced(Config {
        max_line: 600,
        ..config()
    });
    let long = "x".repeat(598);
    check(
        &mut session,
        &format!(
            "C: NOOP {}
             S: 250 2.0.0 ok
             C: {long}y
             E: refused {}: the line is longer than 600 bytes
             S: 500 5.5.2 the line is longer than 600 bytes
             C> {long}{long}
             C> {long}{long}
             C: {long}{long}
             E: refused {}: the line is longer than 600 bytes
             S: 500 5.5.2 the line is longer than 600 bytes
             C: NOOP
             S: 250 2.0.0 ok",
            "x".repeat(593),
            "x".repeat(200),
            "x".repeat(200)
        ),
    );
}

#[test]
fn too_many_errors_end_the_session() {
    check(
        &mut introduced(Config {
            max_errors: 1,
            ..config()
        }),
        r"
        C: ONE
        E: refused ONE: unknown command
        S: 500 5.5.2 unknown command
        C: NOOP
        S: 250 2.0.0 ok
        C: TWO
        E: refused TWO: unknown command
        E: too many errors
        S: 421 4.7.0 mx.test too many errors, closing connection
        -- closed
        ",
    );
}

// Addresses, RFC 5321 §4.1.2 and RFC 6531.

#[test]
fn all_forms_of_addresses_are_taken() {
    check(
        &mut introduced(config()),
        r#"
        C: MAIL FROM: <a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: RCPT TO:<Postmaster>
        E: rcpt Postmaster
        S: 250 2.1.5 recipient ok
        C: RCPT TO:<@relay.example,@[192.0.2.1]:"a b>\\"c"@[IPv6:2001:db8::1]>
        E: rcpt "a b>\"c"@[IPv6:2001:db8::1]
        S: 250 2.1.5 recipient ok
        C: RCPT TO:<jörg@b>
        E: refused RCPT TO:<j\xc3\xb6rg@b>: an address beyond ASCII needs SMTPUTF8
        S: 553 5.6.7 this address needs the SMTPUTF8 parameter at MAIL
        C: RSET
        E: reset
        S: 250 2.0.0 ok
        C: MAIL FROM:<ö@b>
        E: refused MAIL FROM:<\xc3\xb6@b>: an address beyond ASCII needs SMTPUTF8
        S: 553 5.6.7 this address needs the SMTPUTF8 parameter at MAIL
        C: MAIL FROM:<ö@b> SMTPUTF8
        E: mail ö@b utf8
        S: 250 2.1.0 sender ok
        C: RCPT TO:<jörg@bücher.example>
        E: rcpt jörg@bücher.example
        S: 250 2.1.5 recipient ok
        "#,
    );
}

// Size and number of recipients, RFC 1870 and RFC 5321 §4.5.3.1.10.

#[test]
fn an_announced_size_that_is_too_large_is_refused_at_mail() {
    check(
        &mut introduced(config()),
        r"
        C: MAIL FROM:<a@b> SIZE=1001
        E: refused MAIL FROM:<a@b> SIZE=1001: announced 1001 bytes, at most 1000 are taken
        S: 552 5.3.4 1001 bytes are too many; the limit is 1000
        C: MAIL FROM:<a@b> SIZE=99999999999999999999
        E: refused MAIL FROM:<a@b> SIZE=99999999999999999999: announced 18446744073709551615 bytes, at most 1000 are taken
        S: 552 5.3.4 18446744073709551615 bytes are too many; the limit is 1000
        C: MAIL FROM:<a@b> SIZE=1000
        E: mail a@b size=1000
        S: 250 2.1.0 sender ok
        ",
    );
}

#[test]
fn content_that_is_too_large_is_read_to_its_end_and_the_session_goes_on() {
    let line = "x".repeat(98);
    let mut text = String::from(
        "C+ MAIL FROM:<a@b>
         C+ RCPT TO:<c@d>
         C: DATA
         E: mail a@b
         E: rcpt c@d
         E: data
         S: 250 2.1.0 sender ok
         S: 250 2.1.5 recipient ok
         S: 354 end the message with <CR><LF>.<CR><LF>\n",
    );
    for _ in 0..10 {
        text.push_str(&format!("C: {line}\nE: content {line}\\r\\n\n"));
    }
    text.push_str(
        "C: x
         E: aborted: the content is larger than 1000 bytes
         C: more
         C: .
         S: 552 5.3.4 message refused: the content is larger than 1000 bytes
         C: MAIL FROM:<a@b>
         E: mail a@b
         S: 250 2.1.0 sender ok",
    );
    check(&mut introduced(config()), &text);
}

#[test]
fn recipients_beyond_the_limit_are_to_come_in_another_transaction() {
    check(
        &mut introduced(config()),
        r"
        C+ MAIL FROM:<a@b>
        C+ RCPT TO:<one@d>
        C+ RCPT TO:<none@d>
        C+ RCPT TO:<two@d>
        C+ RCPT TO:<three@d>
        C: RCPT TO:<four@d>
        E: mail a@b
        E: rcpt one@d
        E: rcpt none@d
        E: rcpt two@d
        E: rcpt three@d
        E: refused RCPT TO:<four@d>: more than 3 recipients
        S: 250 2.1.0 sender ok
        S: 250 2.1.5 recipient ok
        S: 550 5.1.1 nobody
        S: 250 2.1.5 recipient ok
        S: 250 2.1.5 recipient ok
        S: 452 4.5.3 too many recipients: 3 at once; send the rest in a new transaction, try again in 0 seconds
        ",
    );
}

// PIPELINING, RFC 2920.

#[test]
fn a_whole_group_is_answered_in_order_and_content_may_follow_at_once() {
    check(
        &mut introduced(config()),
        r"
        C+ MAIL FROM:<a@b>
        C+ RCPT TO:<c@d>
        C+ DATA
        C+ hello
        C+ .
        C+ MAIL FROM:<e@f>
        C+ WHAT
        C: QUIT
        E: mail a@b
        E: rcpt c@d
        E: data
        E: content hello\r\n
        E: end 7
        E: mail e@f
        E: refused WHAT: unknown command
        E: quit
        S: 250 2.1.0 sender ok
        S: 250 2.1.5 recipient ok
        S: 354 end the message with <CR><LF>.<CR><LF>
        S: 250 2.0.0 message accepted
        S: 250 2.1.0 sender ok
        S: 500 5.5.2 unknown command
        S: 221 2.0.0 mx.test closing connection
        -- closed
        ",
    );
}

#[test]
fn when_no_recipient_is_left_the_pipelined_data_is_refused() {
    check(
        &mut introduced(config()),
        r"
        C+ MAIL FROM:<a@b>
        C+ RCPT TO:<nobody@d>
        C+ DATA
        C+ RSET
        C: MAIL FROM:<e@f>
        E: mail a@b
        E: rcpt nobody@d
        E: refused DATA: out of order: no recipient was accepted
        E: reset
        E: mail e@f
        S: 250 2.1.0 sender ok
        S: 550 5.1.1 nobody
        S: 554 5.5.1 no valid recipients
        S: 250 2.0.0 ok
        S: 250 2.1.0 sender ok
        ",
    );
}

#[test]
fn data_that_the_driver_refuses_is_followed_by_commands() {
    check(
        &mut introduced(config()),
        r"
        C+ MAIL FROM:<nodata@b>
        C+ RCPT TO:<c@d>
        C: DATA
        E: mail nodata@b
        E: rcpt c@d
        E: data
        S: 250 2.1.0 sender ok
        S: 250 2.1.5 recipient ok
        S: 554 5.7.1 no content
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        ",
    );
}

// STARTTLS, RFC 3207.

#[test]
fn what_was_sent_in_the_clear_behind_starttls_is_dropped() {
    check(
        &mut introduced(Config {
            starttls: true,
            ..config()
        }),
        r"
        C+ STARTTLS
        C: MAIL FROM:<injected@b>
        E: starttls
        S: 220 2.0.0 ready to start TLS
        C: MAIL FROM:<a@b>
        E: refused MAIL FROM:<a@b>: out of order: EHLO or HELO must come first
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
        C: STARTTLS
        E: refused STARTTLS: out of order: TLS is on already
        S: 503 5.5.1 TLS is on already
        ",
    );
}

#[test]
fn starttls_without_a_handshake_at_hand_is_not_available() {
    check(
        &mut introduced(config()),
        r"
        C: STARTTLS
        E: refused STARTTLS: not available
        S: 502 5.5.1 this command is not available here
        ",
    );
}

// What the driver may say.

#[test]
fn a_driver_can_refuse_the_greeting_and_close_at_any_time() {
    use smtp::OutgoingReply;
    let mut session = smtp::server::Session::new(config());
    session.input().extend_from_slice(b"EHLO early\r\n");
    assert_eq!(session.poll(), None);
    session.answer(OutgoingReply::plain(554, "no"));
    assert!(session.is_closed());
    assert_eq!(session.poll(), None);
    assert_eq!(session.take_output(), "554 no\r\n");

    let mut session = introduced(config());
    session.close(&OutgoingReply::plain(421, "bye"));
    session.close(&OutgoingReply::plain(421, "again"));
    assert_eq!(session.take_output(), "421 bye\r\n");
    assert!(session.is_closed());
}

#[test]
fn without_enhancedstatuscodes_replies_have_none() {
    check(
        &mut introduced(Config {
            enhanced_status_codes: false,
            ..config()
        }),
        r"
        C: NOOP
        S: 250 ok
        C: QUIT
        E: quit
        S: 221 mx.test closing connection
        -- closed
        ",
    );
}
