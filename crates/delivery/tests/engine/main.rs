//! The sending role on a virtual clock, against servers within the process.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod bounces;
mod conversion;
mod dane;
mod durable;
mod fairness;
mod line;
mod login;
mod mta_sts;
mod outage;
mod parameters;
mod peer;
mod programs;
mod provider;
mod relay;
mod reports;
mod routes;
mod single;
mod tls;
