//! The sending role: schedule, connect, attempt, diagnose, decide, record.
//!
//! [`Engine`] takes what the store has and what reception brings, opens sessions for destinations
//! that have work, and writes down what came of each attempt in one transaction of the store.

mod addressees;
mod circumstances;
mod conclude;
mod connection;
mod doubts;
mod engine;
mod expire;
mod fitting;
mod lane;
mod limits;
mod log;
mod login;
mod mailboxes;
mod maildir;
mod own_mail;
mod passed_on;
mod policies;
mod presence;
mod program;
mod race;
mod read_back;
mod report;
mod returned;
mod rewritten;
mod security;
mod session;
mod settings;
mod signed;
mod suppress;
mod trail;
mod transaction;
mod verp;
mod witness;

pub use engine::Engine;
pub use limits::{Limit, Limits};
pub use mailboxes::{Maildirs, Quota};
pub use own_mail::{NotPosted, OwnMail};
pub use policies::{Tls, TlsPolicy};
pub use settings::{Bounces, Settings};
pub use signed::Signing;
pub use witness::{NoWitness, TlsWitness};
