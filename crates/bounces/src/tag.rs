//! Return addresses: making them, knowing them again.
//!
//! `PREFIX+ID-INDEX-MAC@DOMAIN` for one recipient, `PREFIX+ID-MAC@DOMAIN` for all recipients of a message:
//! the message's name in the queue (26 letters and digits, which tell when it came), the recipient's
//! place in its envelope, and the first 50 bits of an HMAC-SHA256 (RFC 2104) over both. Letters have no
//! case, since servers on the way may change it; with a prefix of one letter it takes 41 to 48 of the 64
//! characters that a local part may have (RFC 5321 §4.5.3.1.1).

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use queue::{Message, MessageId, MessageKind, Recipient};
use sha2::Sha256;
use smtp::Address;
use subtle::ConstantTimeEq as _;

/// Characters of the code, of base 32.
const CODE: usize = 10;
/// Between the prefix and the rest.
const MARK: char = '+';

/// For whom each return address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// One recipient: each gets a transaction of its own.
    #[default]
    Recipient,
    /// All recipients of a message: which of them failed is told by the report alone.
    Message,
}

/// Whose mail gets return addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderPattern {
    /// Everybody's.
    Any,
    /// Of senders in this domain, in lower case.
    Domain(String),
    /// Of this sender, in lower case.
    Address(String),
}

impl SenderPattern {
    /// `*`, a domain, or an address; `None` for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<SenderPattern> {
        let lower = text.to_lowercase();
        if lower == "*" {
            return Some(SenderPattern::Any);
        }
        if lower.contains('@') {
            let address = Address::parse(&lower, true).ok()?;
            return address
                .domain()
                .map(|_| SenderPattern::Address(lower.clone()));
        }
        let address = Address::parse(&format!("x@{lower}"), true).ok()?;
        address
            .domain()
            .map(|_| SenderPattern::Domain(lower.clone()))
    }

    fn takes(&self, sender: &Address) -> bool {
        match self {
            SenderPattern::Any => true,
            SenderPattern::Domain(domain) => {
                sender.domain_lowercase().is_some_and(|own| own == *domain)
            }
            SenderPattern::Address(address) => sender.as_str().to_lowercase() == *address,
        }
    }
}

impl std::fmt::Display for SenderPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SenderPattern::Any => f.write_str("*"),
            SenderPattern::Domain(text) | SenderPattern::Address(text) => f.write_str(text),
        }
    }
}

/// What a return address tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    /// The message that was sent with it.
    pub message: MessageId,
    /// The recipient's place in its envelope; `None`: any of them.
    pub recipient: Option<u32>,
}

/// Why an address is no return address of ours, though it looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Parts are missing or are none.
    #[error("its form is wrong")]
    Form,
    /// The code is not ours: forged, or made with a secret that is gone.
    #[error("its code is not ours")]
    Code,
    /// The message was sent too long ago.
    #[error("it is too old")]
    Old,
}

/// Makes return addresses and knows them again.
#[derive(Clone)]
pub struct ReturnPaths {
    /// Their domain, in lower case.
    domain: Option<String>,
    /// What they begin with, in lower case.
    prefix: String,
    /// The first makes codes, all of them are known.
    secrets: Vec<Vec<u8>>,
    max_age: Duration,
    per: Per,
    senders: Vec<SenderPattern>,
    /// Addresses without a tag to which reports come, in lower case.
    addresses: Vec<String>,
}

impl std::fmt::Debug for ReturnPaths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReturnPaths")
            .field("domain", &self.domain)
            .field("prefix", &self.prefix)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl ReturnPaths {
    /// With these secrets, and nothing else yet: no mail gets a return address.
    #[must_use]
    pub fn new(secrets: Vec<Vec<u8>>) -> ReturnPaths {
        ReturnPaths {
            domain: None,
            prefix: "b".to_owned(),
            secrets,
            max_age: Duration::from_secs(14 * 86_400),
            per: Per::default(),
            senders: Vec::new(),
            addresses: Vec::new(),
        }
    }

    /// Gives mail of these senders return addresses in a domain, which count for so long.
    #[must_use]
    pub fn in_domain(
        self,
        domain: &str,
        prefix: &str,
        (per, senders): (Per, Vec<SenderPattern>),
        max_age: Duration,
    ) -> ReturnPaths {
        ReturnPaths {
            domain: Some(domain.to_lowercase()),
            prefix: prefix.to_lowercase(),
            per,
            senders,
            max_age,
            ..self
        }
    }

    /// Takes reports at these addresses, too.
    #[must_use]
    pub fn reading(self, addresses: &[Address]) -> ReturnPaths {
        let lower = |address: &Address| address.as_str().to_lowercase();
        ReturnPaths {
            addresses: addresses.iter().map(lower).collect(),
            ..self
        }
    }

    /// The return address with which a message goes to a recipient in place of its own reverse-path;
    /// `None` where it keeps that.
    #[must_use]
    pub fn path_for(&self, message: &Message, recipient: &Recipient) -> Option<Address> {
        let domain = self.domain.as_deref()?;
        let own = recipient.sender().unwrap_or(&message.sender);
        // RFC 5321 §4.5.5: what has a null reverse-path keeps it. Our own reports have one anyway.
        if own.is_null() || message.kind == MessageKind::Report {
            return None;
        }
        // What comes back for one of ours is read here already.
        if self.is_ours(own) || !self.senders.iter().any(|pattern| pattern.takes(own)) {
            return None;
        }
        let index = match self.per {
            Per::Recipient => Some(recipient.index),
            Per::Message => None,
        };
        let tag = tag_text(message.id, index);
        let code = code(self.secrets.first()?, &tag)?;
        let text = format!("{}{MARK}{tag}-{code}@{domain}", self.prefix);
        Address::parse(&text, false).ok()
    }

    /// Whether each recipient of mail of this sender gets a transaction of its own.
    #[must_use]
    pub fn is_per_recipient(&self) -> bool {
        self.per == Per::Recipient
    }

    /// Whether mail to an address is read here: it has the form of a return address, or reports are
    /// taken there.
    #[must_use]
    pub fn is_ours(&self, address: &Address) -> bool {
        self.tagged(address).is_some() || self.is_read(address)
    }

    /// Whether reports are taken at this address without a tag.
    #[must_use]
    pub fn is_read(&self, address: &Address) -> bool {
        !self.addresses.is_empty() && {
            let lower = address.as_str().to_lowercase();
            self.addresses.contains(&lower)
        }
    }

    /// What a return address tells; `None` where it has not the form of one.
    pub fn tag(&self, address: &Address, now: Timestamp) -> Option<Result<Tag, TagError>> {
        let tagged = self.tagged(address)?;
        Some(self.check(&tagged, now))
    }

    /// The first return address of ours that stands somewhere in a text of lower case, whether it is
    /// too old or not: whoever complains may take his time.
    pub(crate) fn find_in(&self, lower: &str) -> Option<Tag> {
        let domain = self.domain.as_deref()?;
        let (begin, end) = (format!("{}{MARK}", self.prefix), format!("@{domain}"));
        lower.match_indices(&begin).find_map(|(at, _)| {
            let rest = &lower[at + begin.len()..];
            let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))?;
            let (tagged, after) = rest.split_at(length);
            let whole = after.strip_prefix(&end)?;
            // Not a longer domain that begins like ours.
            let more = whole.strip_prefix('.').unwrap_or(whole);
            let longer = more.starts_with(|c: char| c.is_alphanumeric() || c == '-');
            (!longer).then(|| self.checked(tagged).ok()).flatten()
        })
    }

    /// What follows the mark, in lower case, where an address has the form.
    fn tagged(&self, address: &Address) -> Option<String> {
        let domain = self.domain.as_deref()?;
        if !address.domain()?.eq_ignore_ascii_case(domain) {
            return None;
        }
        let local = address.local().to_lowercase();
        let rest = local.strip_prefix(&self.prefix)?;
        rest.strip_prefix(MARK).map(str::to_owned)
    }

    fn check(&self, tagged: &str, now: Timestamp) -> Result<Tag, TagError> {
        let tag = self.checked(tagged)?;
        let now = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let age = u128::from(now.saturating_sub(tag.message.unix_millis()));
        match age > self.max_age.as_millis() {
            true => Err(TagError::Old),
            false => Ok(tag),
        }
    }

    fn checked(&self, tagged: &str) -> Result<Tag, TagError> {
        let (tag, claimed) = tagged.rsplit_once('-').ok_or(TagError::Form)?;
        let (id, index) = match tag.split_once('-') {
            Some((id, index)) => (id, Some(index.parse().map_err(|_| TagError::Form)?)),
            None => (tag, None),
        };
        let message = id.parse().map_err(|_| TagError::Form)?;
        let whole = tag_text(message, index);
        let right = |secret: &Vec<u8>| {
            let made = code(secret, &whole);
            made.is_some_and(|made| bool::from(made.as_bytes().ct_eq(claimed.as_bytes())))
        };
        // All are tried, so that the time tells nothing of which was near.
        let any = self.secrets.iter().filter(|secret| right(secret)).count() > 0;
        any.then_some(Tag {
            message,
            recipient: index,
        })
        .ok_or(TagError::Code)
    }
}

fn tag_text(message: MessageId, recipient: Option<u32>) -> String {
    match recipient {
        Some(index) => format!("{message}-{index}"),
        None => message.to_string(),
    }
}

fn code(secret: &[u8], tag: &str) -> Option<String> {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(b"postrider return address ");
    mac.update(tag.as_bytes());
    let mut text = BASE32_NOPAD.encode(&mac.finalize().into_bytes());
    text.truncate(CODE);
    text.make_ascii_lowercase();
    Some(text)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use queue::{BodyKind, DestinationKey, Options, Origin, RecipientState, Rewritten};

    use super::*;

    pub(crate) fn paths() -> ReturnPaths {
        paths_of(Per::Recipient, &["news@a.example", "b.example"])
    }

    fn paths_of(per: Per, senders: &[&str]) -> ReturnPaths {
        let senders = senders.iter().filter_map(|text| SenderPattern::read(text));
        ReturnPaths::new(vec![b"first".to_vec()])
            .in_domain("Bounces.example", "b", (per, senders.collect()), DAYS * 14)
            .reading(&["fbl@ours.example".parse().unwrap()])
    }

    const DAYS: Duration = Duration::from_secs(86_400);

    pub(crate) fn message(sender: &str) -> Message {
        Message {
            id: MessageId::new(1_700_000_000_000, &[7; 10]),
            sender: Address::parse(sender, true).unwrap(),
            received_at: at(0),
            expires_at: at(5 * 86_400),
            size: 1,
            body_kind: BodyKind::SevenBit,
            smtputf8: false,
            hops: 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: "local".into(),
                helo: None,
                protocol: "SMTP".into(),
                about: None,
            },
            options: Options::default(),
        }
    }

    pub(crate) fn recipient(index: u32, address: &str) -> Recipient {
        Recipient {
            index,
            address: Address::parse(address, true).unwrap(),
            destination: DestinationKey::new("mx:c.example"),
            state: RecipientState::Delivered,
            next_attempt: None,
            attempts: 1,
            last: None,
            basis: None,
            rewritten: None,
            options: queue::RecipientOptions::default(),
        }
    }

    pub(crate) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_return_address_tells_its_message_and_recipient_in_any_case() {
        let made = paths().path_for(&message("news@A.example"), &recipient(12, "x@c.example"));
        let made = made.unwrap();
        assert!(made.as_str().ends_with("@bounces.example"), "{made}");
        assert!(
            made.local().len() <= 64 && made.local().starts_with("b+"),
            "{made}"
        );
        let tag = Tag {
            message: message("").id,
            recipient: Some(12),
        };
        assert_eq!(paths().tag(&made, at(0)), Some(Ok(tag)));
        let upper: Address = made.as_str().to_uppercase().parse().unwrap();
        assert_eq!(paths().tag(&upper, at(0)), Some(Ok(tag)));
        let text = format!("return-path: <{}>\r\n", made.as_str());
        assert_eq!(paths().find_in(&text), Some(tag));
        let longer = format!("<{}.evil.example>", made.as_str());
        assert_eq!(paths().find_in(&longer), None);
    }

    #[test]
    fn per_message_all_recipients_share_one() {
        let paths = paths_of(Per::Message, &["*"]);
        let made = |n| paths.path_for(&message("a@a.example"), &recipient(n, "x@c.example"));
        assert_eq!(made(0), made(1));
        let tag = paths.tag(&made(0).unwrap(), at(0)).unwrap().unwrap();
        assert_eq!(tag.recipient, None);
    }

    #[test]
    fn null_senders_reports_and_others_keep_their_reverse_path() {
        let path = |message: &Message| paths().path_for(message, &recipient(0, "x@c.example"));
        assert!(path(&message("any@b.example")).is_some());
        assert_eq!(path(&message("")), None);
        assert_eq!(path(&message("anna@a.example")), None);
        assert_eq!(path(&message("x@sub.b.example")), None);
        let report = Message {
            kind: MessageKind::Report,
            ..message("any@b.example")
        };
        assert_eq!(path(&report), None);
        let all = paths_of(Per::Recipient, &["*"]);
        let read = message("fbl@ours.example");
        assert_eq!(all.path_for(&read, &recipient(0, "x@c.example")), None);
        let own = all.path_for(&message("a@b.example"), &recipient(0, "x@c.example"));
        let again = message(own.unwrap().as_str());
        assert_eq!(all.path_for(&again, &recipient(0, "x@c.example")), None);
    }

    #[test]
    fn the_sender_of_a_forwarded_copy_decides_where_it_has_one() {
        let mut forwarded = recipient(0, "x@c.example");
        let sender = Some("list-owner@b.example".parse().unwrap());
        forwarded.rewritten = Rewritten::of(sender, None).map(Arc::new);
        assert!(
            paths()
                .path_for(&message("z@z.example"), &forwarded)
                .is_some()
        );
    }

    #[test]
    fn what_is_forged_old_or_broken_is_told() {
        let made = paths()
            .path_for(&message("news@a.example"), &recipient(1, "x@c.example"))
            .unwrap();
        let day = 86_400;
        assert!(paths().tag(&made, at(14 * day)).unwrap().is_ok());
        let old = paths().tag(&made, at(14 * day + 1));
        assert_eq!(old, Some(Err(TagError::Old)));
        let forged = |from: &str, to: &str| {
            let text = made.as_str().replacen(from, to, 1);
            paths().tag(&text.parse().unwrap(), at(0))
        };
        assert_eq!(forged("-1-", "-2-"), Some(Err(TagError::Code)));
        assert_eq!(forged("-1-", "-"), Some(Err(TagError::Code)));
        assert_eq!(forged("-1-", "-x-"), Some(Err(TagError::Form)));
        assert_eq!(forged("b+", "c+"), None);
        let text: Address = "b+@bounces.example".parse().unwrap();
        assert_eq!(paths().tag(&text, at(0)), Some(Err(TagError::Form)));
        let elsewhere: Address = "b+x@other.example".parse().unwrap();
        assert_eq!(paths().tag(&elsewhere, at(0)), None);
    }

    #[test]
    fn a_new_secret_makes_and_the_old_one_still_counts() {
        let made = paths()
            .path_for(&message("news@a.example"), &recipient(1, "x@c.example"))
            .unwrap();
        let mut rotated = paths();
        rotated.secrets.insert(0, b"second".to_vec());
        assert!(rotated.tag(&made, at(0)).unwrap().is_ok());
        rotated.secrets.pop();
        assert_eq!(rotated.tag(&made, at(0)), Some(Err(TagError::Code)));
    }

    proptest! {
        #[test]
        fn any_local_part_is_read_without_a_panic(local in "[bB]\\+[a-z0-9+=-]{0,50}") {
            if let Ok(address) = format!("{local}@bounces.example").parse::<Address>() {
                let told = paths().tag(&address, at(0));
                prop_assert!(told.is_some_and(|tag| tag.is_err()));
            }
        }

        #[test]
        fn any_text_is_searched_without_a_panic(text in ".{0,200}b\\+.{0,200}") {
            prop_assert_eq!(paths().find_in(&text.to_lowercase()), None);
        }
    }
}
