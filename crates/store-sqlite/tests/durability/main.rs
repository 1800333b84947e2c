//! The durable states of the queue, one test for each line of `docs/durability.md`: what a crash in
//! that state leaves, and what the next start makes of it.
//!
//! A crash of the process leaves the files as they are at that moment: the tests copy the data
//! directory while the store is open, and open the copy.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod body;
mod crash;
mod disk;
mod findings;
mod line;
mod log;
mod options;
mod rerouting;
mod returned;
mod stage;
mod turns;
