//! Whole sessions against a receiver, from the outside.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod attacks;
mod faults;
mod front;
mod limits;
mod local;
mod next_hop;
mod pace;
mod parameters;
mod refusals;
mod screening;
mod situations;
mod sockets;
mod splits;
mod support;
mod suppression;
mod taken;
mod tls;
mod users;
