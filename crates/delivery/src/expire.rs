//! The end of a message's lifetime: for a recipient whose last attempt came to nothing, and for
//! those that waited behind a destination that did not open.

use diagnosis::facts::{Circumstances, RecipientAttempt, Route, Step, StepKind};
use diagnosis::{Attempt, Cause, Diagnosis, Failure, FailureKind, Outcome, Stage, diagnose};
use jiff::Timestamp;
use queue::{Decision, DestinationKey, Lease, Queued, RowFilter, Verdict};
use smtp::Reply;

use crate::conclude::{self, Conclusion};
use crate::engine::Engine;
use crate::lane::Work;

/// Recipients whose lifetime ended while they waited, read at a time.
const AT_ONCE: usize = 100;

/// What it means that the lifetime ended after an attempt with this diagnosis.
pub(crate) fn expired(
    last: &Diagnosis,
    last_reply: Option<&Reply>,
    received_at: Timestamp,
    now: Timestamp,
) -> Diagnosis {
    let failure = failure(
        last.stage.unwrap_or(Stage::Route),
        Some(last.cause),
        last_reply.cloned(),
        received_at,
        now,
    );
    let outcome = Outcome::Failed(failure);
    match diagnose(&outcome, &Circumstances::default()) {
        Some(diagnosis) => Diagnosis {
            reply: last.reply,
            status: last.status,
            said_by: last.said_by,
            ..diagnosis
        },
        None => last.clone(),
    }
}

fn failure(
    stage: Stage,
    last: Option<Cause>,
    last_reply: Option<Reply>,
    received_at: Timestamp,
    now: Timestamp,
) -> Failure {
    let age_secs = now.duration_since(received_at).as_secs().max(0) as u64;
    let kind = FailureKind::Expired {
        age_secs,
        last,
        last_reply,
    };
    Failure { stage, kind }
}

/// Gives up what waits behind a destination that has just failed again and is past its lifetime:
/// the probe spoke for them too.
pub(crate) async fn give_up_overdue(engine: &Engine, lease: &Lease) {
    let key = &lease.destination;
    loop {
        let now = engine.now();
        let overdue = match engine.shared.store.overdue(key, now, AT_ONCE).await {
            Ok(overdue) => overdue,
            Err(error) => {
                tracing::error!(destination = %key, %error, "the queue cannot be read for what has expired");
                return;
            }
        };
        let mut progress = false;
        for queued in overdue {
            progress |= give_up(engine, lease, queued, now).await;
        }
        if !progress {
            return;
        }
    }
}

/// Answers whether something was given up and recorded.
async fn give_up(engine: &Engine, lease: &Lease, queued: Queued, now: Timestamp) -> bool {
    let Queued {
        message,
        mut recipients,
        body,
    } = queued;
    let indexes: Vec<u32> = recipients.iter().map(|r| r.index).collect();
    let claimed = engine.claim_waiting(&lease.destination, message.id, &indexes);
    recipients.retain(|r| claimed.contains(&r.index));
    if recipients.is_empty() {
        return false;
    }
    let work = Work::new(message, recipients, body);
    let destination = last_of(engine, &lease.destination).await;
    let (attempt, verdicts) = given_up(&work, destination.as_ref(), lease, now);
    let conclusion = Conclusion {
        verdicts,
        destination: None,
        effect: queue::policy::Effect::NONE,
        delivered: false,
    };
    conclude::settle(engine, lease, work, attempt, now, conclusion).await
}

/// What the destination's last failure meant, as the store remembers it.
async fn last_of(engine: &Engine, key: &DestinationKey) -> Option<Diagnosis> {
    let filter = RowFilter {
        open_only: true,
        destination: Some(key.clone()),
        limit: 1,
        ..RowFilter::default()
    };
    let rows = engine.shared.store.rows(filter).await.ok()?;
    rows.into_iter().next()?.destination?.last
}

fn given_up(
    work: &Work,
    destination: Option<&Diagnosis>,
    lease: &Lease,
    now: Timestamp,
) -> (Attempt, Vec<Verdict>) {
    let mut attempt = Attempt {
        route: Route {
            destination: lease.destination.to_string(),
            hosts: Vec::new(),
        },
        steps: Vec::new(),
        recipients: Vec::new(),
    };
    let mut verdicts = Vec::new();
    for recipient in &work.recipients {
        let last = destination.or(recipient.last.as_ref());
        let stage = last.and_then(|d| d.stage).unwrap_or(Stage::Route);
        let failure = failure(
            stage,
            last.map(|d| d.cause),
            None,
            work.message.received_at,
            now,
        );
        if attempt.steps.is_empty() {
            attempt.steps.push(Step {
                at_ms: 0,
                took_ms: 0,
                stage,
                what: StepKind::Went(failure.kind.clone()),
            });
        }
        let outcome = Outcome::Failed(failure);
        verdicts.push(Verdict {
            index: recipient.index,
            diagnosis: diagnose(&outcome, &Circumstances::default()),
            decision: Decision::Fail,
        });
        attempt.recipients.push(RecipientAttempt {
            index: recipient.index,
            address: recipient.address.clone(),
            outcome,
        });
    }
    (attempt, verdicts)
}
