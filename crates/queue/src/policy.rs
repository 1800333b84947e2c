//! All failure policy: what a failure leads to, and how fast, how many and in which order is sent.
//!
//! [`TABLE`] is the only source of what happens after a failure: from the cause, the scope and the
//! circumstances of a diagnosis to a decision. [`decide`] applies it. Nothing else in the relay looks
//! at codes or words to choose when to come back. [`page`] is the table for people.
//!
//! Beside it stand the machines that both the relay and the simulator run. They do no I/O and hold no
//! clock: they are told the time.
//!
//! - [`Pace`]: how many connections and messages a destination, or a provider, bears;
//! - [`Line`]: whether the fault is in our own line;
//! - [`Way`]: what these let through, and what they learn of an attempt;
//! - [`PutOff`]: how long a destination puts off what it sees for the first time;
//! - [`FairQueue`]: whose turn it is.

mod decide;
mod fair;
mod kinds;
mod line;
mod own;
mod pace;
mod page;
mod provider;
mod putoff;
mod table;
mod way;

pub use decide::{Block, Decided, Effect, History, decide};
pub use fair::{Class, FairQueue, lineup, lineups_of, sender_group};
pub use kinds::{
    Action, Causes, JITTER, JUST_AFTER, Retry, Rhythm, Row, Signal, Special, Vary, Waits, When,
};
pub use line::{Line, LineChange};
pub use own::{OwnWaits, table_wait};
pub use pace::{Pace, PaceLimits, Permit};
pub use page::{page, rows};
pub use provider::{Provider, provider_of};
pub use putoff::PutOff;
pub use table::{TABLE, row_of};
pub use way::{Bar, Learnt, Part, Stand, Way};
