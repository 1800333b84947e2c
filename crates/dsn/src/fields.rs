//! The fields of `message/delivery-status` (RFC 3464 §2): 7-bit, one per line, folded.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use smtp::envelope::xtext;
use smtp::{Address, Reply};

use crate::{PerRecipient, Report};

/// Where a field is folded if it can be, and where it is cut (RFC 5322 §2.1.1: 998).
const FOLD: usize = 76;
const CUT: usize = 900;
/// The most of a peer's words that a field repeats.
const MOST_WORDS: usize = 4_000;

/// All fields of the report: first those of the message, then a block for each recipient.
pub(crate) fn delivery_status(report: &Report<'_>) -> String {
    let mut text = String::new();
    if let Some(id) = report.envelope_id {
        field(&mut text, "Original-Envelope-Id", id);
    }
    field(
        &mut text,
        "Reporting-MTA",
        &format!("dns; {}", report.reporting_mta),
    );
    field(&mut text, "Arrival-Date", &date(report.arrival_date));
    for recipient in &report.recipients {
        text.push_str("\r\n");
        per_recipient(&mut text, recipient, report.international);
    }
    text
}

fn per_recipient(text: &mut String, recipient: &PerRecipient<'_>, utf8: bool) {
    if let Some((kind, address)) = recipient.original_recipient {
        let address = match address.is_ascii() || utf8 {
            true => address.to_owned(),
            false => xtext::encode_utf8(address),
        };
        utf8_field(text, "Original-Recipient", &format!("{kind}; {address}"));
    }
    let address = typed_address(recipient.final_recipient, utf8);
    utf8_field(text, "Final-Recipient", &address);
    field(text, "Action", recipient.action.as_str());
    field(text, "Status", &recipient.status.to_string());
    if let Some(remote) = recipient.remote_mta {
        field(text, "Remote-MTA", &format!("dns; {remote}"));
    }
    // RFC 3464 §2.3.6: only where a peer replied; a failure of ours is no SMTP reply.
    if let Some(reply) = recipient.diagnostic {
        field(text, "Diagnostic-Code", &format!("smtp; {}", words(reply)));
    }
    if let Some(at) = recipient.last_attempt {
        field(text, "Last-Attempt-Date", &date(at));
    }
    if let Some(until) = recipient.will_retry_until {
        field(text, "Will-Retry-Until", &date(until));
    }
    // RFC 3464 §2.3.8 leaves fields that begin with X- to us.
    if let Some(cause) = recipient.cause {
        field(text, "X-Postrider-Cause", cause);
    }
}

/// All lines of a reply as one, codes included.
fn words(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(reply.raw());
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join(" ").chars().take(MOST_WORDS).collect()
}

/// RFC 3464 §2.3.2; for an international address the type and forms of RFC 6533 §3.
fn typed_address(address: &Address, utf8: bool) -> String {
    match (address.is_ascii(), utf8) {
        (true, _) => format!("rfc822; {}", address.as_str()),
        (false, true) => format!("utf-8; {}", address.as_str()),
        (false, false) => format!("utf-8; {}", xtext::encode_utf8(address.as_str())),
    }
}

/// RFC 5322 §3.3.
pub(crate) fn date(at: Timestamp) -> String {
    let zoned = at.to_zoned_datetime(TimeZone::UTC);
    let mut text = String::new();
    match DateTimePrinter::new().print_zoned_datetime(&zoned, &mut text) {
        Ok(()) => text,
        // A year that RFC 5322 cannot write.
        Err(_) => at.to_string(),
    }
}

/// Adds a field. What is not printable ASCII becomes `?`; line ends and tabs become spaces.
fn field(text: &mut String, name: &str, value: &str) {
    let plain = |c: char| if c.is_ascii() { c } else { '?' };
    utf8_field(text, name, &value.chars().map(plain).collect::<String>());
}

/// Adds a field that may go beyond ASCII. Control characters become `?`.
fn utf8_field(text: &mut String, name: &str, value: &str) {
    let clean = value.chars().map(|c| match c {
        '\r' | '\n' | '\t' => ' ',
        c if c.is_control() => '?',
        c => c,
    });
    let clean: String = clean.collect();
    text.push_str(name);
    text.push(':');
    let mut length = name.len() + 1;
    for word in clean.split(' ').filter(|word| !word.is_empty()) {
        let mut word = word;
        if length + 1 + word.len() > FOLD && length > name.len() + 1 {
            text.push_str("\r\n");
            length = 0;
        }
        while word.len() > CUT {
            let (head, tail) = word.split_at(word.floor_char_boundary(CUT));
            text.push(' ');
            text.push_str(head);
            text.push_str("\r\n");
            (word, length) = (tail, 0);
        }
        text.push(' ');
        text.push_str(word);
        length += 1 + word.len();
    }
    text.push_str("\r\n");
}
