//! SPF (RFC 7208): the record read, and evaluated for an address, every term of it written down.

mod evaluate;
mod expand;
mod record;

pub(crate) use evaluate::{Outcome, evaluate};
pub(crate) use record::{is_record, parse};
