//! Header fields: set, and put into ASCII.

use mail_parser::{Address, ContentType, MessageParser, MimeHeaders};

use crate::field::{fields, name, value};
use crate::{Obstacle, address::ascii_address};

/// Where lines are folded (RFC 5322 §2.1.1).
const FOLD: usize = 76;

/// Whether there is such a field.
pub(crate) fn has(header: &[u8], wanted: &str) -> bool {
    fields(header)
        .iter()
        .any(|field| name(field).eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The header with this field set: in the place of the first, or at the end.
pub(crate) fn set(header: &[u8], wanted: &str, value: &str) -> Vec<u8> {
    let new = format!("{wanted}: {value}\r\n");
    let mut out = Vec::with_capacity(header.len() + new.len());
    let mut done = false;
    for field in fields(header) {
        if !name(field).eq_ignore_ascii_case(wanted.as_bytes()) {
            out.extend_from_slice(field);
        } else if !std::mem::replace(&mut done, true) {
            out.extend_from_slice(new.as_bytes());
        }
    }
    if !done {
        if !out.is_empty() && !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(new.as_bytes());
    }
    out
}

/// The header with another character set in its Content-Type.
pub(crate) fn set_charset(header: &[u8], charset: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len());
    for field in fields(header) {
        if name(field).eq_ignore_ascii_case(b"Content-Type") {
            let new = parameters("Content-Type", value(field), Some(charset));
            out.extend_from_slice(&new.unwrap_or_else(|| field.to_vec()));
        } else {
            out.extend_from_slice(field);
        }
    }
    out
}

/// Whether encoded words (RFC 2047) are in another character set than UTF-8 or ASCII.
pub(crate) fn has_other_words(header: &[u8]) -> bool {
    memchr::memmem::find_iter(header, b"=?").any(|at| other_word(&header[at..]))
}

fn other_word(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"=?") else {
        return false;
    };
    let Some(end) = rest.iter().position(|byte| *byte == b'?') else {
        return false;
    };
    let charset = &rest[..end];
    let encoding = rest.get(end + 1).map(u8::to_ascii_lowercase);
    let is_name = !charset.is_empty()
        && charset.iter().all(|byte| byte.is_ascii_graphic())
        && rest.get(end + 2) == Some(&b'?')
        && matches!(encoding, Some(b'q' | b'b'));
    is_name && !charset.eq_ignore_ascii_case(b"utf-8") && !charset.eq_ignore_ascii_case(b"us-ascii")
}

/// The header in ASCII, with UTF-8 in its encoded words; with `words`, encoded words in other character
/// sets become UTF-8 too.
pub(crate) fn to_ascii(header: &[u8], words: bool) -> Result<Vec<u8>, Obstacle> {
    let mut out = Vec::with_capacity(header.len() + header.len() / 2);
    for field in fields(header) {
        if field.is_ascii() && !(words && has_other_words(field)) {
            out.extend_from_slice(field);
        } else {
            one(field, &mut out)?;
        }
    }
    Ok(out)
}

/// Fields that hold addresses (RFC 5322 §3.6.2, §3.6.3, §3.6.6; RFC 8098 §2.1).
const ADDRESSES: [&str; 14] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "resent-from",
    "resent-sender",
    "resent-reply-to",
    "resent-to",
    "resent-cc",
    "resent-bcc",
    "disposition-notification-to",
    "return-path",
];
/// Fields that have neither words nor comments for people (RFC 6857 §3.1.8).
const STRUCTURED: [&str; 6] = [
    "message-id",
    "in-reply-to",
    "references",
    "content-id",
    "resent-message-id",
    "original-message-id",
];

fn one(field: &[u8], out: &mut Vec<u8>) -> Result<(), Obstacle> {
    let written = String::from_utf8_lossy(name(field)).into_owned();
    let text = text(value(field));
    let lower = written.to_ascii_lowercase();
    let known = |list: &[&str]| list.contains(&lower.as_str());
    if !written.is_ascii() || written.is_empty() {
        let what = "a header field has no name".to_owned();
        return Err(Obstacle::Malformed { what });
    }
    if known(&ADDRESSES) {
        return addresses(&written, &text, out);
    }
    if lower == "content-type" || lower == "content-disposition" {
        let new = parameters(&written, text.as_bytes(), None);
        if let Some(new) = new.filter(|new| new.is_ascii()) {
            out.extend_from_slice(&new);
            return Ok(());
        }
    }
    if lower == "received" {
        // Deviation: RFC 6857 §3.1.10 takes the clause away; a trace with a gap still shows the way.
        let masked: String = text
            .chars()
            .map(|c| if c.is_ascii() { c } else { '?' })
            .collect();
        let tokens: Vec<String> = masked.split_whitespace().map(str::to_owned).collect();
        fold(&written, &tokens, out);
        return Ok(());
    }
    let shown =
        match known(&STRUCTURED) || lower == "content-type" || lower == "content-disposition" {
            // RFC 6857 §3.1.8: kept for people, out of the way of programs.
            true => format!("Downgraded-{written}"),
            false => written,
        };
    fold(&shown, &unstructured(&text), out);
    Ok(())
}

/// A value as text. Deviation: bytes that are no UTF-8 have no character set in a header; they are read
/// as windows-1252, which most of them are.
fn text(value: &[u8]) -> String {
    let unfolded: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let text = match String::from_utf8(unfolded) {
        Ok(text) => text,
        Err(error) => encoding_rs::WINDOWS_1252
            .decode(error.as_bytes())
            .0
            .into_owned(),
    };
    text.trim().to_owned()
}

/// The words of a value; what is beyond ASCII, and encoded words in other character sets, encoded.
fn unstructured(text: &str) -> Vec<String> {
    let has_words = has_other_words(text.as_bytes());
    let decoded = match has_words {
        // The library knows the character sets.
        true => MessageParser::default()
            .parse_headers(format!("Subject: {text}\r\n").as_bytes())
            .and_then(|message| message.subject().map(str::to_owned))
            .unwrap_or_else(|| text.to_owned()),
        false => text.to_owned(),
    };
    let mut tokens: Vec<String> = Vec::new();
    let mut group: Vec<&str> = Vec::new();
    let mut after_word = false;
    for token in decoded.split_whitespace() {
        let is_word = token.starts_with("=?") && token.ends_with("?=");
        if token.is_ascii() {
            close(&mut group, after_word, &mut tokens);
            after_word = is_word;
            tokens.push(token.to_owned());
        } else {
            group.push(token);
        }
    }
    close(&mut group, after_word, &mut tokens);
    tokens
}

/// Encodes a group of words. Space between two encoded words is nothing (RFC 2047 §6.2), so that it is
/// encoded where it means something.
fn close(group: &mut Vec<&str>, after_word: bool, tokens: &mut Vec<String>) {
    if group.is_empty() {
        return;
    }
    let space = if after_word { " " } else { "" };
    encoded(&format!("{space}{}", group.join(" ")), tokens);
    group.clear();
}

/// RFC 2047 §4.2, with the characters of §5 (3), so that it may stand in any field.
fn encoded(text: &str, tokens: &mut Vec<String>) {
    const OPEN: &str = "=?utf-8?Q?";
    let mut word = OPEN.to_owned();
    for c in text.chars() {
        let mut buffer = [0; 4];
        let written = match c {
            ' ' => "_".to_owned(),
            c if c.is_ascii_alphanumeric() || "!*+-/".contains(c) => c.to_string(),
            c => c
                .encode_utf8(&mut buffer)
                .bytes()
                .map(|b| format!("={b:02X}"))
                .collect(),
        };
        // RFC 2047 §2: 75 characters at most, and no character cut.
        if word.len() + written.len() > 73 {
            tokens.push(format!("{word}?="));
            OPEN.clone_into(&mut word);
        }
        word.push_str(&written);
    }
    tokens.push(format!("{word}?="));
}

fn fold(name: &str, tokens: &[String], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    for (n, token) in tokens.iter().enumerate() {
        if n > 0 && column + 1 + token.len() > FOLD {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.push(b' ');
        out.extend_from_slice(token.as_bytes());
        column += 1 + token.len();
    }
    out.extend_from_slice(b"\r\n");
}

fn addresses(name: &str, text: &str, out: &mut Vec<u8>) -> Result<(), Obstacle> {
    let header = format!("From: {text}\r\n");
    let parsed = MessageParser::default().parse_headers(header.as_bytes());
    let malformed = || Obstacle::Malformed {
        what: format!("the addresses of {name} cannot be read"),
    };
    let parsed = parsed.ok_or_else(malformed)?;
    let mut tokens = Vec::new();
    match parsed.from().ok_or_else(malformed)? {
        Address::List(list) => mailboxes(list, &mut tokens)?,
        Address::Group(groups) => {
            for group in groups {
                if let Some(name) = &group.name {
                    phrase(name, &mut tokens);
                    attach(&mut tokens, ":");
                }
                mailboxes(&group.addresses, &mut tokens)?;
                if group.name.is_some() {
                    attach(&mut tokens, ";");
                }
            }
        }
    }
    if tokens.is_empty() {
        return Err(malformed());
    }
    fold(name, &tokens, out);
    Ok(())
}

fn mailboxes(list: &[mail_parser::Addr<'_>], tokens: &mut Vec<String>) -> Result<(), Obstacle> {
    for (n, one) in list.iter().enumerate() {
        if n > 0 {
            attach(tokens, ",");
        }
        let address = one.address.as_deref().unwrap_or_default();
        let plain = ascii_address(address).ok_or_else(|| Obstacle::Address {
            address: address.to_owned(),
        })?;
        match &one.name {
            Some(name) => {
                phrase(name, tokens);
                tokens.push(format!("<{plain}>"));
            }
            None => tokens.push(plain),
        }
    }
    Ok(())
}

/// RFC 5322 §3.2.5: atoms, a quoted string, or encoded words.
fn phrase(name: &str, tokens: &mut Vec<String>) {
    let clean: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
    if !clean.is_ascii() {
        encoded(&clean, tokens);
    } else if clean.chars().all(atom) && !clean.contains("=?") {
        tokens.extend(clean.split_whitespace().map(str::to_owned));
    } else {
        tokens.push(quoted(&clean));
    }
}

fn attach(tokens: &mut [String], mark: &str) {
    if let Some(last) = tokens.last_mut() {
        last.push_str(mark);
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A field with parameters (RFC 2045 §5.1), those beyond ASCII by RFC 2231 §4.
fn parameters(name: &str, value: &[u8], charset: Option<&str>) -> Option<Vec<u8>> {
    let header = [b"Content-Type: ", value.trim_ascii(), b"\r\n"].concat();
    let disposition = [b"Content-Disposition: ", value.trim_ascii(), b"\r\n"].concat();
    let is_type = name.eq_ignore_ascii_case("Content-Type");
    let parsed = MessageParser::default().parse_headers(if is_type {
        &header[..]
    } else {
        &disposition[..]
    })?;
    let parsed: &ContentType<'_> = match is_type {
        true => parsed.content_type()?,
        false => parsed.content_disposition()?,
    };
    let mut first = parsed.ctype().to_owned();
    if let Some(subtype) = parsed.subtype() {
        first.push('/');
        first.push_str(subtype);
    }
    let mut tokens = vec![first];
    let attributes = parsed.attributes().unwrap_or_default();
    for attribute in attributes {
        attach(&mut tokens, ";");
        let value = match charset {
            Some(charset) if attribute.name.eq_ignore_ascii_case("charset") => charset,
            _ => &attribute.value,
        };
        tokens.push(parameter(&attribute.name, value));
    }
    if let Some(charset) = charset.filter(|_| parsed.attribute("charset").is_none()) {
        attach(&mut tokens, ";");
        tokens.push(parameter("charset", charset));
    }
    let mut out = Vec::new();
    fold(name, &tokens, &mut out);
    Some(out)
}

fn parameter(name: &str, value: &str) -> String {
    let token = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    if value.is_ascii() && !value.is_empty() && value.chars().all(token) {
        return format!("{name}={value}");
    }
    if value.is_ascii() && !value.chars().any(char::is_control) {
        return format!("{name}={}", quoted(value));
    }
    let percent = |byte: u8| match byte {
        b'-' | b'_' | b'.' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let written: String = value.bytes().map(percent).collect();
    format!("{name}*=utf-8''{written}")
}
