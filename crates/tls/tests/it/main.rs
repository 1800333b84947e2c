//! Certificates in files, and handshakes between the two sides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authority;
mod dane;
mod handshakes;
mod identities;
mod mint;
