//! Noting addresses to which mail will never arrive.

use queue::{
    Decision, MessageKind, Suppressed, SuppressionReason, Verdict, is_for_ever, suppression_key,
};

use crate::engine::{Engine, later};
use crate::lane::Work;

/// Notes those recipients of an attempt that are recorded as failed for ever. What cannot be noted is
/// noted with the next message.
pub(crate) async fn note(engine: &Engine, work: &Work, verdicts: &[Verdict]) {
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
            },
            since: now,
            until: Some(later(now, settings.suppression_keep)),
        };
        match list.suppress(entry).await {
            Ok(()) => tracing::info!(
                id = %work.message.id,
                recipient = %recipient.address,
                cause = diagnosis.cause.id(),
                "put on the suppression list"
            ),
            Err(error) => {
                tracing::warn!(recipient = %recipient.address, %error, "the suppression list cannot be written");
            }
        }
    }
}
