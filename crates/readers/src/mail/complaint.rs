//! Complaints (ARF, RFC 5965): a recipient says that a message is not wanted.

use diagnosis::SaidBy;

use super::address;
use super::failures::Context;
use super::text::Text;
use crate::{Case, Kind};

/// The case of a complaint.
pub(super) fn case(fields: &Text, context: &Context<'_>) -> Case {
    let mut case = Case::new(Kind::Complaint, (0, 0));
    case.said_by = SaidBy::Receiver;
    case.about = context.about.about.clone();
    case.at = context.envelope.at;
    for number in 0..fields.len() {
        let line = fields.line(number);
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            // RFC 5965 §3.1: what kind of complaint it is.
            "feedback-type" => case.words.append(&fields.words(number, 0..line.len())),
            // §3.2: the recipients, where they are given; they are often withheld.
            "original-rcpt-to" | "removal-recipient" if case.recipient.is_none() => {
                case.recipient = address::of_field(value);
            }
            "reporting-mta" => {
                let host = value.rsplit(';').next().unwrap_or_default().trim();
                case.reporter = Some(host.to_owned()).filter(|host| !host.is_empty());
            }
            "arrival-date" | "received-date" => {
                case.at = super::status::date(value).or(case.at);
            }
            _ => {}
        }
    }
    if case.recipient.is_none() {
        case.recipient = context.about.to.first().cloned();
    }
    case
}
