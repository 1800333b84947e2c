//! Content as the server takes it: dots, the end, smuggling, chunks.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use bytes::BytesMut;
use smtp::content::{ContentProblem, DataReader, Received};
use smtp::server::{Config, Event};
use support::{check, config, drive, introduced};

const ENVELOPE: &[u8] = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";

/// Sends content after DATA; answers it as it was taken, what was said after the go-ahead, and
/// whether the session is over.
fn data(content: &[u8]) -> (Result<Vec<u8>, ContentProblem>, String, bool) {
    let mut session = introduced(config());
    session.input().extend_from_slice(ENVELOPE);
    session.input().extend_from_slice(b"DATA\r\n");
    drive(&mut session, &mut false);
    session.take_output();
    session.input().extend_from_slice(content);
    let mut taken = Ok(Vec::new());
    for event in drive(&mut session, &mut false) {
        match event {
            Event::Content(piece) => {
                if let Ok(taken) = &mut taken {
                    taken.extend_from_slice(&piece);
                }
            }
            Event::ContentAborted(problem) => taken = Err(problem),
            Event::EndOfContent { size } => {
                assert_eq!(
                    taken.as_ref().map(Vec::len),
                    Ok(usize::try_from(size).unwrap())
                );
            }
            _ => {}
        }
    }
    let said = String::from_utf8(session.take_output().to_vec()).unwrap();
    (taken, said, session.is_closed())
}

// RFC 5321 §4.5.2.

#[test]
fn dots_are_taken_out_and_only_a_dot_between_crlf_ends() {
    let table: [(&[u8], &[u8]); 9] = [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...a\r\n.\r\n", b"..a\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a.\r\nb.c\r\n.\r\n", b"a.\r\nb.c\r\n"),
        (b". \r\n.\r\n", b" \r\n"),
        (b"\xff\xfe\r\n.\r\n", b"\xff\xfe\r\n"),
    ];
    for (sent, taken) in table {
        let accepted = "250 2.0.0 message accepted\r\n".to_owned();
        assert_eq!(
            data(sent),
            (Ok(taken.to_vec()), accepted, false),
            "{}",
            sent.escape_ascii()
        );
    }
}

// Smuggling: every published form of an end that is none. What follows it must be taken neither for
// commands nor for a second message.

#[test]
fn no_form_of_a_false_end_ends_the_content() {
    let forms: [&[u8]; 14] = [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\r.\n",
        b"\n.\r",
        b"\r\n\0.\r\n",
        b"\r\n.\0\r\n",
        b"\r\r\n.\n",
        b"\n\n.\r\n",
        b"\r\n.\r\r\n",
        b"\n\r\n.\r",
    ];
    for form in forms {
        let mut sent = b"Subject: one\r\n\r\ntext".to_vec();
        sent.extend_from_slice(form);
        sent.extend_from_slice(b"MAIL FROM:<evil@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nspoofed\r\n.\r\n");
        let (taken, said, closed) = data(&sent);
        assert!(taken.is_err(), "{}", form.escape_ascii());
        assert!(
            said.starts_with("554 5.6.0 message refused: line "),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{}: {said}", form.escape_ascii());
        let tells_a_dot_line = form != b"\r\n.\0\r\n";
        assert_eq!(closed, tells_a_dot_line, "{}", form.escape_ascii());
    }
}

#[test]
fn after_a_bare_newline_that_is_no_false_end_the_session_goes_on() {
    let table: [(&[u8], &str); 5] = [
        (
            b"one\r\ntwo\nthree\r\n.\r\n",
            "line 2 has an LF without CR; every line must end in CR LF",
        ),
        (
            b"one\rtwo\r\n.\r\n",
            "line 1 has a CR without LF; every line must end in CR LF",
        ),
        (
            b"one\r\r\n.\r\n",
            "line 1 has a CR without LF; every line must end in CR LF",
        ),
        (
            b"\n\r\n.\r\n",
            "line 1 has an LF without CR; every line must end in CR LF",
        ),
        (b"a\0\r\n.\r\n", "line 1 has a NUL byte"),
    ];
    for (sent, why) in table {
        let (taken, said, closed) = data(sent);
        assert!(taken.is_err());
        assert_eq!(said, format!("554 5.6.0 message refused: {why}\r\n"));
        assert!(!closed, "{}", sent.escape_ascii());
    }
}

#[test]
fn the_real_end_is_found_right_behind_what_is_refused() {
    for sent in [
        &b".\r\r\n.\r\nNOOP\r\n"[..],
        b"\r\r\n.\r\nNOOP\r\n",
        b".\n\r\n.\r\nNOOP\r\n",
    ] {
        let (taken, said, closed) = data(sent);
        assert!(
            taken.is_err() && said.starts_with("554 "),
            "{}",
            sent.escape_ascii()
        );
        assert_eq!(
            said.ends_with("\r\n250 2.0.0 ok\r\n"),
            !closed,
            "{}",
            sent.escape_ascii()
        );
    }
}

#[test]
fn content_is_handed_on_in_large_pieces() {
    let text =
        b"a line of text that is as long as lines in mail commonly are, or so\r\n".repeat(500);
    let mut input = BytesMut::from(&text[..]);
    let mut reader = DataReader::new(1 << 20);
    assert_eq!(
        reader.receive(&mut input),
        Received::Piece(text.clone().into())
    );
    assert_eq!(reader.receive(&mut input), Received::More);
}

// BDAT, RFC 3030.

#[test]
fn chunks_are_content_as_it_is_and_need_no_go_ahead() {
    check(
        &mut introduced(config()),
        r"
        C+ MAIL FROM:<a@b>
        C+ RCPT TO:<c@d>
        C+ BDAT 7
        C> .\r\nab\r\nBDAT 6 LAST\r\n.\r\nx\r
        E: mail a@b
        E: rcpt c@d
        E: chunks
        E: content .\r\nab\r\n
        E: content .\r\nx\r
        S: 250 2.1.0 sender ok
        S: 250 2.1.5 recipient ok
        S: 250 2.0.0 7 bytes received
        C> \n
        E: content \n
        E: end 13
        S: 250 2.0.0 message accepted
        ",
    );
}

#[test]
fn an_empty_last_chunk_ends_the_message() {
    check(
        &mut introduced(config()),
        r"
        C: MAIL FROM:<a@b>
        E: mail a@b
        S: 250 2.1.0 sender ok
        C: RCPT TO:<c@d>
        E: rcpt c@d
        S: 250 2.1.5 recipient ok
        C> BDAT 4\r\nab\r\n
        E: chunks
        E: content ab\r\n
        S: 250 2.0.0 4 bytes received
        C: RCPT TO:<e@f>
        E: refused RCPT TO:<e@f>: out of order: after BDAT only BDAT, RSET and QUIT make sense
        S: 503 5.5.1 after BDAT only BDAT, RSET and QUIT make sense
        C: DATA
        E: refused DATA: out of order: after BDAT only BDAT, RSET and QUIT make sense
        S: 503 5.5.1 after BDAT only BDAT, RSET and QUIT make sense
        C: BDAT 0 LAST
        E: end 4
        S: 250 2.0.0 message accepted
        C: BDAT 0 LAST
        E: refused BDAT 0 LAST: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        ",
    );
}

#[test]
fn a_chunk_that_is_refused_is_read_and_not_taken_for_commands() {
    check(
        &mut introduced(config()),
        r"
        C> BDAT 6\r\nQUIT\r\n
        E: refused BDAT 6: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        C: MAIL FROM:<nodata@b>
        E: mail nodata@b
        S: 250 2.1.0 sender ok
        C> BDAT 6 LAST\r\nQUIT\r\n
        E: refused BDAT 6 LAST: out of order: RCPT must come first
        S: 503 5.5.1 RCPT must come first
        C: RCPT TO:<c@d>
        E: rcpt c@d
        S: 250 2.1.5 recipient ok
        C> BDAT 6\r\nQUIT\r\n
        E: chunks
        S: 554 5.7.1 no content
        C> BDAT 6 LAST\r\nQUIT\r\n
        E: refused BDAT 6 LAST: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        ",
    );
}

#[test]
fn bad_content_in_a_chunk_ends_the_transaction_after_the_chunk() {
    check(
        &mut introduced(config()),
        r"
        C+ MAIL FROM:<a@b>
        C+ RCPT TO:<c@d>
        C> BDAT 9\r\na\n.\nQUIT\n
        E: mail a@b
        E: rcpt c@d
        E: chunks
        E: aborted: line 1 has an LF without CR
        S: 250 2.1.0 sender ok
        S: 250 2.1.5 recipient ok
        S: 554 5.6.0 message refused: line 1 has an LF without CR; every line must end in CR LF
        C: BDAT 0 LAST
        E: refused BDAT 0 LAST: out of order: MAIL must come first
        S: 503 5.5.1 MAIL must come first
        ",
    );
}

#[test]
fn chunks_beyond_the_size_limit_are_refused_before_they_come() {
    check(
        &mut introduced(Config {
            max_size: 4,
            ..config()
        }),
        r"
        C+ MAIL FROM:<a@b>
        C+ RCPT TO:<c@d>
        C> BDAT 4\r\na\r\n
        E: mail a@b
        E: rcpt c@d
        E: chunks
        E: content a\r\n
        S: 250 2.1.0 sender ok
        S: 250 2.1.5 recipient ok
        C> xBDAT 6 LAST\r\nQU
        E: content x
        E: aborted: the content is larger than 4 bytes
        S: 250 2.0.0 4 bytes received
        C: IT
        S: 552 5.3.4 message refused: the content is larger than 4 bytes
        C: NOOP
        S: 250 2.0.0 ok
        ",
    );
}

#[test]
fn a_chunk_without_a_readable_size_closes_the_session() {
    check(
        &mut introduced(config()),
        r"
        C: BDAT lots LAST
        E: refused BDAT lots LAST: the size of the chunk is not a number; write it as `BDAT 1000` or `BDAT 1000 LAST`
        S: 501 5.5.4 the size of the chunk is not a number; write it as `BDAT 1000` or `BDAT 1000 LAST`
        -- closed
        ",
    );
}

#[test]
fn without_chunking_a_chunk_is_read_and_refused() {
    check(
        &mut introduced(Config {
            chunking: false,
            ..config()
        }),
        r"
        C> BDAT 6\r\nQUIT\r\n
        E: refused BDAT 6: not available
        S: 502 5.5.1 this command is not available here
        ",
    );
}
