//! What can be wrong with a script.

use std::fmt;

use toml_read::{Explained, Written};

use crate::handshake;
use crate::verdict::NotAVerdict;

/// One thing that is wrong.
pub type Problem = toml_read::Problem<ProblemKind>;
/// Everything that is wrong with a script.
pub type Errors = toml_read::Errors<ProblemKind>;

/// What can be wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum ProblemKind {
    /// What can be wrong with any file.
    Written(Written),
    /// The rule does not say where it acts.
    NoStage,
    /// The rule does nothing.
    NothingToDo,
    /// What is to be done is not understood.
    Verdict(NotAVerdict),
    /// The text is no rate.
    NotARate,
    /// The number is no probability.
    NotAChance,
    /// What is to be done can be done to a handshake alone.
    OnlyHandshake,
    /// The text is no name for a certificate.
    NotAName,
    /// The text is no user with a password.
    NotAUser,
    /// There is no such dialect.
    UnknownDialect(String),
    /// The key has no meaning at the rule's stage.
    NotHere {
        /// The key.
        key: &'static str,
        /// Where it has one.
        stages: &'static str,
    },
}

impl From<Written> for ProblemKind {
    fn from(written: Written) -> ProblemKind {
        ProblemKind::Written(written)
    }
}

impl Explained for ProblemKind {
    fn help(&self) -> Option<String> {
        match self {
            ProblemKind::Written(written) => written.help(),
            ProblemKind::NoStage => Some(format!(
                "write at = \"…\" with one of: {}",
                crate::Stage::NAMES.join(", ")
            )),
            ProblemKind::NothingToDo => Some(
                "write do = \"…\" (a code, a reply, accept, close, reset, silence or raw …), delay or tarpit"
                    .into(),
            ),
            ProblemKind::Verdict(NotAVerdict::Unknown) => Some(
                "write a code (\"4.2.2\", \"452\", \"452 4.2.2\"), a whole reply (\"452 4.2.2 Mailbox full\"), \"accept\", \"close\", \"reset\", \"silence\" or \"raw …\""
                    .into(),
            ),
            ProblemKind::Verdict(NotAVerdict::ReplyCode) => {
                Some("reply codes go from 200 to 599".into())
            }
            ProblemKind::Verdict(NotAVerdict::Character) => Some(
                "replies are printable ASCII, their lines parted by \\n; \"raw …\" sends anything"
                    .into(),
            ),
            ProblemKind::Verdict(NotAVerdict::Alert) => {
                let names = handshake::names(handshake::ALERTS);
                Some(format!("the alerts are: {names}"))
            }
            ProblemKind::Verdict(NotAVerdict::Certificate) => {
                let names = handshake::names(handshake::CERTIFICATES);
                Some(format!("write \"certificate …\" with one of: {names}"))
            }
            ProblemKind::Verdict(NotAVerdict::Version) => {
                let names = handshake::names(handshake::VERSIONS);
                Some(format!("write \"tls …\" with one of: {names}"))
            }
            ProblemKind::OnlyHandshake => Some("it belongs to at = \"handshake\"".into()),
            ProblemKind::NotAName => Some(
                "write host names and addresses in ASCII, like [\"mx.example.org\", \"127.0.0.1\"]"
                    .into(),
            ),
            ProblemKind::NotAUser => {
                Some("write a name, a colon and a password: \"anna:secret\"".into())
            }
            ProblemKind::NotARate => {
                Some("write a number, a slash and a time in quotes: \"10/1m\" or \"2/500ms\"".into())
            }
            ProblemKind::NotAChance => Some("write a number from 0.0 to 1.0".into()),
            ProblemKind::UnknownDialect(_) => {
                let spoken = crate::words::spoken();
                let ids: Vec<&str> = spoken.iter().map(|d| d.id()).collect();
                Some(format!("the dialects are: {}", ids.join(", ")))
            }
            ProblemKind::NotHere { stages, .. } => Some(format!("it belongs to at = {stages}")),
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::Written(written) => written.fmt(f),
            ProblemKind::NoStage => f.write_str("the rule does not say where it acts"),
            ProblemKind::NothingToDo => f.write_str("the rule does nothing"),
            ProblemKind::Verdict(NotAVerdict::Unknown) => {
                f.write_str("this is nothing that can be done")
            }
            ProblemKind::Verdict(NotAVerdict::ReplyCode) => f.write_str("this is no reply code"),
            ProblemKind::Verdict(NotAVerdict::Character) => {
                f.write_str("a reply cannot have this character")
            }
            ProblemKind::Verdict(NotAVerdict::Alert) => f.write_str("there is no such alert"),
            ProblemKind::Verdict(NotAVerdict::Certificate) => {
                f.write_str("there is no such certificate")
            }
            ProblemKind::Verdict(NotAVerdict::Version) => {
                f.write_str("there is no such version of TLS")
            }
            ProblemKind::OnlyHandshake => f.write_str("this can be done to a handshake alone"),
            ProblemKind::NotAName => f.write_str("a certificate cannot be for this"),
            ProblemKind::NotAUser => f.write_str("this is no user with a password"),
            ProblemKind::NotARate => f.write_str("this is no rate"),
            ProblemKind::NotAChance => f.write_str("this is no probability"),
            ProblemKind::UnknownDialect(name) => write!(f, "there is no dialect `{name}`"),
            ProblemKind::NotHere { key, .. } => write!(f, "`{key}` has no effect here"),
        }
    }
}
