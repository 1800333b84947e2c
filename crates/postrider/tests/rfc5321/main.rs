//! RFC 5321, as far as a server can be seen to obey it from outside: a real relay, over TCP.
//!
//! A file for each section, a test for each demand; what we do otherwise is tested as a deviation.
//! Time limits (§4.5.3.2) are tested with a paused clock in `reception`; looks at DNS (§5) in `routing`.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod s2_3_8_lines;
mod s2_4_case;
mod s3_1_initiation;
mod s3_3_transactions;
mod s3_5_addresses;
mod s3_8_ends;
mod s4_1_1_commands;
mod s4_1_4_order;
mod s4_2_replies;
mod s4_4_trace;
mod s4_5_1_minimum;
mod s4_5_2_transparency;
mod s4_5_3_sizes;
mod stage;
