//! What comes back of mail that was handed on.
//!
//! A [`ReturnPaths`] gives mail of chosen senders a reverse-path of ours in place of theirs (variable
//! envelope return paths, VERP): it names the message and the recipient, and nobody else can make one.
//! [`Arrivals`] knows such an address when it comes back as a recipient, and leads the mail to
//! [`Target::Bounces`](queue::route::Target::Bounces); [`read`] tells what that mail is, and [`match_recipient`]
//! which recipient each failure in it is about.
//!
//! This crate is pure: it is given bytes and times, and asks nobody.

mod arrivals;
mod read;
mod tag;

pub use arrivals::Arrivals;
pub use read::{Clue, Failure, Matched, Reading, match_recipient, read};
pub use tag::{Per, ReturnPaths, SenderPattern, Tag, TagError};
