//! `postrider sink` as a process: real clients and a real Postfix meet its scenarios, and its API tells
//! what it received.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod api;
mod clients;
mod command;
mod envelope;
mod postfix;
mod stage;
mod tls;
