//! Submission (RFC 6409): who may send as whom, and what a message lacks.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{Address as Parsed, HeaderName, MessageParser};
use queue::MessageId;
use screening::MAX_HEADER;
use smtp::Address;

use crate::refusal::Refusal;

/// How the mail of users is treated.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The domain that addresses without one get; `None`: they are refused.
    pub domain: Option<String>,
    /// Who may send as whom.
    pub senders: Senders,
    /// Whether the message's own sender (From, Sender) must be one of those too.
    pub check_from: bool,
    /// Whether the trace header tells the client's name and address.
    pub show_client: bool,
}

impl Default for Submission {
    fn default() -> Submission {
        Submission {
            domain: None,
            senders: Senders::default(),
            check_from: true,
            show_client: true,
        }
    }
}

/// Who may send as whom. Everybody may as the address that is the user's name.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    of_user: HashMap<String, Vec<Sender>>,
    of_all: Vec<Sender>,
}

/// As whom a user may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// As this address.
    Address(String),
    /// As every address of this domain.
    Domain(String),
    /// As anybody.
    Anybody,
}

impl Sender {
    /// Reads `anna@office.example`, `@office.example` or `*`.
    #[must_use]
    pub fn read(text: &str) -> Option<Sender> {
        let lower = text.to_lowercase();
        match lower.strip_prefix('@') {
            _ if text == "*" => Some(Sender::Anybody),
            Some(domain) => Address::parse(&format!("x@{domain}"), true)
                .ok()
                .map(|_| Sender::Domain(domain.to_owned())),
            None => Address::parse(&lower, true)
                .ok()
                .filter(|address| address.domain().is_some())
                .map(|_| Sender::Address(lower)),
        }
    }

    fn is(&self, address: &str) -> bool {
        match self {
            Sender::Address(own) => own == address,
            Sender::Domain(own) => address
                .rsplit_once('@')
                .is_some_and(|(_, domain)| domain == own),
            Sender::Anybody => true,
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sender::Address(address) => f.write_str(address),
            Sender::Domain(domain) => write!(f, "@{domain}"),
            Sender::Anybody => f.write_str("*"),
        }
    }
}

impl Senders {
    /// Lets a user send as these; the user `*` is everybody.
    pub fn allow(&mut self, user: &str, senders: Vec<Sender>) {
        match user {
            "*" => self.of_all.extend(senders),
            _ => self
                .of_user
                .entry(user.to_lowercase())
                .or_default()
                .extend(senders),
        }
    }

    /// Whether a user may send as this address.
    fn may(&self, user: &str, domain: Option<&str>, address: &str) -> bool {
        let (user, address) = (user.to_lowercase(), address.to_lowercase());
        let own = match (user.contains('@'), domain) {
            (false, Some(domain)) => format!("{user}@{}", domain.to_lowercase()),
            _ => user.clone(),
        };
        let of_user = self.of_user.get(&user).into_iter().flatten();
        own == address
            || of_user
                .chain(&self.of_all)
                .any(|sender| sender.is(&address))
    }
}

impl Submission {
    /// RFC 6409 §6.1: whether the user may use this reverse-path. The empty one belongs to nobody, and is
    /// what receipts are sent with.
    pub(crate) fn check_sender(&self, user: &str, sender: &Address) -> Result<(), Refusal> {
        let may = |address: &str| self.senders.may(user, self.domain.as_deref(), address);
        match sender.is_null() || may(sender.as_str()) {
            true => Ok(()),
            false => Err(Refusal::SenderNotAllowed {
                login: user.to_owned(),
                sender: sender.as_str().to_owned(),
            }),
        }
    }
}

/// The header of a message that is being submitted, until it is whole.
#[derive(Debug, Default)]
pub(crate) struct Header {
    bytes: Vec<u8>,
}

/// What is known beside the header.
pub(crate) struct Known<'a> {
    pub(crate) settings: &'a Submission,
    pub(crate) hostname: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) sender: &'a Address,
    pub(crate) id: MessageId,
    pub(crate) at: Timestamp,
}

/// What is wrong with a header that users may mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderProblem {
    /// Several fields of which there may be one (RFC 5322 §3.6).
    Twice(&'static str),
    /// No From, and no reverse-path to make one of.
    NoFrom,
}

impl Header {
    /// Takes a piece of the content; gives all of it so far, once the header is whole.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Option<Vec<u8>> {
        // The end may lie across two pieces.
        let from = self.bytes.len().saturating_sub(3);
        self.bytes.extend_from_slice(piece);
        let ends = self.bytes.starts_with(b"\r\n")
            || self.bytes[from..]
                .windows(4)
                .any(|four| four == b"\r\n\r\n");
        (ends || self.bytes.len() > MAX_HEADER).then(|| self.take())
    }

    /// What there is, at the end of the content.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// RFC 6409 §6.1 and §8: what is to stand before the content that begins with this header.
///
/// Deviations: a Date that cannot be read is left as it is (§8.2 would replace it); addresses in the header
/// that lack a domain are too (§5.1); Bcc stays, since the programs that send here remove it themselves.
pub(crate) fn completed(content: &[u8], known: &Known<'_>) -> Result<String, Refusal> {
    let wrong = |problem| Err(Refusal::Header(problem));
    let message = MessageParser::new().parse_headers(content);
    let headers = message
        .as_ref()
        .map_or(&[][..], |message| message.headers());
    let count =
        |name: &HeaderName<'_>| headers.iter().filter(|header| header.name == *name).count();
    let once = [
        (HeaderName::From, "From"),
        (HeaderName::Sender, "Sender"),
        (HeaderName::Date, "Date"),
        (HeaderName::MessageId, "Message-ID"),
    ];
    if let Some((_, name)) = once.iter().find(|(name, _)| count(name) > 1) {
        return wrong(HeaderProblem::Twice(name));
    }
    if let (Some(message), Some(user), true) = (&message, known.user, known.settings.check_from) {
        // RFC 5322 §3.6.2: the Sender is who sends, and where there is none, the author.
        let sends = message.sender().or_else(|| message.from());
        for address in sends.into_iter().flat_map(Parsed::iter) {
            let address = address.address().unwrap_or_default();
            if !known
                .settings
                .senders
                .may(user, known.settings.domain.as_deref(), address)
            {
                return Err(Refusal::FromNotAllowed {
                    login: user.to_owned(),
                    sender: address.to_owned(),
                });
            }
        }
    }
    let mut added = String::new();
    if count(&HeaderName::From) == 0 {
        if known.sender.is_null() {
            return wrong(HeaderProblem::NoFrom);
        }
        added.push_str(&format!("From: <{}>\r\n", known.sender));
    }
    if count(&HeaderName::Date) == 0 {
        let at = known.at.to_zoned_datetime(TimeZone::UTC);
        // RFC 5322 §3.3 knows four digits for a year.
        if let Ok(date) = jiff::fmt::rfc2822::to_string(&at) {
            added.push_str(&format!("Date: {date}\r\n"));
        }
    }
    if count(&HeaderName::MessageId) == 0 {
        added.push_str(&format!(
            "Message-ID: <{}@{}>\r\n",
            known.id, known.hostname
        ));
    }
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Submission {
        let mut senders = Senders::default();
        let read = |text: &str| Sender::read(text).unwrap();
        senders.allow(
            "anna@office.example",
            vec![read("info@office.example"), read("@Sales.example")],
        );
        senders.allow("*", vec![read("all@office.example")]);
        senders.allow("root", vec![Sender::Anybody]);
        Submission {
            domain: Some("office.example".into()),
            senders,
            ..Submission::default()
        }
    }

    fn complete(header: &str, user: &str, sender: &str) -> Result<String, Refusal> {
        let known = Known {
            settings: &settings(),
            hostname: "relay.example",
            user: Some(user),
            sender: &Address::parse(sender, true).unwrap(),
            id: MessageId::from_bytes([1; 16]),
            at: "2026-11-24T02:29:23Z".parse().unwrap(),
        };
        completed(header.as_bytes(), &known)
    }

    #[test]
    fn a_user_may_send_as_itself_and_as_whom_the_settings_say() {
        let may = |user: &str, sender: &str| {
            let sender = Address::parse(sender, true).unwrap();
            settings().check_sender(user, &sender).is_ok()
        };
        for (user, sender) in [
            ("anna@office.example", "Anna@Office.Example"),
            ("anna@office.example", "info@office.example"),
            ("Anna@office.example", "x@sales.example"),
            ("bert", "bert@office.example"),
            ("bert", "all@office.example"),
            ("bert", ""),
            ("root", "anybody@example.org"),
        ] {
            assert!(may(user, sender), "{user} as {sender}");
        }
        for (user, sender) in [
            ("bert", "anna@office.example"),
            ("bert", "bert@sales.example"),
            ("bert", "x@sales.example"),
            ("anna@office.example", "x@sub.sales.example"),
            ("anna@office.example", "root@office.example"),
        ] {
            assert!(!may(user, sender), "{user} as {sender}");
        }
    }

    #[test]
    fn a_sender_is_an_address_a_domain_or_a_star() {
        for text in ["anna@office.example", "@office.example", "*"] {
            assert_eq!(Sender::read(text).unwrap().to_string(), text);
        }
        for text in ["", "anna", "@", "@-", "postmaster", "a b@c"] {
            assert_eq!(Sender::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_message_lacks_is_added_and_what_it_has_stays() {
        let all = "From: <bert@office.example>\r\n\
                   Date: Tue, 24 Nov 2026 02:29:23 +0000\r\n\
                   Message-ID: <01040g2081040g2081040g2081@relay.example>\r\n";
        assert_eq!(
            complete("Subject: x\r\n\r\n", "bert", "bert@office.example").unwrap(),
            all
        );
        assert_eq!(
            complete("\r\nbody", "bert", "bert@office.example").unwrap(),
            all
        );
        assert_eq!(
            complete(&format!("{all}\r\n"), "bert", "bert@office.example").unwrap(),
            ""
        );
        let lower = all.to_lowercase().replace("from:", "FROM :");
        assert_eq!(complete(&format!("{lower}\r\n"), "bert", "").unwrap(), "");
    }

    #[test]
    fn the_author_or_the_one_who_sends_must_be_the_user() {
        let refused = |header: &str| match complete(&format!("{header}\r\n\r\n"), "bert", "") {
            Err(Refusal::FromNotAllowed { sender, .. }) => Some(sender),
            Ok(_) => None,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(refused("From: Bert <bert@office.example>"), None);
        assert_eq!(
            refused("From: \"bert@office.example\" <anna@office.example>").as_deref(),
            Some("anna@office.example")
        );
        assert_eq!(
            refused("From: bert@office.example, carla@x.example").as_deref(),
            Some("carla@x.example")
        );
        assert_eq!(
            refused("From: carla@x.example\r\nSender: bert@office.example"),
            None
        );
        assert_eq!(
            refused("From: bert@office.example\r\nSender: carla@x.example").as_deref(),
            Some("carla@x.example")
        );
        assert_eq!(
            refused("From: =?utf-8?q?Bert?=\r\n <BERT@office.example>"),
            None
        );
        assert_eq!(
            refused("From: friends: carla@x.example;").as_deref(),
            Some("carla@x.example")
        );
    }

    #[test]
    fn a_header_that_is_ambiguous_is_refused() {
        let problem = |header: &str| match complete(header, "bert", "") {
            Err(Refusal::Header(problem)) => problem,
            other => panic!("{other:?}"),
        };
        let twice = "From: bert@office.example\r\nfrom: carla@x.example\r\n\r\n";
        assert_eq!(problem(twice), HeaderProblem::Twice("From"));
        assert_eq!(problem("Subject: x\r\n\r\n"), HeaderProblem::NoFrom);
    }

    #[test]
    fn a_header_is_whole_at_its_empty_line_however_it_comes() {
        let content = b"A: b\r\nC: d\r\n\r\nbody\r\n";
        for size in 1..content.len() {
            let mut header = Header::default();
            let mut pieces = content.chunks(size);
            let mut whole = pieces
                .by_ref()
                .find_map(|piece| header.push(piece))
                .unwrap();
            assert!(
                whole.starts_with(b"A: b\r\nC: d\r\n\r\n"),
                "pieces of {size}"
            );
            pieces.for_each(|piece| whole.extend_from_slice(piece));
            assert_eq!(whole, content);
        }
        assert_eq!(
            Header::default().push(b"\r\nbody"),
            Some(b"\r\nbody".to_vec())
        );
        let mut none = Header::default();
        assert_eq!(none.push(b"no header\r\n"), None);
        assert_eq!(none.take(), b"no header\r\n");
    }
}
