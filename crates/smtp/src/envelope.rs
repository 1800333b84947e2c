//! What MAIL and RCPT say beside the addresses: values, as they are read from parameters and written
//! as parameters. Which of them are taken is the session's business.

mod body;
mod notification;
mod params;
mod wishes;
pub mod xtext;

pub use body::BodyKind;
pub use notification::{EnvelopeId, Notify, OriginalRecipient, Return};
pub use params::{MailParams, RcptParams};
pub use wishes::{ByMode, DeliverBy, Hold, Priority};

use crate::Address;

/// The `AUTH` parameter of MAIL (RFC 4954 §5): the address in xtext, or `<>`.
#[must_use]
pub fn parse_submitter(value: &str) -> Option<Address> {
    if value == "<>" {
        return Some(Address::null());
    }
    let address = Address::parse(&xtext::decode(value)?, true).ok()?;
    (!address.is_null()).then_some(address)
}

/// The value of `AUTH` for this submitter.
#[must_use]
pub fn submitter(address: &Address) -> String {
    if address.is_null() {
        "<>".to_owned()
    } else {
        xtext::encode(address.as_str())
    }
}
