//! `[suppression]`: to whom nothing is sent any more.

use std::fmt;
use std::time::Duration;

use toml::de::DeTable;
use toml_read::{Section, duration_text};

use crate::Config;
use crate::problem::ProblemKind;
use crate::show::{line, quoted};

/// To whom nothing is sent any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suppression {
    /// How long an address is kept on the list to which mail will never arrive; zero: none is put there
    /// but by the administrator.
    pub keep: Duration,
}

pub(crate) fn read(
    root: &DeTable<'_>,
    config: &mut Config,
    found: &mut toml_read::Found<ProblemKind>,
) {
    let mut section = Section::open(root, "suppression", &["keep"], found);
    section.duration("keep", &mut config.suppression.keep);
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    use std::fmt::Write as _;
    writeln!(out, "\n[suppression]")?;
    let keep = "how long nothing is sent to an address that does not exist; \"0s\": only by hand";
    line(
        out,
        "keep",
        &quoted(duration_text(config.suppression.keep)),
        keep,
    )
}
