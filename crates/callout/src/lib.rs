//! Asks a next hop whether it would take a recipient: MAIL and RCPT, never DATA.
//!
//! [`Talk`] says single lines to a server and keeps what was said as facts; `checks` shows them to a
//! person. [`Callouts`] asks on behalf of the receiving side and remembers the answers. What holds:
//!
//! - Nothing is sent but MAIL, RCPT, RSET and QUIT.
//! - A refusal counts against a recipient only where it is about the recipient: one that is about us,
//!   about the empty reverse-path or about everybody leaves open whether it is there.
//! - Each recipient is asked about once at a time, however many clients wait for the answer, and each
//!   destination by few connections at a time.

mod asking;
mod conversation;
mod service;
mod talk;
mod verdict;

pub use conversation::{NotReady, greet, hello, would_take};
pub use service::{Callouts, Counts, Settings};
pub use talk::{Ended, Talk};
