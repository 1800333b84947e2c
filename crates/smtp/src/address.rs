//! Mailboxes as they stand in MAIL and RCPT (RFC 5321 §4.1.2, RFC 6531 §3.3).

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A mailbox, the bare `postmaster`, or the empty reverse-path `<>`: as written, case preserved.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: Arc<str>,
    /// Where the `@` before the domain is.
    at: Option<u32>,
}

/// The text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at character {})", at + 1)]
pub struct AddressError {
    /// Byte offset at which the text stops being an address.
    pub at: usize,
    /// What is wrong there.
    pub problem: AddressProblem,
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// Nothing before the `@`.
    #[error("the part before the @ is empty")]
    EmptyLocalPart,
    /// A character that the unquoted local part must not have, or a misplaced dot.
    #[error("this character needs a quoted local part")]
    LocalPart,
    /// A quoted local part without its closing quote, or with a control character in it.
    #[error("the quoted local part is not closed or has a character that is not allowed")]
    QuotedLocalPart,
    /// No `@` with a domain.
    #[error("the address has no @ and domain")]
    NoDomain,
    /// A domain name that does not follow the grammar.
    #[error("not a domain name")]
    Domain,
    /// A domain name or label beyond the limits of the DNS.
    #[error("the domain name is too long")]
    DomainTooLong,
    /// A bracketed literal that is neither an IPv4, an IPv6 nor a tagged one.
    #[error("not an address literal; [192.0.2.1] and [IPv6:2001:db8::1] are")]
    Literal,
    /// A character beyond ASCII without SMTPUTF8.
    #[error("a character beyond ASCII needs the SMTPUTF8 parameter")]
    NotAscii,
}

impl Address {
    /// The empty reverse-path `<>` (RFC 5321 §4.5.5).
    #[must_use]
    pub fn null() -> Address {
        Address {
            text: Arc::from(""),
            at: None,
        }
    }

    /// Reads a mailbox without angle brackets. The empty text and `<>` are the empty reverse-path.
    /// Characters beyond ASCII are allowed where `utf8` is (RFC 6531 §3.3).
    pub fn parse(text: &str, utf8: bool) -> Result<Address, AddressError> {
        // RFC 5321 §4.5.1: "postmaster" without a domain, in any case.
        if text.is_empty() || text == "<>" {
            return Ok(Address::null());
        }
        if text.eq_ignore_ascii_case("postmaster") {
            return Ok(Address {
                text: Arc::from(text),
                at: None,
            });
        }
        if !utf8 && let Some(at) = text.bytes().position(|byte| !byte.is_ascii()) {
            return Err(AddressError {
                at,
                problem: AddressProblem::NotAscii,
            });
        }
        let at = if text.starts_with('"') {
            quoted(text)?
        } else {
            dot_string(text)?
        };
        match text.as_bytes().get(at) {
            Some(b'@') => {}
            Some(_) => {
                return Err(AddressError {
                    at,
                    problem: AddressProblem::LocalPart,
                });
            }
            None => {
                return Err(AddressError {
                    at,
                    problem: AddressProblem::NoDomain,
                });
            }
        }
        check_domain(&text[at + 1..]).map_err(|error| AddressError {
            at: error.at + at + 1,
            ..error
        })?;
        let position = u32::try_from(at).map_err(|_| AddressError {
            at,
            problem: AddressProblem::LocalPart,
        })?;
        Ok(Address {
            text: Arc::from(text),
            at: Some(position),
        })
    }

    /// Whether it is the empty reverse-path.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.text.is_empty()
    }

    /// The part before the `@`, with its quotes if it has any; empty for `<>`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.at.map_or(&self.text, |at| &self.text[..at as usize])
    }

    /// The domain or literal after the `@`, as written; `None` for `<>` and the bare `postmaster`.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.at.map(|at| &self.text[at as usize + 1..])
    }

    /// The domain in lower case, to compare and to look up (RFC 5321 §2.4).
    #[must_use]
    pub fn domain_lowercase(&self) -> Option<Cow<'_, str>> {
        let domain = self.domain()?;
        if domain.chars().any(char::is_uppercase) {
            Some(Cow::Owned(domain.to_lowercase()))
        } else {
            Some(Cow::Borrowed(domain))
        }
    }

    /// The address without angle brackets; empty for `<>`. What stands between `<` and `>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it can be sent without SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }
}

/// RFC 5321 §4.1.2 `Quoted-string`; answers where it ends.
fn quoted(text: &str) -> Result<usize, AddressError> {
    let problem = AddressProblem::QuotedLocalPart;
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' => match bytes.next() {
                Some((_, b' '..=b'~')) => {}
                _ => return Err(AddressError { at, problem }),
            },
            b' '..=b'~' | 0x80.. => {}
            _ => return Err(AddressError { at, problem }),
        }
    }
    Err(AddressError {
        at: text.len(),
        problem,
    })
}

/// RFC 5321 §4.1.2 `Dot-string`; answers where it ends.
///
/// Deviation: §4.5.3.1.1 has 64 octets as the least a server must take; there is no limit here
/// but the command line, since rewritten sender addresses are longer.
fn dot_string(text: &str) -> Result<usize, AddressError> {
    let mut after_dot = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'@' if at == 0 => {
                return Err(AddressError {
                    at,
                    problem: AddressProblem::EmptyLocalPart,
                });
            }
            b'@' if after_dot => {
                return Err(AddressError {
                    at: at - 1,
                    problem: AddressProblem::LocalPart,
                });
            }
            b'@' => return Ok(at),
            b'.' if !after_dot => after_dot = true,
            _ if is_atext(byte) => after_dot = false,
            _ => {
                return Err(AddressError {
                    at,
                    problem: AddressProblem::LocalPart,
                });
            }
        }
    }
    Err(AddressError {
        at: text.len(),
        problem: AddressProblem::NoDomain,
    })
}

/// RFC 5322 §3.2.3 `atext`, with RFC 6531 §3.3 for what is beyond ASCII.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// RFC 5321 §4.1.2 `Domain` or `address-literal`.
pub(crate) fn check_domain(domain: &str) -> Result<(), AddressError> {
    if domain.is_empty() {
        return Err(AddressError {
            at: 0,
            problem: AddressProblem::NoDomain,
        });
    }
    if domain.starts_with('[') {
        return if is_literal(domain) {
            Ok(())
        } else {
            Err(AddressError {
                at: 0,
                problem: AddressProblem::Literal,
            })
        };
    }
    let mut start = 0;
    for label in domain.split('.') {
        check_label(label).map_err(|error| AddressError {
            at: error.at + start,
            ..error
        })?;
        start += label.len() + 1;
    }
    // RFC 5321 §4.5.3.1.2.
    if domain.len() > 255 {
        return Err(AddressError {
            at: 255,
            problem: AddressProblem::DomainTooLong,
        });
    }
    Ok(())
}

/// Deviation: underscores are taken, which RFC 5321 §4.1.2 has not: hosts named so exist.
fn check_label(label: &str) -> Result<(), AddressError> {
    let problem = AddressProblem::Domain;
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || !byte.is_ascii();
    if let Some(at) = label.bytes().position(|byte| !allowed(byte)) {
        return Err(AddressError { at, problem });
    }
    if label.is_empty() || label.starts_with('-') {
        return Err(AddressError { at: 0, problem });
    }
    if label.ends_with('-') {
        return Err(AddressError {
            at: label.len() - 1,
            problem,
        });
    }
    // RFC 1035 §2.3.4; a label beyond ASCII is only measured when it is encoded for the DNS.
    if label.len() > 63 && label.is_ascii() {
        return Err(AddressError {
            at: 63,
            problem: AddressProblem::DomainTooLong,
        });
    }
    Ok(())
}

/// RFC 5321 §4.1.3.
fn is_literal(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return false;
    };
    let Some((tag, content)) = inner.split_once(':') else {
        return inner.parse::<Ipv4Addr>().is_ok();
    };
    if tag.eq_ignore_ascii_case("IPv6") {
        return content.parse::<Ipv6Addr>().is_ok();
    }
    let is_tag = !tag.is_empty()
        && !tag.ends_with('-')
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_tag
        && !content.is_empty()
        && content
            .bytes()
            .all(|byte| matches!(byte, b'!'..=b'Z' | b'^'..=b'~'))
}

impl fmt::Display for Address {
    /// As written, without angle brackets; the empty reverse-path as `<>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_null() { "<>" } else { &self.text })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        Address::parse(text, true)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_written_as_they_came() {
        let table = [
            ("user@Example.ORG", "user", "Example.ORG"),
            ("\"a @ b\"@example.org", "\"a @ b\"", "example.org"),
            ("\"a\\\"b\"@example.org", "\"a\\\"b\"", "example.org"),
            ("a+b=c/d!e@x", "a+b=c/d!e", "x"),
            ("u@[192.0.2.1]", "u", "[192.0.2.1]"),
            ("u@[IPv6:2001:db8::1]", "u", "[IPv6:2001:db8::1]"),
            ("u@[x-tag:what]", "u", "[x-tag:what]"),
            ("josé@exämple.org", "josé", "exämple.org"),
            ("u@under_score.example", "u", "under_score.example"),
        ];
        for (text, local, domain) in table {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.local(), address.domain()),
                (local, Some(domain)),
                "{text}"
            );
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_where_it_goes_wrong() {
        use AddressProblem as P;
        let table = [
            ("@example.org", 0, P::EmptyLocalPart),
            ("user", 4, P::NoDomain),
            ("user@", 5, P::NoDomain),
            (".user@x", 0, P::LocalPart),
            ("us..er@x", 3, P::LocalPart),
            ("user.@x", 4, P::LocalPart),
            ("us er@x", 2, P::LocalPart),
            ("\"user@x", 7, P::QuotedLocalPart),
            ("\"us\ner\"@x", 3, P::QuotedLocalPart),
            ("\"user\"x@x", 6, P::LocalPart),
            ("u@-x", 2, P::Domain),
            ("u@x-", 3, P::Domain),
            ("u@x..y", 4, P::Domain),
            ("u@x.", 4, P::Domain),
            ("u@x y", 3, P::Domain),
            ("u@x@y", 3, P::Domain),
            ("u@[300.0.0.1]", 2, P::Literal),
            ("u@[IPv6:zz]", 2, P::Literal),
            ("u@[192.0.2.1", 2, P::Literal),
        ];
        for (text, at, problem) in table {
            assert_eq!(
                text.parse::<Address>(),
                Err(AddressError { at, problem }),
                "{text}"
            );
        }
        let long = format!("u@{}", "a".repeat(64));
        assert_eq!(
            long.parse::<Address>().unwrap_err().problem,
            P::DomainTooLong
        );
    }

    #[test]
    fn without_smtputf8_only_ascii_is_taken() {
        let error = Address::parse("josé@example.org", false).unwrap_err();
        assert_eq!(
            error,
            AddressError {
                at: 3,
                problem: AddressProblem::NotAscii
            }
        );
    }

    #[test]
    fn the_empty_path_and_the_bare_postmaster_have_no_domain() {
        let null: Address = "<>".parse().unwrap();
        assert!(null.is_null() && null == Address::null() && null.domain().is_none());
        assert_eq!(null.to_string(), "<>");
        let postmaster: Address = "PostMaster".parse().unwrap();
        assert_eq!(
            (postmaster.local(), postmaster.domain()),
            ("PostMaster", None)
        );
    }

    #[test]
    fn domains_compare_in_lower_case() {
        let address: Address = "U@EXAMPLE.org".parse().unwrap();
        assert_eq!(address.domain_lowercase().as_deref(), Some("example.org"));
        assert_eq!(address.local(), "U");
    }
}
