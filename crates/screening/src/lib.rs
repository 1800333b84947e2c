//! What filters are asked about mail that comes in, what they answer, and what a chain of them concludes.
//!
//! The receiving role opens a [`Screening`] for each session of a client and asks it at each [`Stage`];
//! how a filter finds its answer (over which network, by which protocol) is behind [`Filter`]. What holds:
//!
//! - A filter has the time that its link gives it, and no more. A filter that fails says nothing:
//!   [`OnFailure`] says what that means.
//! - Filters that only judge are asked at the same time; one that changes the message is asked alone,
//!   after those before it, and those after it see the message as it left it.
//! - Of several that object, the first in the configured order is told to the client.
//! - What a filter adds to a header cannot end the header, nor begin another field: [`Field::new`].

mod answer;
mod chain;
mod header;
mod message;

use std::net::SocketAddr;

use async_trait::async_trait;
use queue::MessageId;
use smtp::Address;

pub use answer::{Answer, Codes, Edit, Failure, Listing, Reason, Refused, Verdict};
pub use chain::{Chain, Conclusion, Link, OnFailure, Passed, Screening};
pub use header::{Field, Header};
pub use message::{MAX_HEADER, Message, Pieces};

/// A point of a session at which filters are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// A client has connected; it has not been greeted.
    Connect,
    /// EHLO or HELO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT, once for each recipient.
    Rcpt,
    /// The whole message is there, and not yet confirmed.
    Content,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Stage; 5] = [
        Stage::Connect,
        Stage::Helo,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Content,
    ];

    /// The name, as in configurations and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Connect => "connect",
            Stage::Helo => "helo",
            Stage::Mail => "mail",
            Stage::Rcpt => "rcpt",
            Stage::Content => "content",
        }
    }
}

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address and port.
    pub address: SocketAddr,
    /// The name given at EHLO or HELO.
    pub helo: Option<String>,
    /// How it speaks (RFC 3848): `ESMTP`, `ESMTPS`, …
    pub protocol: &'static str,
    /// Who it has proved to be.
    pub authenticated: Option<String>,
    /// By which SASL mechanism, where that is known.
    pub mechanism: Option<String>,
    /// How the connection is encrypted; none: not at all.
    pub tls: Option<Tls>,
}

/// The encryption of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The protocol, like `TLSv1.3`.
    pub protocol: String,
    /// The cipher suite by its IANA name.
    pub cipher: String,
}

impl Tls {
    /// The length of the cipher's key, where its name tells it.
    #[must_use]
    pub fn bits(&self) -> Option<u16> {
        let known = [("AES_128", 128), ("AES_256", 256), ("CHACHA20", 256)];
        let named = |(name, _): &&(&str, u16)| self.cipher.contains(name);
        known.iter().find(named).map(|(_, bits)| *bits)
    }
}

impl Client {
    /// One that has only connected.
    #[must_use]
    pub fn new(address: SocketAddr) -> Client {
        let ip = address.ip().to_canonical();
        Client {
            address: SocketAddr::new(ip, address.port()),
            helo: None,
            protocol: "SMTP",
            authenticated: None,
            mechanism: None,
            tls: None,
        }
    }
}

/// The envelope so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The message's name in the queue, once it has one.
    pub id: Option<MessageId>,
    /// The reverse-path.
    pub sender: Address,
    /// The recipients that are accepted.
    pub recipients: Vec<Address>,
    /// The size that the client announced.
    pub size: Option<u64>,
}

/// What a filter is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// When.
    pub stage: Stage,
    /// Our own name.
    pub hostname: &'a str,
    /// Who sends.
    pub client: &'a Client,
    /// From MAIL on.
    pub envelope: Option<&'a Envelope>,
    /// The recipient that is asked about, at RCPT.
    pub recipient: Option<&'a Address>,
    /// The message, at the end of its content.
    pub message: Option<&'a Message>,
}

/// Judges mail.
pub trait Filter: Send + Sync {
    /// Whether it is asked at a stage.
    fn attends(&self, stage: Stage) -> bool;
    /// Whether its answers may change the message or its envelope in ways that other filters should see.
    fn changes(&self) -> bool {
        false
    }
    /// Begins with a client.
    fn open(&self) -> Box<dyn Conversation>;
}

/// A filter's part in one session.
#[async_trait]
pub trait Conversation: Send {
    /// Asks. The future may be dropped when its time is over; after that, and after a failure, the
    /// conversation is not used any more.
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure>;

    /// The transaction ended without its end of content: RSET, EHLO again, a refusal.
    fn forget(&mut self) {}
}
