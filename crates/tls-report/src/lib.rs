//! Reports on TLS between mail servers (RFC 8460), read: what other senders tell about our servers.
//!
//! This crate is pure: it is given bytes and gives a [`Report`].

mod mail;
mod model;
mod read;
mod unpack;

pub use mail::looks_like_one;
pub use model::{FailureDetail, Policy, PolicyKind, PolicyReport, Report, ResultType};
pub use read::{Problem, read};
pub use unpack::LIMIT;
