//! What holds for any input, and for any way in which it is cut into pieces.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/checks.rs"]
#[allow(unreachable_pub)]
mod checks;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use smtp::{Class, OutgoingReply, Reply};

/// A sequence of fragments that matter to the grammar, now and then with arbitrary bytes.
fn fragments(known: &'static [&'static [u8]], count: usize) -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        12 => select(known).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..6),
        1 => "[a-z .\r\n]{0,150}".prop_map(String::into_bytes),
    ];
    vec(fragment, 0..count).prop_map(|fragments| fragments.concat())
}

const COMMANDS: &[&[u8]] = &[
    b"EHLO me\r\n",
    b"HELO me\r\n",
    b"MAIL FROM:<a@b>\r\n",
    b"MAIL FROM:<a@b> SIZE=301\r\n",
    b"MAIL FROM:<> BODY=8BITMIME SMTPUTF8\r\n",
    b"MAIL FROM:<a@b> BODY=BINARYMIME RET=HDRS ENVID=x\r\n",
    b"MAIL FROM:<a@b> BY=1;R MT-PRIORITY=-1\r\n",
    b"RCPT TO:<c@d> NOTIFY=NEVER ORCPT=rfc822;a+2Bb\r\n",
    b"RCPT TO:<c@d>\r\n",
    b"RCPT TO:<c@d>\r\n",
    b"RCPT TO:<n@d>\r\n",
    b"DATA\r\n",
    b"DATA\r\n",
    b"BDAT 3\r\n",
    b"BDAT 0 LAST\r\n",
    b"BDAT 12 LAST\r\n",
    b"BDAT 301\r\n",
    b"BDAT x\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"VRFY x\r\n",
    b"QUIT\r\n",
    b"what\r\n",
    b"NOOP\n",
    b"NOOP\r",
    b"Subject: x\r\n\r\n",
    b"..\r\n",
    b".\r\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b"\r",
    b"\n",
    b".",
    b"\0",
];

/// What brings a session to where content can come.
const OPENINGS: &[&[u8]] = &[
    b"",
    b"EHLO me\r\n",
    b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n",
    b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
    b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 20\r\n",
];

const REPLIES: &[&[u8]] = &[
    b"220 hi\r\n",
    b"250 ok\r\n",
    b"250 ok\r\n",
    b"250 ok\r\n",
    b"250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 SIZE 100\r\n",
    b"354 go\r\n",
    b"354 go\n",
    b"421 bye\r\n",
    b"452 4.5.3 too many\r\n",
    b"550-5.1.1 no\r\n550 5.1.1 really\r\n",
    b"503\r\n",
    b"500 what\r\n",
    b"250-",
    b"\r\n",
    b"\n",
];

const SERVER_OPENINGS: &[&[u8]] = &[
    b"",
    b"220 hi\r\n250 hi\r\n",
    b"220 hi\r\n250-hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
    b"220 hi\r\n250-hi\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n",
];

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(0..400usize, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_makes_the_same_of_its_input_however_it_is_cut(
        opening in select(OPENINGS), rest in fragments(COMMANDS, 24), cuts in cuts(),
    ) {
        checks::server(&[opening, &rest].concat(), &cuts);
    }

    #[test]
    fn a_client_makes_the_same_of_its_input_however_it_is_cut(
        opening in select(SERVER_OPENINGS), rest in fragments(REPLIES, 16), cuts in cuts(),
    ) {
        checks::client(&[opening, &rest].concat(), &cuts);
    }

    #[test]
    fn replies_keep_every_byte(input in fragments(REPLIES, 10), cuts in cuts()) {
        checks::reply(&input, &cuts);
    }

    #[test]
    fn any_bytes_are_a_reply_or_none(input in vec(any::<u8>(), 0..200), cuts in cuts()) {
        checks::reply(&input, &cuts);
        checks::extensions(&input);
        checks::command(&input);
        checks::client(&input, &cuts);
        checks::server(&input, &cuts);
    }

    #[test]
    fn any_announcement_is_read(lines in vec("[ -~]{0,40}", 0..6)) {
        let words = "SIZE 1|SIZE x|AUTH=A b|AUTH|LIMITS RCPTMAX=0 MAILMAX=2 =|8BITMIME";
        let all = lines.iter().map(String::as_str).chain(words.split('|'));
        let input: String = all.map(|line| format!("250-{line}\r\n")).collect();
        checks::extensions(format!("{input}250 \u{e9}\r\n").as_bytes());
    }

    #[test]
    fn addresses_mean_what_they_say(
        text in "(\"[ -~é]{0,6}\"|[a-z.é@]{0,6})@?(\\[(IPv6:)?[0-9a-f:.]{0,8}\\]|[a-zé.-]{0,8})",
    ) {
        checks::address(&text);
    }

    #[test]
    fn any_text_is_an_address_or_none(text in any::<String>()) {
        checks::address(&text);
    }

    #[test]
    fn paths_mean_what_they_say(
        line in "(MAIL FROM|RCPT TO): ?<?(@[a-z,@:]{0,6}:)?(\"[ -~]{0,5}\"|[a-z.]{0,4})@?[a-z.]{0,4}>?( [A-Z=0-9]{0,5})?",
    ) {
        checks::command(line.as_bytes());
    }

    #[test]
    fn dots_are_added_and_taken_out(
        content in "([a.]{0,3}(\r\n|\r\n|\r\n|\r|\n|\0)?){0,8}", cuts in vec(0..24usize, 0..6),
        wire_cuts in vec(0..40usize, 0..8),
    ) {
        checks::stuffing(content.as_bytes(), &cuts, &wire_cuts);
    }

    #[test]
    fn canonical_content_is_never_refused(
        content in "([a.]{0,3}\r\n){0,8}[a.]{0,2}", cuts in vec(0..24usize, 0..6),
        wire_cuts in vec(0..40usize, 0..8),
    ) {
        checks::stuffing(content.as_bytes(), &cuts, &wire_cuts);
    }

    #[test]
    fn whatever_we_say_is_one_reply(code in 200..600u16, lines in vec(any::<String>(), 1..4)) {
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap();
        let reply = OutgoingReply::new(code, (Class::Permanent, 1, 1), first);
        let reply = lines.fold(reply, OutgoingReply::line);
        let mut wire = bytes::BytesMut::new();
        reply.write(&mut wire);
        let read = Reply::parse("us", &wire).unwrap();
        prop_assert_eq!(read.code(), code);
        prop_assert_eq!(read.status(), reply.status());
        prop_assert!(wire[..].split(|byte| *byte == b'\n').all(|line| line.len() <= 511));
    }

    #[test]
    fn parameters_mean_what_they_say(
        text in "(rfc822;|utf-8;|NEVER|SUCCESS,|DELAY|-?[0-9]{1,3}|;[RN]T?|[+][0-9A-F]{2}|\\\\x[{][0-9A-F]{2,5}[}]|[ -~é]){0,8}",
    ) {
        checks::parameters(&text);
    }

    #[test]
    fn any_text_is_a_parameter_or_none(text in any::<String>()) {
        checks::parameters(&text);
    }
}
