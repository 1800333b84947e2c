//! The parameters of MAIL and RCPT together.

use super::{BodyKind, DeliverBy, EnvelopeId, Hold, Notify, OriginalRecipient, Priority, Return};
use crate::Address;

/// The parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParams {
    /// SIZE (RFC 1870): the size that the client announces.
    pub size: Option<u64>,
    /// BODY (RFC 6152, RFC 3030).
    pub body: BodyKind,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// RET (RFC 3461 §4.3).
    pub ret: Option<Return>,
    /// ENVID (RFC 3461 §4.4).
    pub envelope_id: Option<EnvelopeId>,
    /// REQUIRETLS (RFC 8689).
    pub require_tls: bool,
    /// MT-PRIORITY (RFC 6710).
    pub priority: Priority,
    /// BY (RFC 2852).
    pub deliver_by: Option<DeliverBy>,
    /// HOLDFOR or HOLDUNTIL (RFC 4865).
    pub hold: Option<Hold>,
    /// AUTH (RFC 4954 §5).
    pub submitter: Option<Address>,
}

/// The parameters of RCPT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RcptParams {
    /// NOTIFY (RFC 3461 §4.1).
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 §4.2).
    pub original: Option<OriginalRecipient>,
}
