//! Reports to senders (RFC 3461, RFC 3464): when one is due, to whom it goes, and its way into the queue.
//! One report tells all that there is to tell one sender about one message at one time.

pub(crate) mod delay;
mod expanded;
mod language;
mod returned;
mod write;

use std::sync::Arc;

use diagnosis::{Attempt, Diagnosis, FailureKind, Outcome};
use jiff::Timestamp;
use queue::{
    Courier, Decision, DestinationKey, Event, EventKind, Message, MessageId, NewMessage, Recipient,
    Verdict,
};
use smtp::envelope::OriginalRecipient;
use smtp::{Address, Reply};

pub(crate) use returned::{ReturnedTo, copy, returned};

use crate::addressees::{self, NotWritten};
use crate::engine::Engine;
use crate::lane::{Handed, Work};
use crate::passed_on;
use crate::returned::ToldBack;

/// Reports that are to be stored with the record of an attempt, and the events that tell of them.
#[derive(Default)]
pub(crate) struct Reports {
    pub(crate) new: Vec<NewMessage>,
    pub(crate) events: Vec<Event>,
}

/// What a report tells (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It could not be delivered.
    Failed,
    /// It is not delivered yet.
    Delayed,
    /// It arrived, or went on to where nobody will tell.
    Arrived,
    /// Its address stands for several, and it goes on to them.
    Expanded,
    /// It went on, and a report came back that it did not arrive.
    Returned,
}

/// A recipient of whom something is told.
pub(crate) struct Told<'a> {
    pub(crate) index: u32,
    pub(crate) address: &'a Address,
    pub(crate) original: Option<OriginalRecipient>,
    /// Who is told.
    pub(crate) sender: &'a Address,
    pub(crate) attempts: u32,
    pub(crate) diagnosis: Option<&'a Diagnosis>,
    /// What the peer said at the end, if it said anything.
    pub(crate) reply: Option<&'a Reply>,
    pub(crate) action: dsn::Action,
    /// When it is tried next.
    pub(crate) next: Option<Decision>,
    /// What came back, where that is told.
    pub(crate) back: Option<&'a ToldBack<'a>>,
}

impl<'a> Told<'a> {
    fn of(message: &'a Message, recipient: &'a Recipient, action: dsn::Action) -> Told<'a> {
        Told {
            index: recipient.index,
            address: &recipient.address,
            original: passed_on::original(recipient),
            sender: recipient.sender().unwrap_or(&message.sender),
            attempts: recipient.attempts,
            diagnosis: recipient.last.as_ref(),
            reply: None,
            action,
            next: None,
            back: None,
        }
    }
}

/// The reports that these verdicts make due.
pub(crate) async fn due(
    engine: &Engine,
    work: &Work,
    attempt: &Attempt,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Reports, NotWritten> {
    let mut reports = Reports::default();
    let (failed, unasked) = failed(work, attempt, verdicts);
    for index in unasked {
        reports
            .events
            .push(event(work.message.id, index, now, EventKind::NotAsked));
    }
    tell(engine, work, News::Failed, failed, now, &mut reports).await?;
    let arrived = arrived(work, attempt, verdicts);
    tell(engine, work, News::Arrived, arrived, now, &mut reports).await?;
    let expanded = expanded::due(engine, work, verdicts).await?;
    tell(engine, work, News::Expanded, expanded, now, &mut reports).await?;
    Ok(reports)
}

fn event(message: MessageId, index: u32, at: Timestamp, kind: EventKind) -> Event {
    Event {
        at,
        message: Some(message),
        recipient: Some(index),
        destination: None,
        kind,
    }
}

/// Writes what there is to tell: for each sender a report.
pub(crate) async fn tell(
    engine: &Engine,
    work: &Work,
    news: News,
    mut told: Vec<Told<'_>>,
    now: Timestamp,
    reports: &mut Reports,
) -> Result<(), NotWritten> {
    // Copies for a list go back to its owner, others of the same message to its sender.
    while let Some(first) = told.first() {
        let sender = first.sender;
        let (these, others): (Vec<_>, Vec<_>) = told.into_iter().partition(|t| t.sender == sender);
        told = others;
        let kind = report_to(engine, work, news, sender, &these, now, &mut reports.new).await?;
        let told = these
            .iter()
            .map(|t| event(work.message.id, t.index, now, kind.clone()));
        reports.events.extend(told);
    }
    Ok(())
}

/// Writes the report for one sender, where one is due; answers what is noted of it.
async fn report_to(
    engine: &Engine,
    work: &Work,
    news: News,
    sender: &Address,
    told: &[Told<'_>],
    now: Timestamp,
    reports: &mut Vec<NewMessage>,
) -> Result<EventKind, NotWritten> {
    // RFC 5321 §4.5.5, §6.1: what has a null reverse-path is never answered.
    if sender.is_null() {
        return Ok(EventKind::NotReported);
    }
    let Some(addressees) = addressees::of(engine, sender, now).await? else {
        return Ok(EventKind::SenderUnknown);
    };
    let report = write::write(engine, work, news, (sender, told), addressees, now).await?;
    let id = report.message.id;
    reports.push(report);
    Ok(match news {
        News::Failed | News::Returned => EventKind::Reported { report: id },
        News::Delayed => EventKind::Delayed { report: id },
        News::Arrived => EventKind::ArrivalReported { report: id },
        News::Expanded => EventKind::ExpansionReported { report: id },
    })
}

type Each<'a> = (&'a Recipient, &'a Outcome, &'a Verdict);

fn each<'a>(
    work: &'a Work,
    attempt: &'a Attempt,
    verdicts: &'a [Verdict],
) -> impl Iterator<Item = Each<'a>> {
    let all = work
        .recipients
        .iter()
        .zip(&attempt.recipients)
        .zip(verdicts);
    all.map(|((recipient, of), verdict)| (recipient, &of.outcome, verdict))
}

/// Those that failed: of whom the sender wants to hear, and the others (RFC 3461 §5.2.5).
fn failed<'a>(
    work: &'a Work,
    attempt: &'a Attempt,
    verdicts: &'a [Verdict],
) -> (Vec<Told<'a>>, Vec<u32>) {
    let (mut told, mut unasked) = (Vec::new(), Vec::new());
    for (recipient, outcome, verdict) in each(work, attempt, verdicts) {
        if verdict.decision != Decision::Fail || verdict.diagnosis.is_none() {
            continue;
        }
        if !recipient.options.notify().failure {
            unasked.push(recipient.index);
            continue;
        }
        told.push(Told {
            attempts: recipient.attempts + 1,
            diagnosis: verdict.diagnosis.as_ref(),
            reply: last_words(outcome),
            next: Some(Decision::Fail),
            ..Told::of(&work.message, recipient, dsn::Action::Failed)
        });
    }
    (told, unasked)
}

/// Those that arrived, where the sender wants to hear it and nobody after us will say it
/// (RFC 3461 §5.2.2, §5.2.3).
fn arrived<'a>(work: &'a Work, attempt: &'a Attempt, verdicts: &'a [Verdict]) -> Vec<Told<'a>> {
    // RFC 2852 §4.1.5: with T, each relay that passes it on says so.
    let traced = work.message.options.deliver_by.is_some_and(|by| by.trace);
    let told = |(recipient, outcome, verdict): Each<'a>| {
        let asked = recipient.options.notify().success;
        let action = match work.handed {
            Some(Handed::ToMailbox) if asked => dsn::Action::Delivered,
            Some(Handed::WithoutDsn) if asked || traced => dsn::Action::Relayed,
            Some(Handed::WithDsn) if traced => dsn::Action::Relayed,
            Some(_) | None => return None,
        };
        (verdict.decision == Decision::Delivered).then(|| Told {
            attempts: recipient.attempts + 1,
            diagnosis: None,
            reply: last_words(outcome),
            ..Told::of(&work.message, recipient, action)
        })
    };
    each(work, attempt, verdicts).filter_map(told).collect()
}

/// What the peer said, where it said anything.
pub(crate) fn last_words(outcome: &Outcome) -> Option<&Reply> {
    match outcome {
        Outcome::Accepted(reply) => reply.as_ref(),
        Outcome::Failed(failure) | Outcome::Unknown(failure) => match &failure.kind {
            FailureKind::Replied(reply) => Some(reply),
            FailureKind::Expired { last_reply, .. } => last_reply.as_ref(),
            FailureKind::NoRoute(_)
            | FailureKind::Connect(_)
            | FailureKind::Broken(_)
            | FailureKind::Insecure(_)
            | FailureKind::CannotSend(_)
            | FailureKind::NotSmtp { .. }
            | FailureKind::Local(_)
            | FailureKind::Program(_)
            | FailureKind::CannotLogIn(_)
            | FailureKind::TooManyHops { .. }
            | FailureKind::DeliveredBefore { .. }
            | FailureKind::Interrupted => None,
        },
    }
}

/// Claims reports before they are stored, and hands them over after.
pub(crate) struct Announced {
    claimed: Vec<(MessageId, Vec<DestinationKey>)>,
}

impl Reports {
    pub(crate) fn announce(&self, engine: &Engine) -> Announced {
        let mut claimed = Vec::new();
        for new in &self.new {
            let keys: Vec<DestinationKey> = new
                .recipients
                .iter()
                .map(|r| r.destination.clone())
                .collect();
            engine.announce(new.message.id, &keys);
            claimed.push((new.message.id, keys));
        }
        Announced { claimed }
    }
}

impl Announced {
    /// They are in the store: they go on their way.
    pub(crate) fn stored(self, engine: &Engine, reports: Vec<NewMessage>) {
        for new in reports {
            let recipients = queue::queued_recipients(&new);
            engine.accepted(Arc::new(new.message), new.body, recipients);
        }
    }

    /// They are not, or nobody can tell: what the store has counts.
    pub(crate) fn not_stored(self, engine: &Engine) {
        for (id, keys) in self.claimed {
            engine.withdrawn(id, &keys);
        }
    }
}
