//! What the sender asked for beside the delivery itself: the parameters of MAIL and RCPT as the queue
//! keeps them, with times that are relative there made absolute. A message without any has the
//! defaults, and so has one that was kept before there were options.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;
use smtp::envelope::{ByMode, EnvelopeId, Notify, OriginalRecipient, Priority, Return};

/// What the sender asked for the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// ENVID (RFC 3461 §4.4): the sender's own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<EnvelopeId>,
    /// RET (RFC 3461 §4.3): how much of it a report of failure returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret: Option<Return>,
    /// REQUIRETLS (RFC 8689): it may travel over verified TLS only.
    #[serde(skip_serializing_if = "is_false")]
    pub require_tls: bool,
    /// MT-PRIORITY (RFC 6710).
    #[serde(skip_serializing_if = "Priority::is_usual")]
    pub priority: Priority,
    /// BY (RFC 2852).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver_by: Option<Deadline>,
    /// HOLDFOR or HOLDUNTIL (RFC 4865): no attempt before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Timestamp>,
    /// AUTH= (RFC 4954 §5): who submitted it first; `<>` where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitter: Option<Address>,
}

/// Until when it is to be delivered, and what follows then (RFC 2852).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The time.
    pub at: Timestamp,
    /// What follows.
    pub mode: ByMode,
    /// Whether the sender hears of each relay that passes it on.
    pub trace: bool,
}

/// What the sender asked for a recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipientOptions {
    /// NOTIFY (RFC 3461 §4.1); `None` where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// ORCPT (RFC 3461 §4.2): the address that the sender gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalRecipient>,
    /// It is the first of several that the address of the client stands for: with the first attempt at
    /// it, the sender hears that they are several (RFC 3461 §5.2.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expanded: Option<Expanded>,
}

/// What an address that stands for several is, to the sender that wants to hear of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expanded {
    /// An alias (RFC 3461 §5.2.7.3): it goes on to several, of whom nothing more is told.
    Alias,
    /// A list with an owner of its own (RFC 3461 §5.2.7.1): what the list has is delivered.
    List,
}

impl RecipientOptions {
    /// Of what the sender is told.
    #[must_use]
    pub fn notify(&self) -> Notify {
        self.notify.unwrap_or(Notify::UNASKED)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_were_not_given_are_not_written_and_read_as_defaults() {
        assert_eq!(serde_json::to_string(&Options::default()).unwrap(), "{}");
        assert_eq!(
            serde_json::from_str::<Options>("{}").unwrap(),
            Options::default()
        );
        let none = RecipientOptions::default();
        assert_eq!(serde_json::to_string(&none).unwrap(), "{}");
        assert_eq!(none.notify(), Notify::UNASKED);
    }

    #[test]
    fn all_options_are_read_as_they_were_written() {
        let at = "2026-11-24T02:29:23Z".parse().unwrap();
        let options = Options {
            envelope_id: EnvelopeId::parse("x+20y"),
            ret: Some(Return::Full),
            require_tls: true,
            priority: Priority::new(-4),
            deliver_by: Some(Deadline {
                at,
                mode: ByMode::Return,
                trace: true,
            }),
            hold_until: Some(at),
            submitter: Some(Address::null()),
        };
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
    }
}
