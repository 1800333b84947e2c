//! Reports on TLS between mail servers (RFC 8460): what they say, read from what others send and
//! written as others read it; and where a domain wants them.
//!
//! This crate is pure: it is given bytes and gives bytes.

mod letter;
mod mail;
mod model;
mod read;
mod record;
mod unpack;
mod write;

pub use letter::{Letter, filename};
pub use mail::looks_like_one;
pub use model::{FailureDetail, Policy, PolicyKind, PolicyReport, Report, ResultType};
pub use read::{Problem, read};
pub use record::{Record, RecordProblem, Rua};
pub use unpack::{LIMIT, pack};
pub use write::to_json;
