//! Enhanced mail system status codes (RFC 3463).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The class of an enhanced status code (RFC 3463 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// 2: success.
    Success,
    /// 4: persistent transient failure.
    Transient,
    /// 5: permanent failure.
    Permanent,
}

impl Class {
    /// The digit.
    #[must_use]
    pub const fn digit(self) -> u16 {
        match self {
            Class::Success => 2,
            Class::Transient => 4,
            Class::Permanent => 5,
        }
    }
}

/// An enhanced status code, like 4.2.2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnhancedStatus {
    /// Class: the first number.
    pub class: Class,
    /// Subject: the second.
    pub subject: u16,
    /// Detail: the third.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Puts a code together.
    #[must_use]
    pub const fn new(class: Class, subject: u16, detail: u16) -> EnhancedStatus {
        EnhancedStatus {
            class,
            subject,
            detail,
        }
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class.digit(), self.subject, self.detail)
    }
}

impl fmt::Debug for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no enhanced status code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no enhanced status code: 2, 4 or 5, then two numbers of up to three digits, like 4.2.2"
)]
pub struct ParseStatusError(pub String);

impl FromStr for EnhancedStatus {
    type Err = ParseStatusError;

    /// RFC 3463 §2: `class "." subject "." detail`; no leading zeros.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseStatusError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<EnhancedStatus> {
    let mut parts = text.split('.');
    let class = match parts.next()? {
        "2" => Class::Success,
        "4" => Class::Transient,
        "5" => Class::Permanent,
        _ => return None,
    };
    let mut number = || {
        let part = parts.next()?;
        let plain = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let canonical = part.len() == 1 || !part.starts_with('0');
        (plain && canonical).then(|| part.parse().ok()).flatten()
    };
    let (subject, detail) = (number()?, number()?);
    parts.next().is_none().then_some(EnhancedStatus {
        class,
        subject,
        detail,
    })
}

impl Serialize for EnhancedStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EnhancedStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_and_what_is_none_is_refused() {
        for text in ["2.0.0", "4.2.2", "5.7.509", "4.999.0"] {
            assert_eq!(text.parse::<EnhancedStatus>().unwrap().to_string(), text);
        }
        for text in [
            "", "3.1.1", "4.2", "4.2.2.1", "4.02.2", "4.2.1000", "4.2.x", "4..2", " 4.2.2",
        ] {
            assert!(text.parse::<EnhancedStatus>().is_err(), "{text}");
        }
    }
}
