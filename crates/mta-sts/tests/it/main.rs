//! Policies from a web server over TLS, on a virtual clock.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod fetching;
mod keeping;
mod web;
