//! Mailboxes in the envelope (RFC 5321 §4.1.2, RFC 6531 §3.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A reverse- or forward-path's mailbox as written, or the empty reverse-path.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    text: Box<str>,
    /// Where the `@` before the domain is; the length where there is none.
    at: usize,
}

/// RFC 5321 §4.5.3.1.1.
///
/// Deviation: the RFC's 64 octets are the least a server must take; we take longer ones too.
const MAX_LOCAL: usize = 255;
/// RFC 5321 §4.5.3.1.2.
const MAX_DOMAIN: usize = 255;

impl Address {
    /// The empty reverse-path `<>`.
    #[must_use]
    pub fn null() -> Address {
        Address {
            text: "".into(),
            at: 0,
        }
    }

    /// Whether it is the empty reverse-path.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.text.is_empty()
    }

    /// The whole mailbox as written, without angle brackets; empty for `<>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`, quotes included.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain as written; `None` for `<>` and for a bare `postmaster` (RFC 5321 §4.1.1.3).
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.text.get(self.at + 1..)
    }

    /// Whether it needs SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_null() { "<>" } else { &self.text })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

/// Why text is no mailbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`, and it is not `postmaster`.
    #[error("`{0}` has no domain; write it as name@domain")]
    NoDomain(String),
    /// The part before the `@` is wrong.
    #[error(
        "the part before the @ in `{0}` is not valid; quote it if it has spaces or special characters"
    )]
    Local(String),
    /// The domain is wrong.
    #[error("the domain in `{0}` is not valid")]
    Domain(String),
    /// It is longer than RFC 5321 §4.5.3.1 allows.
    #[error("`{0}` is too long")]
    TooLong(String),
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads a mailbox without angle brackets; `<>` and the empty text are the empty path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text == "<>" {
            return Ok(Address::null());
        }
        let short = || text.chars().take(100).collect::<String>();
        let local_end = local_part(text).ok_or_else(|| AddressError::Local(short()))?;
        if local_end == text.len() {
            return if text.eq_ignore_ascii_case("postmaster") {
                Ok(Address {
                    text: text.into(),
                    at: local_end,
                })
            } else {
                Err(AddressError::NoDomain(short()))
            };
        }
        if !text[local_end..].starts_with('@') {
            return Err(AddressError::Local(short()));
        }
        let domain = &text[local_end + 1..];
        if local_end > MAX_LOCAL || domain.len() > MAX_DOMAIN {
            return Err(AddressError::TooLong(short()));
        }
        if !is_domain(domain) {
            return Err(AddressError::Domain(short()));
        }
        Ok(Address {
            text: text.into(),
            at: local_end,
        })
    }
}

/// Where the local part ends: `Dot-string / Quoted-string`.
fn local_part(text: &str) -> Option<usize> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut escaped = false;
        for (i, c) in quoted.char_indices() {
            match c {
                _ if c.is_control() => return None,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Some(i + 2),
                _ => {}
            }
        }
        return None;
    }
    let end = text.find('@').unwrap_or(text.len());
    // Deviation: empty atoms (`a..b@`, `.a@`) are taken; such addresses exist and hurt nobody.
    let plain = |c: char| {
        c.is_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
            || !c.is_ascii() && !c.is_control()
    };
    (end > 0 && text[..end].chars().all(plain)).then_some(end)
}

/// `Domain / address-literal`.
fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[') {
        let Some(inner) = literal.strip_suffix(']') else {
            return false;
        };
        let v6 = inner
            .get(..5)
            .filter(|tag| tag.eq_ignore_ascii_case("ipv6:"));
        return match v6 {
            Some(_) => inner[5..].parse::<std::net::Ipv6Addr>().is_ok(),
            None => inner.parse::<std::net::Ipv4Addr>().is_ok(),
        };
    }
    // Deviation: an underscore is taken, since such host names exist.
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || c == '-' || c == '_' || !c.is_ascii() && !c.is_control()
    };
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(plain);
    domain.split('.').all(label)
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_rfc_5321_are_taken_apart() {
        for (text, local, domain) in [
            ("a@example.org", "a", Some("example.org")),
            ("A.b+c@Example.ORG", "A.b+c", Some("Example.ORG")),
            ("\"a b@c\"@example.org", "\"a b@c\"", Some("example.org")),
            ("\"a\\\"b\"@example.org", "\"a\\\"b\"", Some("example.org")),
            ("a@[192.0.2.1]", "a", Some("[192.0.2.1]")),
            ("a@[IPv6:2001:db8::1]", "a", Some("[IPv6:2001:db8::1]")),
            ("Postmaster", "Postmaster", None),
            ("jürgen@müller.example", "jürgen", Some("müller.example")),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.local(), address.domain()),
                (local, domain),
                "{text}"
            );
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        for text in [
            "a",
            "@example.org",
            "a@",
            "a b@example.org",
            "a@b@c",
            "a@exa mple",
            "a@[1.2.3]",
            "a@[IPv6:zz]",
            "\"a@example.org",
            "a@.example",
            "a@example..org",
            "<a@example.org>",
            "a\r\n@example.org",
            "a@example.org\0",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_empty_path_is_null() {
        let null: Address = "<>".parse().unwrap();
        assert!(null.is_null() && null.domain().is_none() && null.to_string() == "<>");
    }
}
