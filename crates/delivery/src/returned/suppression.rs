//! Whom what came back keeps from getting more.

use bounces::{Failure, Matched};
use queue::{
    JoinedBy, ReturnKind, Story, Suppressed, SuppressionReason, SuppressionSource,
    is_for_ever_as_told, suppression_key,
};

use super::One;
use crate::engine::later;

impl One<'_> {
    /// Why the recipient gets no more mail, if so. Only what the address itself is to blame for counts,
    /// told with enough certainty, and by somebody who had this message in hand.
    pub(super) fn suppression(
        &self,
        story: &Story,
        matched: Matched,
        failure: &Failure,
        by: JoinedBy,
    ) -> Option<Suppressed> {
        let settings = &self.engine.shared.settings;
        let keep = settings.suppression_keep;
        if keep.is_zero() || !(by.is_proof() || self.bounces.suppress_unsigned) {
            return None;
        }
        let Matched::Recipient(index) = matched else {
            return None;
        };
        let source = match failure.kind {
            ReturnKind::Failure => SuppressionSource::Bounce,
            ReturnKind::Complaint => SuppressionSource::Complaint,
            ReturnKind::Delay | ReturnKind::Answer | ReturnKind::Other => return None,
        };
        if !is_for_ever_as_told(&failure.diagnosis) {
            return None;
        }
        let recipient = story.recipients.iter().find(|r| r.index == index)?;
        Some(Suppressed {
            address: suppression_key(&recipient.address),
            reason: SuppressionReason::Failed {
                cause: failure.diagnosis.cause,
                message: story.message.id,
                source,
                report: Some(self.work.message.id),
                words: failure.words.clone(),
            },
            since: self.now,
            until: Some(later(self.now, keep)),
        })
    }
}
