//! Who the recipients in domains of ours are: what the roles ask before they take or send mail for one.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smtp::Address;

use crate::route::Target;
use crate::{CalloutPolicy, DestinationKey};

/// What a mailbox may hold; 0 is any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxQuota {
    /// Bytes.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
}

/// What the envelope of one recipient has in place of what the client gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// The reverse-path: of a list's owner, or of us when mail is forwarded (SRS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Address>,
    /// The address that the client gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Address>,
}

impl Rewritten {
    /// `None` where nothing is rewritten.
    #[must_use]
    pub fn of(sender: Option<Address>, original: Option<Address>) -> Option<Rewritten> {
        (sender.is_some() || original.is_some()).then_some(Rewritten { sender, original })
    }
}

/// Who somebody turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The domain is none of ours.
    Elsewhere,
    /// It is one of ours.
    Here(Resolved),
}

/// The recipients that an address of ours stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Each once; not empty.
    pub recipients: Vec<Placed>,
    /// How they came of the address, in order.
    pub steps: Vec<Expansion>,
}

/// A recipient and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its address.
    pub address: Address,
    /// Where it goes.
    pub target: Target,
    /// The lane that leads there.
    pub destination: DestinationKey,
    /// What its mailbox may hold, where that is its own.
    pub quota: Option<MailboxQuota>,
    /// Its reverse-path, where that is another than the message's.
    pub sender: Option<Address>,
    /// How its next hop is asked before mail is taken; none: not at all.
    pub verify: Option<Arc<CalloutPolicy>>,
}

/// A place in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePlace {
    /// The table, as configured.
    pub table: String,
    /// The line in it, where it has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl std::fmt::Display for TablePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.table)?;
        self.line.map_or(Ok(()), |line| write!(f, " line {line}"))
    }
}

/// One step from an address to those that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expansion {
    /// A table has it.
    Became {
        /// The address.
        address: Address,
        /// What it stands for; of many, the first.
        into: Vec<Address>,
        /// How many more.
        more: u32,
        /// By which entry.
        by: TablePlace,
    },
    /// An address that a table names is nobody here: it is left out.
    LeftOut {
        /// The address.
        address: Address,
        /// Who names it.
        by: TablePlace,
    },
    /// The reverse-path is the owner's of a list, so that failures go to who can mend it.
    Owner {
        /// The list.
        list: Address,
        /// Its owner.
        owner: Address,
    },
    /// The reverse-path is one of ours, since the mail is forwarded to elsewhere (SRS).
    Forwarded {
        /// The sender.
        sender: Address,
        /// The reverse-path.
        rewritten: Address,
    },
    /// A reverse-path that we made came back: the sender behind it (SRS).
    Returned {
        /// The address that came.
        rewritten: Address,
        /// The sender.
        sender: Address,
    },
}

/// Why an address of ours is nobody, or cannot be told to be somebody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// The domain is ours; such a recipient is not.
    #[error("there is no {address} here")]
    Unknown {
        /// The address.
        address: Address,
    },
    /// A local part that asks the next hop to send on to elsewhere (`user%other@ours`).
    #[error("{address} asks to relay to another domain")]
    Routed {
        /// The address.
        address: Address,
    },
    /// The reverse-path that came back is not one that we made, or is too old.
    #[error("{address} is no reverse-path of ours: {why}")]
    NotReturned {
        /// The address.
        address: Address,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The tables lead in a circle, or too deep.
    #[error("the aliases lead in a circle: {}", chain_text(chain))]
    Circle {
        /// The addresses of the circle, in order.
        chain: Vec<Address>,
    },
    /// It stands for too many.
    #[error("{address} stands for more than {limit} recipients")]
    TooMany {
        /// The address.
        address: Address,
        /// The limit.
        limit: usize,
    },
    /// A table cannot be asked.
    #[error("the table {table} cannot be asked: {reported}")]
    TableFailed {
        /// The table, as configured.
        table: String,
        /// What happened.
        reported: String,
    },
    /// What a table says of it makes no sense.
    #[error("{by}: {problem}")]
    BadEntry {
        /// The entry.
        by: TablePlace,
        /// What is wrong with it.
        problem: String,
    },
}

fn chain_text(chain: &[Address]) -> String {
    let names: Vec<String> = chain.iter().map(ToString::to_string).collect();
    names.join(" → ")
}

/// The domains that are ours, and who is in them.
#[async_trait]
pub trait Directory: Send + Sync + Debug {
    /// Who an address is, for mail of this sender. The bare `postmaster` is ours.
    async fn find(
        &self,
        address: &Address,
        sender: &Address,
        now: Timestamp,
    ) -> Result<Found, NotFound>;
}
