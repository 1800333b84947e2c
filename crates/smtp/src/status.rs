//! Enhanced status codes (RFC 3463).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first number of an enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// `2`: done.
    Success,
    /// `4`: a later try may succeed.
    Transient,
    /// `5`: the same try will not succeed.
    Permanent,
}

impl Class {
    /// The digit: 2, 4 or 5.
    #[must_use]
    pub const fn digit(self) -> u8 {
        match self {
            Class::Success => 2,
            Class::Transient => 4,
            Class::Permanent => 5,
        }
    }
}

/// An enhanced status code such as `4.2.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatus {
    /// Success, transient or permanent failure.
    pub class: Class,
    /// What the code is about, 0 to 999.
    pub subject: u16,
    /// What exactly, 0 to 999.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Puts a code together from its three numbers.
    #[must_use]
    pub const fn new(class: Class, subject: u16, detail: u16) -> EnhancedStatus {
        EnhancedStatus {
            class,
            subject,
            detail,
        }
    }

    /// Reads a code at the start of a reply's text, and where it ends: it must be followed by a
    /// space or nothing (RFC 2034 §4).
    pub(crate) fn at_start(text: &[u8]) -> Option<(EnhancedStatus, usize)> {
        let end = text
            .iter()
            .position(|byte| !byte.is_ascii_digit() && *byte != b'.')
            .unwrap_or(text.len());
        if text
            .get(end)
            .is_some_and(|byte| *byte != b' ' && *byte != b'\t')
        {
            return None;
        }
        let status = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
        Some((status, end))
    }
}

/// The text is no enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an enhanced status code: it needs a class 2, 4 or 5 and two numbers up to 999, like 4.2.2"
)]
pub struct InvalidStatus;

impl FromStr for EnhancedStatus {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<EnhancedStatus, InvalidStatus> {
        let mut parts = text.split('.');
        let (Some(class), Some(subject), Some(detail), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidStatus);
        };
        let class = match class {
            "2" => Class::Success,
            "4" => Class::Transient,
            "5" => Class::Permanent,
            _ => return Err(InvalidStatus),
        };
        Ok(EnhancedStatus {
            class,
            subject: number(subject)?,
            detail: number(detail)?,
        })
    }
}

/// RFC 3463 §2: one to three digits, without leading zeros.
fn number(digits: &str) -> Result<u16, InvalidStatus> {
    let plain = (1..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'));
    if !plain {
        return Err(InvalidStatus);
    }
    digits.parse().map_err(|_| InvalidStatus)
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class.digit(), self.subject, self.detail)
    }
}

impl Serialize for EnhancedStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EnhancedStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EnhancedStatus, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_and_writes_as_the_same_text() {
        for text in ["2.0.0", "4.2.2", "5.7.999", "5.1.10"] {
            assert_eq!(text.parse::<EnhancedStatus>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in [
            "", "4", "4.2", "3.1.1", "4.2.2.2", "4.02.2", "4.2.", "4.2.1000", "4.2.+1",
        ] {
            assert_eq!(text.parse::<EnhancedStatus>(), Err(InvalidStatus), "{text}");
        }
    }

    #[test]
    fn a_status_at_the_start_of_a_text_ends_at_a_space() {
        let status = EnhancedStatus::new(Class::Permanent, 1, 1);
        assert_eq!(
            EnhancedStatus::at_start(b"5.1.1 no such user"),
            Some((status, 5))
        );
        assert_eq!(EnhancedStatus::at_start(b"5.1.1"), Some((status, 5)));
        assert_eq!(EnhancedStatus::at_start(b"5.1.1: no"), None);
        assert_eq!(EnhancedStatus::at_start(b"no such user"), None);
    }
}
