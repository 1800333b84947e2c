//! What is true of each cause whoever reports it: what shares its fate, who must act, what mends it.

use smtp::Stage;

use crate::{AddressDead, Cause, Check, Remedy, Responsible, Scope};

/// What is true of a cause by itself.
pub(crate) struct Traits {
    pub(crate) scope: Scope,
    pub(crate) responsible: Responsible,
    pub(crate) checks: &'static [Check],
    pub(crate) remedies: &'static [Remedy],
}

const fn traits(
    scope: Scope,
    responsible: Responsible,
    checks: &'static [Check],
    remedies: &'static [Remedy],
) -> Traits {
    Traits {
        scope,
        responsible,
        checks,
        remedies,
    }
}

/// The traits of a cause met at a stage. The stage matters where the same words mean the whole
/// server before MAIL and one message or mailbox after it.
pub(crate) fn traits_of(cause: Cause, stage: Stage) -> Traits {
    use Cause as C;
    use Check as K;
    use Remedy as R;
    use Responsible as W;
    use Scope as S;
    match cause {
        C::MailboxUnknown => traits(
            S::Recipient,
            W::Sender,
            &[K::DnsOfDomain],
            &[R::CorrectAddress],
        ),
        C::MailboxDisabled => traits(S::Recipient, W::Recipient, &[], &[R::AskReceiver]),
        C::MailboxFull => traits(
            S::Recipient,
            W::Recipient,
            &[K::SizeAnnounced],
            &[R::TellRecipientToMakeRoom, R::SendSmaller],
        ),
        C::MailboxBusy => traits(S::Recipient, W::Receiver, &[K::TcpAndBanner], &[R::Wait]),
        C::Greylisting => traits(S::Recipient, W::Receiver, &[K::AttemptHistory], &[R::Wait]),
        C::PolicyRate => traits(
            S::Destination,
            W::Us,
            &[K::BlockLists, K::OurPtr],
            &[R::SendSlower, R::Wait],
        ),
        C::PolicyRefused => traits(
            by_stage(stage, S::Message),
            W::Us,
            &[K::OurPtr, K::OurHelo, K::BlockLists, K::SenderIdentity],
            &[R::ProveIdentity, R::AskReceiver],
        ),
        C::PolicyRelaying => traits(
            S::Recipient,
            W::Receiver,
            &[K::DnsOfDomain, K::OwnRoutes],
            &[R::MendRoute, R::AskReceiver],
        ),
        C::ReputationListed => traits(
            S::Destination,
            W::Us,
            &[K::BlockLists, K::OurPtr],
            &[R::Delist, R::AskReceiver],
        ),
        C::IdentityUnproven => traits(
            by_stage(stage, S::Message),
            W::Us,
            &[K::SenderIdentity, K::OurPtr, K::OurHelo],
            &[R::ProveIdentity],
        ),
        C::ContentRefused => traits(
            S::Message,
            W::Sender,
            &[K::BlockLists],
            &[R::ChangeContent, R::AskReceiver],
        ),
        C::MessageTooLarge => traits(
            S::Message,
            W::Sender,
            &[K::SizeAnnounced],
            &[R::SendSmaller],
        ),
        C::TooManyRecipients => traits(S::Message, W::Us, &[], &[R::Wait]),
        C::ServerBusy => traits(S::Destination, W::Receiver, &[K::TcpAndBanner], &[R::Wait]),
        C::ServerFull => traits(
            S::Destination,
            W::Receiver,
            &[K::TcpAndBanner],
            &[R::Wait, R::AskReceiver],
        ),
        C::ServerNotAccepting => traits(
            S::Destination,
            W::Receiver,
            &[K::TcpAndBanner],
            &[R::Wait, R::AskReceiver],
        ),
        C::ServerError => traits(
            by_stage(stage, S::Message),
            W::Receiver,
            &[K::TcpAndBanner, K::SenderIdentity],
            &[R::Wait, R::AskReceiver],
        ),
        C::ConnectionRefused | C::ConnectionTimeout => traits(
            S::Destination,
            W::Receiver,
            &[K::DnsOfDomain, K::TcpAndBanner],
            &[R::Wait, R::AskReceiver],
        ),
        C::NetworkUnreachable => traits(
            S::Destination,
            W::Network,
            &[K::OwnRoutes, K::TcpAndBanner],
            &[R::MendOurNetwork, R::Wait],
        ),
        C::ConnectionDropped => traits(
            by_stage(stage, S::Message),
            W::Network,
            &[K::TcpAndBanner, K::AttemptHistory],
            &[R::Wait],
        ),
        C::NotSmtp => traits(
            S::Destination,
            W::Receiver,
            &[K::TcpAndBanner, K::DnsOfDomain],
            &[R::AskReceiver],
        ),
        C::OutcomeUnknown => traits(
            S::Message,
            W::Network,
            &[K::AttemptHistory],
            &[R::AskWhetherItArrived, R::Wait],
        ),
        C::DomainUnknown => traits(
            S::Destination,
            W::Sender,
            &[K::DnsOfDomain],
            &[R::CorrectAddress],
        ),
        C::DomainTakesNoMail => traits(
            S::Destination,
            W::Sender,
            &[K::DnsOfDomain],
            &[R::CorrectAddress, R::AskReceiver],
        ),
        C::NoMailServer => traits(
            S::Destination,
            W::Receiver,
            &[K::DnsOfDomain],
            &[R::CorrectAddress, R::AskReceiver],
        ),
        C::DnsFailing => traits(
            S::Destination,
            W::Receiver,
            &[K::DnsOfDomain],
            &[R::Wait, R::MendRoute],
        ),
        C::RouteToSelf | C::RouteMissing => traits(
            S::Destination,
            W::Us,
            &[K::OwnRoutes, K::DnsOfDomain],
            &[R::MendOurConfiguration],
        ),
        C::RouteLoop => traits(
            S::Message,
            W::Receiver,
            &[K::ReceivedTrail, K::DnsOfDomain],
            &[R::BreakLoop],
        ),
        C::QueueExpired => traits(
            S::Message,
            W::Receiver,
            &[K::AttemptHistory, K::TcpAndBanner],
            &[R::AskReceiver],
        ),
        C::CharsetUnsupported => traits(
            S::Message,
            W::Receiver,
            &[],
            &[R::ChangeContent, R::AskReceiver],
        ),
        C::AddressNeedsUtf8 => traits(
            S::Message,
            W::Receiver,
            &[],
            &[R::CorrectAddress, R::AskReceiver],
        ),
        C::AddressSyntax => traits(S::Recipient, W::Sender, &[], &[R::CorrectAddress]),
        C::SenderRefused => traits(
            S::Message,
            W::Sender,
            &[K::SenderIdentity, K::DnsOfDomain],
            &[R::ProveIdentity, R::AskReceiver],
        ),
        C::AuthRequired => traits(
            by_stage(stage, S::Message),
            W::Us,
            &[K::OwnRoutes],
            &[R::MendOurConfiguration, R::MendRoute],
        ),
        C::TlsRequired => traits(
            S::Destination,
            W::Us,
            &[K::TcpAndBanner],
            &[R::MendOurConfiguration],
        ),
        C::ProtocolRefused => traits(
            by_stage(stage, S::Message),
            W::Us,
            &[K::TcpAndBanner],
            &[R::AskReceiver],
        ),
        C::LocalFailure => traits(S::Us, W::Us, &[K::OwnRoutes], &[R::MendOurConfiguration]),
        C::CannotTell => traits(
            by_stage(stage, S::Message),
            W::Receiver,
            &[K::TcpAndBanner],
            &[R::AskReceiver],
        ),
    }
}

/// Before MAIL the peer knows nothing of the message: what it says holds for the destination.
fn by_stage(stage: Stage, later: Scope) -> Scope {
    match stage {
        Stage::Route
        | Stage::Connect
        | Stage::Greeting
        | Stage::Hello
        | Stage::StartTls
        | Stage::Auth => Scope::Destination,
        Stage::Mail
        | Stage::Rcpt
        | Stage::Data
        | Stage::Content
        | Stage::EndOfData
        | Stage::Reset
        | Stage::Quit => later,
    }
}

/// Whether the cause says that the address is of no more use. Only what the receiver's side says
/// for good about the mailbox or domain itself does; never a cause on our side.
pub(crate) fn address_dead(cause: Cause, permanent: bool) -> AddressDead {
    match cause {
        Cause::MailboxUnknown | Cause::DomainUnknown | Cause::DomainTakesNoMail if permanent => {
            AddressDead::True
        }
        Cause::MailboxDisabled | Cause::NoMailServer if permanent => AddressDead::Unknown,
        Cause::CannotTell
        | Cause::MailboxUnknown
        | Cause::MailboxDisabled
        | Cause::QueueExpired => AddressDead::Unknown,
        Cause::DomainUnknown
        | Cause::DomainTakesNoMail
        | Cause::NoMailServer
        | Cause::MailboxFull
        | Cause::MailboxBusy
        | Cause::Greylisting
        | Cause::PolicyRate
        | Cause::PolicyRefused
        | Cause::PolicyRelaying
        | Cause::ReputationListed
        | Cause::IdentityUnproven
        | Cause::ContentRefused
        | Cause::MessageTooLarge
        | Cause::TooManyRecipients
        | Cause::ServerBusy
        | Cause::ServerFull
        | Cause::ServerNotAccepting
        | Cause::ServerError
        | Cause::ConnectionRefused
        | Cause::ConnectionTimeout
        | Cause::NetworkUnreachable
        | Cause::ConnectionDropped
        | Cause::NotSmtp
        | Cause::OutcomeUnknown
        | Cause::DnsFailing
        | Cause::RouteToSelf
        | Cause::RouteMissing
        | Cause::RouteLoop
        | Cause::CharsetUnsupported
        | Cause::AddressNeedsUtf8
        | Cause::AddressSyntax
        | Cause::SenderRefused
        | Cause::AuthRequired
        | Cause::TlsRequired
        | Cause::ProtocolRefused
        | Cause::LocalFailure => AddressDead::False,
    }
}
