//! What the receiving role asks about a mailbox on this machine before it takes mail for it.

use std::fmt::Debug;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::MailboxQuota;
use crate::route::Target;

/// Why a mailbox takes nothing at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxTrouble {
    /// Somebody holds its lock.
    #[error("the mailbox is locked by {}", lock.display())]
    Locked {
        /// The lock's file.
        lock: PathBuf,
    },
    /// It holds as much as it may, or would with this message.
    #[error("{used} bytes in {count} messages; the quota is {quota}")]
    Full {
        /// Bytes in it.
        used: u64,
        /// Messages in it.
        count: u64,
        /// What it may hold, as Maildir++ writes it: `1000000S,500C`.
        quota: String,
    },
    /// The message is larger than the mailbox may ever be.
    #[error("a message of {size} bytes; the whole quota is {most} bytes")]
    TooLarge {
        /// What the client announced.
        size: u64,
        /// Bytes that the mailbox may hold.
        most: u64,
    },
    /// It cannot be asked: the system failed.
    #[error("{doing} {}: {reported}", path.display())]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system reported.
        reported: String,
    },
}

/// The mailboxes on this machine, as the receiving role sees them.
#[async_trait]
pub trait Mailboxes: Send + Sync + Debug {
    /// Whether the mailbox of a target has room for a message of this size, as announced; `quota` where
    /// it has one of its own. A target that is no mailbox here has.
    async fn look(
        &self,
        target: &Target,
        quota: Option<MailboxQuota>,
        size: Option<u64>,
    ) -> Result<(), MailboxTrouble>;
}
