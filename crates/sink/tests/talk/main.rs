//! Sessions in a simulated network, where time passes only while everything waits.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod failures;
mod protocol;
mod stage;
