//! One log line for each recipient of an attempt: what came of it, in the peer's words and in ours.

use diagnosis::{Attempt, FailureKind, Outcome, Stage};
use explain::{Lang, Next, explain};
use jiff::Timestamp;
use queue::{Decision, DestinationKey, Verdict};

use crate::lane::Work;

pub(crate) fn log(
    work: &Work,
    key: &DestinationKey,
    attempt: &Attempt,
    verdicts: &[Verdict],
    now: Timestamp,
) {
    let id = work.message.id;
    for (of, verdict) in attempt.recipients.iter().zip(verdicts) {
        let (recipient, said) = (&of.address, said(&of.outcome));
        let Some(diagnosis) = &verdict.diagnosis else {
            tracing::info!(%id, %recipient, destination = %key, said, "delivered");
            continue;
        };
        let (decision, at) = decided(&verdict.decision);
        let next = Next {
            decision: Some(&verdict.decision),
            now,
        };
        let why = explain(diagnosis, &next, Lang::En).what;
        let (cause, stage) = (diagnosis.cause.id(), diagnosis.stage.map(Stage::as_str));
        tracing::warn!(%id, %recipient, destination = %key, cause, stage, decision, at, said, why, "not delivered");
    }
}

/// What the peer answered, on one line; `None` where nobody answered.
fn said(outcome: &Outcome) -> Option<String> {
    let reply = match outcome {
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
    };
    reply.map(|reply| {
        let text = String::from_utf8_lossy(reply.raw());
        text.split(['\r', '\n'])
            .filter(|l| !l.is_empty())
            .collect::<Vec<_>>()
            .join(" / ")
    })
}

fn decided(decision: &Decision) -> (&'static str, Option<String>) {
    match decision {
        Decision::Delivered => ("delivered", None),
        Decision::RetryAt { at, .. } => ("retry", Some(at.to_string())),
        Decision::RetryWhen(_) => ("next-transaction", None),
        Decision::Hold => ("hold", None),
        Decision::Fail => ("fail", None),
    }
}
