//! Reports to senders (RFC 3464): when one is due, what it says, and its way into the queue.

use std::sync::Arc;
use std::time::Duration;

use diagnosis::{Attempt, Cause, Diagnosis, FailureKind, Finality, Outcome};
use explain::FailedRecipient;
use jiff::Timestamp;
use queue::{
    Body, BodyKind, Courier, Decision, DestinationKey, Event, EventKind, Message, MessageId,
    MessageKind, NewMessage, Origin, StoreError, Story, Verdict,
};
use smtp::{Address, Class, EnhancedStatus, Reply};

use crate::addressees::{self, Addressees, NotWritten};
use crate::engine::{Engine, later};
use crate::lane::Work;

/// Reports that are to be stored with the record of an attempt, and the events that tell of them.
#[derive(Default)]
pub(crate) struct Reports {
    pub(crate) new: Vec<NewMessage>,
    pub(crate) events: Vec<Event>,
}

/// How much of the original's header a report returns.
const HEADER_LIMIT: usize = 64 * 1024;

/// The report that these verdicts make due: one for all recipients of the message that failed now.
pub(crate) async fn due(
    engine: &Engine,
    work: &Work,
    attempt: &Attempt,
    verdicts: &[Verdict],
    now: Timestamp,
) -> Result<Reports, NotWritten> {
    let mut failed: Vec<Failed<'_>> = failed(work, attempt, verdicts);
    let mut reports = Reports::default();
    if failed.is_empty() {
        return Ok(reports);
    }
    let event = |index, kind| Event {
        at: now,
        message: Some(work.message.id),
        recipient: Some(index),
        destination: None,
        kind,
    };
    // Copies for a list go back to its owner, others of the same message to its sender.
    while let Some(first) = failed.first() {
        let sender = first.sender;
        let (these, others): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|f| f.sender == sender);
        failed = others;
        let kind = report_to(engine, work, sender, &these, now, &mut reports.new).await?;
        let told = these.iter().map(|f| event(f.index, kind.clone()));
        reports.events.extend(told);
    }
    Ok(reports)
}

/// Writes the report for one sender, where one is due; answers what is noted of it.
async fn report_to(
    engine: &Engine,
    work: &Work,
    sender: &Address,
    failed: &[Failed<'_>],
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
    let id = new_id(engine, now);
    let bytes = write(engine, work, sender, failed, id, now).await?;
    let new = into_message(engine, work, (id, sender), &bytes, addressees, now).await?;
    reports.push(new);
    Ok(EventKind::Reported { report: id })
}

/// A recipient that failed, with what its report needs.
struct Failed<'a> {
    index: u32,
    address: &'a Address,
    /// Who is told.
    sender: &'a Address,
    attempts: u32,
    diagnosis: &'a Diagnosis,
    /// What the peer said at the end, if it said anything.
    reply: Option<&'a Reply>,
}

fn failed<'a>(work: &'a Work, attempt: &'a Attempt, verdicts: &'a [Verdict]) -> Vec<Failed<'a>> {
    let all = work
        .recipients
        .iter()
        .zip(&attempt.recipients)
        .zip(verdicts);
    let failed = all.filter(|(_, verdict)| verdict.decision == Decision::Fail);
    failed
        .filter_map(|((recipient, of), verdict)| {
            Some(Failed {
                index: recipient.index,
                address: &recipient.address,
                sender: recipient.sender().unwrap_or(&work.message.sender),
                attempts: recipient.attempts + 1,
                diagnosis: verdict.diagnosis.as_ref()?,
                reply: last_words(&of.outcome),
            })
        })
        .collect()
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

async fn write(
    engine: &Engine,
    work: &Work,
    sender: &Address,
    failed: &[Failed<'_>],
    id: MessageId,
    now: Timestamp,
) -> Result<Vec<u8>, StoreError> {
    let shared = &engine.shared;
    let (hostname, lang) = (&shared.settings.hostname, shared.settings.report_language);
    let story = match failed.iter().any(|f| f.attempts > 1) {
        true => Some(shared.store.story(work.message.id).await?),
        false => None,
    };
    let explained: Vec<FailedRecipient<'_>> = failed
        .iter()
        .map(|f| FailedRecipient {
            address: f.address,
            diagnosis: f.diagnosis,
            peer_words: f
                .reply
                .map(|r| String::from_utf8_lossy(r.raw()).trim_end().to_owned()),
            peer: f.reply.map(|r| r.peer().to_owned()),
            attempts: f.attempts,
            received_at: work.message.received_at,
            history: story
                .as_ref()
                .map(|s| causes_met(s, f.index))
                .unwrap_or_default(),
        })
        .collect();
    let explanation = explain::report(&explained, hostname, now, lang);
    let header = header(engine, work).await?;
    let original = dsn::original_headers(&header, HEADER_LIMIT);
    let original_id = dsn::message_id(original);
    let report = dsn::Report {
        from: &format!("MAILER-DAEMON@{hostname}"),
        to: sender,
        subject: &explain::report_subject(&explained, lang),
        date: now,
        message_id: &format!("{id}@{hostname}"),
        reporting_mta: hostname,
        arrival_date: work.message.received_at,
        explanation: &explanation,
        lang: lang.as_str(),
        recipients: failed.iter().map(|f| per_recipient(f, now)).collect(),
        original: dsn::Original::Headers(original),
        in_reply_to: original_id.as_deref(),
    };
    Ok(report.to_bytes())
}

fn per_recipient<'a>(failed: &Failed<'a>, now: Timestamp) -> dsn::PerRecipient<'a> {
    dsn::PerRecipient {
        final_recipient: failed.address,
        action: dsn::Action::Failed,
        status: status_of(failed.diagnosis),
        remote_mta: failed.reply.map(Reply::peer),
        diagnostic: failed.reply,
        last_attempt: Some(now),
        will_retry_until: None,
        cause: Some(failed.diagnosis.cause.id()),
    }
}

/// How often each cause was met before, in order of first occurrence.
fn causes_met(story: &Story, index: u32) -> Vec<(Cause, u32)> {
    let mut met: Vec<(Cause, u32)> = Vec::new();
    let verdicts = story.attempts.iter().flat_map(|a| &a.verdicts);
    for verdict in verdicts.filter(|v| v.index == index) {
        let Some(diagnosis) = &verdict.diagnosis else {
            continue;
        };
        match met.iter_mut().find(|(cause, _)| *cause == diagnosis.cause) {
            Some((_, count)) => *count += 1,
            None => met.push((diagnosis.cause, 1)),
        }
    }
    met
}

async fn header(engine: &Engine, work: &Work) -> Result<Vec<u8>, StoreError> {
    let body = match &work.body {
        Some(body) => body.clone(),
        None => engine.shared.store.body(work.message.id).await?,
    };
    Ok(match body {
        Body::Inline(bytes) => bytes.to_vec(),
        Body::File(source) => source.read(0, HEADER_LIMIT).await?.to_vec(),
    })
}

fn new_id(engine: &Engine, now: Timestamp) -> MessageId {
    let mut random = [0; 10];
    engine.shared.world.random.fill(&mut random);
    MessageId::new(now.as_millisecond().max(0) as u64, &random)
}

async fn into_message(
    engine: &Engine,
    work: &Work,
    (id, sender): (MessageId, &Address),
    bytes: &[u8],
    addressees: Addressees,
    now: Timestamp,
) -> Result<NewMessage, StoreError> {
    let shared = &engine.shared;
    let mut writer = shared.store.stage(id);
    writer.write(bytes).await?;
    let body = writer.finish().await?;
    let lifetime: Duration = shared.settings.report_lifetime;
    let message = Message {
        id,
        sender: Address::null(),
        received_at: now,
        expires_at: later(now, lifetime),
        size: body.size(),
        body_kind: if bytes.is_ascii() {
            BodyKind::SevenBit
        } else {
            BodyKind::EightBit
        },
        smtputf8: !sender.is_ascii(),
        hops: 0,
        kind: MessageKind::Report,
        origin: Origin {
            client: "local".to_owned(),
            helo: None,
            protocol: "local".to_owned(),
            about: Some(work.message.id),
        },
        options: queue::Options::default(),
    };
    let events = addressees.events(id, now);
    Ok(NewMessage {
        message,
        body,
        recipients: addressees.recipients,
        events,
        held: false,
    })
}

/// RFC 3464 §2.3.4: the status is the reporting relay's. The peer's own where it gave one, in the
/// class of a failure; else what the cause is in RFC 3463.
fn status_of(diagnosis: &Diagnosis) -> EnhancedStatus {
    if diagnosis.cause == Cause::QueueExpired {
        // RFC 3463 §3.5: X.4.7, delivery time expired; persistent transient, so class 4.
        return EnhancedStatus::new(Class::Transient, 4, 7);
    }
    if let Some(status) = diagnosis.status
        && status.class != Class::Success
    {
        let class = match diagnosis.finality {
            Finality::Permanent => Class::Permanent,
            Finality::Transient | Finality::Unknown => status.class,
        };
        return EnhancedStatus::new(class, status.subject, status.detail);
    }
    let (subject, detail) = diagnosis.cause.status();
    EnhancedStatus::new(Class::Permanent, subject, detail)
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
