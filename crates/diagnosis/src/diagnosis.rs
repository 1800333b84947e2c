//! The diagnosis: what the facts mean.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smtp::{EnhancedStatus, Stage};

use crate::Cause;

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
    /// At which step.
    pub stage: Stage,
    /// The reply code, if a peer sent one. Never invented.
    pub reply: Option<u16>,
    /// The enhanced status code, if a peer sent one. Never invented.
    pub status: Option<EnhancedStatus>,
    /// Whether trying this message again can help.
    pub finality: Finality,
    /// Whether the address itself is of no more use.
    pub address_dead: AddressDead,
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
}

/// Another cause that the facts allow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The cause.
    pub cause: Cause,
    /// How likely, 0 to 1.
    pub confidence: f32,
}

/// Something that could be checked from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// DNS of the recipient's domain: MX, A, AAAA.
    DnsOfDomain,
    /// TCP connection and banner of every exchanger.
    TcpAndBanner,
    /// Our address has a name that leads back to it.
    OurPtr,
    /// Our HELO name resolves to our address.
    OurHelo,
    /// Our address on DNS block lists.
    BlockLists,
    /// SPF, DKIM and DMARC of the sender's domain.
    SenderIdentity,
    /// The SIZE that the peer announces.
    SizeAnnounced,
    /// The trail of `Received` fields.
    ReceivedTrail,
    /// Our own routes and network.
    OwnRoutes,
    /// The history of attempts.
    AttemptHistory,
}

/// What would mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Nothing: the retry mends it.
    Wait,
    /// Correct the address.
    CorrectAddress,
    /// Reach the recipient another way and ask them to make room.
    TellRecipientToMakeRoom,
    /// Send less: smaller attachments, or a link.
    SendSmaller,
    /// Ask the receiver's postmaster.
    AskReceiver,
    /// Mend the route or the DNS of the recipient's domain.
    MendRoute,
    /// Mend our configuration.
    MendOurConfiguration,
    /// Mend our network or ask our provider.
    MendOurNetwork,
    /// Publish or correct PTR, SPF, DKIM, DMARC.
    ProveIdentity,
    /// Ask the list's operator to remove our address, after the reason is gone.
    Delist,
    /// Send more slowly.
    SendSlower,
    /// Change the content.
    ChangeContent,
    /// Find and break the forwarding loop.
    BreakLoop,
    /// Check with the recipient whether the message came, before sending it again.
    AskWhetherItArrived,
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
