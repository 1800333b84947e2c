//! NOTIFY, ORCPT, RET and ENVID (RFC 3461 §4, RFC 6533 §3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::xtext;

/// Of what the sender wants to hear about a recipient (RFC 3461 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Notify {
    /// That it was delivered.
    pub success: bool,
    /// That it cannot be delivered.
    pub failure: bool,
    /// That it is not delivered yet.
    pub delay: bool,
}

impl Notify {
    /// `NOTIFY=NEVER`.
    pub const NEVER: Notify = Notify {
        success: false,
        failure: false,
        delay: false,
    };

    /// RFC 3461 §4.1: what holds where nothing was asked for. Delays are at the relay's discretion;
    /// we tell them.
    pub const UNASKED: Notify = Notify {
        success: false,
        failure: true,
        delay: true,
    };

    /// Reads the value of NOTIFY.
    #[must_use]
    pub fn parse(value: &str) -> Option<Notify> {
        // RFC 3461 §4.1: NEVER stands alone.
        if value.eq_ignore_ascii_case("NEVER") {
            return Some(Notify::NEVER);
        }
        let mut notify = Notify::NEVER;
        for word in value.split(',') {
            match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => notify.success = true,
                "FAILURE" => notify.failure = true,
                "DELAY" => notify.delay = true,
                _ => return None,
            }
        }
        Some(notify)
    }
}

impl fmt::Display for Notify {
    /// The value of NOTIFY.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.success, "SUCCESS"),
            (self.failure, "FAILURE"),
            (self.delay, "DELAY"),
        ];
        let words: Vec<&str> = words.iter().filter(|w| w.0).map(|w| w.1).collect();
        f.write_str(&if words.is_empty() {
            "NEVER".to_owned()
        } else {
            words.join(",")
        })
    }
}

/// How much of the message a report of failure returns (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Return {
    /// All of it.
    Full,
    /// Its header.
    Headers,
}

impl Return {
    /// The value of RET.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Return::Full => "FULL",
            Return::Headers => "HDRS",
        }
    }

    /// Reads the value of RET.
    #[must_use]
    pub fn parse(value: &str) -> Option<Return> {
        [Return::Full, Return::Headers]
            .into_iter()
            .find(|ret| ret.as_str().eq_ignore_ascii_case(value))
    }
}

/// The sender's own name for the transaction (RFC 3461 §4.4), decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeId(String);

impl EnvelopeId {
    /// Reads the value of ENVID: at most 100 characters of xtext that stand for printable ASCII.
    #[must_use]
    pub fn parse(value: &str) -> Option<EnvelopeId> {
        let text = xtext::decode(value).filter(|_| value.len() <= 100)?;
        text.is_ascii().then_some(EnvelopeId(text))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of ENVID.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        xtext::encode(&self.0)
    }
}

/// The address that the sender gave for a recipient (RFC 3461 §4.2), decoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OriginalRecipient {
    /// The type of the address, as written: `rfc822`, `utf-8`.
    pub kind: String,
    /// The address.
    pub address: String,
}

impl OriginalRecipient {
    /// Reads the value of ORCPT: `type;address`, at most 500 characters.
    #[must_use]
    pub fn parse(value: &str) -> Option<OriginalRecipient> {
        if value.len() > 500 {
            return None;
        }
        let (kind, address) = value.split_once(';')?;
        let is_atom = !kind.is_empty()
            && kind
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte));
        // RFC 6533 §3: the type has an encoding of its own. Deviation: xtext is read too, which
        // clients write there all the same.
        let address = if kind.eq_ignore_ascii_case("utf-8") {
            xtext::decode_utf8(address).or_else(|| xtext::decode(address))
        } else {
            xtext::decode(address)
        };
        let address = address.filter(|address| is_atom && !address.is_empty())?;
        Some(OriginalRecipient {
            kind: kind.to_owned(),
            address,
        })
    }

    /// The value of ORCPT, all of it ASCII.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        let address = if self.kind.eq_ignore_ascii_case("utf-8") {
            xtext::encode_utf8(&self.address)
        } else {
            xtext::encode(&self.address)
        };
        format!("{};{address}", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notify_is_never_alone_or_a_list() {
        let table = [
            ("never", Some(Notify::NEVER), "NEVER"),
            ("FAILURE,delay", Some(Notify::UNASKED), "FAILURE,DELAY"),
            (
                "Success",
                Some(Notify {
                    success: true,
                    ..Notify::NEVER
                }),
                "SUCCESS",
            ),
            ("NEVER,DELAY", None, ""),
            ("DELAY,", None, ""),
            ("", None, ""),
        ];
        for (value, expected, written) in table {
            assert_eq!(Notify::parse(value), expected, "{value}");
            if let Some(notify) = expected {
                assert_eq!(notify.to_string(), written);
            }
        }
    }

    #[test]
    fn an_original_recipient_has_a_type_and_an_address_in_its_encoding() {
        let table = [
            (
                "rfc822;anna+2Bx@example.org",
                "rfc822",
                "anna+x@example.org",
            ),
            (
                "utf-8;d\\x{F6}rte@example.org",
                "utf-8",
                "d\u{f6}rte@example.org",
            ),
            (
                "utf-8;d\u{f6}rte@example.org",
                "utf-8",
                "d\u{f6}rte@example.org",
            ),
            ("X400;/C=..", "", ""),
            ("X400;/C+3Dus", "X400", "/C=us"),
            ("rfc822;", "", ""),
            ("anna@example.org", "", ""),
            (";a@example.org", "", ""),
        ];
        for (value, kind, address) in table {
            let read = OriginalRecipient::parse(value);
            let expected = (!kind.is_empty()).then(|| OriginalRecipient {
                kind: kind.to_owned(),
                address: address.to_owned(),
            });
            assert_eq!(read, expected, "{value}");
            if let Some(read) = read {
                assert_eq!(
                    OriginalRecipient::parse(&read.to_xtext()).as_ref(),
                    Some(&read)
                );
                assert!(read.to_xtext().is_ascii());
            }
        }
        assert_eq!(
            OriginalRecipient::parse(&format!("rfc822;{}", "a".repeat(500))),
            None
        );
    }

    #[test]
    fn an_envelope_id_is_printable_ascii_of_a_hundred_characters() {
        let id = EnvelopeId::parse("QQ+20314159+2B").unwrap();
        assert_eq!(id.as_str(), "QQ 314159+");
        assert_eq!(id.to_xtext(), "QQ+20314159+2B");
        assert!(EnvelopeId::parse(&"a".repeat(100)).is_some());
        assert_eq!(EnvelopeId::parse(&"a".repeat(101)), None);
        assert_eq!(EnvelopeId::parse("+C3+A9"), None);
    }
}
