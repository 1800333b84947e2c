//! What the system knows of the way that a connection takes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Sizes on the way of a connection, and what is not getting through it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathState {
    /// The largest packet that the system believes gets through, in bytes.
    pub mtu: Option<u32>,
    /// The largest piece of data in one packet, in bytes.
    pub segment: Option<u32>,
    /// Bytes that the other side has not confirmed.
    pub unconfirmed: Option<u64>,
    /// How often in a row the oldest of them was sent again for nothing.
    pub retransmits: Option<u32>,
}

/// So often sent again for nothing is no chance: the third time comes after some two seconds.
const OFTEN: u32 = 3;

impl PathState {
    /// Whether the other side has confirmed nothing for a while of what we keep sending.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.unconfirmed.is_some_and(|bytes| bytes > 0)
            && self.retransmits.is_some_and(|times| times >= OFTEN)
    }

    /// Whether so much data fills a packet: more than a small line of a talk.
    #[must_use]
    pub fn fills_a_packet(&self, bytes: u64) -> bool {
        bytes >= u64::from(self.segment.unwrap_or(DEFAULT_SEGMENT))
    }
}

impl fmt::Display for PathState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |v| v.to_string());
        write!(
            f,
            "{} bytes unconfirmed, sent again {} times for nothing (path MTU {}, segments of {})",
            told(self.unconfirmed),
            told(self.retransmits.map(u64::from)),
            told(self.mtu.map(u64::from)),
            told(self.segment.map(u64::from)),
        )
    }
}

/// RFC 9293 §3.7.1: the size that every host takes over IPv4.
const DEFAULT_SEGMENT: u32 = 536;
