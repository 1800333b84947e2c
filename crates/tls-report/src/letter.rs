//! The mail that carries a report (RFC 8460 §5.3), written.

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use crate::model::Report;
use crate::unpack::pack;
use crate::write::to_json;

/// The name of the file in which a report comes (RFC 8460 §5.1).
#[must_use]
pub fn filename(report: &Report, domain: &str) -> String {
    let second = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_second);
    let left = report.id.split('@').next().unwrap_or_default();
    let unique: String = left.chars().filter(char::is_ascii_alphanumeric).collect();
    let unique = match unique.is_empty() {
        true => unique,
        false => format!("!{unique}"),
    };
    let (start, end) = (second(report.start), second(report.end));
    let submitter = one_line(report.submitter());
    format!(
        "{submitter}!{}!{start}!{end}{unique}.json.gz",
        one_line(domain)
    )
}

/// A report as a mail.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// The report; its contact's domain hands it in.
    pub report: &'a Report,
    /// The domain that it is about.
    pub domain: &'a str,
    /// The address in `From`.
    pub from: &'a str,
    /// To whom.
    pub to: &'a str,
    /// When.
    pub date: Timestamp,
    /// The `Message-ID`, without brackets.
    pub message_id: &'a str,
    /// What it is, for a person.
    pub words: &'a str,
}

impl Letter<'_> {
    /// The whole message; lines end in CRLF.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind = ContentType::new("multipart/report")
            .attribute("report-type", "tlsrpt")
            .attribute("boundary", self.boundary());
        let (domain, submitter) = (one_line(self.domain), one_line(self.report.submitter()));
        // RFC 8460 §5.3: the id is what tells a report that comes twice.
        let subject = format!(
            "Report Domain: {domain} Submitter: {submitter} Report-ID: <{}>",
            one_line(&self.report.id)
        );
        let date = self.date.strftime("%a, %d %b %Y %H:%M:%S +0000");
        let message = MessageBuilder::new()
            .header("Date", Raw::new(date.to_string()))
            .from(Address::new_address(
                Some(one_line(&self.report.organization)),
                one_line(self.from),
            ))
            .to(Address::new_address(None::<&str>, one_line(self.to)))
            .header("Subject", Raw::new(subject))
            .message_id(one_line(self.message_id))
            .header("TLS-Report-Domain", Raw::new(domain))
            .header("TLS-Report-Submitter", Raw::new(submitter))
            // RFC 8460 §3: trouble with TLS must not keep the report of it back; RFC 8689 §3 says so
            // to the relays that follow.
            .header("TLS-Required", Raw::new("No"))
            // RFC 3834 §5: nobody's automaton shall answer this.
            .header("Auto-Submitted", Raw::new("auto-generated"));
        let parts = vec![self.words(), self.packed()];
        let body = MimePart::new(kind, BodyPart::Multipart(parts));
        let mut bytes = Vec::new();
        message.body(body).serialize(&mut bytes);
        bytes
    }

    /// Made from what is unique to the message, so that the same report is the same bytes. It holds a
    /// character that base64 does not have, and the words are ours.
    fn boundary(&self) -> String {
        let kept = self.message_id.chars();
        let kept = kept.filter(char::is_ascii_alphanumeric).take(40);
        format!("=_{}", kept.collect::<String>())
    }

    fn words(&self) -> MimePart<'_> {
        let text = ContentType::new("text/plain").attribute("charset", "utf-8");
        let words = self.words.replace("\r\n", "\n").replace('\n', "\r\n");
        MimePart::new(text, BodyPart::Text(words.into()))
    }

    fn packed(&self) -> MimePart<'_> {
        let name = filename(self.report, self.domain);
        let packed = pack(&to_json(self.report));
        let kind = ContentType::new("application/tlsrpt+gzip");
        MimePart::new(kind, BodyPart::Binary(packed.into())).attachment(name)
    }
}

/// What stands in a header field must not end it.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}
