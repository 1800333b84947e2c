//! What people paste or keep, read: a code in any spelling, a reply, a bounce, a mailbox, a log. Each
//! failed recipient becomes a [`Case`], whose words keep their places in the input.
//!
//! This crate is pure: it is given bytes ([`Intake::push`]) and gives cases. It does not decide what a
//! failure means; [`Case::diagnose`] hands over what was said to `diagnosis`.

mod case;
mod code;
mod incidents;
mod intake;
mod log;
mod look;
mod mail;
mod reply;
mod scan;
mod words;

pub use case::{About, Case, Kind, Note, Span, Spanned};
pub use code::{BareReading, ReadAs};
pub use incidents::{Incident, Incidents, Place, Side, Summary};
pub use intake::Intake;
pub use log::{LogReader, LogTimes, Sink};
pub use words::Words;
