//! Sans-I/O SMTP: commands, replies, extensions, server and client state machines.

mod address;
mod reply;
mod stage;
mod status;

pub use address::{Address, AddressError};
pub use reply::{MAX_REPLY, OutgoingReply, Reply, ReplyError, ReplyParser, Severity};
pub use stage::Stage;
pub use status::{Class, EnhancedStatus, ParseStatusError};
