//! The program as a process: killed, starved of disk, called by hand.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod check;
mod commands;
mod crash;
mod crowd;
mod disk;
mod local;
mod pause;
mod routes;
mod sendmail;
mod serve;
mod talk;

use std::path::Path;

/// The program under test.
fn postrider() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_postrider"))
}
