//! The causes, each with its stable id.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)+) => {
        /// Why mail did not get through. The id (`area.what`) is stable: scripts rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause { $($(#[doc = $doc])+ $name,)+ }

        impl Cause {
            /// Every cause, in catalog order.
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)+];

            /// The stable id, like `mailbox.full`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Cause::$name => $id,)+ }
            }

            /// The cause with this id.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Cause> {
                match id { $($id => Some(Cause::$name),)+ _ => None }
            }
        }
    };
}

causes! {
    /// The mailbox does not exist (X.1.1).
    MailboxUnknown = "mailbox.unknown",
    /// The mailbox exists but is disabled (X.2.1).
    MailboxDisabled = "mailbox.disabled",
    /// The mailbox is over its storage limit (X.2.2).
    MailboxFull = "mailbox.full",
    /// The mailbox is locked or busy now.
    MailboxBusy = "mailbox.busy",
    /// The receiver asks to come back later, by policy, from anybody it does not know.
    Greylisting = "greylisting",
    /// The receiver limits how much it takes from us in a time.
    PolicyRate = "policy.rate",
    /// The receiver refuses by a policy it does not name further.
    PolicyRefused = "policy.refused",
    /// The receiver will not relay for us (X.7.1 with such words).
    PolicyRelaying = "policy.relaying",
    /// Our address or domain has a bad name with the receiver.
    ReputationListed = "reputation.ip-listed",
    /// The sender's identity records (PTR, SPF, DKIM, DMARC) do not satisfy the receiver.
    IdentityUnproven = "identity.unproven",
    /// The content was refused as spam or a virus.
    ContentRefused = "content.refused",
    /// The message is larger than the receiver takes.
    MessageTooLarge = "message.too-large",
    /// More recipients in one transaction than the receiver takes.
    TooManyRecipients = "recipients.too-many",
    /// The receiver is closing down, overloaded or takes no more connections (421).
    ServerBusy = "server.busy",
    /// The receiver is out of disk or memory (X.3.1).
    ServerFull = "server.storage-full",
    /// The receiver's queue is stopped or it is under maintenance (X.3.2).
    ServerNotAccepting = "server.not-accepting",
    /// The receiver failed in its own processing (451).
    ServerError = "server.local-error",
    /// Nothing listens at the receiver's addresses.
    ConnectionRefused = "server.connection-refused",
    /// The receiver's addresses do not answer.
    ConnectionTimeout = "server.unreachable",
    /// The network has no way to the receiver.
    NetworkUnreachable = "network.unreachable",
    /// The connection broke or fell silent in mid-talk.
    ConnectionDropped = "connection.dropped",
    /// The peer does not speak SMTP.
    NotSmtp = "server.not-smtp",
    /// The connection ended after the message was sent and before the receiver confirmed it.
    OutcomeUnknown = "connection.outcome-unknown",
    /// The recipient's domain does not exist.
    DomainUnknown = "route.no-such-domain",
    /// The recipient's domain takes no mail (null MX).
    DomainTakesNoMail = "route.null-mx",
    /// The recipient's domain has no mail server.
    NoMailServer = "route.no-address",
    /// The DNS gives no answer now.
    DnsFailing = "dns.failing",
    /// The next hop is this relay itself.
    RouteToSelf = "route.to-self",
    /// The configuration names no next hop for this address.
    RouteMissing = "route.missing",
    /// The message goes round in circles.
    RouteLoop = "route.loop",
    /// The message waited its whole lifetime.
    QueueExpired = "queue.expired",
    /// The message is 8-bit or has a character set that the receiver does not take.
    CharsetUnsupported = "charset.unsupported",
    /// The address needs SMTPUTF8 and the receiver does not have it.
    AddressNeedsUtf8 = "address.needs-utf8",
    /// The address is not in a form that the receiver takes.
    AddressSyntax = "address.syntax",
    /// The receiver refuses the sender's address.
    SenderRefused = "sender.refused",
    /// The receiver wants us to log in first.
    AuthRequired = "auth.required",
    /// The receiver insists on encryption.
    TlsRequired = "tls.required",
    /// The receiver does not know the command or parameter that was sent.
    ProtocolRefused = "protocol.refused",
    /// A failure on this machine.
    LocalFailure = "us.local-failure",
    /// The facts do not tell.
    CannotTell = "cannot-tell",
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Cause::from_id(&id).ok_or_else(|| {
            serde::de::Error::custom(format!("`{id}` is no cause this version knows"))
        })
    }
}
