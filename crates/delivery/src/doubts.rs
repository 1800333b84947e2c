//! Failures whose causes may be looked at are told to whoever does that.

use queue::{Decision, DestinationKey, Doubt, Verdict};

use crate::engine::Engine;
use crate::lane::Work;

/// Tells of the failures of an attempt, once for each cause.
pub(crate) fn tell(engine: &Engine, key: &DestinationKey, work: &Work, verdicts: &[Verdict]) {
    let Some(verifier) = &engine.shared.settings.verifier else {
        return;
    };
    let mut told = Vec::new();
    for (recipient, verdict) in work.recipients.iter().zip(verdicts) {
        let Some(diagnosis) = &verdict.diagnosis else {
            continue;
        };
        let goes_on = matches!(verdict.decision, Decision::RetryWhen(_));
        if goes_on || diagnosis.checks.is_empty() || told.contains(&diagnosis.cause) {
            continue;
        }
        told.push(diagnosis.cause);
        verifier.consider(Doubt {
            message: work.message.id,
            sender: work.message.sender.clone(),
            recipient: recipient.address.clone(),
            destination: key.clone(),
            diagnosis: diagnosis.clone(),
        });
    }
}
