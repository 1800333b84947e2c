//! What filters answer.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use queue::StoreError;
use smtp::Address;

/// What a filter thinks, and what it wants changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What it thinks.
    pub verdict: Verdict,
    /// What it wants changed, in this order. Without effect where mail is refused.
    pub edits: Vec<Edit>,
}

impl Answer {
    /// No objection.
    #[must_use]
    pub fn pass() -> Answer {
        Answer::default()
    }

    /// A judgement without changes.
    #[must_use]
    pub fn of(verdict: Verdict) -> Answer {
        Answer {
            verdict,
            edits: Vec::new(),
        }
    }
}

/// What is to happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Verdict {
    /// Nothing is wrong.
    #[default]
    Pass,
    /// The client is to come back.
    Defer(Refused),
    /// The client is to give up.
    Reject(Refused),
    /// The message is taken and kept back until the administrator has looked at it.
    Hold(Reason),
    /// The message is confirmed and thrown away.
    Discard(Reason),
}

/// Why, and with which codes where the filter chose them.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// The codes that the filter chose.
    pub codes: Option<Codes>,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Refused {
        Refused {
            reason,
            codes: None,
        }
    }
}

/// A reply code and an enhanced status, of the same class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    code: u16,
    subject: u16,
    detail: u16,
}

impl Codes {
    /// The codes, where they are such as refuse (RFC 5321 §4.2.1, RFC 3463 §2).
    #[must_use]
    pub fn new(code: u16, subject: u16, detail: u16) -> Option<Codes> {
        let refuses = (400..600).contains(&code) && code % 100 < 60;
        (refuses && subject < 1000 && detail < 1000).then_some(Codes {
            code,
            subject,
            detail,
        })
    }

    /// As text: `550`, or `550 5.7.1`; without a status it is X.7.1 (RFC 3463 §3.8: delivery not
    /// authorised), the reason of most filters. `None` where the classes differ or it is no refusal.
    #[must_use]
    pub fn parse(code: &str, status: Option<&str>) -> Option<Codes> {
        let digits = |text: &str| -> Option<u16> {
            let plain = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok())?
        };
        let code = digits(code)?;
        let Some(status) = status else {
            return Codes::new(code, 7, 1);
        };
        let mut parts = status.split('.').map(digits);
        let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || class != code / 100 {
            return None;
        }
        Codes::new(code, subject, detail)
    }

    /// The reply code.
    #[must_use]
    pub fn code(self) -> u16 {
        self.code
    }

    /// Subject and detail of the status.
    #[must_use]
    pub fn status(self) -> (u16, u16) {
        (self.subject, self.detail)
    }
}

/// Why a filter objects.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A scanner found malware.
    Infected {
        /// What it calls it.
        name: String,
    },
    /// A scanner does not take so much.
    TooLargeToScan {
        /// Bytes of the message.
        size: u64,
    },
    /// DNS block lists have the client.
    Listed(Vec<Listing>),
    /// The content looks like spam.
    Spam {
        /// How much.
        score: f64,
        /// How much is too much.
        required: f64,
    },
    /// A stranger is to come back.
    Greylisted,
    /// The domain in `From` asks to refuse what it did not send (RFC 7489, RFC 9989).
    Dmarc {
        /// The domain.
        domain: String,
    },
    /// The domain of the sender does not let this client send for it (RFC 7208).
    Spf {
        /// The domain.
        domain: String,
        /// The client.
        client: IpAddr,
    },
    /// What would tell cannot be looked up now (RFC 7372 §3.3).
    AuthenticationUnanswered {
        /// The domain.
        domain: String,
    },
    /// The filter's own words; none at all where it gives none.
    Said(String),
}

/// An entry of a block list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The list.
    pub zone: String,
    /// What is on it.
    pub entry: String,
    /// The list's own reason (RFC 5782 §2.1: TXT).
    pub text: Option<String>,
}

/// A change to a message or its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A field at the end of the header.
    Add(crate::Field),
    /// A field that will be the n-th, from 0.
    Insert(usize, crate::Field),
    /// The n-th field of this name, from 1, gets another value, or goes; without such a field it is
    /// added.
    Change {
        /// The field's name.
        name: String,
        /// Which of that name.
        nth: usize,
        /// What takes its place.
        to: Option<crate::Field>,
    },
    /// Another body.
    Body(Bytes),
    /// Another reverse-path.
    Sender(Address),
    /// One more recipient.
    AddRecipient(Address),
    /// One less.
    RemoveRecipient(Address),
}

/// Why a filter has no answer. It is our trouble, not the client's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// No connection came about.
    #[error("cannot connect to {to}: {reported}")]
    Unreachable {
        /// To where.
        to: String,
        /// What the system reported.
        reported: String,
    },
    /// The connection broke.
    #[error("the connection to the filter broke: {0}")]
    Broken(String),
    /// No answer in its time.
    #[error("no answer in {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// An answer that is none.
    #[error("the filter's answer cannot be understood: {0}")]
    Nonsense(String),
    /// The filter says that it failed.
    #[error("the filter says that it failed: {0}")]
    Reported(String),
    /// The message cannot be read back.
    #[error("the message cannot be read back: {0}")]
    Store(#[from] StoreError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Broken(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_refuse_and_agree_are_taken() {
        for (code, status, right) in [
            ("550", Some("5.7.1"), true),
            ("451", Some("4.3.0"), true),
            ("554", None, true),
            ("550", Some("4.7.1"), false),
            ("250", Some("2.0.0"), false),
            ("599", None, false),
            ("550", Some("5.7"), false),
            ("550", Some("5.7.1.1"), false),
            ("5 0", None, false),
            ("", None, false),
            ("550", Some("5.1000.1"), false),
        ] {
            assert_eq!(
                Codes::parse(code, status).is_some(),
                right,
                "{code} {status:?}"
            );
        }
    }
}
