//! Why a filter wants a message kept back, as the queue keeps it.

use jiff::Timestamp;
use queue::{Event, EventKind, MessageId, Quarantine};
use screening::Reason;

use crate::screen::Fate;

/// What the story of the message tells, where it is kept back.
pub(crate) fn event(fate: &Fate, message: MessageId, at: Timestamp) -> Option<Event> {
    let Fate::Hold(filter, reason) = fate else {
        return None;
    };
    Some(Event {
        at,
        message: Some(message),
        recipient: None,
        destination: None,
        kind: EventKind::Quarantined {
            filter: filter.to_string(),
            why: why(reason),
        },
    })
}

fn why(reason: &Reason) -> Quarantine {
    match reason {
        Reason::Infected { name } => Quarantine::Infected { name: name.clone() },
        Reason::TooLargeToScan { size } => Quarantine::TooLargeToScan { size: *size },
        Reason::Listed(listings) => match listings.first() {
            Some(first) => Quarantine::Listed {
                entry: first.entry.clone(),
                zone: first.zone.clone(),
            },
            None => Quarantine::Unsaid,
        },
        Reason::Spam { score, required } => Quarantine::Spam {
            score: *score,
            required: *required,
        },
        Reason::Dmarc { domain } => Quarantine::Dmarc {
            domain: domain.clone(),
        },
        Reason::Spf { domain, .. } => Quarantine::Spf {
            domain: domain.clone(),
        },
        Reason::AuthenticationUnanswered { domain } => Quarantine::Unauthenticated {
            domain: domain.clone(),
        },
        Reason::Said(text) if !text.is_empty() => Quarantine::Said { text: text.clone() },
        // To hold for it makes no sense, and is no reason.
        Reason::Said(_) | Reason::Greylisted => Quarantine::Unsaid,
    }
}
