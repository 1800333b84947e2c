//! All failure policy: what a diagnosis and a history lead to.
//!
//! One table gives each cause its rhythm (`rhythm_of`); `decide` applies it. Nothing else in the
//! relay looks at codes or words to choose when to come back. Who waits follows the diagnosis's
//! scope: a recipient for what concerns it or its message, the destination for what concerns all.

use std::time::Duration;

use diagnosis::{Cause, Diagnosis, Finality, Hint, Scope};
use jiff::Timestamp;

use crate::{Basis, Decision, WaitFor};

/// What counts besides the diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Attempts for this recipient, the one just made included.
    pub attempts: u32,
    /// When the message was accepted.
    pub received_at: Timestamp,
    /// When the queue gives up.
    pub expires_at: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// Failures in a row that concerned the whole destination, before this one.
    pub destination_failures: u32,
    /// Whether other recipients of the same transaction were taken.
    pub others_accepted: bool,
}

/// What a decision means for the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationEffect {
    /// Nothing.
    None,
    /// No attempt before `until`; then one probe.
    Block {
        /// When the probe may go.
        until: Timestamp,
        /// Failures in a row, this one included.
        failures: u32,
    },
}

/// When to come back: first after `first`, each time `factor` times later, at most after `cap`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// The first wait.
    pub first: Duration,
    /// Growth of the wait.
    pub factor: f64,
    /// The longest wait.
    pub cap: Duration,
}

const fn minutes(first: u64, factor: f64, cap: u64) -> Rhythm {
    Rhythm {
        first: Duration::from_secs(first * 60),
        factor,
        cap: Duration::from_secs(cap * 60),
    }
}

/// The table: the rhythm of each cause.
#[must_use]
pub fn rhythm_of(cause: Cause) -> Rhythm {
    use Cause as C;
    match cause {
        // Most greylists open after 5 minutes, and want to see the same sender within hours.
        C::Greylisting => minutes(5, 1.5, 60),
        // People make room within hours, not minutes.
        C::MailboxFull => minutes(60, 2.0, 8 * 60),
        C::MailboxBusy | C::MailboxRate => minutes(5, 2.0, 2 * 60),
        // A later "no such mailbox" may be a directory that is being moved.
        C::MailboxUnknown | C::MailboxDisabled | C::AddressMoved => minutes(30, 2.0, 4 * 60),
        // The rest of the recipients, where none was taken in this transaction.
        C::TooManyRecipients => minutes(1, 2.0, 60),
        // Overload passes quickly, and a gentle probe does not add to it.
        C::ServerBusy | C::PolicyConnections => minutes(1, 2.0, 30),
        C::PolicyRate | C::PolicyPriority | C::SenderQuota => minutes(5, 2.0, 60),
        C::ServerFull | C::ServerNotAccepting => minutes(5, 2.0, 60),
        C::ServerError
        | C::ServerMisconfigured
        | C::ServerScannerFailed
        | C::ServerDirectoryFailed
        | C::ServerDownstreamFailed
        | C::AuthUnavailable
        | C::TlsFailed
        | C::MailboxDeliveryFailed
        | C::MailboxForwardFailed
        | C::MailboxListBroken => minutes(5, 2.0, 2 * 60),
        C::ConnectionRefused
        | C::ConnectionTimeout
        | C::NetworkUnreachable
        | C::NetworkCongested
        | C::OurLineDown => minutes(2, 2.0, 60),
        C::ConnectionDropped => minutes(1, 2.0, 60),
        // The peer may still be working on what it did not confirm (RFC 1047): let it finish.
        C::OutcomeUnknown => minutes(5, 2.0, 2 * 60),
        C::DnsFailing => minutes(2, 2.0, 60),
        // Ours to mend: look often enough that a repair is noticed.
        C::LocalFailure | C::OurFilter => minutes(1, 2.0, 15),
        C::RouteToSelf | C::RouteMissing | C::AuthFailed | C::AuthMechanism | C::AuthExpired => {
            minutes(15, 2.0, 2 * 60)
        }
        // Somebody has to change something first.
        C::ReputationListed
        | C::ReputationDomainListed
        | C::ReputationPoor
        | C::ReputationDynamic
        | C::ReputationComplaints
        | C::IdentitySpf
        | C::IdentityDkim
        | C::IdentityDmarc
        | C::IdentityNoPtr
        | C::IdentityHelo
        | C::IdentityArc
        | C::SenderDomainUnknown
        | C::SenderNullMx
        | C::SenderUnverified
        | C::SenderNotOwned
        | C::SenderBlocked
        | C::SenderSuspended
        | C::PolicyAttachment
        | C::PolicyEncryption
        | C::ContentSpam
        | C::ContentVirus
        | C::ContentLinkListed
        | C::ContentMalformed
        | C::ContentMediaUnsupported
        | C::ContentConversion
        | C::MailboxRestricted
        | C::AddressAmbiguous
        | C::MessageDuplicate
        | C::ServerFeatureMissing
        | C::MxBroken
        | C::QueueDeadline
        | C::QueueRemoved
        | C::TlsCertificate
        | C::TlsPolicy
        | C::ProtocolSequence
        | C::ProtocolLineTooLong
        | C::Complaint
        | C::IdentityUnproven
        | C::PolicyRefused
        | C::PolicyRelaying
        | C::ContentRefused
        | C::SenderRefused
        | C::AuthRequired
        | C::TlsRequired
        | C::NotSmtp
        | C::ProtocolRefused
        | C::MessageTooLarge
        | C::CharsetUnsupported
        | C::AddressNeedsUtf8
        | C::AddressSyntax
        | C::DomainUnknown
        | C::DomainTakesNoMail
        | C::NoMailServer
        | C::RouteLoop
        | C::QueueExpired
        | C::CannotTell => minutes(15, 2.0, 4 * 60),
    }
}

/// A wait that a peer asks for counts between these bounds.
const SHORTEST_ASKED: Duration = Duration::from_secs(10);
const LONGEST_ASKED: Duration = Duration::from_secs(12 * 3600);
/// Come just after the time a peer asked for: its clock may run a little behind.
const JUST_AFTER: Duration = Duration::from_secs(5);
/// Waits of the schedule vary by so much to both sides, so that many do not come back at once.
const JITTER: f64 = 0.2;

/// What happens next. `jitter` is from 0 to 1.
#[must_use]
pub fn decide(
    diagnosis: &Diagnosis,
    history: &History,
    jitter: f64,
) -> (Decision, DestinationEffect) {
    if diagnosis.finality == Finality::Permanent && diagnosis.scope != Scope::Us {
        return (Decision::Fail, DestinationEffect::None);
    }
    if diagnosis.hint == Some(Hint::DoNotRetry) {
        return (Decision::Fail, DestinationEffect::None);
    }
    // RFC 5321 §4.5.4.1: retries go on until the sender gives up; the lifetime says when.
    if history.now >= history.expires_at {
        return (Decision::Fail, DestinationEffect::None);
    }
    // RFC 5321 §4.5.3.1.10: the rest goes in another transaction. Only if this one made progress:
    // otherwise the next would end the same.
    if diagnosis.cause == Cause::TooManyRecipients && history.others_accepted {
        let next = Decision::RetryWhen(WaitFor::NextTransaction);
        return (next, DestinationEffect::None);
    }
    let whole_destination = matches!(diagnosis.scope, Scope::Destination | Scope::Us);
    // Others were taken in the same breath: then it is not the whole destination.
    let whole_destination = whole_destination && !history.others_accepted;
    let step = if whole_destination {
        history.destination_failures + 1
    } else {
        history.attempts.max(1)
    };
    let (wait, basis) = wait(diagnosis, step, jitter);
    let (at, basis) = within_lifetime(history, wait, basis);
    let effect = if whole_destination {
        let failures = history.destination_failures.saturating_add(1);
        DestinationEffect::Block {
            until: at,
            failures,
        }
    } else {
        DestinationEffect::None
    };
    (Decision::RetryAt { at, basis }, effect)
}

fn wait(diagnosis: &Diagnosis, step: u32, jitter: f64) -> (Duration, Basis) {
    if let Some(Hint::RetryAfter(asked)) = diagnosis.hint {
        let seconds = asked.clamp(SHORTEST_ASKED, LONGEST_ASKED).as_secs();
        let wait = Duration::from_secs(seconds) + JUST_AFTER;
        return (wait, Basis::PeerAsked { seconds });
    }
    let planned = planned_wait(&rhythm_of(diagnosis.cause), step);
    let basis = Basis::Schedule {
        step,
        seconds: planned.as_secs(),
    };
    let spread = 1.0 + JITTER * (2.0 * jitter.clamp(0.0, 1.0) - 1.0);
    (planned.mul_f64(spread), basis)
}

/// The wait after the `step`th failure, before jitter.
#[must_use]
pub fn planned_wait(rhythm: &Rhythm, step: u32) -> Duration {
    let growth = rhythm.factor.powi(step.saturating_sub(1).min(64) as i32);
    let seconds = rhythm.first.as_secs_f64() * growth;
    Duration::from_secs_f64(seconds.min(rhythm.cap.as_secs_f64()))
}

/// Nothing is planned for after the lifetime: the last attempt comes when it ends.
fn within_lifetime(history: &History, wait: Duration, basis: Basis) -> (Timestamp, Basis) {
    match history.now.checked_add(wait) {
        Ok(at) if at < history.expires_at => (at, basis),
        Ok(_) | Err(_) => (history.expires_at, Basis::Lifetime),
    }
}

#[cfg(test)]
mod tests {
    use diagnosis::facts::{Circumstances, Outcome};
    use diagnosis::{Failure, FailureKind, Stage, diagnose};
    use proptest::prelude::*;
    use smtp::Reply;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn history(attempts: u32) -> History {
        History {
            attempts,
            received_at: at(0),
            expires_at: at(432_000),
            now: at(1000),
            destination_failures: 0,
            others_accepted: false,
        }
    }

    fn meaning(text: &str) -> Diagnosis {
        let reply = Reply::parse("mx.example.org", text.as_bytes()).unwrap();
        let kind = FailureKind::Replied(reply);
        let stage = Stage::Rcpt;
        diagnose(
            &Outcome::Failed(Failure { stage, kind }),
            &Circumstances::default(),
        )
        .unwrap()
    }

    fn wait_after(text: &str, history: &History) -> (i64, Basis, DestinationEffect) {
        match decide(&meaning(text), history, 0.5) {
            (Decision::RetryAt { at, basis }, effect) => {
                (at.duration_since(history.now).as_secs(), basis, effect)
            }
            (other, _) => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_greylist_is_waited_out_as_long_as_it_asks_and_a_little_more() {
        let (wait, basis, effect) = wait_after(
            "450 4.7.1 Greylisted, try again in 300 seconds",
            &history(1),
        );
        assert_eq!((wait, basis), (305, Basis::PeerAsked { seconds: 300 }));
        assert_eq!(effect, DestinationEffect::None, "others may pass");
        let (wait, ..) = wait_after("450 4.7.1 Greylisted", &history(1));
        assert_eq!(wait, 300);
    }

    #[test]
    fn a_full_mailbox_waits_for_hours_and_alone() {
        let waits = [1, 2, 3, 4, 5].map(|n| wait_after("452 4.2.2 over quota", &history(n)));
        assert_eq!(waits.map(|w| w.0 / 3600), [1, 2, 4, 8, 8]);
        assert!(waits.iter().all(|w| w.2 == DestinationEffect::None));
    }

    #[test]
    fn a_full_server_blocks_the_destination_and_comes_back_later_each_time() {
        let mut history = history(1);
        for (failures, wait) in [(0, 300), (1, 600), (2, 1200), (9, 3600)] {
            history.destination_failures = failures;
            let (waited, _, effect) = wait_after("452 4.3.1 insufficient system storage", &history);
            assert_eq!(waited, wait);
            let until = at(1000 + wait);
            let failures = failures + 1;
            assert_eq!(effect, DestinationEffect::Block { until, failures });
        }
        history.others_accepted = true;
        let (_, _, effect) = wait_after("452 4.3.1 insufficient system storage", &history);
        assert_eq!(
            effect,
            DestinationEffect::None,
            "others were taken just now"
        );
    }

    #[test]
    fn too_many_recipients_go_on_at_once_only_after_progress() {
        let meaning = meaning("452 4.5.3 too many recipients");
        let mut history = history(1);
        assert!(matches!(
            decide(&meaning, &history, 0.5).0,
            Decision::RetryAt { .. }
        ));
        history.others_accepted = true;
        assert_eq!(
            decide(&meaning, &history, 0.5).0,
            Decision::RetryWhen(WaitFor::NextTransaction)
        );
    }

    #[test]
    fn what_is_final_fails_at_once_and_what_failed_here_never_does() {
        let mut final_one = meaning("550 5.1.1 User unknown");
        assert_eq!(decide(&final_one, &history(1), 0.5).0, Decision::Fail);
        final_one.scope = Scope::Us;
        assert!(matches!(
            decide(&final_one, &history(1), 0.5).0,
            Decision::RetryAt { .. }
        ));
    }

    #[test]
    fn the_last_attempt_is_made_when_the_lifetime_ends() {
        let mut history = history(9);
        history.now = at(432_000 - 60);
        let (Decision::RetryAt { at: next, basis }, _) =
            decide(&meaning("452 4.2.2 over quota"), &history, 0.5)
        else {
            panic!("one more attempt is due")
        };
        assert_eq!((next, basis), (history.expires_at, Basis::Lifetime));
        history.now = history.expires_at;
        assert_eq!(
            decide(&meaning("452 4.2.2 over quota"), &history, 0.5).0,
            Decision::Fail
        );
    }

    proptest! {
        #[test]
        fn an_attempt_is_never_planned_for_the_past_nor_after_the_lifetime(
            code in 400u16..600, words in "[ a-z0-9.:]{0,40}", attempts in 0u32..200, failures in 0u32..200,
            now in 0i64..500_000, jitter in 0.0f64..1.0, others in any::<bool>(),
        ) {
            let history = History {
                attempts, destination_failures: failures, now: at(now), others_accepted: others, ..history(1)
            };
            let diagnosis = meaning(&format!("{code} {words}"));
            let (decision, effect) = decide(&diagnosis, &history, jitter);
            if let Decision::RetryAt { at, .. } = decision {
                prop_assert!(at > history.now && at <= history.expires_at);
            }
            if let DestinationEffect::Block { until, failures: counted } = effect {
                prop_assert!(until > history.now && counted == failures + 1);
            }
        }

        #[test]
        fn waits_grow_up_to_the_cap(cause in 0..Cause::ALL.len(), step in 1u32..100) {
            let rhythm = rhythm_of(Cause::ALL[cause]);
            let (now, next) = (planned_wait(&rhythm, step), planned_wait(&rhythm, step + 1));
            prop_assert!(now <= next && next <= rhythm.cap && now >= rhythm.first);
        }

        #[test]
        fn jitter_moves_a_wait_by_a_fifth_at_most(jitter in 0.0f64..=1.0, attempts in 1u32..30) {
            let planned = planned_wait(&rhythm_of(Cause::MailboxFull), attempts).as_secs_f64();
            let (Decision::RetryAt { at, .. }, _) =
                decide(&meaning("452 4.2.2 over quota"), &history(attempts), jitter)
            else { panic!("transient") };
            let waited = at.duration_since(super::tests::at(1000)).as_secs_f64();
            prop_assert!((waited / planned - 1.0).abs() <= JITTER + 0.001);
        }
    }
}
