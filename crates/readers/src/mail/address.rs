//! Addresses in running text.

use std::ops::Range;

/// An address and where it stands in a line, with the angle brackets around it if there are some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// As it is written, without angle brackets.
    pub(super) text: String,
    /// The place in the line.
    pub(super) range: Range<usize>,
    /// Whether it stands in angle brackets.
    pub(super) bracketed: bool,
}

impl Address {
    pub(super) fn is(&self, other: &str) -> bool {
        self.text.eq_ignore_ascii_case(other)
    }
}

/// All addresses in a line.
pub(super) fn addresses(line: &str) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    let mut at = 0;
    while let Some(offset) = line.get(at..).and_then(|rest| rest.find('@')) {
        let sign = at + offset;
        at = sign + 1;
        let floor = found.last().map_or(0, |last| last.range.end);
        let local = local_start(line, floor, sign);
        let domain = domain_end(line, sign + 1);
        if local == sign || domain == sign + 1 {
            continue;
        }
        at = domain;
        let bytes = line.as_bytes();
        let bracketed = local > 0 && bytes[local - 1] == b'<' && bytes.get(domain) == Some(&b'>');
        found.push(Address {
            text: line[local..domain].to_owned(),
            range: match bracketed {
                true => local - 1..domain + 1,
                false => local..domain,
            },
            bracketed,
        });
    }
    found
}

/// Where the part before the sign begins: RFC 5321 §4.1.2, a dot-string or a quoted one; characters
/// beyond ASCII are allowed (RFC 6531 §3.3).
fn local_start(line: &str, floor: usize, sign: usize) -> usize {
    let before = &line[floor..sign];
    let quoted = before.strip_suffix('"');
    if let Some(open) = quoted.and_then(|quoted| quoted.rfind('"')) {
        return floor + open;
    }
    let part = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_atext(*c) || *c == '.')
        .last();
    let start = part.map_or(sign, |(index, _)| floor + index);
    // `recipient=a@b` and `mailto:a@b` are names of the thing before it.
    let text = &line[start..sign];
    let key = text.rfind('=').map(|equals| (&text[..equals], equals + 1));
    match key {
        Some((key, skip)) if is_key(key) && skip < text.len() => start + skip,
        Some(_) | None => start + (text.len() - text.trim_start_matches(['.', '\'']).len()),
    }
}

fn is_key(text: &str) -> bool {
    const KEYS: &[&str] = &[
        "to",
        "rcpt",
        "recipient",
        "orig_to",
        "address",
        "user",
        "for",
        "smtp",
    ];
    KEYS.iter().any(|key| text.eq_ignore_ascii_case(key))
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_beyond_ascii(c)
}

/// Letters of other scripts, but not the marks that sentences are made with.
fn is_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric()
}

fn domain_end(line: &str, from: usize) -> usize {
    let rest = &line[from..];
    // RFC 5321 §4.1.3: `[192.0.2.1]`
    if rest.starts_with('[') {
        let end = rest
            .find(']')
            .filter(|end| !rest[..*end].contains(char::is_whitespace));
        return end.map_or(from, |end| from + end + 1);
    }
    let length = rest
        .char_indices()
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || ".-_".contains(*c) || is_beyond_ascii(*c)))
        .map_or(rest.len(), |(index, _)| index);
    let domain = without_a_sentence(&rest[..length]).trim_end_matches(['.', '-', '_']);
    if domain.starts_with(['.', '-']) || domain.contains("..") {
        return from;
    }
    from + domain.len()
}

/// A label of ASCII letters that a word of another script follows directly: the domain ends there.
fn without_a_sentence(domain: &str) -> &str {
    let last = domain.rfind('.').map_or(0, |dot| dot + 1);
    let label = &domain[last..];
    let ascii = label.bytes().take_while(u8::is_ascii_alphanumeric).count();
    match ascii >= 2 && ascii < label.len() && !label.as_bytes()[ascii].is_ascii() {
        true => &domain[..last + ascii],
        false => domain,
    }
}

/// Whether it is an address as mail is sent to: with a domain that has dots, and no path or route.
pub(super) fn is_plain(address: &str) -> bool {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && domain.contains('.') && !address.starts_with(['/', '|', '@'])
        }
        None => false,
    }
}

/// The address in the value of a field: alone, in angle brackets, after a type (`rfc822; a@b`,
/// RFC 3464 §2.3.1), with a comment or a name beside it. A name without a domain counts too.
pub(super) fn of_field(value: &str) -> Option<String> {
    let value = value.trim();
    let (kind, value) = match value.split_once(';') {
        Some((kind, rest)) if !kind.contains(['@', ' ', '<']) => (kind.trim(), rest.trim()),
        Some(_) | None => ("", value),
    };
    let in_brackets = value
        .split_once('<')
        .map(|(_, rest)| rest.split('>').next().unwrap_or_default().trim());
    let text = match in_brackets {
        Some(inner) => inner,
        None => {
            let sole = value.split(" (").next().unwrap_or_default().trim();
            let bare = sole.trim_matches(|c: char| "<>(),;".contains(c));
            // Quotes around all of it; those of a quoted local part stay (RFC 5321 §4.1.2).
            let quoted = bare
                .strip_prefix(['"', '\''])
                .and_then(|rest| rest.strip_suffix(['"', '\'']));
            quoted.unwrap_or(bare)
        }
    };
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let text = text.strip_prefix("SMTP:").unwrap_or(text).trim();
    if text.is_empty() || text.eq_ignore_ascii_case("unknown") || text.contains(['\r', '\n']) {
        return None;
    }
    // RFC 6533 §3: characters beyond ASCII as `\x{e9}`.
    if kind.eq_ignore_ascii_case("utf-8") && text.contains("\\x{") {
        return Some(unescaped(text));
    }
    match addresses(text).as_slice() {
        [one] if !text.starts_with('"') => Some(one.text.clone()),
        _ => Some(text.to_owned()),
    }
}

/// RFC 6533 §3, `EmbeddedUnicodeChar`.
fn unescaped(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x{") {
        made.push_str(before);
        let code = after
            .split_once('}')
            .and_then(|(hex, next)| Some((u32::from_str_radix(hex, 16).ok()?, next)))
            .and_then(|(code, next)| Some((char::from_u32(code)?, next)));
        match code {
            Some((c, next)) => {
                made.push(c);
                rest = next;
            }
            None => {
                made.push_str("\\x{");
                rest = after;
            }
        }
    }
    made.push_str(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        addresses(line).into_iter().map(|a| a.text).collect()
    }

    #[test]
    fn addresses_are_found_in_sentences() {
        for (line, expected) in [
            ("<a@example.org>: host said", &["a@example.org"][..]),
            ("to a@example.org.", &["a@example.org"]),
            (
                "RCPT TO:<a.b+c@example.org> and b@example.net",
                &["a.b+c@example.org", "b@example.net"],
            ),
            ("\"a b\"@example.org...", &["\"a b\"@example.org"]),
            ("user@[192.0.2.1] refused", &["user@[192.0.2.1]"]),
            ("to=a@example.org, relay=mx", &["a@example.org"]),
            ("josé@example.org", &["josé@example.org"]),
            ("at @ night, @home, me@", &[]),
        ] {
            assert_eq!(texts(line), expected, "{line}");
        }
    }

    #[test]
    fn the_value_of_a_field_gives_its_address() {
        for (value, expected) in [
            ("rfc822; a@example.org", Some("a@example.org")),
            ("RFC822;<a@example.org>", Some("a@example.org")),
            ("rfc822;a@example.org (A Person)", Some("a@example.org")),
            ("a@example.org", Some("a@example.org")),
            ("LOCAL;<>", None),
            ("rfc822; ", None),
            ("x-local; jan", Some("jan")),
            ("utf-8; jos\\x{e9}@example.org", Some("josé@example.org")),
            ("Jan <jan@example.org>", Some("jan@example.org")),
        ] {
            assert_eq!(of_field(value).as_deref(), expected, "{value}");
        }
    }
}
