//! The sending role on a virtual clock, against servers within the process.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod durable;
mod outage;
mod peer;
mod relay;
mod single;
