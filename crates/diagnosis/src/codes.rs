//! The codes, as data: `catalog/codes/`.

use smtp::{EnhancedStatus, Stage};

use crate::Cause;

/// Causes that a code points to, each with a strength in percent.
pub type Pointers = &'static [(Cause, u8)];

/// An enhanced status code (RFC 3463 and the IANA registry). Its class is 0: it may be any of `classes`.
#[derive(Debug)]
pub struct EnhancedCode {
    /// Class, subject, detail.
    pub code: (u8, u16, u16),
    /// As registered.
    pub title: &'static str,
    /// Where it is defined.
    pub standard: &'static str,
    /// The classes it occurs with.
    pub classes: &'static [u8],
    /// The reply codes that it goes with.
    pub replies: &'static [u16],
    /// What it points to.
    pub causes: Pointers,
    /// Other readings; the first that fits counts.
    pub cases: &'static [CodeCase],
}

/// What a code means in certain company.
#[derive(Debug)]
pub struct CodeCase {
    /// With one of these reply codes; empty: with any.
    pub replies: &'static [u16],
    /// With this class.
    pub class: Option<u8>,
    /// What it points to then.
    pub causes: Pointers,
}

/// A reply code.
#[derive(Debug)]
pub struct ReplyCode {
    /// The three digits.
    pub code: u16,
    /// As in the standard.
    pub title: &'static str,
    /// Where it is defined.
    pub standard: &'static str,
    /// For digits that no server sends: the enhanced status code that they stand for.
    pub reads_as: Option<(u8, u16, u16)>,
    /// What it points to.
    pub causes: Pointers,
    /// Other readings; the first that fits counts.
    pub cases: &'static [ReplyCase],
}

/// What a reply code means at certain stages.
#[derive(Debug)]
pub struct ReplyCase {
    /// At one of these stages; empty: at any.
    pub stages: &'static [Stage],
    /// Only where some recipients of the transaction have been accepted.
    pub accepted: bool,
    /// What it points to then.
    pub causes: Pointers,
}

/// A row of the page of fifteen codes that the project began with (`docs/codes/`).
#[derive(Debug)]
pub struct PageCode {
    /// The code as it stands there.
    pub dotted: (u8, u16, u16),
    /// The reply codes that it goes by.
    pub replies: &'static [u16],
    /// What the page calls it.
    pub title: &'static str,
    /// Whether the bare dotted code is more likely a reply spelled with dots.
    pub first_is_reply: bool,
    /// What may be behind it, in percent.
    pub causes: Pointers,
}

include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// What the registry says of a code, whatever its class.
#[must_use]
pub fn enhanced(status: EnhancedStatus) -> Option<&'static EnhancedCode> {
    let wanted = (status.subject, status.detail);
    ENHANCED
        .iter()
        .find(|row| (row.code.1, row.code.2) == wanted)
}

/// What the standards say of a reply code.
#[must_use]
pub fn reply(code: u16) -> Option<&'static ReplyCode> {
    REPLIES.iter().find(|row| row.code == code)
}

/// The row of the page for a dotted code, of class 4.
#[must_use]
pub fn page(status: EnhancedStatus) -> Option<&'static PageCode> {
    let wanted = (status.class.digit(), status.subject, status.detail);
    FIFTEEN.iter().find(|row| row.dotted == wanted)
}

/// What a status points to, in the company of a reply code.
pub(crate) fn by_status(status: EnhancedStatus, reply: Option<u16>) -> Pointers {
    let Some(row) = enhanced(status) else {
        return &[];
    };
    let fits = |case: &&CodeCase| {
        (case.replies.is_empty() || reply.is_some_and(|r| case.replies.contains(&r)))
            && case.class.is_none_or(|class| class == status.class.digit())
    };
    row.cases
        .iter()
        .find(fits)
        .map_or(row.causes, |case| case.causes)
}

/// What a reply code points to at a stage.
pub(crate) fn by_reply(code: u16, stage: Option<Stage>, some_accepted: bool) -> Pointers {
    let Some(row) = reply(code) else {
        return &[];
    };
    let fits = |case: &&ReplyCase| {
        (case.stages.is_empty() || stage.is_some_and(|s| case.stages.contains(&s)))
            && (!case.accepted || some_accepted)
    };
    row.cases
        .iter()
        .find(fits)
        .map_or(row.causes, |case| case.causes)
}
