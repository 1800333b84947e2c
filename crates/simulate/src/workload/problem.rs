//! What can be wrong with the file of a workload, or of a peer.

use std::fmt;

use toml_read::{Explained, Written};

/// One thing that is wrong.
pub type Problem = toml_read::Problem<ProblemKind>;
/// Everything that is wrong with a file.
pub type Errors = toml_read::Errors<ProblemKind>;

/// What can be wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum ProblemKind {
    /// What can be wrong with any file.
    Written(Written),
    /// The failure does not say its kind.
    NoKind,
    /// The text is no reply that a server gives when it fails.
    NotAFailure,
    /// The shortest is longer than the longest.
    Reversed,
    /// The text is no retry rule of Exim's.
    NotARule,
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
            ProblemKind::NoKind => Some(format!(
                "write kind = \"…\" with one of: {}",
                super::Kind::NAMES.join(", ")
            )),
            ProblemKind::NotAFailure => Some(
                "write a reply of the 400s or 500s (\"450 4.7.1 Greylisted\"), \"silent\" or \"refused\""
                    .into(),
            ),
            ProblemKind::NotARule => Some(
                "write steps like \"F,2h,15m\" or \"G,16h,1h,1.5\", parted by semicolons".into(),
            ),
            ProblemKind::Reversed => Some("let `least` be no more than `most`".into()),
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::Written(written) => written.fmt(f),
            ProblemKind::NoKind => f.write_str("the failure does not say its kind"),
            ProblemKind::NotAFailure => f.write_str("a server that fails does not say this"),
            ProblemKind::NotARule => f.write_str("this is no retry rule"),
            ProblemKind::Reversed => f.write_str("the shortest is longer than the longest"),
        }
    }
}
