//! Measures what `readers` and `diagnosis` make of labelled collections of bounces: how often recipient,
//! status, reply and cause agree with the label, whether an address is ever called dead for a cause on the
//! sender's side, and whether the confidence given is deserved.
//!
//! A disagreement may have a written reason (`reasons.toml`); without one it is a fault. Nothing here
//! ships.

mod collections;
mod document;
mod reasons;
mod report;
mod sample;
mod score;
mod speed;

pub use collections::{Collection, Missing, bounces, flufl, sisimai};
pub use document::document;
pub use reasons::{Reason, Reasons};
pub use report::report;
pub use sample::{Sample, StatusLabel, Truth};
pub use score::{Disagreement, Facet, Score, Tenth, score};
pub use speed::{Pace, pace};

use std::path::PathBuf;

/// What can go wrong with a collection.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A TOML file does not say what it should.
    #[error("{path}: {error}")]
    Form {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        error: Box<toml::de::Error>,
    },
    /// A label names a cause that there is not.
    #[error("{path}: there is no cause `{id}`")]
    NoCause {
        /// Where.
        path: PathBuf,
        /// The id.
        id: String,
    },
    /// A label's status is none.
    #[error("{path}: `{text}` is no enhanced status code")]
    NoStatus {
        /// Where.
        path: PathBuf,
        /// What stands there.
        text: String,
    },
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or(here.clone(), PathBuf::from)
}

pub(crate) fn read(path: &std::path::Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| Problem::Read {
        path: path.to_owned(),
        error,
    })
}

pub(crate) fn read_toml<T: serde::de::DeserializeOwned>(
    path: &std::path::Path,
) -> Result<T, Problem> {
    let bytes = read(path)?;
    toml::from_str(&String::from_utf8_lossy(&bytes)).map_err(|error| Problem::Form {
        path: path.to_owned(),
        error: Box::new(error),
    })
}
