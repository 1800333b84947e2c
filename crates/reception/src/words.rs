//! The words of refusals, without the wait that comes last.
//!
//! They are read by people, by senders' diagnoses (`crates/diagnosis/catalog/dialects/postrider.toml` has
//! a row for each) and by whoever greps a log. No number with a unit of time stands where it could be
//! taken for the wait.

use std::time::Duration;

use jiff::Timestamp;
use queue::{MailboxTrouble, StoreError, Suppressed, SuppressionReason, SuppressionSource};
use smtp::Address;

use crate::limits::TooMany;
use crate::pace::Overdue;
use crate::rates::TooFast;
use crate::refusal::Refusal;
use crate::submission::HeaderProblem;
use crate::trace::push_literal;
use crate::watermark::{Scarce, Shortage};

pub(crate) fn of(refusal: &Refusal, hostname: &str) -> String {
    match refusal {
        Refusal::RelayDenied { client, .. } => {
            let mut at = String::new();
            push_literal(&mut at, *client);
            format!("relay access denied: {at} is not in [relay] networks")
        }
        Refusal::NoRoute(address) => match address.domain() {
            Some(domain) => format!("unable to route: [routes] has none for {domain}"),
            None => "the address has no domain, and no route \"*\" takes such addresses".to_owned(),
        },
        Refusal::Paused => format!("{hostname} is paused by its administrator and takes no mail"),
        Refusal::Short(shortage) => short(shortage),
        Refusal::Store(StoreError::Full { .. }) => {
            "the disk for the queue is full; the message was not kept".to_owned()
        }
        Refusal::Store(StoreError::Uncertain) => {
            "cannot tell whether the message was kept; trying again may send it twice".to_owned()
        }
        Refusal::Store(_) => "the queue failed; the message was not kept".to_owned(),
        Refusal::Loop {
            hops,
            limit,
            repeated,
        } => looping(
            &format!("the message has passed {hops} hosts, {limit} are allowed"),
            repeated,
        ),
        Refusal::LoopHere {
            times,
            limit,
            repeated,
        } => looping(
            &format!("the message has been at {hostname} {times} times, {limit} are allowed"),
            repeated,
        ),
        Refusal::TooMany(too_many) => crowded(hostname, too_many),
        Refusal::TooFast(fast) | Refusal::RecipientTooFast { too_fast: fast, .. } => {
            too_fast(hostname, fast)
        }
        Refusal::Greylisted { network, .. } => {
            format!("greylisted: mail of this sender to this recipient is new from {network}")
        }
        Refusal::Mailbox { trouble, .. } => mailbox(trouble),
        Refusal::Nobody(nobody) => nobody.words(),
        Refusal::Unverified(unverified) => unverified.words(),
        Refusal::Screened(screened) => screened.words(hostname),
        Refusal::HeaderTooLarge { limit } => format!(
            "the header of the message is larger than {}, which is more than any header needs",
            size(*limit as u64)
        ),
        Refusal::TalksFirst => "wait for the greeting before you speak".to_owned(),
        Refusal::Suppressed { recipient, entry } => suppressed(hostname, recipient, entry),
        Refusal::HeldTooLong { until, latest } => format!(
            "the message is to be held until {}; {hostname} holds mail until {} at most",
            moment(*until),
            moment(*latest)
        ),
        Refusal::DueBeforeRelease { by, hold } => format!(
            "the message is to be delivered by {} and held until {}; not both can be done",
            moment(*by),
            moment(*hold)
        ),
        Refusal::Overdue(overdue) => overdue_text(hostname, overdue),
        Refusal::TooManyErrors(most) => {
            format!("{hostname} closes the connection after {most} refused commands")
        }
        Refusal::AuthRequired => "authentication required: this port is for users".to_owned(),
        // Not whether there is such a user.
        Refusal::LoginFailed { .. } => {
            "authentication failed: name or password is wrong".to_owned()
        }
        Refusal::LoginUnavailable { .. } => {
            "authentication is not possible at the moment".to_owned()
        }
        Refusal::TooManyFailedLogins(most) => {
            format!("{hostname} closes the connection after {most} failed logins")
        }
        Refusal::SenderNotAllowed { login, sender } => {
            format!("user {login} may not send as {sender}")
        }
        Refusal::FromNotAllowed { login, sender } => {
            format!("user {login} may not send a message from {sender}")
        }
        Refusal::Header(problem) => header(problem),
        Refusal::NotQualified(address) => {
            format!("the domain of {address} is not a full name")
        }
        Refusal::NoTls => "TLS is not available".to_owned(),
        Refusal::NoTransaction => "MAIL must come first".to_owned(),
        Refusal::Stopping => format!("{hostname} is shutting down"),
    }
}

fn header(problem: &HeaderProblem) -> String {
    match problem {
        HeaderProblem::Twice(name) => format!("the message has more than one {name} field"),
        HeaderProblem::NoFrom => "the message has no From field".to_owned(),
    }
}

fn short(shortage: &Shortage) -> String {
    let Shortage { what, now, mark } = shortage;
    match what {
        Scarce::DiskBytes => format!(
            "insufficient system storage: {} free for the queue, {} needed",
            size(*now),
            size(*mark)
        ),
        Scarce::DiskFiles => format!(
            "insufficient system storage: the disk of the queue has {now} inodes free, {mark} needed"
        ),
        Scarce::AvailableMemory => format!(
            "insufficient system resources: {} of memory available, {} needed",
            size(*now),
            size(*mark)
        ),
        Scarce::ResidentMemory => format!(
            "insufficient system resources: this server holds {} of memory and may hold {}",
            size(*now),
            size(*mark)
        ),
    }
}

fn crowded(hostname: &str, too_many: &TooMany) -> String {
    match too_many {
        TooMany::Connections(most) => {
            format!("{hostname} is at its limit of {most} connections")
        }
        TooMany::FromClient(client, most) => format!(
            "too many connections: {hostname} takes {most} connections at a time from {client}"
        ),
        TooMany::FromNetwork(network, most) => format!(
            "too many connections: {hostname} takes {most} connections at a time from all of {network}"
        ),
    }
}

fn too_fast(hostname: &str, fast: &TooFast) -> String {
    format!(
        "too many {what}: {hostname} takes {count} {what} in {per} from {whose}",
        what = fast.what.as_str(),
        count = fast.rate.count,
        per = time(fast.rate.per),
        whose = fast.whose,
    )
}

fn mailbox(trouble: &MailboxTrouble) -> String {
    match trouble {
        MailboxTrouble::Locked { .. } => "the mailbox is locked at the moment".to_owned(),
        MailboxTrouble::Full { .. } => "the mailbox is full: it is at its quota".to_owned(),
        MailboxTrouble::TooLarge { size, most } => format!(
            "the message of {size} bytes is larger than the whole quota of the mailbox, {most} bytes"
        ),
        MailboxTrouble::Failed { .. } => "the mailbox store failed".to_owned(),
    }
}

fn overdue_text(hostname: &str, overdue: &Overdue) -> String {
    match overdue {
        Overdue::Command { after } => {
            format!("{hostname} had no command for {}; closing", time(*after))
        }
        Overdue::Silent { after, received } => format!(
            "{hostname} got nothing more for {} after {received} bytes of content; the message was not kept",
            time(*after)
        ),
        Overdue::TooSlow {
            over,
            received,
            asked,
        } => format!(
            "{hostname} got {received} bytes of content in {}, fewer than {asked} a second; the message was not kept",
            time(*over)
        ),
        Overdue::Stopping { grace } => format!(
            "{hostname} is shutting down and the message did not end within {}; it was not kept",
            time(*grace)
        ),
    }
}

fn looping(what: &str, repeated: &[String]) -> String {
    let mut text = format!("mail loop: {what}");
    if !repeated.is_empty() {
        text.push_str("; more than once: ");
        text.push_str(&repeated.join(", "));
    }
    text
}

/// A wait, in the form that machines read: whole seconds, rounded up, at least one.
pub(crate) fn seconds(wait: Duration) -> String {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match whole.max(1) {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

fn time(duration: Duration) -> String {
    match duration.as_secs() {
        secs if secs >= 7_200 && secs % 3_600 == 0 => format!("{} hours", secs / 3_600),
        secs if secs >= 120 && secs % 60 == 0 => format!("{} minutes", secs / 60),
        1 => "1 second".to_owned(),
        secs => format!("{secs} seconds"),
    }
}

fn suppressed(hostname: &str, recipient: &Address, entry: &Suppressed) -> String {
    let why = match &entry.reason {
        SuppressionReason::Administrator { note } if note.is_empty() => {
            "its administrator put it there".to_owned()
        }
        SuppressionReason::Administrator { note } => note.clone(),
        SuppressionReason::Failed {
            cause,
            message,
            source,
            ..
        } => match source {
            SuppressionSource::Delivery => {
                format!("mail to it failed for {} (message {message})", cause.id())
            }
            SuppressionSource::Bounce => {
                format!(
                    "mail to it came back for {} (message {message})",
                    cause.id()
                )
            }
            SuppressionSource::Complaint => {
                format!("whoever has it complained about mail (message {message})")
            }
        },
    };
    format!(
        "{recipient} is on the suppression list of {hostname} since {}: {why}; its administrator takes it off with `postrider suppression remove {recipient}`",
        moment(entry.since)
    )
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    if bytes >= 10 * KIB * KIB {
        format!("{} MiB", bytes / (KIB * KIB))
    } else {
        format!("{} KiB", bytes / KIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(refusal: &Refusal) -> String {
        let mut out = bytes::BytesMut::new();
        refusal.reply("relay.example").write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn a_loop_names_the_hosts_that_repeat() {
        let repeated = vec!["a.example".to_owned(), "b.example".to_owned()];
        let text = line(&Refusal::Loop {
            hops: 51,
            limit: 50,
            repeated,
        });
        assert_eq!(
            text,
            "554 5.4.6 mail loop: the message has passed 51 hosts, 50 are allowed; \
             more than once: a.example, b.example\r\n"
        );
    }

    #[test]
    fn a_denied_client_reads_which_of_its_addresses_and_which_setting() {
        assert_eq!(
            line(&Refusal::RelayDenied {
                client: "::ffff:192.0.2.9".parse().unwrap(),
                recipient: "b@example.org".parse().unwrap(),
            }),
            "550 5.7.1 relay access denied: [192.0.2.9] is not in [relay] networks\r\n"
        );
    }

    #[test]
    fn a_wait_is_the_last_thing_said_in_whole_seconds() {
        assert_eq!(
            line(&Refusal::Greylisted {
                recipient: "b@example.org".parse().unwrap(),
                network: "192.0.2.0/24".parse().unwrap(),
                wait: Duration::from_millis(299_001),
            }),
            "451 4.7.1 greylisted: mail of this sender to this recipient is new from 192.0.2.0/24; \
             try again in 300 seconds\r\n"
        );
        assert_eq!(
            line(&Refusal::Stopping),
            "421 4.3.2 relay.example is shutting down; try again in 60 seconds\r\n"
        );
        assert_eq!(seconds(Duration::ZERO), "1 second");
    }

    #[test]
    fn times_and_sizes_read_naturally() {
        assert_eq!(time(Duration::from_secs(300)), "5 minutes");
        assert_eq!(time(Duration::from_secs(7_200)), "2 hours");
        assert_eq!(time(Duration::from_secs(90)), "90 seconds");
        assert_eq!(size(33_554_432), "32 MiB");
        assert_eq!(size(4_000_000), "3906 KiB");
    }
}
