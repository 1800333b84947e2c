//! The diagnosis: what the facts mean.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smtp::{EnhancedStatus, Stage};

use crate::{Cause, Dialect, Limit};

/// What a failure means, with the evidence for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Why.
    pub cause: Cause,
    /// How sure, 0 to 1.
    pub confidence: f32,
    /// What else shares this failure.
    pub scope: Scope,
    /// Who must act.
    pub responsible: Responsible,
    /// Who reported the failure.
    pub said_by: SaidBy,
    /// At which step, where that is known.
    pub stage: Option<Stage>,
    /// The reply code, if a peer sent one. Never invented.
    pub reply: Option<u16>,
    /// The enhanced status code, if a peer sent one. Never invented.
    pub status: Option<EnhancedStatus>,
    /// Whether trying this message again can help.
    pub finality: Finality,
    /// Whether the address itself is of no more use.
    pub address_dead: AddressDead,
    /// Whether it is the sending side that is turned away, whatever the recipient.
    #[serde(default)]
    pub sender_blocked: bool,
    /// The software or service whose words these are, where they show it.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// What the diagnosis rests on, strongest first.
    pub evidence: Vec<Evidence>,
    /// Other causes the facts allow, most likely first.
    pub alternatives: Vec<Alternative>,
    /// What could be checked from here to be surer.
    pub checks: Vec<Check>,
    /// What would mend it.
    pub remedies: Vec<Remedy>,
    /// What the peer's text asks of the next attempt.
    pub hint: Option<Hint>,
    /// The limits of the peer's that its text names.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// What shares the fate of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This message only.
    Message,
    /// This recipient, whatever the message.
    Recipient,
    /// Every recipient at this destination.
    Destination,
    /// Everything we send.
    Us,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Responsible {
    /// Whoever wrote the message.
    Sender,
    /// Whoever runs this relay.
    Us,
    /// Whoever runs the network between.
    Network,
    /// Whoever runs the receiving server or domain.
    Receiver,
    /// The person the message is for.
    Recipient,
}

/// Who reported the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidBy {
    /// The receiving server, in a reply.
    Receiver,
    /// The sending server: nobody answered it.
    Sender,
    /// A relay between the two.
    Relay,
}

/// Whether trying this message again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finality {
    /// It can.
    Transient,
    /// It cannot.
    Permanent,
    /// The facts do not tell.
    Unknown,
}

/// Whether the address is of no more use. Never `True` for a cause on the sender's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressDead {
    /// It is.
    True,
    /// It is not.
    False,
    /// The facts do not tell.
    Unknown,
}

/// A piece of evidence, quoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The words or the fact.
    pub text: String,
    /// Where it comes from.
    pub source: EvidenceSource,
    /// Byte range in the source, where the source is text.
    pub span: Option<(usize, usize)>,
}

/// Where a piece of evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceSource {
    /// The text of the peer's reply.
    ReplyText,
    /// The reply code.
    ReplyCode,
    /// The enhanced status code.
    EnhancedStatus,
    /// What the connection did.
    Connection,
    /// The DNS.
    Dns,
    /// The message itself.
    Message,
    /// The queue's own record.
    Queue,
    /// A program on this machine.
    Program,
}

/// Another cause that the facts allow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The cause.
    pub cause: Cause,
    /// How likely, 0 to 1.
    pub confidence: f32,
}

/// An enum whose values have names in records: `kebab-case`.
macro_rules! named {
    ($(#[doc = $doc:literal])+ $name:ident $($(#[doc = $vdoc:literal])+ $value:ident = $id:literal,)+) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[doc = $vdoc])+ $value,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$value,)+];

            /// The name as it stands in records.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $($name::$value => $id,)+ }
            }
        }
    };
}

named! {
/// Something that could be checked from here.
Check
/// The history of attempts.
AttemptHistory = "attempt-history",
/// Our address and the sender's domain on DNS block lists.
BlockLists = "block-lists",
/// DNS of the recipient's domain: MX, A, AAAA.
DnsOfDomain = "dns-of-domain",
/// The extensions that the peer announces (8BITMIME, SMTPUTF8 and so on).
ExtensionsAnnounced = "extensions-announced",
/// The limits that the peer announces (RFC 9422).
LimitsAnnounced = "limits-announced",
/// Our HELO name resolves to our address.
OurHelo = "our-helo",
/// Our address has a name that leads back to it.
OurPtr = "our-ptr",
/// How many connections we had open to it.
OwnConcurrency = "own-concurrency",
/// The log of our own filter.
OwnFilter = "own-filter",
/// Our own routes and network.
OwnRoutes = "own-routes",
/// Whether packets of full size get through to every exchanger.
PathMtu = "path-mtu",
/// The trail of `Received` fields.
ReceivedTrail = "received-trail",
/// SPF, DKIM and DMARC of the sender's domain.
SenderIdentity = "sender-identity",
/// The SIZE that the peer announces.
SizeAnnounced = "size-announced",
/// STARTTLS and the certificate of every exchanger.
StartTls = "start-tls",
/// TCP connection and banner of every exchanger.
TcpAndBanner = "tcp-and-banner",
}

named! {
/// What would mend it.
Remedy
/// Ask the sender's own provider or administrator.
AskOwnProvider = "ask-own-provider",
/// Ask the receiver's postmaster.
AskReceiver = "ask-receiver",
/// Reach the recipient another way and ask them to let the sender through.
AskRecipient = "ask-recipient",
/// Check with the recipient whether the message came, before sending it again.
AskWhetherItArrived = "ask-whether-it-arrived",
/// Find and break the forwarding loop.
BreakLoop = "break-loop",
/// Change the content.
ChangeContent = "change-content",
/// Correct the address.
CorrectAddress = "correct-address",
/// Send with an address that the account may use.
CorrectSender = "correct-sender",
/// Ask the list's operator to remove the entry, after the reason is gone.
Delist = "delist",
/// Publish or correct the DKIM key, or sign.
MendDkim = "mend-dkim",
/// Bring SPF or DKIM in line with the domain in From.
MendDmarc = "mend-dmarc",
/// Correct the name with which the server introduces itself.
MendHelo = "mend-helo",
/// Correct the name, password or method of the login.
MendLogin = "mend-login",
/// Mend the sending side's configuration.
MendOurConfiguration = "mend-our-configuration",
/// Mend the sending side's network or ask its provider.
MendOurNetwork = "mend-our-network",
/// Let ICMP through, or clamp the segment size: packets of full size get lost.
MendPathMtu = "mend-path-mtu",
/// Publish or correct the reverse DNS of the sending address.
MendPtr = "mend-ptr",
/// Mend the route or the DNS of the recipient's domain.
MendRoute = "mend-route",
/// Mend the DNS of the sender's domain.
MendSenderDomain = "mend-sender-domain",
/// Mend the program that wrote or sent the message.
MendSendingSoftware = "mend-sending-software",
/// Add the sending address to the SPF record of the sender's domain.
MendSpf = "mend-spf",
/// Publish or correct PTR, SPF, DKIM, DMARC.
ProveIdentity = "prove-identity",
/// Renew our own certificate.
RenewCertificate = "renew-certificate",
/// Look for a virus on the sender's machine.
ScanOwnMachine = "scan-own-machine",
/// Send the message again.
SendAgain = "send-again",
/// Send more slowly.
SendSlower = "send-slower",
/// Send less: smaller attachments, or a link.
SendSmaller = "send-smaller",
/// Stop sending to those who do not want it.
StopUnwanted = "stop-unwanted",
/// Tell the recipient in another way what stands in the way.
TellRecipient = "tell-recipient",
/// Reach the recipient another way and ask them to make room.
TellRecipientToMakeRoom = "tell-recipient-to-make-room",
/// Send through the provider's mail server.
UseSmarthost = "use-smarthost",
/// Nothing: the retry mends it.
Wait = "wait",
}

/// What a reply's text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// Come back after this long.
    RetryAfter(#[serde(with = "seconds")] Duration),
    /// Do not come back: the text says so.
    DoNotRetry,
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(value.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}
