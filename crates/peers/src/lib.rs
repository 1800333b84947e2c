//! Real mail servers and clients of Debian, run privately for the tests.
//!
//! Each server has its own temporary directory and ports, listens on loopback, and is stopped by its
//! process id when its guard is dropped. Nothing of Postrider's own code is used here, so that its
//! judge shares none of its errors.

mod clamd;
mod client;
mod dnssec;
mod dovecot;
mod dovecot_auth;
mod exim;
mod maildir;
mod message;
mod milter;
mod named;
mod network;
mod pebble;
mod place;
mod postfix;
mod postgres;
mod process;
mod relay;
mod rspamd;
mod scenarios;
mod sink;
mod slapd;

pub use clamd::{Clamd, eicar};
pub use client::{Client, Mail};
pub use dnssec::{Dnssec, Signing, Zone};
pub use dovecot::Dovecot;
pub use dovecot_auth::DovecotAuth;
pub use exim::Exim;
pub use maildir::{Arrived, Maildir};
pub use message::{body_of, generated, with_crlf, with_lf, without_trace};
pub use milter::Milter;
pub use named::Named;
pub use network::Network;
pub use pebble::Pebble;
pub use place::{Place, free_port, root_of_the_workspace, tool};
pub use postfix::Postfix;
pub use postgres::Postgres;
pub use process::{Process, allow_open_files, run, wait_until};
pub use relay::Relay;
pub use rspamd::Rspamd;
pub use scenarios::{Failures, name_of, play_all, scenarios};
pub use sink::{Act, ClosedPort, Received, Rule, Sink};
pub use slapd::Slapd;

/// What keeps a peer from doing its work: a person has to read it.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A program is not installed.
    #[error("{0} is missing: `make peers` installs the test peers")]
    Missing(String),
    /// The system refused something.
    #[error("{doing}: {source}")]
    System {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program did not do what it should.
    #[error("{program}: {what}")]
    Failed {
        /// The program.
        program: String,
        /// What was wrong, with its output.
        what: String,
    },
}

/// What a peer answers.
pub type Result<T> = std::result::Result<T, PeerError>;

pub(crate) trait Doing<T> {
    fn doing(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| PeerError::System {
            doing: what.into(),
            source,
        })
    }
}
