//! Noting addresses to which mail will never arrive.

use diagnosis::{Attempt, Cause};
use queue::{
    Decision, MessageKind, Suppressed, SuppressionReason, SuppressionSource, Suppressions, Verdict,
    is_for_ever, suppression_key,
};

use crate::engine::{Engine, later};
use crate::lane::Work;
use crate::report::last_words;

/// So much of what a peer said is kept.
const WORDS: usize = 600;

/// Notes those recipients of an attempt that are recorded as failed for ever. What cannot be noted is
/// noted with the next message.
pub(crate) async fn note(engine: &Engine, work: &Work, attempt: &Attempt, verdicts: &[Verdict]) {
    let settings = &engine.shared.settings;
    let (Some(list), false) = (&settings.suppressions, settings.suppression_keep.is_zero()) else {
        return;
    };
    // The sender of a message that is not theirs is what reports go to.
    if work.message.kind == MessageKind::Report {
        return;
    }
    let now = engine.now();
    for (recipient, verdict) in work.recipients.iter().zip(verdicts) {
        let Some(diagnosis) = &verdict.diagnosis else {
            continue;
        };
        if verdict.decision != Decision::Fail || !is_for_ever(diagnosis) {
            continue;
        }
        let entry = Suppressed {
            address: suppression_key(&recipient.address),
            reason: SuppressionReason::Failed {
                cause: diagnosis.cause,
                message: work.message.id,
                source: SuppressionSource::Delivery,
                report: None,
                words: words(attempt, recipient.index),
            },
            since: now,
            until: Some(later(now, settings.suppression_keep)),
        };
        write(&**list, entry).await;
    }
}

/// Puts those on the list of whom a report says so that came back. It happens before the report's
/// reading is recorded: a crash between the two reads it again.
pub(crate) async fn put(engine: &Engine, entries: Vec<Suppressed>) {
    let Some(list) = &engine.shared.settings.suppressions else {
        return;
    };
    for entry in entries {
        write(&**list, entry).await;
    }
}

async fn write(list: &dyn Suppressions, entry: Suppressed) {
    let (recipient, cause) = (entry.address.clone(), entry.reason.cause());
    let source = entry.reason.source();
    match list.suppress(entry).await {
        Ok(()) => tracing::info!(
            recipient,
            cause = cause.map(Cause::id),
            source,
            "put on the suppression list"
        ),
        Err(error) => {
            tracing::warn!(recipient, %error, "the suppression list cannot be written");
        }
    }
}

/// What the peer said at the end of it, in one line.
fn words(attempt: &Attempt, index: u32) -> Option<String> {
    let of = attempt.recipients.iter().find(|of| of.index == index)?;
    let reply = last_words(&of.outcome)?;
    let text = String::from_utf8_lossy(reply.raw()).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ").chars().take(WORDS).collect())
}
