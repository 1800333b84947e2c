//! The message's name in the queue.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The name of a message in the queue: a UUID of version 7 (RFC 9562 §5.7), so that names sort by
/// time of arrival, written as 26 letters and digits (Crockford's base 32, lower case).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(Uuid);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

impl MessageId {
    /// Makes the name for a message that arrived at `unix_millis`, from 10 random bytes.
    #[must_use]
    pub fn new(unix_millis: u64, random: &[u8; 10]) -> MessageId {
        MessageId(uuid::Builder::from_unix_timestamp_millis(unix_millis, random).into_uuid())
    }

    /// The 16 bytes of the UUID, as the store keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// When the message arrived, in milliseconds since 1970 (RFC 9562 §5.7: the first 48 bits).
    #[must_use]
    pub fn unix_millis(&self) -> u64 {
        (self.0.as_u128() >> 80) as u64
    }

    /// The name with these 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> MessageId {
        MessageId(Uuid::from_bytes(bytes))
    }

    fn text(self) -> [u8; LENGTH] {
        let value = self.0.as_u128();
        std::array::from_fn(|i| {
            let shift = 5 * (LENGTH - 1 - i);
            ALPHABET[(value >> shift & 31) as usize]
        })
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

/// The text is no message name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no message id: 26 letters and digits are expected, as `postrider queue list` shows them"
)]
pub struct ParseMessageIdError(pub String);

impl FromStr for MessageId {
    type Err = ParseMessageIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseMessageIdError(text.to_owned());
        if text.len() != LENGTH {
            return Err(wrong());
        }
        let mut value: u128 = 0;
        for (i, c) in text.bytes().enumerate() {
            let digit = ALPHABET
                .iter()
                .position(|&a| a == c.to_ascii_lowercase())
                .ok_or_else(wrong)?;
            if i == 0 && digit > 7 {
                return Err(wrong());
            }
            value = value << 5 | digit as u128;
        }
        Ok(MessageId(Uuid::from_u128(value)))
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text_and_sorts_by_time() {
        let early = MessageId::new(1_700_000_000_000, &[255; 10]);
        let late = MessageId::new(1_700_000_000_001, &[0; 10]);
        assert_eq!(early.to_string().parse::<MessageId>().unwrap(), early);
        assert_eq!(
            late.to_string()
                .to_uppercase()
                .parse::<MessageId>()
                .unwrap(),
            late
        );
        assert_eq!(late.unix_millis(), 1_700_000_000_001);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn text_that_is_no_id_is_refused_with_the_text() {
        for text in [
            "",
            "abc",
            "zzzzzzzzzzzzzzzzzzzzzzzzzz",
            "0123456789abcdefghijklmnop",
        ] {
            assert_eq!(
                text.parse::<MessageId>(),
                Err(ParseMessageIdError(text.to_owned()))
            );
        }
    }
}
