//! The table: from a cause and its circumstances to what is done.

use diagnosis::{Cause as C, Diagnosis};

use super::decide::History;
use super::kinds::Action::{self, Convert, Fail, NextTransaction, OtherHost};
use super::kinds::Special::{Hold, Learns, MayDuplicate, NeverExpires, SameWay, TellSender};
use super::kinds::Waits::{self, Destination, Message, Provider, Recipient, Us};
use super::kinds::When::{
    Always, Convertible, Final, OtherHosts, OthersTaken, SentMuch, ToldNotToReturn, TookLately,
    Unsure, WholeDestination,
};
use super::kinds::{Retry, Row, Signal, any, retry, row};

const fn again(who: Waits, first: u64, factor: f64, cap: u64) -> Action {
    Action::Retry(retry(who, first, factor, cap))
}

const fn with(retry: Retry) -> Action {
    Action::Retry(retry)
}

/// Waits are in minutes: the first, the growth, the longest. The first line that fits holds.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    row(&[C::CharsetUnsupported, C::AddressNeedsUtf8], Convertible, Convert),
    any(Final, Fail),
    any(ToldNotToReturn, Fail),
    // RFC 5321 §4.5.3.1.10: the rest goes in another transaction. Only if this one made progress:
    // otherwise the next would end the same.
    row(&[C::TooManyRecipients], OthersTaken, NextTransaction),
    row(&[C::TooManyRecipients], Always, again(Message, 1, 2.0, 60)),

    // Our own side: nothing that a receiver does.
    row(&[C::OurLineDown], Always, with(retry(Us, 1, 1.5, 5).no_hint().special(&[NeverExpires]))),
    row(&[C::LocalFailure], Always, with(retry(Destination, 1, 2.0, 15).no_hint())),
    row(&[C::OurFilter], Always, again(Message, 1, 2.0, 15)),
    // Ours to mend. Looked at often enough that a repair is noticed.
    row(&[C::RouteMissing, C::AuthFailed, C::AuthMechanism, C::AuthExpired],
        Always, with(retry(Destination, 15, 2.0, 120).no_hint().special(&[Hold, NeverExpires]))),
    // The DNS of the receiver may as well be what leads back to us: that the sender must hear of.
    row(&[C::RouteToSelf, C::AuthRequired],
        Always, with(retry(Destination, 15, 2.0, 120).no_hint().special(&[Hold]))),

    // Most greylists open after 5 minutes, and want to see the same sender within hours.
    row(&[C::Greylisting], Always, with(retry(Recipient, 5, 1.5, 60).just_after().special(&[SameWay, Learns]))),
    // People make room within hours, not minutes; who has not done so for long will not soon.
    row(&[C::MailboxFull], Always, with(retry(Recipient, 240, 1.5, 720).special(&[TellSender]))),
    row(&[C::MailboxBusy, C::MailboxRate, C::MailboxDeliveryFailed, C::MailboxForwardFailed, C::MailboxListBroken,
          C::ServerDirectoryFailed], Always, again(Recipient, 5, 2.0, 120)),
    // A later "no such mailbox" may be a directory that is being moved.
    row(&[C::MailboxUnknown, C::MailboxDisabled, C::AddressMoved, C::AddressAmbiguous, C::AddressSyntax],
        Always, again(Recipient, 30, 2.0, 240)),
    row(&[C::MailboxRestricted, C::SenderBlocked, C::PolicyRelaying, C::Complaint],
        Always, again(Recipient, 15, 2.0, 240)),

    // The server as a whole; another of the same destination may do better.
    row(&[C::ServerBusy, C::ServerFull, C::ServerNotAccepting, C::ConnectionDropped], OtherHosts, OtherHost),
    // Overload passes quickly, and a gentle probe does not add to it.
    row(&[C::ServerBusy], Always, again(Destination, 1, 2.0, 30)),
    row(&[C::ServerFull, C::ServerNotAccepting], Always, again(Destination, 5, 2.0, 60)),
    // An outage that has just begun may be a restart, and where much is sent a probe serves many. Of one that may
    // have begun long ago a half is seldom over within minutes (RFC 5321 §4.5.4.1 asks for 30 of them), and a host
    // that is silent stays so for longer than one that refuses.
    row(&[C::ConnectionRefused, C::ConnectionTimeout, C::NetworkUnreachable, C::NetworkCongested, C::DnsFailing],
        TookLately, again(Destination, 2, 2.0, 30)),
    row(&[C::ConnectionRefused], Always, again(Destination, 30, 1.0, 30)),
    row(&[C::ConnectionTimeout, C::NetworkUnreachable, C::NetworkCongested, C::DnsFailing],
        Always, again(Destination, 30, 1.3, 60)),
    row(&[C::ConnectionDropped], WholeDestination, with(retry(Destination, 1, 2.0, 60).no_hint())),
    row(&[C::ConnectionDropped], Always, with(retry(Message, 1, 2.0, 60).no_hint())),
    // The peer may still be working on what it did not confirm (RFC 1047): let it finish.
    row(&[C::OutcomeUnknown], Always, with(retry(Message, 5, 2.0, 120).no_hint().special(&[MayDuplicate]))),
    row(&[C::ServerMisconfigured, C::ServerDownstreamFailed, C::AuthUnavailable, C::TlsFailed],
        Always, again(Destination, 5, 2.0, 120)),
    row(&[C::ServerError], WholeDestination, again(Destination, 5, 2.0, 120)),
    // Some greylists say no more than this.
    row(&[C::ServerError], Always, with(retry(Message, 5, 2.0, 120).just_after().special(&[Learns]))),
    row(&[C::ServerScannerFailed], Always, again(Message, 5, 2.0, 120)),

    // We send too much at a time, or too fast.
    row(&[C::PolicyConnections], Always, with(retry(Provider, 1, 1.5, 15).signal(Signal::Connections))),
    // One probe finds when its time begins anew, be that a minute or an hour.
    row(&[C::PolicyRate], SentMuch, with(retry(Provider, 1, 1.2, 2).signal(Signal::Rate))),
    // Where next to nothing was sent it is no matter of minutes.
    row(&[C::PolicyRate], Always, with(retry(Provider, 10, 1.2, 20).signal(Signal::Rate))),
    row(&[C::PolicyPriority, C::SenderQuota], Always, again(Message, 5, 2.0, 60)),

    // Our name with the receiver: somebody has to change something first.
    row(&[C::ReputationListed, C::ReputationPoor, C::ReputationDynamic, C::ReputationComplaints, C::IdentityNoPtr,
          C::IdentityHelo], Unsure, with(retry(Destination, 10, 1.2, 20).signal(Signal::Rate))),
    row(&[C::ReputationListed, C::ReputationPoor, C::ReputationDynamic, C::ReputationComplaints, C::IdentityNoPtr,
          C::IdentityHelo], Always, with(retry(Provider, 10, 1.2, 20).signal(Signal::Rate))),
    row(&[C::IdentityUnproven, C::PolicyRefused],
        WholeDestination, with(retry(Destination, 15, 2.0, 240).signal(Signal::Rate))),
    row(&[C::ProtocolRefused, C::ProtocolSequence, C::CannotTell],
        WholeDestination, again(Destination, 15, 2.0, 240)),
    row(&[C::TlsRequired, C::TlsCertificate, C::TlsDane, C::TlsMtaSts, C::NotSmtp, C::NoMailServer, C::MxBroken,
          C::DomainUnknown, C::DomainTakesNoMail], Always, again(Destination, 15, 2.0, 240)),

    // The message, or who sends it.
    row(&[C::IdentityUnproven, C::PolicyRefused, C::ProtocolRefused, C::ProtocolSequence, C::CannotTell,
          C::IdentitySpf, C::IdentityDkim, C::IdentityDmarc, C::IdentityArc, C::ReputationDomainListed,
          C::SenderRefused, C::SenderDomainUnknown, C::SenderNullMx, C::SenderUnverified, C::SenderNotOwned,
          C::SenderSuspended, C::PolicyAttachment, C::PolicyEncryption, C::TlsPolicy, C::ContentRefused,
          C::ContentSpam, C::ContentVirus, C::ContentLinkListed, C::ContentMalformed, C::ContentMediaUnsupported,
          C::ContentConversion, C::CharsetUnsupported, C::AddressNeedsUtf8, C::MessageTooLarge,
          C::MessageDuplicate, C::ServerFeatureMissing, C::ProtocolLineTooLong],
        Always, again(Message, 15, 2.0, 240)),

    // A loop stays a loop (RFC 5321 §6.3), and what is over is over.
    row(&[C::RouteLoop, C::QueueExpired, C::QueueDeadline, C::QueueRemoved], Always, Fail),
];

/// What is done where no line fits. The test of the table shows that none is missing.
static OTHERWISE: Row = any(Always, again(Message, 15, 2.0, 240));

/// The line that holds.
#[must_use]
pub fn row_of(diagnosis: &Diagnosis, history: &History) -> &'static Row {
    let fits = |row: &&Row| row.is_for(diagnosis.cause) && row.when.holds(diagnosis, history);
    TABLE.iter().find(fits).unwrap_or(&OTHERWISE)
}

#[cfg(test)]
mod tests {
    use diagnosis::Cause;

    use super::super::kinds::Causes;
    use super::*;

    #[test]
    fn every_cause_of_the_catalog_has_a_line_that_always_holds() {
        for cause in Cause::ALL {
            let named = |row: &&Row| match row.causes {
                Causes::Any => false,
                Causes::These(causes) => causes.contains(cause),
            };
            let always = TABLE
                .iter()
                .filter(named)
                .filter(|r| r.when == Always)
                .count();
            assert_eq!(always, 1, "{cause}");
        }
    }

    #[test]
    fn no_line_stands_behind_one_that_always_holds_for_its_cause() {
        for cause in Cause::ALL {
            let mut lines = TABLE.iter().filter(|row| row.is_for(*cause));
            lines.by_ref().find(|row| row.when == Always).unwrap();
            assert_eq!(lines.next(), None, "{cause}: never reached");
        }
    }

    #[test]
    fn waits_that_concern_more_than_a_message_say_so_in_the_pace_of_what_is_sent() {
        for row in TABLE {
            let Action::Retry(retry) = row.action else {
                continue;
            };
            let wide = retry.who >= Waits::Destination;
            assert_eq!(wide, retry.signal != Signal::None, "{row:?}");
        }
    }
}
