//! TLSA records (RFC 6698 §2).

use std::fmt;

/// What a domain says about the certificate of one of its servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tlsa {
    /// The certificate usage (RFC 6698 §2.1.1): 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE.
    pub usage: u8,
    /// The selector (§2.1.2): 0 the whole certificate, 1 its public key.
    pub selector: u8,
    /// The matching type (§2.1.3): 0 as it is, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// The association data (§2.1.4).
    pub data: Vec<u8>,
}

impl fmt::Display for Tlsa {
    /// As in a zone file (§2.2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tlsa {
            usage,
            selector,
            matching,
            data,
        } = self;
        write!(f, "{usage} {selector} {matching} ")?;
        data.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
