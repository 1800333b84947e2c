//! Why a recipient in a domain of ours is not taken.

use std::time::Duration;

use queue::NotFound;
use smtp::{Address, Class};

/// A recipient that is not taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nobody {
    /// The address that the client named.
    pub(crate) recipient: Address,
    /// Why.
    pub(crate) why: Why,
}

/// Why it is not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Why {
    /// It is nobody, or it cannot be told who.
    NotFound(NotFound),
    /// With it, the transaction would have too many recipients.
    TooManyTogether {
        /// The limit.
        limit: usize,
    },
}

const MINUTE: Duration = Duration::from_secs(60);

impl Nobody {
    /// A stable name for logs.
    pub(crate) fn name(&self) -> &'static str {
        match &self.why {
            Why::NotFound(not) => match not {
                NotFound::Unknown { .. } => "unknown-recipient",
                NotFound::Routed { .. } => "routed-recipient",
                NotFound::NotReturned { .. } => "not-a-return-path",
                NotFound::Circle { .. } => "alias-circle",
                NotFound::TooMany { .. } => "alias-too-large",
                NotFound::TableFailed { .. } => "table-failed",
                NotFound::BadEntry { .. } => "table-entry",
            },
            Why::TooManyTogether { .. } => "too-many-recipients-together",
        }
    }

    /// Whether somebody must look after this machine.
    pub(crate) fn is_ours(&self) -> bool {
        match &self.why {
            Why::NotFound(not) => match not {
                NotFound::Unknown { .. }
                | NotFound::Routed { .. }
                | NotFound::NotReturned { .. } => false,
                NotFound::Circle { .. }
                | NotFound::TooMany { .. }
                | NotFound::TableFailed { .. }
                | NotFound::BadEntry { .. } => true,
            },
            Why::TooManyTogether { .. } => false,
        }
    }

    /// Whether it counts against the client, as with one that tries names in turn.
    pub(crate) fn counts(&self) -> bool {
        !self.is_ours() && matches!(self.why, Why::NotFound(_))
    }

    /// What the client is not told.
    pub(crate) fn detail(&self) -> Option<String> {
        match &self.why {
            Why::NotFound(not) => Some(not.to_string()),
            Why::TooManyTogether { .. } => None,
        }
    }

    /// When coming back makes sense.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match &self.why {
            Why::NotFound(NotFound::TableFailed { .. }) => Some(5 * MINUTE),
            // Somebody must mend the table.
            Why::NotFound(NotFound::BadEntry { .. }) => Some(60 * MINUTE),
            Why::NotFound(
                NotFound::Unknown { .. }
                | NotFound::Routed { .. }
                | NotFound::NotReturned { .. }
                | NotFound::Circle { .. }
                | NotFound::TooMany { .. },
            ) => None,
            // RFC 5321 §4.5.3.1.10: the rest at once, in a transaction of its own.
            Why::TooManyTogether { .. } => None,
        }
    }

    pub(crate) fn codes(&self) -> (u16, Class, u16, u16) {
        use Class::{Permanent, Transient};
        match &self.why {
            Why::NotFound(not) => match not {
                // RFC 3463 §3.2 X.1.1: bad destination mailbox address.
                NotFound::Unknown { .. } | NotFound::NotReturned { .. } => (550, Permanent, 1, 1),
                NotFound::Routed { .. } => (550, Permanent, 7, 1),
                // RFC 3463 §3.5 X.4.6: routing loop detected.
                NotFound::Circle { .. } => (554, Permanent, 4, 6),
                // RFC 3463 §3.4 X.3.5: system incorrectly configured. Ours, so that it can be mended
                // while the mail waits.
                NotFound::TooMany { .. } | NotFound::BadEntry { .. } => (451, Transient, 3, 5),
                // Never 550: that a table cannot be asked makes nobody unknown.
                NotFound::TableFailed { .. } => (451, Transient, 3, 0),
            },
            Why::TooManyTogether { .. } => (452, Transient, 5, 3),
        }
    }

    /// The words, without the wait.
    pub(crate) fn words(&self) -> String {
        let recipient = &self.recipient;
        match &self.why {
            Why::NotFound(not) => match not {
                NotFound::Unknown { .. } => format!("no such recipient here: {recipient}"),
                NotFound::Routed { .. } => {
                    format!("relay access denied: {recipient} asks to relay to another domain")
                }
                NotFound::NotReturned { why, .. } => {
                    format!("no such recipient here: {recipient} is no return path of ours: {why}")
                }
                NotFound::Circle { .. } => {
                    format!("aliases here lead {recipient} in a circle")
                }
                NotFound::TooMany { limit, .. } => format!(
                    "our configuration is wrong: {recipient} stands for more than {limit} recipients"
                ),
                NotFound::BadEntry { .. } => {
                    format!("our configuration is wrong: the entry for {recipient} makes no sense")
                }
                NotFound::TableFailed { .. } => {
                    "our table of recipients cannot be asked; that is our fault".to_owned()
                }
            },
            Why::TooManyTogether { limit } => {
                format!("the addresses stand for more than {limit} recipients together")
            }
        }
    }
}
