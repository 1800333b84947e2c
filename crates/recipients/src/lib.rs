//! Who the recipients in domains of ours are.
//!
//! A [`Book`] turns an address into the recipients that it stands for: mailboxes here, addresses at a
//! next hop, addresses elsewhere. It asks [`Table`]s, whose I/O is somebody else's, and says by which
//! entry each step came about. What holds:
//!
//! - No name from outside reaches a path but through [`Template::path`], which lets no separator, no
//!   leading dot and no control character pass.
//! - Expansion ends: circles and depth are found, and the number of recipients is bounded.
//! - Each recipient comes once.
//! - A table that fails never makes somebody unknown.

mod book;
mod domain;
mod entries;
mod expand;
mod place;
mod srs;
mod table;
mod targets;
mod template;

pub use book::{Book, Settings};
pub use domain::{Class, Domain};
pub use entries::{EntryProblem, Line, entries, include};
pub use srs::{Srs, SrsError};
pub use table::{Entry, Fixed, Table, TableFailed};
pub use targets::{MailboxOptions, Target, mailbox_options, targets};
pub use template::{Template, TemplateError};
