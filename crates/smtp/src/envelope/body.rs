//! BODY (RFC 6152 §3, RFC 3030 §3).

use serde::{Deserialize, Serialize};

/// What the content needs from the way.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// 7-bit lines.
    #[default]
    SevenBit,
    /// Lines with bytes above 127 (RFC 6152), as declared or as found.
    EightBit,
    /// Bytes in any order, with or without line ends (RFC 3030 §3). Only in chunks.
    Binary,
}

impl BodyKind {
    /// The value of BODY.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            BodyKind::SevenBit => "7BIT",
            BodyKind::EightBit => "8BITMIME",
            BodyKind::Binary => "BINARYMIME",
        }
    }

    /// Reads the value of BODY, in any case.
    #[must_use]
    pub fn parse(value: &str) -> Option<BodyKind> {
        [BodyKind::SevenBit, BodyKind::EightBit, BodyKind::Binary]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(value))
    }
}
