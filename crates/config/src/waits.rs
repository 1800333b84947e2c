//! Waits in place of the table's: `[retry."mailbox.full"]`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use diagnosis::Cause;
use queue::policy::{OwnWaits, Rhythm, table_wait};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, duration_text, suggestion, wrong_kind};

use crate::problem::ProblemKind;

type Found = toml_read::Found<ProblemKind>;

const SECTION: &str = "retry";
const SECTIONS: &str =
    "sections like [retry.\"server.connection-refused\"], each with its keys below";
const KEYS: &[&str] = &["first", "growth", "longest"];

/// Oftener than this nobody is asked.
const LEAST: Duration = Duration::from_secs(10);
/// A message seldom lives longer.
const MOST: Duration = Duration::from_secs(5 * 86_400);
const GROWTH: std::ops::RangeInclusive<f64> = 1.0..=10.0;

/// What can be wrong with a wait.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitProblem {
    /// There is no such cause.
    NoSuchCause {
        /// As written.
        written: String,
    },
    /// The cause ends a message: nothing comes back after it.
    NeverRetried,
    /// The wait is too short or too long.
    OutOfRange,
    /// The factor shrinks waits or is too large.
    Growth,
    /// The first wait is longer than the longest.
    FirstBeyondLongest {
        /// The longest, as written or as the table has it.
        longest: Duration,
    },
}

impl WaitProblem {
    pub(crate) fn help(&self) -> String {
        match self {
            WaitProblem::NoSuchCause { written } => {
                let known: Vec<&str> = Cause::ALL
                    .iter()
                    .filter(|cause| table_wait(**cause).is_some())
                    .map(|cause| cause.id())
                    .collect();
                suggestion(written, &known, "causes")
            }
            WaitProblem::NeverRetried => {
                "leave it out; `postrider config policy` shows what is given up".into()
            }
            WaitProblem::OutOfRange => {
                "write a time from \"10s\" to \"5d\"; the whole time is [queue] lifetime".into()
            }
            WaitProblem::Growth => {
                "write a number from 1 (each wait as long as the last) to 10".into()
            }
            WaitProblem::FirstBeyondLongest { longest } => {
                let longest = duration_text(*longest);
                format!("make `longest` longer too: it is \"{longest}\" here, or as in the table")
            }
        }
    }
}

impl fmt::Display for WaitProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitProblem::NoSuchCause { written } => write!(f, "there is no cause `{written}`"),
            WaitProblem::NeverRetried => f.write_str("mail with this cause never comes back"),
            WaitProblem::OutOfRange => f.write_str("this wait is too short or too long"),
            WaitProblem::Growth => f.write_str("waits cannot grow by this"),
            WaitProblem::FirstBeyondLongest { .. } => {
                f.write_str("the first wait is longer than the longest")
            }
        }
    }
}

impl From<WaitProblem> for ProblemKind {
    fn from(problem: WaitProblem) -> ProblemKind {
        ProblemKind::Wait(problem)
    }
}

pub(crate) fn read(root: &DeTable<'_>, into: &mut OwnWaits, found: &mut Found) {
    let Some(value) = root.get(SECTION) else {
        return;
    };
    let DeValue::Table(all) = value.get_ref() else {
        return wrong_kind(found, value, SECTIONS);
    };
    let mut waits = BTreeMap::new();
    for (name, value) in all {
        let DeValue::Table(keys) = value.get_ref() else {
            wrong_kind(found, value, SECTIONS);
            continue;
        };
        let id = name.get_ref().as_ref();
        let Some(cause) = Cause::from_id(id) else {
            let written = id.to_owned();
            found.error(name.span(), WaitProblem::NoSuchCause { written });
            continue;
        };
        match table_wait(cause) {
            None => found.error(name.span(), WaitProblem::NeverRetried),
            Some(table) => {
                waits.insert(cause, rhythm(keys, table, found));
            }
        }
    }
    *into = OwnWaits::new(waits);
}

/// What is not written is as in the table.
fn rhythm(keys: &DeTable<'_>, table: Rhythm, found: &mut Found) -> Rhythm {
    let mut rhythm = table;
    let mut section = Section::of(keys, SECTION, KEYS, found);
    section.duration("first", &mut rhythm.first);
    section.duration("longest", &mut rhythm.cap);
    if let Some(value) = keys.get("growth") {
        growth_of(value, &mut rhythm.factor, found);
    }
    for (key, wait) in [("first", rhythm.first), ("longest", rhythm.cap)] {
        if let Some(value) = keys.get(key).filter(|_| !(LEAST..=MOST).contains(&wait)) {
            found.error(value.span(), WaitProblem::OutOfRange);
            return rhythm;
        }
    }
    // Where one of the two alone is written, it is that one which is wrong.
    let place = keys.get("first").or_else(|| keys.get("longest"));
    if let Some(value) = place.filter(|_| rhythm.first > rhythm.cap) {
        let longest = rhythm.cap;
        found.error(value.span(), WaitProblem::FirstBeyondLongest { longest });
    }
    rhythm
}

fn growth_of(value: &Spanned<DeValue<'_>>, into: &mut f64, found: &mut Found) {
    let text = match value.get_ref() {
        DeValue::Float(number) => number.as_str(),
        DeValue::Integer(number) => number.as_str(),
        _ => return wrong_kind(found, value, "a number, without quotes, like 1.5"),
    };
    match text.parse() {
        Ok(growth) if GROWTH.contains(&growth) => *into = growth,
        Ok(_) | Err(_) => found.error(value.span(), WaitProblem::Growth),
    }
}

pub(crate) fn show(out: &mut String, waits: &OwnWaits) -> fmt::Result {
    for (cause, Rhythm { first, factor, cap }) in waits.iter() {
        writeln!(
            out,
            "\n[{SECTION}.\"{}\"]\nfirst = \"{}\"\ngrowth = {factor:?}\nlongest = \"{}\"",
            cause.id(),
            duration_text(first),
            duration_text(cap)
        )?;
    }
    if waits.is_empty() {
        writeln!(
            out,
            "\n# [{SECTION}.\"server.connection-refused\"]    # waits in place of those that `postrider config policy` shows\n\
             # first = \"10m\"                         # after the first failure\n\
             # growth = 1.5                          # each wait so much longer than the one before\n\
             # longest = \"1h\""
        )?;
    }
    Ok(())
}
