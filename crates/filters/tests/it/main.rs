//! The filters with what really stands behind them: Debian's clamd, rspamd, opendkim and libmilter, a
//! BIND, and scripted peers for what those do not do on demand.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod authentication;
mod hooks;
mod lists;
mod milters;
mod scanners;
mod stage;
