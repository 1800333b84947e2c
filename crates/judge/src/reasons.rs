//! The written reasons for disagreements, `crates/judge/reasons.toml`.

use serde::Deserialize;

use crate::{Facet, Problem, read_toml, root};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    reason: Vec<Reason>,
}

/// Why a disagreement is no fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The sample's id; `#2` at its end for its second recipient. `*` at the end stands for anything.
    pub sample: String,
    /// What it is about.
    pub facet: Facet,
    /// In words.
    pub why: String,
}

/// All reasons.
#[derive(Clone, Debug, Default)]
pub struct Reasons(Vec<Reason>);

impl Reasons {
    /// Reads them.
    pub fn read() -> Result<Reasons, Problem> {
        let file: File = read_toml(&root().join("crates/judge/reasons.toml"))?;
        Ok(Reasons(file.reason))
    }

    /// The reason for a disagreement about a facet of the sample's recipient, counted from 1.
    #[must_use]
    pub fn find(&self, sample: &str, recipient: usize, facet: Facet) -> Option<&Reason> {
        let exact = format!("{sample}#{recipient}");
        self.0.iter().find(|reason| {
            let fits = match reason.sample.strip_suffix('*') {
                Some(start) => sample.starts_with(start),
                None => reason.sample == sample || reason.sample == exact,
            };
            fits && reason.facet == facet
        })
    }

    /// Reasons that no disagreement needs any more.
    #[must_use]
    pub fn unused<'a>(&'a self, used: &[&Reason]) -> Vec<&'a Reason> {
        let is_used = |reason: &&Reason| !used.iter().any(|u| std::ptr::eq(*u, *reason));
        self.0.iter().filter(is_used).collect()
    }
}
