//! Complaints (ARF, RFC 5965): a recipient says that a message is not wanted.

use diagnosis::SaidBy;

use super::address;
use super::failures::Context;
use super::status::date;
use super::text::Text;
use crate::{Case, Kind};

/// The cases of a complaint: one for each recipient that it tells, or one without.
pub(super) fn cases(fields: &Text, context: &Context<'_>) -> Vec<Case> {
    let mut case = empty(context);
    let mut recipients: Vec<String> = Vec::new();
    for number in 0..fields.len() {
        let line = fields.line(number);
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            // RFC 5965 §3.1: what kind of complaint it is.
            "feedback-type" => case.words.append(&fields.words(number, 0..line.len())),
            // §3.2: the recipients, where they are told; they are often withheld.
            "original-rcpt-to" => recipients.extend(address::of_field(value)),
            "removal-recipient" if recipients.is_empty() => {
                recipients.extend(address::of_field(value));
            }
            "reporting-mta" => {
                let host = value.rsplit(';').next().unwrap_or_default().trim();
                case.reporter = Some(host.to_owned()).filter(|host| !host.is_empty());
            }
            "arrival-date" | "received-date" => case.at = date(value).or(case.at),
            _ => {}
        }
    }
    if recipients.is_empty() {
        recipients.extend(context.about.to.first().cloned());
    }
    recipients.dedup();
    for_each(&case, &recipients)
}

/// Complaints in the form that one large provider gives them: a subject, and the message.
pub(super) fn by_subject(context: &Context<'_>) -> Option<Vec<Case>> {
    let subject = context.envelope.subject.trim();
    let start = subject.get(.."complaint about message from".len())?;
    if !start.eq_ignore_ascii_case("complaint about message from") {
        return None;
    }
    let told = context.about.told_recipient.clone();
    let recipients: Vec<String> = told
        .or(context.about.to.first().cloned())
        .into_iter()
        .collect();
    Some(for_each(&empty(context), &recipients))
}

fn empty(context: &Context<'_>) -> Case {
    let mut case = Case::new(Kind::Complaint, (0, 0));
    case.said_by = SaidBy::Receiver;
    case.about = context.about.about.clone();
    case.at = context.envelope.at;
    case
}

fn for_each(case: &Case, recipients: &[String]) -> Vec<Case> {
    if recipients.is_empty() {
        return vec![case.clone()];
    }
    let of = |recipient: &String| Case {
        recipient: Some(recipient.clone()),
        ..case.clone()
    };
    recipients.iter().map(of).collect()
}
