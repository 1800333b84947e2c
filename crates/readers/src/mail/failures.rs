//! From what was read to cases.

use diagnosis::{Ended, SaidBy};
use smtp::{Class, EnhancedStatus};

use super::about::Returned;
use super::address;
use super::backscatter;
use super::blocks::{Block, says_something};
use super::envelope::Envelope;
use super::kinds;
use super::status::{Action, Recipient, Report};
use super::step;
use super::text::Text;
use super::words;
use crate::reply::{self, placed};
use crate::scan::{Codes, codes};
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
    let mut said: Option<Vec<Block>> = None;
    let mut cases = Vec::new();
    for recipient in &failed {
        let mut case = of_recipient(recipient, &report, context);
        case.dialect = dialect;
        let known = case.recipient.as_deref().is_some_and(address::is_plain);
        let enough = known && says_something(case.words.text());
        if let Some(text) = text.filter(|_| !enough) {
            let said = said.get_or_insert_with(|| words::blocks_of(text, context.envelope));
            if let (false, [block], [_]) = (known, said.as_slice(), failed.as_slice()) {
                case.recipient = Some(block.address.clone());
            }
            add_words(&mut case, said, text, failed.len() == 1);
        }
        // Postfix tells the step in the words for people alone.
        if let Some(text) = text.filter(|text| case.stage.is_none() && step::is_told(text.as_str()))
        {
            let said = said.get_or_insert_with(|| words::blocks_of(text, context.envelope));
            if let Some(block) = block_of(&case, said, failed.len() == 1) {
                case.stage = step::stage_of(block.words.text());
                case.peer = case.peer.or_else(|| step::peer_of(block.words.text()));
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
    case.original_recipient.clone_from(&recipient.original);
    // An address within a system (X.400, a route, a path): the one that was written to tells more.
    let plain = |address: &Option<String>| address.as_deref().is_some_and(address::is_plain);
    if !plain(&case.recipient) {
        if plain(&case.original_recipient) {
            case.recipient = case.original_recipient.take();
        } else if let ([one], [_]) = (
            context.envelope.failed.as_slice(),
            report.recipients.as_slice(),
        ) {
            case.recipient = Some(one.clone());
        }
    }
    if case.original_recipient == case.recipient {
        case.original_recipient = None;
    }
    case.reporter = report.reporter.clone();
    case.peer = recipient.remote.clone();
    case.at = recipient.at.or(report.arrival).or(context.envelope.at);
    case.ended = match recipient.action {
        Some(action) => action.ended(),
        None => Some(Ended::GivenUp),
    };
    // RFC 3464 §2.3.6: a diagnostic code of type `smtp` is the reply of another server, where one is
    // named; all else the reporting server says itself.
    case.said_by = match recipient.by_smtp && recipient.remote.is_some() {
        true => SaidBy::Receiver,
        false => SaidBy::Sender,
    };
    case.status = recipient.status;
    let words = match recipient.diagnostic.is_empty() {
        true => &recipient.comment,
        false => &recipient.diagnostic,
    };
    take_words(&mut case, words);
    if let Some(what) = report.broken {
        case.notes.push(Note::BrokenReport(what));
    }
    case
}

/// Words for a recipient whose diagnostic text says nothing: those for people that are about it; if
/// it is the only one, all of them.
fn add_words(case: &mut Case, said: &[Block], text: &Text, only_one: bool) {
    let field = case.status;
    if let Some(block) = block_of(case, said, only_one) {
        join(case, &block.words);
    }
    if only_one && !says_something(case.words.text()) {
        join(case, &words::all_of(text));
    }
    // Sendmail: `Status: 4.4.7`, and in the transcript what went wrong the last time. Both are true;
    // the field is about the message.
    if let Some(field) = field.filter(|field| has_expired(field.value)) {
        case.status = Some(field);
    }
}

/// What is said about the recipient of a case.
fn block_of<'a>(case: &Case, said: &'a [Block], only_one: bool) -> Option<&'a Block> {
    let named = |address: &Option<String>, block: &Block| {
        address
            .as_ref()
            .is_some_and(|address| address.eq_ignore_ascii_case(&block.address))
    };
    let of_it = said
        .iter()
        .find(|block| named(&case.recipient, block) || named(&case.original_recipient, block));
    match said {
        [sole] if only_one => Some(of_it.unwrap_or(sole)),
        _ => of_it,
    }
}

/// Adds words to those of a case, unless they hold them already.
fn join(case: &mut Case, more: &Words) {
    let mut all = case.words.clone();
    if more.text().contains(all.text()) {
        all = Words::default();
    }
    if !more.is_empty() && !all.text().contains(more.text()) {
        all.append(more);
    }
    take_words(case, &all);
}

/// Puts words into a case, with the better of the codes known so far and those in the words.
pub(super) fn take_words(case: &mut Case, words: &Words) {
    let words = &reply::without_repeats(words);
    let mut found = codes(words.text());
    if let (Some(reply), Some(status)) = (found.reply, found.status) {
        // Of a reply and a status side by side, which a server said together, the status outranks
        // the one that the reporting server filled in.
        let agrees = u16::from(status.value.class.digit()) == reply.value / 100;
        let beside = status.span.0 > reply.span.1 && status.span.0 - reply.span.1 <= 3;
        let field_disagrees = case
            .status
            .is_some_and(|field| u16::from(field.value.class.digit()) != reply.value / 100);
        if agrees && beside && (status.value.detail != 0 || field_disagrees) {
            case.status = None;
        }
        // `554 4.4.7 Message expired: … <421 4.4.2 Connection timed out>`: the reply within.
        let ran_out = has_expired(status.value);
        if let Some(within) = within(words, status.span.1).filter(|_| ran_out) {
            found = within;
            case.status = None;
        }
    }
    case.reply = case
        .reply
        .or(found.reply.and_then(|reply| placed(words, reply)));
    let status = found.status.and_then(|status| placed(words, status));
    case.status = better(case.status, status);
    case.words = words.clone();
    if case.stage.is_none() {
        case.stage = step::stage_of(words.text());
    }
    if case.peer.is_none() {
        case.peer = step::peer_of(words.text());
    }
}

/// RFC 3463 §3.5, X.4.7: the time for delivery ran out.
fn has_expired(status: EnhancedStatus) -> bool {
    (status.subject, status.detail) == (4, 7)
}

/// A reply with its status in the rest of some words; places are in all of them.
fn within(words: &Words, from: usize) -> Option<Codes> {
    let mut found = codes(&words.text()[from..]);
    let (reply, status) = (found.reply.as_mut()?, found.status.as_mut()?);
    for span in [&mut reply.span, &mut status.span] {
        *span = (span.0 + from, span.1 + from);
    }
    Some(found)
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
        // That time ran out says less than what went wrong all that time.
        EnhancedStatus {
            subject: 4,
            detail: 7,
            ..
        } => 1,
        EnhancedStatus { detail: 0, .. } => 2,
        _ => 3,
    };
    match (field, text) {
        (Some(field), Some(text)) if worth(&text) > worth(&field) => Some(text),
        (Some(field), _) => Some(field),
        (None, text) => text,
    }
}

/// What holds for every case of a mail.
pub(super) fn finish(case: &mut Case, context: &Context<'_>) {
    case.about = context.about.about.clone();
    if case.at.is_none() {
        case.at = context.envelope.at;
    }
    if backscatter::is_likely(&context.about, context.envelope) {
        case.notes.push(Note::Backscatter);
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
