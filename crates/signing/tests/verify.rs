//! What is signed here, verified: by the verifier of the receiving side, and by dkimpy (Debian's
//! python3-dkim), which shares no code with either.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};

use dns::{RecordData, RecordKind, TableResolver};
use email_auth::{BodyDigest, Input, Verdict, Verifier};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use signing::{
    Algorithm, Canonicalization, Key, KeyState, Ring, Rules, Signed, StoredKey, Unsigned,
    record_name, record_text,
};

/// Two selectors, one of each algorithm.
static KEYS: LazyLock<Vec<StoredKey>> = LazyLock::new(|| {
    let key = |(selector, algorithm): (&str, Algorithm)| StoredKey {
        domain: "example.org".to_owned(),
        selector: selector.to_owned(),
        key: Arc::new(Key::generate(algorithm).unwrap()),
        state: KeyState::new("2026-11-01T00:00:00Z".parse().unwrap()),
    };
    [("r1", Algorithm::Rsa), ("e1", Algorithm::Ed25519)]
        .map(key)
        .to_vec()
});

fn ring(form: Canonicalization) -> Arc<Ring> {
    let keys: Vec<_> = KEYS.iter().map(|key| (key, true)).collect();
    let rules = Rules {
        header: form,
        body: form,
        ..Rules::default()
    };
    Arc::new(Ring::new(&keys, &rules))
}

fn sign(message: &[u8], form: Canonicalization, piece: usize) -> Result<Signed, Unsigned> {
    let mut stream = ring(form).begin();
    for piece in message.chunks(piece.max(1)) {
        if !stream.feed(piece) {
            break;
        }
    }
    stream.finish("2026-11-28T12:00:00Z".parse().unwrap())
}

fn signed(message: &[u8], form: Canonicalization, piece: usize) -> Vec<u8> {
    let signed = sign(message, form, piece).unwrap();
    assert_eq!(signed.by.len(), 2);
    [&signed.fields[..], message].concat()
}

fn verdicts(message: &[u8]) -> Vec<(String, Verdict)> {
    let resolver = TableResolver::default();
    for key in KEYS.iter() {
        let name = record_name(&key.selector, &key.domain);
        let text = record_text(&key.key).unwrap();
        resolver.set(&name, RecordKind::Txt, Ok(vec![RecordData::Txt(text)]));
    }
    let at = message.windows(4).position(|four| four == b"\r\n\r\n");
    let (header, body) = match at {
        Some(at) => (&message[..at + 2], &message[at + 4..]),
        None => (message, &b""[..]),
    };
    let mut digest = BodyDigest::for_header(header);
    digest.write(body);
    let input = Input {
        server: "mx.example",
        client: "192.0.2.1".parse().unwrap(),
        helo: "mail.example.org",
        sender: &smtp::Address::null(),
        header,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let verified = runtime.block_on(async {
        let verifier = Verifier::new().unwrap();
        verifier.verify(input, digest, &resolver).await
    });
    let of = |one: email_auth::Dkim| (one.selector, one.verdict);
    verified.dkim.into_iter().map(of).collect()
}

fn both_pass() -> Vec<(String, Verdict)> {
    let pass = |selector: &str| (selector.to_owned(), Verdict::Pass);
    vec![pass("r1"), pass("e1")]
}

/// What dkimpy says of each message: whether its first and its second signature hold.
fn dkimpy(messages: &[Vec<u8>]) -> Vec<String> {
    let records: Vec<String> = KEYS
        .iter()
        .map(|key| {
            let name = record_name(&key.selector, &key.domain);
            format!("b'{name}.': b'{}'", record_text(&key.key).unwrap())
        })
        .collect();
    let program = format!(
        r"
import sys, dkim
records = {{{}}}
def answer(name, timeout=5): return records.get(name)
read = sys.stdin.buffer
while True:
    size = read.read(8)
    if not size: break
    message = read.read(int(size))
    told = []
    for index in (0, 1):
        try: told.append(str(dkim.DKIM(message).verify(idx=index, dnsfunc=answer)))
        except dkim.DKIMException as error: told.append(repr(error))
    print(' '.join(told), flush=True)
",
        records.join(", ")
    );
    // Debian's Python has Debian's modules.
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("/usr/bin/python3 with python3-dkim: `make peers` installs it");
    let mut input = python.stdin.take().unwrap();
    let messages = messages.to_vec();
    let writer = std::thread::spawn(move || {
        for message in messages {
            write!(input, "{:08}", message.len()).unwrap();
            input.write_all(&message).unwrap();
        }
    });
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

const HEADER: &str = "Received: from x by y; Fri, 27 Nov 2026 10:00:00 +0000\r\n\
    From: \"Anna, of  Office\" <anna@example.org>\r\nTo: bert@dest.example,\r\n\tcarl@dest.example\r\n\
    Subject:  one \r\n  two\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
    List-Id: a\r\nList-Id:b\r\n";

#[test]
fn both_signatures_hold_whatever_the_body_and_two_verifiers_agree() {
    let long = format!("{}\r\n", "long ".repeat(300));
    let many = "x".repeat(200_000);
    let bodies = [
        "",
        "\r\n",
        "\r\n\r\n\r\n",
        " \t\r\n",
        "hello\r\n",
        "hello",
        "hello\r\n\r\n\r\n",
        "  in \t the   middle \t\r\n\r\n end \r\n",
        ".\r\n..\r\n",
        "caf\u{e9} \u{20ac}\r\n",
        &long,
        &many,
    ];
    for form in [Canonicalization::Relaxed, Canonicalization::Simple] {
        let messages: Vec<Vec<u8>> = bodies
            .iter()
            .map(|body| signed(format!("{HEADER}\r\n{body}").as_bytes(), form, 1_000))
            .collect();
        for (message, body) in messages.iter().zip(bodies) {
            if form == Canonicalization::Relaxed && ends_in_white_space(body.as_bytes()) {
                continue;
            }
            let text = String::from_utf8_lossy(message);
            assert_eq!(verdicts(message), both_pass(), "{form:?} {text}");
            let folded = message.split(|b| *b == b'\n').take(20);
            assert!(folded.into_iter().all(|line| line.len() <= 80), "{text}");
        }
        let told = dkimpy(&messages);
        assert_eq!(told, vec!["True True"; messages.len()], "{form:?}");
    }
}

#[test]
fn a_message_without_a_body_or_an_empty_line_is_signed_too() {
    for message in ["From: a@example.org\r\n", "From: a@example.org\r\n\r\n"] {
        let message = signed(message.as_bytes(), Canonicalization::Relaxed, 3);
        let ended = match message.ends_with(b"\r\n\r\n") {
            true => message,
            false => [&message[..], b"\r\n"].concat(),
        };
        assert_eq!(verdicts(&ended), both_pass());
    }
}

#[test]
fn what_is_changed_or_added_on_the_way_breaks_both_signatures() {
    let message = format!("{HEADER}\r\nhello world\r\n");
    let message = signed(message.as_bytes(), Canonicalization::Relaxed, 50);
    let text = String::from_utf8(message).unwrap();
    assert_eq!(verdicts(text.as_bytes()), both_pass());
    let add = |field: &str| text.replacen("Received:", &format!("{field}\r\nReceived:"), 1);
    let changed = [
        text.replace("hello world", "hello  worlds"),
        text.replace("one", "two"),
        text.replace("bert@", "ben@"),
        add("From: boss@example.org"),
        add("Subject: other"),
        add("Reply-To: thief@evil.example"),
        add("Cc: all@evil.example"),
        add("Content-Type: text/html"),
        add("Date: Thu, 26 Nov 2026 10:00:00 +0000"),
    ];
    for text in &changed {
        let found = verdicts(text.as_bytes());
        let failed = found.iter().filter(|(_, v)| *v != Verdict::Pass).count();
        assert_eq!((found.len(), failed), (2, 2), "{text}");
    }
    // What relays and lists add, or fold anew, does not matter.
    for text in [
        add("Received: from y by z; Fri, 27 Nov 2026 11:00:00 +0000"),
        add("List-Post: <mailto:list@dest.example>"),
        add("Sender: list@dest.example"),
        text.replace("Subject:  one \r\n  two", "Subject: one two"),
        text.replace("hello world", "hello \t world "),
    ] {
        assert_eq!(verdicts(text.as_bytes()), both_pass(), "{text}");
    }
}

#[test]
fn what_is_nobodys_or_a_strangers_is_not_signed() {
    let sign = |text: &str| sign(text.as_bytes(), Canonicalization::Relaxed, 7);
    let table = [
        ("From: a@other.example\r\n\r\nx", Unsigned::NoKey),
        ("From: a@www.example.org\r\n\r\nx", Unsigned::NoKey),
        ("Subject: x\r\n\r\nFrom: a@example.org", Unsigned::NoAuthor),
        (
            "From: a@example.org\r\nFrom: b@evil.example\r\n\r\nx",
            Unsigned::SeveralAuthors,
        ),
    ];
    for (text, why) in table {
        assert_eq!(sign(text), Err(why), "{text}");
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\t".to_vec()),
        Just(b".".to_vec()),
        Just(vec![b'x'; 1_200]),
        // Any bytes, but none that end a line by themselves.
        prop::collection::vec(
            any::<u8>().prop_filter("CR, LF", |b| !b"\r\n".contains(b)),
            0..40
        ),
    ];
    let pieces = prop::collection::vec(piece, 0..30);
    let blank = (0..4_usize).prop_map(|count| b"\r\n".repeat(count));
    (pieces, blank).prop_map(|(pieces, blank)| {
        let mut body = [pieces.concat(), blank].concat();
        if !body.is_empty() && !body.ends_with(b"\r\n") {
            // As it is on the way.
            body.extend_from_slice(b"\r\n");
        }
        body
    })
}

fn header() -> impl Strategy<Value = String> {
    let value = "[ -9;-~]{0,60}(\r\n[ \t]{1,3}[!-~]{1,60}){0,2}";
    let name = "(Subject|X-Any|To|Cc|List-Id|Date|References|Comments)";
    // White space before the colon is obsolete (RFC 5322 §4.5), and verifiers differ about it.
    let field = (name, value).prop_map(|(name, value)| format!("{name}:{value}\r\n"));
    let fields = prop::collection::vec(field, 0..8);
    (fields.clone(), fields).prop_map(|(before, after)| {
        let (before, after) = (before.concat(), after.concat());
        format!("{before}From: Anna <anna@example.org>\r\n{after}")
    })
}

/// Lines of white space at the end are nothing (RFC 6376 §3.4.4), to dkimpy and OpenDKIM too; mail-auth
/// takes them for lines.
fn ends_in_white_space(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(before) = rest.strip_suffix(b"\r\n") {
        rest = before;
    }
    matches!(rest.last(), Some(b' ' | b'\t')) && {
        let line = rest.rsplit(|byte| *byte == b'\n').next();
        line.is_some_and(|line| line.trim_ascii().is_empty())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_content_that_is_signed_verifies(
        header in header(), body in body(), piece in 1..3_000_usize, simple in any::<bool>(),
    ) {
        prop_assume!(simple || !ends_in_white_space(&body));
        let form = match simple {
            true => Canonicalization::Simple,
            false => Canonicalization::Relaxed,
        };
        let message = [header.as_bytes(), b"\r\n", &body].concat();
        let message = signed(&message, form, piece);
        prop_assert_eq!(verdicts(&message), both_pass(), "{}", String::from_utf8_lossy(&message));
    }
}

#[test]
fn any_content_that_is_signed_verifies_elsewhere_too() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let content = (header(), body());
    let messages: Vec<Vec<u8>> = (0..150)
        .map(|_| {
            let (header, body) = content.new_tree(&mut runner).unwrap().current();
            let message = [header.as_bytes(), b"\r\n", &body].concat();
            signed(&message, Canonicalization::Relaxed, 500)
        })
        .collect();
    let told = dkimpy(&messages);
    assert_eq!(told.len(), messages.len());
    for (told, message) in told.iter().zip(&messages) {
        assert_eq!(told, "True True", "{}", String::from_utf8_lossy(message));
    }
}
