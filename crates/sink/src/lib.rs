//! A receiving server that fails as it is told, for people who test their own senders.
//!
//! A [`Script`] says how it presents itself and by which rules it fails: at any step of a session, with
//! any reply, in the words of any dialect, by dropping the connection, by silence, by slowness. It is
//! strict about its own part of SMTP otherwise: the protocol is that of [`smtp::server`], and only what
//! a rule spoils is spoiled. What it received stays in [`Kept`], which a small HTTP API shows.

mod api;
mod auth;
mod convention;
mod handshake;
mod kept;
mod ledger;
mod pattern;
mod scenario;
mod script;
mod serve;
mod session;
mod stage;
mod transcript;
mod vault;
mod verdict;
mod words;

pub use handshake::{Finding, Play, Shows, TlsFailed, TlsSeen, Version};
pub use kept::{Kept, Message, Parameters, Recipient};
pub use ledger::{Decision, Facts, Ledger};
pub use pattern::Pattern;
pub use scenario::{SCENARIOS, Scenario};
pub use script::{About, Errors, Extension, Per, Problem, ProblemKind, Rate, Rule, Script, Server};
pub use serve::{Log, Settings, Sink, StartError};
pub use stage::Stage;
pub use tls::IdentityFiles;
pub use transcript::{Line, Summary, Transcript, Who};
pub use verdict::{Answer, Codes, NotAVerdict, Verdict};
pub use words::{Blanks, Words, spoken};
