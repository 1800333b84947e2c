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
pub(crate) mod tests;
