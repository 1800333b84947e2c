//! SASL (RFC 4422) without I/O: what is said in the challenges and responses of AUTH.
//!
//! PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login) and SCRAM-SHA-256 (RFC 5802, RFC 7677), as the
//! [`Server`] and as the [`Client`]. Nothing here knows users, the network, or where chance comes from:
//! a server asks its driver for the keys of a user, or to check a password, and nonces are given.
//!
//! What does not exist here: channel binding (SCRAM-SHA-256-PLUS), CRAM-MD5, tokens of OAuth.

mod client;
mod keys;
mod scram;
mod server;

use std::fmt;

pub use client::{Client, ClientError, choose};
pub use keys::{ITERATIONS, Keys, ParseKeysError, Secret};
pub use server::{Refused, Server, Step};

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 7677: the password is not sent.
    ScramSha256,
    /// RFC 4616: name and password as they are.
    Plain,
    /// The same in two responses; obsolete, and all that some clients know.
    Login,
}

impl Mechanism {
    /// All of them, the best first.
    pub const ALL: [Mechanism; 3] = [Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login];

    /// Its name in the registry of the IANA.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }

    /// Finds it by its name, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Mechanism> {
        let mut all = Mechanism::ALL.into_iter();
        all.find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// Whether the password itself goes over the wire, so that the connection must keep it secret.
    #[must_use]
    pub const fn sends_password(self) -> bool {
        !matches!(self, Mechanism::ScramSha256)
    }
}

/// A password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes it as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The text holds a character that names and passwords cannot have (RFC 4013).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds a character that names and passwords cannot have (RFC 4013)")]
pub struct Unprepared;

/// RFC 4013 (SASLprep): the form in which names and passwords are compared. The empty text has none.
pub fn prepared(text: &str) -> Result<String, Unprepared> {
    let prepared = stringprep::saslprep(text).map_err(|_| Unprepared)?;
    match prepared.is_empty() {
        true => Err(Unprepared),
        false => Ok(prepared.into_owned()),
    }
}
