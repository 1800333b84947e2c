//! What a message becomes for a next hop that takes less, and when it stays as it is.

#![allow(missing_docs, clippy::unwrap_used)]

use mail_parser::{MessageParser, MimeHeaders};
use mime_convert::{Blocked, Obstacle, Scanner, Target, Writer, convert};
use proptest::prelude::*;

const SEVEN_BIT: Target = Target {
    eight_bit: false,
    utf8_headers: false,
    any_charset: true,
};
const EIGHT_BIT: Target = Target {
    eight_bit: true,
    ..SEVEN_BIT
};
const UTF8: Target = Target {
    any_charset: false,
    ..SEVEN_BIT
};

fn converted(message: &[u8], target: Target) -> String {
    String::from_utf8(convert(message, target).unwrap()).unwrap()
}

fn bodies(message: &[u8]) -> Vec<Vec<u8>> {
    let parsed = MessageParser::default().parse(message).unwrap();
    let leaf = |part: &mail_parser::MessagePart<'_>| {
        !matches!(part.body, mail_parser::PartType::Multipart(_))
    };
    parsed
        .parts
        .iter()
        .filter(|part| leaf(part))
        .map(|part| part.contents().to_vec())
        .collect()
}

#[test]
fn text_with_bytes_above_127_becomes_quoted_printable() {
    let message = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\ncaf\u{e9} = \u{20ac} 5 \r\n.\r\n";
    assert_eq!(
        converted(message.as_bytes(), SEVEN_BIT),
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9 =3D =E2=82=AC 5=20\r\n.\r\n"
    );
}

#[test]
fn each_part_is_encoded_by_its_kind_and_what_needs_nothing_stays_as_it_came() {
    let plain = "Content-Type: text/plain\r\nX-Odd:   spaces\r\n\r\n only  ASCII \r\n";
    let message = format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b 1\"\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\npreamble \u{e9}\r\n--b 1\r\n{plain}--b 1  \r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<p>\u{e9}</p>\r\n--b 1\r\n\
         Content-Type: application/x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u{e9}\u{e9}\r\n--b 1--\r\nend\r\n"
    );
    let out = converted(message.as_bytes(), SEVEN_BIT);
    assert!(out.is_ascii());
    assert!(
        out.contains("Content-Transfer-Encoding: 7bit\r\n\r\npreamble ??\r\n"),
        "{out}"
    );
    assert!(
        out.contains(&format!("--b 1\r\n{plain}--b 1  \r\n")),
        "{out}"
    );
    assert!(
        out.contains(
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=A9</p>\r\n--b 1\r\n"
        ),
        "{out}"
    );
    assert!(
        out.contains("Content-Transfer-Encoding: base64\r\n\r\nw6nDqQ==\r\n--b 1--\r\nend\r\n"),
        "{out}"
    );
    assert_eq!(bodies(out.as_bytes()), bodies(message.as_bytes()));
}

#[test]
fn a_message_within_the_message_is_converted_inside() {
    let message = "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: a\r\n\r\n\u{e9}\r\n--d\r\n\
        Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: \u{e9}\r\n\r\n\u{e9}\r\n--d--\r\n";
    let out = converted(message.as_bytes(), SEVEN_BIT);
    assert!(out.is_ascii(), "{out}");
    assert!(
        out.contains("Content-Transfer-Encoding: 7bit\r\n\r\nSubject: =?utf-8?Q?=C3=A9?=\r\n"),
        "{out}"
    );
    assert_eq!(out.matches("=C3=A9\r\n").count(), 2, "{out}");
}

#[test]
fn binary_content_and_long_lines_are_encoded_for_every_next_hop() {
    let mut message =
        b"Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n".to_vec();
    let body: Vec<u8> = (0..=255).chain([b'\r', b'\n', b'\n', 0]).collect();
    message.extend_from_slice(&body);
    let out = convert(&message, EIGHT_BIT).unwrap();
    assert!(out.is_ascii() && out.ends_with(b"\r\n"));
    let parsed = MessageParser::default().parse(&out).unwrap();
    assert_eq!(parsed.parts[0].contents(), body);

    let long = format!("Subject: x\r\n\r\n{}\r\n", "a".repeat(999));
    let out = converted(long.as_bytes(), EIGHT_BIT);
    assert!(out.lines().all(|line| line.len() <= 76), "{out}");
    assert!(out.contains("MIME-Version: 1.0\r\n"), "{out}");
    assert_eq!(
        bodies(out.as_bytes()),
        [format!("{}\r\n", "a".repeat(999)).into_bytes()]
    );
}

#[test]
fn what_nobody_has_named_is_named_after_what_it_is() {
    let out = converted("Subject: x\r\n\r\n\u{e9}\r\n".as_bytes(), SEVEN_BIT);
    assert!(
        out.contains("Content-Type: text/plain; charset=utf-8\r\n"),
        "{out}"
    );
    let out = convert(b"Subject: x\r\n\r\n\xe9\r\n", SEVEN_BIT).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.contains("Content-Type: text/plain; charset=unknown-8bit\r\n"),
        "{out}"
    );
}

#[test]
fn what_is_signed_or_encrypted_is_not_touched_and_named() {
    let body = "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\u{e9}\r\n";
    let signed = format!("DKIM-Signature: v=1; d=a.example\r\n{body}");
    let blocked = convert(signed.as_bytes(), SEVEN_BIT).unwrap_err();
    let by = "DKIM-Signature".to_owned();
    assert_eq!(
        blocked,
        Blocked {
            part: "the message (text/plain; charset=iso-8859-1)".to_owned(),
            charset: Some("iso-8859-1".to_owned()),
            why: Obstacle::Signed { by },
        }
    );
    for (kind, word) in [("signed", "signed"), ("encrypted", "encrypted")] {
        let message =
            format!("Content-Type: multipart/{kind}; boundary=b\r\n\r\n--b\r\n{body}--b--\r\n");
        let blocked = convert(message.as_bytes(), SEVEN_BIT).unwrap_err();
        assert!(blocked.to_string().contains(word), "{blocked}");
        assert!(blocked.part.starts_with("part 1 "), "{blocked}");
    }
    // It is 7-bit, whatever its header says: nothing to do, nothing in the way.
    let plain = b"DKIM-Signature: v=1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nplain\r\n";
    assert_eq!(convert(plain, SEVEN_BIT).unwrap(), plain);
}

#[test]
fn header_fields_beyond_ascii_become_encoded_words_and_parameters() {
    let message = "From: D\u{f6}rte \"x\" <anna@b\u{fc}cher.example>, \"a, b\" <c@d.example>\r\n\
        Subject: Gr\u{fc}\u{df}e an alle \u{20ac}\r\n\tund mehr\r\nMessage-ID: <\u{e9}@x>\r\n\
        Content-Type: text/plain; charset=utf-8; name=\"\u{e9} b.txt\"\r\n\r\nhello\r\n";
    let out = converted(message.as_bytes(), SEVEN_BIT);
    assert!(out.is_ascii(), "{out}");
    let unfolded = out.replace("\r\n ", " ");
    assert!(
        unfolded.contains("<anna@xn--bcher-kva.example>, \"a, b\" <c@d.example>\r\n"),
        "{out}"
    );
    assert!(out.contains("name*=utf-8''%C3%A9%20b.txt\r\n"), "{out}");
    assert!(out.contains("Downgraded-Message-ID: =?utf-8?Q?"), "{out}");
    let parsed = MessageParser::default().parse(out.as_bytes()).unwrap();
    assert_eq!(
        parsed.subject(),
        Some("Gr\u{fc}\u{df}e an alle \u{20ac} und mehr")
    );
    assert_eq!(parsed.attachment_name(), Some("\u{e9} b.txt"));
    // A next hop with SMTPUTF8 takes them as they are.
    let utf8 = Target {
        utf8_headers: true,
        ..EIGHT_BIT
    };
    assert_eq!(converted(message.as_bytes(), utf8), message);
}

#[test]
fn an_address_that_has_no_form_in_ascii_is_in_the_way() {
    let message = "To: d\u{f6}rte@example.org\r\n\r\nx\r\n";
    let blocked = convert(message.as_bytes(), SEVEN_BIT).unwrap_err();
    let address = "d\u{f6}rte@example.org".to_owned();
    assert_eq!(blocked.why, Obstacle::Address { address });
}

#[test]
fn text_in_any_character_set_and_encoding_becomes_utf8() {
    let message = b"Subject: =?iso-8859-1?Q?caf=E9?= x\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=\"windows-1252\"\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n5 =80 so=\r\n ft\r\n--b\r\n\
        Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n--b\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n--b--\r\n";
    let out = converted(message, UTF8);
    assert!(out.is_ascii(), "{out}");
    let parsed = MessageParser::default().parse(out.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some("caf\u{e9} x"));
    let texts: Vec<&str> = parsed
        .parts
        .iter()
        .filter_map(|part| part.text_contents())
        .collect();
    assert_eq!(
        texts[..2],
        [
            "5 \u{20ac} so ft",
            "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}"
        ]
    );
    assert!(!out.contains("1252") && !out.contains("koi8"), "{out}");
    let unknown = b"Content-Type: text/plain; charset=x-nobody\r\n\r\nx\r\n";
    let charset = "x-nobody".to_owned();
    assert_eq!(
        convert(unknown, UTF8).unwrap_err().why,
        Obstacle::Charset { charset }
    );
}

#[test]
fn a_message_beyond_all_measure_is_left_alone() {
    let mut message = String::new();
    for n in 0..100 {
        message.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"
        ));
    }
    message.push_str("\r\n\u{e9}\r\n");
    assert_eq!(
        convert(message.as_bytes(), SEVEN_BIT).unwrap_err().why,
        Obstacle::TooComplex
    );
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: text/plain; charset=iso-8859-1\r\n",
        "Content-Type: application/x\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: 8bit\r\n",
        "Subject: \u{e9}\r\n",
        "From: \u{e9} <a@b>\r\n",
        "\r\n",
        "\r\n",
        "--b\r\n",
        "--b--\r\n",
        "text \u{e9}",
        "\r",
        "\n",
        "--",
        "=\r\n",
        "line\r\n",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_out_fits_and_is_the_same_however_it_is_cut(
        message in message(), cuts in prop::collection::vec(0..400usize, 0..8),
        target in prop::sample::select(vec![SEVEN_BIT, EIGHT_BIT, UTF8]),
    ) {
        let whole = convert(&message, target);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
        cuts.push(message.len());
        cuts.sort_unstable();
        let mut scanner = Scanner::new(target);
        let mut from = 0;
        for &cut in &cuts {
            scanner.feed(&message[from..cut]);
            from = cut;
        }
        let pieces = scanner.finish().map(|plan| {
            let (mut writer, mut out, mut from) = (Writer::new(plan), Vec::new(), 0);
            for &cut in &cuts {
                writer.feed(&message[from..cut], &mut out);
                from = cut;
            }
            writer.finish(&mut out);
            out
        });
        prop_assert_eq!(&pieces, &whole);
        if let Ok(out) = whole {
            if !target.eight_bit {
                prop_assert!(out.is_ascii(), "{}", String::from_utf8_lossy(&out));
            }
            prop_assert_eq!(convert(&out, target), Ok(out.clone()), "once is enough");
        }
    }

    #[test]
    fn what_needs_nothing_stays_as_it_is(message in message()) {
        let ascii: Vec<u8> = message.into_iter().filter(u8::is_ascii).collect();
        if let Ok(out) = convert(&ascii, EIGHT_BIT) {
            let bare = ascii.windows(2).any(|w| (w[0] == b'\r') != (w[1] == b'\n'))
                || ascii.first() == Some(&b'\n') || ascii.last() == Some(&b'\r');
            if !bare {
                prop_assert_eq!(out, ascii);
            }
        }
    }

    #[test]
    fn any_body_is_read_back_byte_for_byte(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let message = [&b"Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n"[..], &body].concat();
        let out = convert(&message, SEVEN_BIT).unwrap();
        let parsed = MessageParser::default().parse(&out).unwrap();
        let read = parsed.parts[0].contents().to_vec();
        if out != message {
            prop_assert_eq!(read, body);
        }
    }
}
