//! Who a client is that says AUTH.
//!
//! An [`Authenticator`] says which mechanisms there are and begins an [`Exchange`] for a client; that
//! takes the client's responses and ends in a [`Login`] or a [`Failure`]. There are two: a [`UserFile`],
//! and [`Dovecot`], which is asked over its socket. What a failure is about (the client or us) is its type.
//!
//! What does not exist here: what a user may do, how often somebody may fail, and any reply.

mod dovecot;
mod file;
mod users;

use std::net::IpAddr;

use async_trait::async_trait;

pub use dovecot::{Dovecot, DovecotError};
pub use file::UserFile;
pub use users::{FileError, LineProblem, User, Users};

/// Knows users.
#[async_trait]
pub trait Authenticator: std::fmt::Debug + Send + Sync {
    /// The mechanisms that it has, the best first.
    async fn mechanisms(&self) -> Vec<Offered>;
    /// Begins an exchange.
    fn begin(&self, mechanism: &str, about: &About) -> Box<dyn Exchange>;
}

/// One client that proves who it is.
#[async_trait]
pub trait Exchange: Send {
    /// Takes the next response; `None` where AUTH came without one. After anything but a challenge the
    /// exchange is over.
    async fn respond(&mut self, response: Option<&[u8]>) -> Progress;
}

/// A mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its name, in upper case.
    pub name: String,
    /// Whether the password itself goes over the wire.
    pub sends_password: bool,
}

/// About the client.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its address.
    pub client: IpAddr,
    /// Whether nobody can listen.
    pub secure: bool,
}

/// How far an exchange is.
#[derive(Debug)]
pub enum Progress {
    /// The client is to answer this.
    Challenge(Vec<u8>),
    /// It is this user.
    Done(Login),
    /// It is not, or cannot be told.
    Failed(Failure),
}

/// A user who has proved to be it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub name: String,
}

/// Why a client is nobody.
#[derive(Debug)]
pub enum Failure {
    /// It did not prove to be who it says.
    Refused {
        /// Who it says it is, where it came so far.
        name: Option<String>,
        /// Why not; not for the client.
        why: Why,
    },
    /// Whether it is cannot be told now.
    Unavailable(Unavailable),
}

/// Why a client is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Nobody has this name.
    #[error("no such user")]
    NoSuchUser,
    /// The password is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// What it said is not as the mechanism has it.
    #[error(transparent)]
    Said(#[from] sasl::Refused),
    /// Dovecot says no.
    #[error("Dovecot says no{}", reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    Dovecot {
        /// Its words, if it has any.
        reason: Option<String>,
    },
}

/// Why nobody can be told from anybody.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// So many passwords are being checked that this one did not come to its turn.
    #[error("too many passwords are being checked")]
    Busy,
    /// The file of users.
    #[error(transparent)]
    File(#[from] FileError),
    /// Dovecot.
    #[error(transparent)]
    Dovecot(#[from] DovecotError),
}

impl Failure {
    fn refused(name: impl Into<Option<String>>, why: impl Into<Why>) -> Failure {
        Failure::Refused {
            name: name.into(),
            why: why.into(),
        }
    }
}
