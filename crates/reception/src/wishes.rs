//! What the client asks for at MAIL and RCPT, as the queue keeps it: times that are relative there
//! made absolute, and those that cannot be granted refused.

use std::time::Duration;

use jiff::Timestamp;
use queue::{Deadline, Options, RecipientOptions};
use smtp::Address;
use smtp::envelope::{ByMode, Hold};
use smtp::server::{MailParams, RcptParams};

use crate::refusal::Refusal;
use crate::{Settings, Submission};

/// The options of a message that comes now.
pub(crate) fn of_message(
    params: &MailParams,
    settings: &Settings,
    now: Timestamp,
) -> Result<Options, Refusal> {
    let hold_until = match params.hold {
        Some(hold) => held_until(hold, settings.max_hold, now)?,
        None => None,
    };
    let deliver_by = params.deliver_by.map(|by| Deadline {
        at: later(now, by.seconds),
        mode: by.mode,
        trace: by.trace,
    });
    // RFC 4865 §4.4: what is to be delivered before it may be sent cannot be.
    if let (Some(hold), Some(by)) = (hold_until, deliver_by)
        && by.at <= hold
    {
        return Err(Refusal::DueBeforeRelease { by: by.at, hold });
    }
    Ok(Options {
        envelope_id: params.envelope_id.clone(),
        ret: params.ret,
        require_tls: params.require_tls,
        priority: params.priority,
        deliver_by,
        hold_until,
        submitter: params.submitter.clone(),
    })
}

/// RFC 4954 §5: who submitted the message first is believed to a client that has said who it is and may
/// itself send as that mailbox; from anybody else it is as if `AUTH=<>` had been said.
pub(crate) fn believed(
    submitter: Option<Address>,
    login: Option<&str>,
    submission: &Submission,
) -> Option<Address> {
    let may = |of: &Address| login.is_some_and(|user| submission.check_sender(user, of).is_ok());
    submitter.map(|of| if may(&of) { of } else { Address::null() })
}

/// The options of a recipient.
pub(crate) fn of_recipient(params: RcptParams) -> RecipientOptions {
    RecipientOptions {
        notify: params.notify,
        original: params.original,
        expanded: None,
    }
}

/// RFC 4865 §4: a time that is over already holds nothing back.
fn held_until(hold: Hold, most: Duration, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let until = match hold {
        Hold::For(seconds) => later(now, i64::try_from(seconds).unwrap_or(i64::MAX)),
        Hold::Until(at) => at,
    };
    let latest = latest(most, now);
    if until > latest {
        return Err(Refusal::HeldTooLong { until, latest });
    }
    Ok((until > now).then_some(until))
}

/// Until when mail may be held.
pub(crate) fn latest(most: Duration, now: Timestamp) -> Timestamp {
    now.checked_add(most).unwrap_or(Timestamp::MAX)
}

/// When the queue gives up a message that comes now. One that is held has its time after that
/// (RFC 4865 §4.2.3); one that is to go back at a certain time (RFC 2852 §4.1) goes back then.
pub(crate) fn expiry(options: &Options, lifetime: Duration, now: Timestamp) -> Timestamp {
    let from = options.hold_until.unwrap_or(now);
    let usual = from.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    match options.deliver_by {
        Some(by) if by.mode == ByMode::Return => usual.min(by.at),
        Some(_) | None => usual,
    }
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    let span = jiff::SignedDuration::from_secs(seconds);
    let end = if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    now.checked_add(span).unwrap_or(end)
}
