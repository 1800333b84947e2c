//! Message, recipient, destination, lease and attempt; the store trait; schedule and retry policy.
//!
//! The queue knows no SQL and does no I/O of its own: a [`Store`] keeps it, [`policy`] decides what
//! a failure means for the next attempt, and the roles (`reception`, `delivery`) do the talking.

mod callout;
mod courier;
mod directory;
mod greylist;
mod id;
mod mailbox;
mod model;
mod options;
pub mod policy;
mod quarantine;
mod record;
mod rerouting;
mod returned;
pub mod route;
mod store;
mod suppression;
mod tls_ledger;
mod verification;

pub use callout::{
    Answer, Callout, CalloutMemory, CalloutPolicy, Freshness, Remembered, Unanswered, Unsure,
};
pub use courier::{Courier, Intake, queued_recipients};
pub use directory::{
    Directory, Expansion, Found, MailboxQuota, NotFound, Placed, Resolved, Rewritten, TablePlace,
};
pub use greylist::{Greeting, Greylist, GreylistPolicy, Judgement, Seen, Standing, Triplet};
pub use id::{MessageId, ParseMessageIdError};
pub use mailbox::{MailboxTrouble, Mailboxes};
pub use model::{
    Destination, DestinationKey, Message, MessageKind, Origin, Recipient, RecipientState,
};
pub use options::{Deadline, Expanded, Options, RecipientOptions};
pub use quarantine::Quarantine;
pub use record::{
    AttemptRecord, Basis, Decision, DestinationUpdate, Event, EventKind, Verdict, WaitFor,
};
pub use rerouting::{Move, Moving};
pub use returned::{CameBack, JoinedBy, ReturnKind, Returned};
pub use smtp::envelope::BodyKind;
pub use store::{
    Body, BodySource, BodyWriter, Due, DueDestination, Lease, NewMessage, NewRecipient, Outage,
    Queued, Room, Row, RowFilter, Store, StoreError, Story, Waiting,
};
pub use suppression::{
    Suppressed, SuppressionReason, SuppressionSource, Suppressions, is_for_ever,
    is_for_ever_as_told, suppression_key,
};
pub use tls_ledger::{
    Beyond, ClosedTlsReport, Days, DueTlsReport, KeptTlsReport, OpenTlsReport, TlsLedger, TlsPost,
    TlsPostState, TlsSession, Tried,
};
pub use verification::{Doubt, Verified, Verifier};
