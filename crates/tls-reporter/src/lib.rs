//! Reports on TLS (RFC 8460) to the domains to whose servers mail goes.
//!
//! [`Tally`] counts sessions in memory, as they come. [`Reporter`] writes what was counted into a
//! ledger every few seconds, ends reports with the day, finds out where domains want theirs, and sends
//! them: by mail through an [`Outbox`], or over HTTPS.

mod post;
mod reporter;
mod send;
mod tally;

pub use post::PostError;
pub use reporter::{Reporter, Settings};
pub use send::{Outbox, OutboxError, Outgoing};
pub use tally::Tally;
