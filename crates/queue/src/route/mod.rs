//! Routes: from an envelope to the destination it goes to.
//!
//! A next hop ([`NextHop`]) is what an administrator writes; a [`Target`] what becomes of it for an
//! address; its key names the lane. What else a route says (who we are there, from where we come) are
//! its [`Ways`], found again by the key, so that nothing of it is kept in the queue.

mod command;
mod hop;
mod imprint;
mod rule;
mod table;
mod target;

pub use command::{Command, Word};
pub use hop::{HostPort, NextHop, ParseNextHopError};
pub use imprint::Imprint;
pub use rule::{Asked, NotAPattern, Pattern, Rule};
pub use table::{Lead, Line, Matched, Routes, Twice};
pub use target::{Identity, Login, NoneOfFamily, Target, Ways};
