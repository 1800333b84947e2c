//! Sans-I/O SMTP: commands, replies, extensions, server and client state machines.
//!
//! Nothing here reads a socket, a clock or a file. A driver hands over the bytes it received, takes
//! [events](server::Event) and writes what stands in the output. However the bytes are cut into
//! pieces, the events are the same.
//!
//! [`Reply`] is what a peer really said, byte for byte; [`OutgoingReply`] is what we say. The two
//! are different types, so that a failure of ours can never be passed off as a peer's words.

mod address;
mod extensions;
mod outgoing;
mod reply;
mod stage;
mod status;

pub mod client;
pub mod command;
pub mod content;
pub mod envelope;
pub mod proxy;
pub mod server;
pub mod xclient;

pub use address::{Address, AddressError, AddressProblem};
pub use extensions::{Extensions, Limits};
pub use outgoing::OutgoingReply;
pub use reply::{ProtocolError, Reply, ReplyParser, Severity};
pub use stage::Stage;
pub use status::{Class, EnhancedStatus, InvalidStatus};
