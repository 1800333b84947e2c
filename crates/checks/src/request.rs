//! What is asked: a domain or an address, for whom we send, and how far to go.

use smtp::{Address, AddressError};

/// A domain or an address whose mail is in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The domain in lower case; `None` where the address has none.
    pub domain: Option<String>,
    /// The address, where one was given.
    pub address: Option<Address>,
}

impl Subject {
    /// Reads `example.org`, `[192.0.2.1]`, `user@example.org`, or a local part alone with its `@`.
    pub fn parse(text: &str) -> Result<Subject, AddressError> {
        let text = text.trim().trim_end_matches('.');
        let address = match text.contains('@') {
            true => Address::parse(text, true)?,
            false => Address::parse(&format!("postmaster@{text}"), true)?,
        };
        Ok(Subject {
            domain: address.domain().map(str::to_lowercase),
            address: text.contains('@').then_some(address),
        })
    }
}

/// For whom mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The domain in lower case.
    pub domain: String,
    /// The local part, where it is known.
    pub local: Option<String>,
    /// DKIM selectors to look up.
    pub selectors: Vec<String>,
    /// Whether somebody said that we send for this domain; else findings about it only warn.
    pub named: bool,
}

impl Sender {
    /// The sender that a subject is, if mail were sent in its name.
    #[must_use]
    pub fn of(subject: &Subject, selectors: Vec<String>, named: bool) -> Option<Sender> {
        let domain = subject.domain.clone()?;
        // A literal has no records.
        if domain.starts_with('[') {
            return None;
        }
        Some(Sender {
            domain,
            local: subject.address.as_ref().map(|a| a.local().to_owned()),
            selectors,
            named,
        })
    }
}

impl Sender {
    /// The sender as an address; `postmaster` where only the domain is known.
    pub(crate) fn address(&self) -> Option<Address> {
        let local = self.local.as_deref().unwrap_or("postmaster");
        Address::parse(&format!("{local}@{}", self.domain), true).ok()
    }
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where the mail goes.
    pub subject: Subject,
    /// In whose name; `None`: in that of nobody in particular.
    pub sender: Option<Sender>,
    /// Whether to ask the servers for the address (MAIL, RCPT, RSET): a visit that leaves a trace.
    pub probe: bool,
    /// The size of the message in question.
    pub message_size: Option<u64>,
    /// Header fields that the message would have: routes may go by them.
    pub header: Vec<(String, String)>,
}
