//! Macros in the domain-specs of SPF records (RFC 7208 §7).

use std::net::IpAddr;

/// What macros stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    /// Local part of the sender; `postmaster` where there is none (§4.3).
    pub(super) local: &'a str,
    /// Domain of the sender.
    pub(super) sender_domain: &'a str,
    /// The domain whose record is being evaluated.
    pub(super) domain: &'a str,
    /// The sending address.
    pub(super) address: IpAddr,
    /// Its confirmed name, which [`names_the_client`] tells to be needed.
    pub(super) validated: &'a str,
    /// The name given at EHLO.
    pub(super) helo: &'a str,
    /// Whether c, r and t are letters of macros (§7.2): in an explanation they are.
    pub(super) explains: bool,
}

/// Whether a text is a macro-string (§7.1), with the letters of explanations where they may stand.
pub(super) fn is_macro_string(text: &str, explains: bool) -> bool {
    let values = Values {
        explains,
        local: "a",
        sender_domain: "b",
        domain: "c",
        address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        validated: "e",
        helo: "d",
    };
    let visible = text.bytes().all(|b| (0x21..=0x7E).contains(&b));
    visible && expand(text, values).is_some()
}

/// Whether a text is a domain-spec: a macro-string that ends with a macro or with a label that can be
/// one at the top (§7.1).
pub(super) fn is_domain_spec(text: &str) -> bool {
    is_macro_string(text, false) && (ends_with_macro(text) || ends_with_top_label(text))
}

fn ends_with_macro(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        // Four kinds: `%{...}` and three of two characters.
        let macro_expand = &rest[at..];
        let end = match macro_expand.starts_with("%{") {
            true => macro_expand.find('}').map(|end| end + 1),
            false => Some(2),
        };
        rest = end
            .and_then(|end| macro_expand.get(end..))
            .unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
    }
    false
}

/// toplabel: letters, digits and inner hyphens, and not digits alone.
fn ends_with_top_label(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((_, label)) = text.rsplit_once('.') else {
        return false;
    };
    let allowed = label
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let digits = label.bytes().all(|b| b.is_ascii_digit());
    let hyphens = label.starts_with('-') || label.ends_with('-');
    allowed && !digits && !hyphens
}

/// Whether a domain-spec has the macro `p`, for which the DNS must be asked.
pub(super) fn names_the_client(spec: &str) -> bool {
    spec.contains("%{p") || spec.contains("%{P")
}

/// Longest expansion (§7.3): what is longer loses labels at its left side.
const LONGEST: usize = 253;

/// The domain that a domain-spec means; `None` where it breaks the grammar.
pub(super) fn expand(spec: &str, values: Values<'_>) -> Option<String> {
    let mut out = String::new();
    let mut rest = spec;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.bytes().next()? {
            b'%' => out.push('%'),
            b'_' => out.push(' '),
            b'-' => out.push_str("%20"),
            b'{' => {
                let end = rest.find('}')?;
                out.push_str(&one(&rest[1..end], values)?);
                rest = &rest[end..];
            }
            _ => return None,
        }
        rest = &rest[1..];
    }
    out.push_str(rest);
    while out.len() > LONGEST {
        out = out.split_once('.')?.1.to_owned();
    }
    Some(out)
}

/// `letter [digits] [r] [delimiters]`.
fn one(body: &str, values: Values<'_>) -> Option<String> {
    let letter = body.chars().next().filter(char::is_ascii_alphabetic)?;
    let value = match letter.to_ascii_lowercase() {
        's' => format!("{}@{}", values.local, values.sender_domain),
        'l' => values.local.to_owned(),
        'o' => values.sender_domain.to_owned(),
        'd' => values.domain.to_owned(),
        'i' => dotted(values.address),
        'p' => values.validated.to_owned(),
        'v' if values.address.is_ipv4() => "in-addr".to_owned(),
        'v' => "ip6".to_owned(),
        'h' => values.helo.to_owned(),
        'c' | 'r' | 't' if values.explains => "unknown".to_owned(),
        _ => return None,
    };
    let mut rest = &body[1..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let keep = match digits {
        0 => usize::MAX,
        _ => rest[..digits].parse().ok().filter(|n| *n > 0)?,
    };
    rest = &rest[digits..];
    let reverse = rest.starts_with(['r', 'R']);
    if reverse {
        rest = &rest[1..];
    }
    if !rest.chars().all(|c| ".-+,/_=".contains(c)) {
        return None;
    }
    let delimiters = if rest.is_empty() { "." } else { rest };
    let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
    if reverse {
        parts.reverse();
    }
    let from = parts.len().saturating_sub(keep);
    let text = parts[from..].join(".");
    Some(match letter.is_ascii_uppercase() {
        true => escaped(&text),
        false => text,
    })
}

/// §7.3: IPv6 addresses as nibbles with dots.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let pairs = v6
                .octets()
                .map(|byte| format!("{:x}.{:x}", byte >> 4, byte & 15));
            pairs.join(".")
        }
    }
}

/// §7.3: what is not unreserved in a URL is escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7208 §7.4.
    #[test]
    fn macros_expand_as_in_the_examples_of_the_standard() {
        let values = |address: &str| Values {
            local: "strong-bad",
            sender_domain: "email.example.com",
            domain: "email.example.com",
            address: address.parse().unwrap(),
            validated: "mx.example.org",
            helo: "mx.example.com",
            explains: false,
        };
        for (spec, expected) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            (
                "%{ir}.%{v}._spf.%{d2}",
                "3.2.0.192.in-addr._spf.example.com",
            ),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{S}", "strong-bad%40email.example.com"),
            ("a%%b%_%-c", "a%b %20c"),
            ("%{p2}", "example.org"),
        ] {
            assert_eq!(
                expand(spec, values("192.0.2.3")).as_deref(),
                Some(expected),
                "{spec}"
            );
        }
        let v6 = expand("%{ir}.%{v}._spf.%{d2}", values("2001:db8::cb01")).unwrap();
        assert_eq!(
            v6,
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
        );
        for spec in ["%", "%x", "%{", "%{}", "%{d0}", "%{d!}", "%{c}", "%(d)"] {
            assert_eq!(expand(spec, values("192.0.2.3")), None, "{spec}");
        }
    }
}
