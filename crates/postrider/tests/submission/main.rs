//! Users, proxies and servers next door, with real clients.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod front;
mod stage;
mod users;
