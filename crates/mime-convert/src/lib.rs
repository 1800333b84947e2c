//! Changes the form of a message, not what it says, for a next hop that takes no more: 8-bit and binary
//! parts become quoted-printable or base64 (RFC 6152 §3, RFC 2045 §6), header fields beyond ASCII become
//! encoded words (RFC 2047) and parameters of RFC 2231, text becomes UTF-8.
//!
//! Two passes over the content, neither of which holds more of it than header fields and a line: the
//! [`Scanner`] looks at every part and makes a [`Plan`], or says why it cannot be done; the [`Writer`]
//! follows the plan. All bytes that need no change stay as they are.
//!
//! A message that is signed is not touched: a change would break its signature. Then, and where an
//! address beyond ASCII has no other form, the answer is [`Blocked`], which names the part.

mod address;
mod encode;
mod entity;
pub mod field;
mod header;
mod plan;
mod scan;
mod transcode;
mod walk;
mod write;

pub use address::ascii_address;
pub use plan::Plan;
pub use scan::Scanner;
pub use write::Writer;

use serde::{Deserialize, Serialize};

/// What the next hop takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Lines with bytes above 127 (8BITMIME). Binary content and lines beyond 998 bytes are converted in
    /// any case.
    pub eight_bit: bool,
    /// Header fields beyond ASCII (SMTPUTF8).
    pub utf8_headers: bool,
    /// Any character set; else text and header fields become UTF-8.
    pub any_charset: bool,
}

/// Why a message stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{part}: {why}")]
pub struct Blocked {
    /// The part that would have to be changed: its number, kind and character set.
    pub part: String,
    /// Its character set, where it names one.
    pub charset: Option<String>,
    /// Why it cannot be.
    pub why: Obstacle,
}

/// What stands in the way of a conversion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// A signature covers it.
    #[error("it is signed ({by}), and a change would break the signature")]
    Signed {
        /// The header field or the kind of part that says so.
        by: String,
    },
    /// It is encrypted and yet not in a 7-bit form.
    #[error("it is encrypted, and only its sender can write it otherwise")]
    Encrypted,
    /// An address that has no form in ASCII.
    #[error("the address {address} cannot be written in ASCII")]
    Address {
        /// The address.
        address: String,
    },
    /// A character set that cannot be read.
    #[error("its character set {charset} cannot be read")]
    Charset {
        /// The character set.
        charset: String,
    },
    /// It is not what its header says.
    #[error("it is malformed: {what}")]
    Malformed {
        /// In what way.
        what: String,
    },
    /// It has more parts, deeper parts or larger headers than are looked at.
    #[error("it is too complex to be converted")]
    TooComplex,
}

/// Converts a message that is in memory.
pub fn convert(message: &[u8], target: Target) -> Result<Vec<u8>, Blocked> {
    let mut scanner = Scanner::new(target);
    scanner.feed(message);
    let mut writer = Writer::new(scanner.finish()?);
    let mut out = Vec::with_capacity(message.len() + message.len() / 4);
    writer.feed(message, &mut out);
    writer.finish(&mut out);
    Ok(out)
}
