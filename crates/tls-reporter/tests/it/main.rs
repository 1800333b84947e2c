//! Days of counting and sending on a virtual clock, with a ledger on disk and a web server under TLS in a
//! simulated network.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod days;
mod scene;
