//! Every branch of the checks, in a simulated world.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod domains;
mod encryption;
mod identity;
mod judged;
mod limits;
mod lists;
mod ourselves;
mod published;
mod queued;
mod servers;
mod stage;
