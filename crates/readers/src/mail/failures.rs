//! From what was read to cases.

use diagnosis::{Ended, SaidBy, Stage};
use smtp::{Class, EnhancedStatus};

use super::about::Returned;
use super::blocks::says_something;
use super::envelope::Envelope;
use super::kinds;
use super::status::{Action, Recipient, Report};
use super::text::Text;
use super::words;
use crate::reply::placed;
use crate::scan::codes;
use crate::{Case, Kind, Note, Spanned, Words};

/// What is known about a report beside what it says about a recipient.
pub(super) struct Context<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) about: Returned,
}

/// The cases of a delivery status: none for recipients that got the message.
pub(super) fn of_report(report: Report, texts: &[Text], context: &Context<'_>) -> Vec<Case> {
    let text = texts.first();
    let kind = text.and_then(|text| kinds::kind_of(text.as_str()));
    let dialect = kind.and_then(|kind| kind.dialect);
    let failed: Vec<&Recipient> = report
        .recipients
        .iter()
        .filter(|recipient| recipient.action != Some(Action::Handled))
        .collect();
    let mut said: Option<Vec<super::blocks::Block>> = None;
    let mut cases = Vec::new();
    for recipient in &failed {
        let mut case = of_recipient(recipient, &report, context);
        case.dialect = dialect;
        if !says_something(case.words.text()) {
            if let Some(text) = text {
                let said = said.get_or_insert_with(|| words::blocks_of(text, context.envelope));
                add_words(&mut case, said, text, failed.len() == 1);
            }
        }
        finish(&mut case, context);
        cases.push(case);
    }
    cases
}

fn of_recipient(recipient: &Recipient, report: &Report, context: &Context<'_>) -> Case {
    let mut case = Case::new(Kind::Bounce, (0, 0));
    case.recipient = recipient.address.clone();
    case.reporter = report.reporter.clone();
    case.peer = recipient.remote.clone();
    case.at = recipient.at.or(report.arrival).or(context.envelope.at);
    case.ended = match recipient.action {
        Some(action) => action.ended(),
        None => Some(Ended::GivenUp),
    };
    if recipient.original != recipient.address {
        case.original_recipient.clone_from(&recipient.original);
    }
    // RFC 3464 §2.3.6: a diagnostic code of type `smtp` is the reply of another server, where one is
    // named; all else the reporting server says itself.
    case.said_by = match recipient.by_smtp && recipient.remote.is_some() {
        true => SaidBy::Receiver,
        false => SaidBy::Sender,
    };
    case.status = recipient.status;
    take_words(&mut case, &recipient.diagnostic);
    if let Some(what) = report.broken {
        case.notes.push(Note::BrokenReport(what));
    }
    case
}

/// Words for a recipient whose diagnostic text says nothing: those for people.
fn add_words(case: &mut Case, said: &[super::blocks::Block], text: &Text, only_one: bool) {
    let of_it = said.iter().find(|block| {
        let named = |address: &Option<String>| {
            address
                .as_ref()
                .is_some_and(|address| address.eq_ignore_ascii_case(&block.address))
        };
        named(&case.recipient) || named(&case.original_recipient)
    });
    let words = match (of_it, said) {
        (Some(block), _) => block.words.clone(),
        (None, [block]) if only_one => block.words.clone(),
        (None, _) if only_one => words::all_of(text),
        (None, _) => return,
    };
    let mut all = case.words.clone();
    if !all.is_empty() && words.text().contains(all.text()) {
        all = Words::default();
    }
    if !words.is_empty() {
        all.append(&words);
    }
    take_words(case, &all);
}

/// Puts words into a case, with the better of the codes known so far and those in the words.
pub(super) fn take_words(case: &mut Case, words: &Words) {
    let found = codes(words.text());
    case.reply = case
        .reply
        .or(found.reply.and_then(|reply| placed(words, reply)));
    let status = found.status.and_then(|status| placed(words, status));
    case.status = better(case.status, status);
    case.words = words.clone();
    if case.stage.is_none() {
        case.stage = stage_of(words.text());
    }
}

/// The status that tells more: `5.0.0` and `5.5.0` tell nearly nothing.
fn better(
    field: Option<Spanned<EnhancedStatus>>,
    text: Option<Spanned<EnhancedStatus>>,
) -> Option<Spanned<EnhancedStatus>> {
    let worth = |status: &Spanned<EnhancedStatus>| match status.value {
        EnhancedStatus {
            class: Class::Success,
            ..
        } => 0,
        EnhancedStatus { subject: 0, .. } => 1,
        EnhancedStatus { detail: 0, .. } => 2,
        _ => 3,
    };
    match (field, text) {
        (Some(field), Some(text)) if worth(&text) > worth(&field) => Some(text),
        (Some(field), _) => Some(field),
        (None, text) => text,
    }
}

/// At which step, where the words tell: Postfix `(in reply to RCPT TO command)`, Exim `after RCPT
/// TO:`, Yahoo `[RCPT_TO]`.
fn stage_of(text: &str) -> Option<Stage> {
    const STEPS: &[(&str, Stage)] = &[
        ("in reply to end of data", Stage::EndOfData),
        ("after end of data", Stage::EndOfData),
        ("after pipelined end of data", Stage::EndOfData),
        ("in reply to rcpt to", Stage::Rcpt),
        ("after rcpt to", Stage::Rcpt),
        ("after pipelined rcpt to", Stage::Rcpt),
        ("in reply to mail from", Stage::Mail),
        ("after mail from", Stage::Mail),
        ("after pipelined mail from", Stage::Mail),
        ("in reply to data", Stage::Data),
        ("after data", Stage::Data),
        ("in reply to ehlo", Stage::Hello),
        ("in reply to helo", Stage::Hello),
        ("after helo", Stage::Hello),
        ("after ehlo", Stage::Hello),
        ("in reply to auth", Stage::Auth),
        ("in reply to starttls", Stage::StartTls),
        ("after starttls", Stage::StartTls),
        ("while sending rcpt to", Stage::Rcpt),
        ("while sending mail from", Stage::Mail),
        ("while sending end of data", Stage::EndOfData),
        ("while sending message body", Stage::Content),
        ("while performing the ehlo handshake", Stage::Hello),
        ("while performing the helo handshake", Stage::Hello),
        (
            "while receiving the initial server greeting",
            Stage::Greeting,
        ),
        ("after initial connection", Stage::Greeting),
        ("[rcpt_to]", Stage::Rcpt),
        ("[mail_from]", Stage::Mail),
        ("[data]", Stage::EndOfData),
        (">>> rcpt to:", Stage::Rcpt),
    ];
    let lower = text.to_ascii_lowercase();
    STEPS
        .iter()
        .find(|(words, _)| lower.contains(words))
        .map(|(_, stage)| *stage)
}

/// What holds for every case of a mail.
pub(super) fn finish(case: &mut Case, context: &Context<'_>) {
    case.about = context.about.about.clone();
    if case.at.is_none() {
        case.at = context.envelope.at;
    }
    if case.ended == Some(Ended::StillTrying) {
        case.notes.push(Note::DelayNotice);
    }
    if let Some(original) = &case.original_recipient {
        let same = case
            .recipient
            .as_ref()
            .is_some_and(|recipient| recipient.eq_ignore_ascii_case(original));
        if !same && case.recipient.is_some() {
            case.notes.push(Note::ForwardedFrom(original.clone()));
        }
    }
}
