//! What else is known of an attempt: it lets the same reply mean different things.

use diagnosis::Attempt;
use diagnosis::facts::Circumstances;
use queue::{DestinationKey, Recipient};

use crate::engine::Engine;
use crate::lane::Work;

/// The circumstances of an attempt for one recipient, of whose fellows so many were taken.
pub(crate) fn of(
    (engine, key): (&Engine, &DestinationKey),
    (work, attempt): (&Work, &Attempt),
    recipient: &Recipient,
    accepted: usize,
) -> Circumstances {
    Circumstances {
        message_size: work.message.size,
        accepted_recipients: u32::try_from(accepted).unwrap_or(u32::MAX),
        all_recipients: u32::try_from(attempt.recipients.len()).unwrap_or(u32::MAX),
        announced_size: None,
        earlier_attempts: recipient.attempts,
        own_connections: Some(engine.sessions_of(key)),
    }
}
