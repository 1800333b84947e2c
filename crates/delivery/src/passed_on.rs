//! What the next hop is told of what the sender asked for.

use jiff::Timestamp;
use queue::{Message, Recipient};
use smtp::client;
use smtp::envelope::{DeliverBy, MailParams, OriginalRecipient, RcptParams};

/// The parameters of MAIL. The client leaves out what the peer does not announce.
pub(crate) fn message(message: &Message, now: Timestamp) -> MailParams {
    let options = &message.options;
    MailParams {
        size: Some(message.size),
        body: message.body_kind,
        smtputf8: message.smtputf8,
        ret: options.ret,
        envelope_id: options.envelope_id.clone(),
        require_tls: options.require_tls,
        priority: options.priority,
        // RFC 2852 §4.1.3: the time that is left.
        deliver_by: options.deliver_by.map(|by| DeliverBy {
            seconds: by.at.duration_since(now).as_secs(),
            mode: by.mode,
            trace: by.trace,
        }),
        // It was held here; the next hop does not hold it again.
        hold: None,
        submitter: options.submitter.clone(),
    }
}

/// RFC 3461 §5.2.7: where the sender gave none, the address that this one came of.
pub(crate) fn original(recipient: &Recipient) -> Option<OriginalRecipient> {
    let given = recipient.options.original.clone();
    given.or_else(|| {
        let address = recipient.original()?;
        let kind = if address.is_ascii() {
            "rfc822"
        } else {
            "utf-8"
        };
        Some(OriginalRecipient {
            kind: kind.to_owned(),
            address: address.as_str().to_owned(),
        })
    })
}

/// A recipient with what is said beside it.
pub(crate) fn recipient(recipient: &Recipient) -> client::Recipient {
    client::Recipient {
        address: recipient.address.clone(),
        params: RcptParams {
            notify: recipient.options.notify,
            original: original(recipient),
        },
    }
}
