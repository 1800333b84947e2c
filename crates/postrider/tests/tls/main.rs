//! TLS with real peers: OpenSSL, Postfix, swaks, msmtp.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot set up its stage fails"
)]

mod acme;
mod authority;
mod checking;
mod dane;
mod judging;
mod mta_sts;
mod receiving;
mod reporting;
mod reports;
mod sending;
