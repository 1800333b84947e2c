//! Delivery status notifications (RFC 3464) in a `multipart/report` (RFC 6522): written, not sent.
//!
//! A [`Report`] has three parts: the explanation in plain words, the status fields for programs, and
//! the header of the message that it is about. The words come from the caller. What peers said and
//! what senders wrote goes in only as text within its field: it cannot add fields of its own.

mod fields;
mod original;
mod report;
mod trail;
mod watch;

pub use original::{field_values, message_id, original_headers};
pub use report::{Action, Original, PerRecipient, Report};
pub use trail::Trail;
pub use watch::FieldWatch;
