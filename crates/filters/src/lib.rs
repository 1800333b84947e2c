//! The filters that may be asked about mail that comes in, each behind [`screening::Filter`].
//!
//! They reach what stands behind them by way of [`world`], and hold at most some pieces of a message at
//! a time. What they are told by others (a scanner, a milter, a hook) is checked before it is believed:
//! sizes are bounded, codes must be such as refuse, header fields are made by [`screening::Field::new`].

mod authentication;
mod block_lists;
mod clamav;
mod connect;
mod hook;
mod http;
mod milter;
mod rspamd;

pub use authentication::{Authentication, Enforce};
pub use block_lists::{BlockList, BlockLists, Subject, When};
pub use clamav::{ClamAv, TooLarge};
pub use hook::Hook;
pub use milter::Milter;
pub use rspamd::Rspamd;
