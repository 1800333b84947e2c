//! What a transaction is begun with: whether the peer can do it, and how it is said.

use super::{Connection, Protocol};
use crate::Address;
use crate::envelope::{BodyKind, ByMode, MailParams, RcptParams, submitter};

/// The envelope of a transaction and what its content needs.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The reverse-path.
    pub sender: Address,
    /// The forward-paths; at least one.
    pub recipients: Vec<Recipient>,
    /// Size of the content in bytes.
    pub size: u64,
    /// What is said beside the address. What the peer does not announce is left out where the message
    /// can do without, and else is [`Unfit`]. Its size is not looked at, and nothing is held back.
    pub params: MailParams,
}

/// A forward-path and what is said beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: Address,
    /// What the sender wants to hear; left out where the peer does not announce DSN.
    pub params: RcptParams,
}

impl From<Address> for Recipient {
    fn from(address: Address) -> Recipient {
        let params = RcptParams::default();
        Recipient { address, params }
    }
}

impl Envelope {
    pub(super) fn is_ascii(&self) -> bool {
        self.sender.is_ascii() && self.recipients.iter().all(|to| to.address.is_ascii())
    }
}

/// The peer does not announce what the message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// RFC 1870 §6.1.
    #[error("the message has {size} bytes and the server takes at most {limit}")]
    TooLarge {
        /// Size of the message.
        size: u64,
        /// The announced maximum.
        limit: u64,
    },
    /// RFC 6152 §3.
    #[error("the message is 8-bit and the server does not announce 8BITMIME")]
    EightBit,
    /// RFC 3030 §3.
    #[error("the message is binary and the server does not announce BINARYMIME with CHUNKING")]
    Binary,
    /// RFC 6531 §3.6.
    #[error("the message needs SMTPUTF8 and the server does not announce it")]
    SmtpUtf8,
    /// RFC 8689 §4.2.1.
    #[error("the message requires TLS all the way and the server does not announce REQUIRETLS")]
    RequireTls,
    /// RFC 2852 §4.1.
    #[error(
        "the message is to be delivered in {seconds} seconds or go back, which the server does not promise"
    )]
    DeliverBy {
        /// The time that is left.
        seconds: i64,
    },
}

impl Connection {
    pub(super) fn fits(&self, envelope: &Envelope) -> Result<(), Unfit> {
        if let Some(Some(limit)) = self.extensions.size
            && envelope.size > limit
        {
            return Err(Unfit::TooLarge {
                size: envelope.size,
                limit,
            });
        }
        let params = &envelope.params;
        let announced = &self.extensions;
        if (params.smtputf8 || !envelope.is_ascii()) && !announced.smtputf8 {
            return Err(Unfit::SmtpUtf8);
        }
        let chunks = announced.chunking && self.settings.protocol == Protocol::Smtp;
        match params.body {
            BodyKind::EightBit if !announced.eight_bit_mime => return Err(Unfit::EightBit),
            BodyKind::Binary if !(announced.binary_mime && chunks) => return Err(Unfit::Binary),
            BodyKind::SevenBit | BodyKind::EightBit | BodyKind::Binary => {}
        }
        if params.require_tls && !announced.require_tls {
            return Err(Unfit::RequireTls);
        }
        // RFC 2852 §4.1.4: with R, who does not promise the time does not get the message. What LMTP
        // takes is delivered.
        if let Some(by) = params.deliver_by
            && by.mode == ByMode::Return
            && self.settings.protocol == Protocol::Smtp
            && !self.promises(by.seconds)
        {
            return Err(Unfit::DeliverBy {
                seconds: by.seconds,
            });
        }
        Ok(())
    }

    /// RFC 2852 §3: the peer announces DELIVERBY, and can do it in this time.
    fn promises(&self, seconds: i64) -> bool {
        match self.extensions.deliver_by {
            None => false,
            Some(None) => true,
            Some(Some(least)) => u64::try_from(seconds).is_ok_and(|seconds| seconds >= least),
        }
    }

    pub(super) fn say_mail(&mut self, envelope: &Envelope) {
        let mut line = format!("MAIL FROM:<{}>", envelope.sender.as_str());
        if self.extensions.size.is_some() {
            line.push_str(&format!(" SIZE={}", envelope.size));
        }
        let (params, announced) = (&envelope.params, &self.extensions);
        if params.body != BodyKind::SevenBit {
            line.push_str(&format!(" BODY={}", params.body.as_str()));
        }
        if params.smtputf8 || !envelope.is_ascii() {
            line.push_str(" SMTPUTF8");
        }
        let words = [
            // RFC 3461 §5.2.1.
            params
                .ret
                .filter(|_| announced.dsn)
                .map(|ret| format!("RET={}", ret.as_str())),
            params
                .envelope_id
                .as_ref()
                .filter(|_| announced.dsn)
                .map(|id| format!("ENVID={}", id.to_xtext())),
            params.require_tls.then(|| "REQUIRETLS".to_owned()),
            params
                .deliver_by
                .filter(|by| self.promises(by.seconds))
                .map(|by| format!("BY={by}")),
            (announced.priority && !params.priority.is_usual())
                .then(|| format!("MT-PRIORITY={}", params.priority)),
            params
                .submitter
                .as_ref()
                .filter(|_| !announced.auth.is_empty())
                .map(|from| format!("AUTH={}", submitter(from))),
        ];
        for word in words.into_iter().flatten() {
            line.push(' ');
            line.push_str(&word);
        }
        line.push_str("\r\n");
        self.output.extend_from_slice(line.as_bytes());
    }
}

/// With what the sender wants to hear, where the peer will tell it (RFC 3461 §5.2.1).
pub(super) fn say_rcpt(output: &mut Vec<u8>, recipient: &Recipient, dsn: bool) {
    output.extend_from_slice(b"RCPT TO:<");
    output.extend_from_slice(recipient.address.as_str().as_bytes());
    output.push(b'>');
    let RcptParams { notify, original } = &recipient.params;
    if let Some(notify) = notify.filter(|_| dsn) {
        output.extend_from_slice(format!(" NOTIFY={notify}").as_bytes());
    }
    if let Some(original) = original.as_ref().filter(|_| dsn) {
        output.extend_from_slice(format!(" ORCPT={}", original.to_xtext()).as_bytes());
    }
    output.extend_from_slice(b"\r\n");
}
