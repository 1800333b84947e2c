//! What an attempt means and what follows: diagnose, decide, report, record.

use std::sync::Arc;
use std::time::Duration;

use diagnosis::facts::NoRoute;
use diagnosis::{Attempt, Diagnosis, FailureKind, Outcome, diagnose};
use jiff::Timestamp;
use queue::policy::{self, Block, Effect, History, Special, Waits};
use queue::{
    AttemptRecord, Decision, DestinationKey, DestinationUpdate, Event, Lease, Recipient,
    StoreError, Verdict, WaitFor,
};

use crate::addressees::NotWritten;
use crate::engine::Engine;
use crate::engine::line::{Seen, ours};
use crate::lane::{Claim, Work, is_here};
use crate::report::{self, Reports};
use crate::{circumstances, doubts, expire, log, suppress};

/// What was concluded about an attempt, before it is recorded.
pub(crate) struct Conclusion {
    pub(crate) verdicts: Vec<Verdict>,
    /// The effect on the destination, if the attempt showed any.
    pub(crate) destination: Option<DestinationUpdate>,
    /// What it says about the pace.
    pub(crate) effect: Effect,
    pub(crate) delivered: bool,
}

/// Concludes an attempt and records it; does not return before it is recorded or the relay stops.
pub(crate) async fn conclude(
    engine: &Engine,
    lease: &Lease,
    work: Work,
    attempt: Attempt,
    started_at: Timestamp,
) {
    let now = engine.now();
    let unreached = is_unreached(&attempt);
    let seen = unreached.then(|| engine.not_reached(&lease.destination));
    engine.note_seen(seen.as_ref(), now).await;
    let conclusion = judge(
        engine,
        &lease.destination,
        &work,
        &attempt,
        seen.as_ref(),
        now,
    );
    let blocked = conclusion
        .destination
        .as_ref()
        .is_some_and(|d| d.blocked_until.is_some());
    engine.learn(&lease.destination, &conclusion);
    settle(engine, lease, work, attempt, started_at, conclusion).await;
    if blocked {
        expire::give_up_overdue(engine, lease).await;
    }
}

/// Logs, reports and records what was concluded. Answers whether it is recorded.
pub(crate) async fn settle(
    engine: &Engine,
    lease: &Lease,
    mut work: Work,
    attempt: Attempt,
    started_at: Timestamp,
    conclusion: Conclusion,
) -> bool {
    let key = &lease.destination;
    let now = engine.now();
    log::log(&work, key, &attempt, &conclusion.verdicts, now);
    doubts::tell(engine, key, &work, &conclusion.verdicts);
    let mut pause = FIRST_PAUSE;
    // Without its report a failure may not be recorded: it would be silent.
    let mut reports = loop {
        match report::due(engine, &work, &attempt, &conclusion.verdicts, now).await {
            Ok(reports) => break reports,
            Err(error) => {
                tracing::error!(id = %work.message.id, %error, "a report cannot be written; trying again");
                // A table of recipients that fails is no reason to stop sending.
                engine.set_store_fails(matches!(error, NotWritten::Store(_)));
            }
        }
        if engine.is_stopping() {
            return false;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    suppress::note(engine, &work, &attempt, &conclusion.verdicts).await;
    if let Some(read) = work.read.take() {
        suppress::put(engine, read.suppressed).await;
        reports.new.extend(read.new);
        reports.events.extend(read.events);
    }
    record(
        engine, lease, work, attempt, started_at, conclusion, reports,
    )
    .await
}

fn judge(
    engine: &Engine,
    key: &DestinationKey,
    work: &Work,
    attempt: &Attempt,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Conclusion {
    let stand = engine.stand(key);
    let down_since = seen.and_then(|seen| seen.down_since);
    let hosts = attempt.route.hosts.iter();
    let other_hosts = hosts.filter(|h| !work.asked.contains(&h.name)).count() as u32;
    // One for all: what fails alike stays together.
    let jitter = engine.shared.world.random.unit();
    let accepted = attempt
        .recipients
        .iter()
        .filter(|r| was_taken(&r.outcome))
        .count();
    let mut verdicts = Vec::with_capacity(attempt.recipients.len());
    let mut update: Option<DestinationUpdate> = None;
    let mut effect = Effect::NONE;
    for (recipient, of) in work.recipients.iter().zip(&attempt.recipients) {
        let about = (work, attempt);
        let circumstances = circumstances::of((engine, key), about, recipient, accepted);
        let Some(diagnosis) = diagnose(&of.outcome, &circumstances) else {
            if let Some(last) = &recipient.last {
                engine.learn_wait(key, last, &history_of(engine, work, recipient, now));
            }
            verdicts.push(Verdict {
                index: of.index,
                diagnosis: None,
                decision: Decision::Delivered,
            });
            continue;
        };
        let diagnosis = match down_since {
            Some(since) => ours(diagnosis, since),
            None => diagnosis,
        };
        let mut history = stand.in_history(History {
            line_failures: seen.map_or(0, |seen| seen.failures),
            others_accepted: accepted > 0,
            // Where no server was named, none sent us on.
            other_hosts: if work.asked.is_empty() {
                0
            } else {
                other_hosts
            },
            convertible: work.convertible,
            ..history_of(engine, work, recipient, now)
        });
        history.learnt = engine.learnt_wait(key, &diagnosis, recipient.last.as_ref(), &history);
        let decided = policy::decide(&diagnosis, &history, jitter);
        if effect == Effect::NONE || worse(&decided.effect, &effect) {
            effect = decided.effect;
            update = blocked(&effect).map(|block| DestinationUpdate {
                blocked_until: Some(block.until),
                failures: block.failures,
                last: Some(diagnosis.clone()),
            });
        }
        if decided.is(Special::Hold) {
            tracing::error!(id = %work.message.id, destination = %key, cause = diagnosis.cause.id(),
                "the administrator must act: mail for this destination is held until it is mended");
        }
        let decision = decided.decision;
        let diagnosis = if gave_up_by_age(&diagnosis, &decision, &history) {
            let words = report::last_words(&of.outcome);
            expire::expired(&diagnosis, words, history.received_at, now)
        } else {
            diagnosis
        };
        verdicts.push(Verdict {
            index: of.index,
            diagnosis: Some(diagnosis),
            decision,
        });
    }
    if update.is_none() && accepted > 0 && stand.failures > 0 {
        update = Some(DestinationUpdate {
            blocked_until: None,
            failures: 0,
            last: None,
        });
    }
    Conclusion {
        verdicts,
        destination: update,
        effect,
        delivered: accepted > 0,
    }
}

/// What is known of a recipient without its destination, after an attempt.
fn history_of(engine: &Engine, work: &Work, recipient: &Recipient, now: Timestamp) -> History {
    History {
        attempts: recipient.attempts + 1,
        received_at: work.message.received_at,
        expires_at: work.message.expires_at,
        now,
        own: engine.shared.settings.waits.clone(),
        ..History::default()
    }
}

/// The wait of a destination, with all that shares its fate or alone. While our own line is down, no
/// destination is to blame.
fn blocked(effect: &Effect) -> Option<Block> {
    match effect.who {
        Waits::Destination | Waits::Provider => effect.block,
        Waits::Recipient | Waits::Message | Waits::Us => None,
    }
}

/// Whether no server away from this machine could be reached, or the DNS could not.
fn is_unreached(attempt: &Attempt) -> bool {
    let failure = match attempt.recipients.first().map(|of| &of.outcome) {
        Some(Outcome::Failed(failure)) => failure,
        Some(Outcome::Accepted(_) | Outcome::Unknown(_)) | None => return false,
    };
    match &failure.kind {
        FailureKind::Connect(tries) => {
            !tries.is_empty() && tries.iter().all(|one| !is_here(&one.address))
        }
        FailureKind::NoRoute(NoRoute::DnsTemporary { .. }) => true,
        _ => false,
    }
}

/// Of two effects, the one that keeps more waiting for longer.
fn worse(one: &Effect, than: &Effect) -> bool {
    let until = |effect: &Effect| effect.block.map(|block| block.until);
    (until(one), one.who) > (until(than), than.who)
}

/// A transient failure at the end of the message's lifetime is the failure of having expired.
fn gave_up_by_age(diagnosis: &Diagnosis, decision: &Decision, history: &History) -> bool {
    *decision == Decision::Fail
        && history.now >= history.expires_at
        && diagnosis.finality != diagnosis::Finality::Permanent
}

fn was_taken(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted(_) => true,
        Outcome::Failed(_) | Outcome::Unknown(_) => false,
    }
}

async fn record(
    engine: &Engine,
    lease: &Lease,
    work: Work,
    attempt: Attempt,
    started_at: Timestamp,
    conclusion: Conclusion,
    reports: Reports,
) -> bool {
    let key = &lease.destination;
    let ended_at = engine.now();
    let again = again_at_once(&work, &conclusion.verdicts);
    let elsewhere = Decision::RetryWhen(WaitFor::OtherHost);
    let moves_on = conclusion.verdicts.iter().any(|v| v.decision == elsewhere);
    let retries: Vec<Timestamp> = conclusion
        .verdicts
        .iter()
        .filter_map(|v| due(&v.decision))
        .collect();
    let claims: Vec<Claim> = work.claims().collect();
    let record = AttemptRecord {
        message: work.message.id,
        destination: key.clone(),
        started_at,
        ended_at,
        attempt,
        verdicts: conclusion.verdicts,
    };
    let announced = reports.announce(engine);
    let (new, events) = (reports.new, reports.events);
    let written = write(
        engine,
        lease,
        record,
        conclusion.destination,
        new.clone(),
        events,
    )
    .await;
    if written {
        announced.stored(engine, new);
    } else {
        announced.not_stored(engine);
    }
    let (kept, gone): (Vec<Claim>, Vec<Claim>) = claims
        .into_iter()
        .partition(|claim| again.iter().any(|r| r.index == claim.1));
    engine.recorded(key, gone, retries);
    if !kept.is_empty() {
        let mut work = work.with(again);
        if !moves_on {
            work.asked.clear();
        }
        engine.go_on(key, work);
    }
    written
}

/// The recipients that go on without a wait.
fn again_at_once(work: &Work, verdicts: &[Verdict]) -> Vec<Recipient> {
    let next = |recipient: &Recipient| {
        let verdict = verdicts
            .iter()
            .find(|v| v.index == recipient.index && goes_on(&v.decision))?;
        let mut recipient = recipient.clone();
        // What it met decides in which form it goes next.
        recipient.last.clone_from(&verdict.diagnosis);
        Some(recipient)
    };
    work.recipients.iter().filter_map(next).collect()
}

fn goes_on(decision: &Decision) -> bool {
    match decision {
        Decision::RetryWhen(wait) => match wait {
            WaitFor::NextTransaction | WaitFor::OtherHost | WaitFor::Conversion => true,
            WaitFor::Resume => false,
        },
        Decision::Delivered | Decision::RetryAt { .. } | Decision::Hold | Decision::Fail => false,
    }
}

fn due(decision: &Decision) -> Option<Timestamp> {
    match decision {
        Decision::RetryAt { at, .. } => Some(*at),
        Decision::Delivered | Decision::RetryWhen(_) | Decision::Hold | Decision::Fail => None,
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Writes the record, however long it takes: what has been handed over and is not written down would
/// be sent again. Answers whether it was written by us.
async fn write(
    engine: &Engine,
    lease: &Lease,
    record: AttemptRecord,
    destination: Option<DestinationUpdate>,
    reports: Vec<queue::NewMessage>,
    events: Vec<Event>,
) -> bool {
    let store = Arc::clone(&engine.shared.store);
    let mut pause = FIRST_PAUSE;
    loop {
        let written = store
            .record(
                lease,
                record.clone(),
                destination.clone(),
                reports.clone(),
                events.clone(),
            )
            .await;
        let error = match written {
            Ok(()) => {
                engine.set_store_fails(false);
                return true;
            }
            Err(error) => error,
        };
        tracing::error!(id = %record.message, %error, "an attempt cannot be recorded");
        match error {
            StoreError::Fenced { .. } | StoreError::Uncertain => return false,
            StoreError::Full { .. }
            | StoreError::Io { .. }
            | StoreError::Database { .. }
            | StoreError::NotFound(_)
            | StoreError::NotQueued { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::Ambiguous { .. }
            | StoreError::InUse { .. }
            | StoreError::Newer { .. } => {}
        }
        if engine.is_stopping() {
            // At the next start the outcome counts as unknown, and is reported so.
            return false;
        }
        engine.set_store_fails(true);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
