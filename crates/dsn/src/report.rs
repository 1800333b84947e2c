//! The report as a whole.

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as MailAddress;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};
use smtp::{Address, EnhancedStatus, Reply};

use crate::fields::{date, delivery_status};

/// A notification to the sender of a message, about some of its recipients.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The address that it comes from; the reverse-path is `<>` all the same.
    pub from: &'a str,
    /// The sender of the message.
    pub to: &'a Address,
    /// The subject.
    pub subject: &'a str,
    /// When it is written.
    pub date: Timestamp,
    /// Its Message-ID, without brackets.
    pub message_id: &'a str,
    /// The relay that reports.
    pub reporting_mta: &'a str,
    /// When the message came.
    pub arrival_date: Timestamp,
    /// The sender's own name for the message (RFC 3461 §4.4).
    pub envelope_id: Option<&'a str>,
    /// What happened, in plain words; lines end in LF or CRLF.
    pub explanation: &'a str,
    /// The language of the explanation (RFC 5646).
    pub lang: &'a str,
    /// The recipients it is about.
    pub recipients: Vec<PerRecipient<'a>>,
    /// The message, or its header.
    pub original: Original<'a>,
    /// The message's own Message-ID, without brackets.
    pub in_reply_to: Option<&'a str>,
    /// Whether who reads it knows addresses and header fields beyond ASCII (RFC 6533).
    pub international: bool,
}

/// What is returned of the message.
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// Its header only.
    Headers(&'a [u8]),
    /// All of it.
    Message(&'a [u8]),
}

/// What happened to the message for a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It could not be delivered, and is not tried any more.
    Failed,
    /// It is not delivered yet.
    Delayed,
    /// It is in the mailbox.
    Delivered,
    /// It went on to a relay that sends no such notifications.
    Relayed,
    /// It went on to several addresses.
    Expanded,
}

impl Action {
    /// The keyword.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
        }
    }
}

/// The fields about one recipient.
#[derive(Clone, Debug)]
pub struct PerRecipient<'a> {
    /// The type and address that the sender gave (RFC 3464 §2.3.1).
    pub original_recipient: Option<(&'a str, &'a str)>,
    /// The address.
    pub final_recipient: &'a Address,
    /// What happened.
    pub action: Action,
    /// The status (RFC 3464 §2.3.4: always there).
    pub status: EnhancedStatus,
    /// The server that replied.
    pub remote_mta: Option<&'a str>,
    /// Its reply, where there was one.
    pub diagnostic: Option<&'a Reply>,
    /// When it was last tried.
    pub last_attempt: Option<Timestamp>,
    /// For a delay: until when it is tried.
    pub will_retry_until: Option<Timestamp>,
    /// The id of our cause, as `X-Postrider-Cause`.
    pub cause: Option<&'a str>,
}

impl Report<'_> {
    /// The whole message: header, empty line, parts; lines end in CRLF.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let report = ContentType::new("multipart/report")
            .attribute("report-type", "delivery-status")
            .attribute("boundary", self.boundary());
        let parts = vec![self.words(), self.status(), self.returned()];
        let mut message = MessageBuilder::new()
            .header("Date", Raw::new(date(self.date)))
            .from(MailAddress::new_address(
                Some("Mail Delivery System"),
                one_line(self.from),
            ))
            .to(MailAddress::new_address(
                None::<&str>,
                one_line(self.to.as_str()),
            ))
            .subject(one_line(self.subject))
            .message_id(one_line(self.message_id))
            // RFC 3834 §5: nobody's automaton shall answer this.
            .header("Auto-Submitted", Raw::new("auto-replied"));
        if let Some(id) = self.in_reply_to {
            message = message.in_reply_to(one_line(id)).references(one_line(id));
        }
        let body = MimePart::new(report, BodyPart::Multipart(parts));
        let mut bytes = Vec::new();
        message.body(body).serialize(&mut bytes);
        bytes
    }

    /// Made from what is unique to the report, so that the same report is the same bytes. No part can
    /// hold it by chance: it contains the report's own Message-ID, which did not exist before.
    fn boundary(&self) -> String {
        let kept = self
            .message_id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(40);
        format!("=_{}", kept.collect::<String>())
    }

    fn words(&self) -> MimePart<'_> {
        let text = ContentType::new("text/plain").attribute("charset", "utf-8");
        let words = self
            .explanation
            .replace("\r\n", "\n")
            .replace('\r', " ")
            .replace('\n', "\r\n");
        MimePart::new(text, BodyPart::Text(words.into())).language(one_line(self.lang))
    }

    fn status(&self) -> MimePart<'_> {
        let text = delivery_status(self);
        // RFC 6533 §4: the same fields in UTF-8, where there is something that is not ASCII.
        if text.is_ascii() {
            let kind = ContentType::new("message/delivery-status");
            return MimePart::new(kind, BodyPart::Text(text.into())).transfer_encoding("7bit");
        }
        let kind = ContentType::new("message/global-delivery-status");
        MimePart::new(kind, BodyPart::Binary(text.into_bytes().into())).transfer_encoding("8bit")
    }

    fn returned(&self) -> MimePart<'_> {
        match self.original {
            // RFC 6533 §5.
            Original::Headers(header) if self.international && is_utf8(header) => {
                let kind = ContentType::new("message/global-headers");
                MimePart::new(kind, BodyPart::Binary(header.into())).transfer_encoding("8bit")
            }
            Original::Message(message) if self.international && is_utf8(message) => {
                let kind = ContentType::new("message/global");
                MimePart::new(kind, BodyPart::Binary(message.into())).transfer_encoding("8bit")
            }
            Original::Headers(header) => {
                let kind = ContentType::new("text/rfc822-headers");
                part_as_it_is(MimePart::new(kind, BodyPart::Binary(header.into())), header)
            }
            // RFC 2046 §5.2.1 allows no encoding here but 7bit, 8bit and binary.
            Original::Message(message) => {
                let kind = ContentType::new("message/rfc822");
                let encoding = if message.is_ascii() { "7bit" } else { "8bit" };
                MimePart::new(kind, BodyPart::Binary(message.into())).transfer_encoding(encoding)
            }
        }
    }
}

/// UTF-8 beyond ASCII.
fn is_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// Text that can stand unencoded is left so; anything else is encoded as the library sees fit.
fn part_as_it_is<'a>(part: MimePart<'a>, text: &[u8]) -> MimePart<'a> {
    let short = text
        .split(|byte| *byte == b'\n')
        .all(|line| line.len() < 990);
    let crlf = text
        .split_inclusive(|byte| *byte == b'\n')
        .all(|line| line.ends_with(b"\r\n"));
    match text.is_ascii() && short && crlf && !text.contains(&0) {
        true => part.transfer_encoding("7bit"),
        false => part,
    }
}

/// A header's value stays on its line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
