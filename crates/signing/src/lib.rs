//! DKIM signatures of ours (RFC 6376, RFC 8301, RFC 8463).
//!
//! [`KeyStore`] has the keys on the disk; [`look`] says what of a key is published; [`Ring`] is made of
//! both and knows which keys sign for which author. [`Ring::begin`] takes the content exactly as it is
//! sent, piece by piece, and gives the fields that go before it.

mod canonical;
mod fields;
mod key;
mod record;
mod ring;
mod sign;
mod store;

pub use canonical::Canonicalization;
pub use key::{Algorithm, Key, KeyError};
pub use record::{Differs, Published, look, record_name, record_text, zone_lines};
pub use ring::{DomainRule, NotSigning, Ring, Rules, choose};
pub use sign::{Signed, SignedBy, Stream, Unsigned};
pub use store::{KeyState, KeyStore, StoreFault, StoredKey, is_selector, read_domain};
