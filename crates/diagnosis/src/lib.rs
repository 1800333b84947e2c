//! Facts about an attempt in, a [`Diagnosis`] out: what failed, whose problem it is, with evidence.
//!
//! This crate is pure. It does no I/O, reads no clock and knows no language: the same facts always
//! give the same diagnosis, and the words are made in `explain`.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod acme;
mod cause;
pub mod codes;
mod diagnose;
mod diagnosis;
pub mod facts;
pub mod finding;
mod hint;
mod limit;
mod path_state;
mod phrases;
mod reading;
mod statement;
pub mod tls;
pub mod tls_policy;
mod unsigned;

pub use cause::Cause;
pub use diagnose::diagnose;
pub use diagnosis::{
    AddressDead, Alternative, Check, Diagnosis, Evidence, EvidenceSource, Finality, Hint, Remedy,
    Responsible, SaidBy, Scope,
};
pub use facts::{Attempt, Failure, FailureKind, Outcome};
pub use finding::{Bearing, Conclusion, Fact, Finding, Verdict};
pub use limit::Limit;
pub use phrases::Dialect;
pub use smtp::Stage;
pub use statement::{Ended, ReadAs, Statement, interpret, interpret_code};
