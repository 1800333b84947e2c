//! Sans-I/O SMTP: commands, replies, extensions, server and client state machines.

mod address;
pub mod client;
pub mod content;
mod extensions;
mod outgoing;
mod reply;
mod stage;
mod status;

pub use address::{Address, AddressError, AddressProblem};
pub use extensions::{Extensions, Limits};
pub use outgoing::OutgoingReply;
pub use reply::{ProtocolError, Reply, ReplyParser, Severity};
pub use stage::Stage;
pub use status::{Class, EnhancedStatus, InvalidStatus};
