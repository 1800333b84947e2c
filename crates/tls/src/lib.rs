//! TLS on both sides (RFC 8446, RFC 5246): our certificates, the peers', handshakes, and what came
//! of them as facts of [`diagnosis::tls`].
//!
//! [`Identities`] are our certificates with their keys, read from files and read again without a
//! restart; its [`Acceptor`] makes a client's connection secure. A [`Connector`] makes a connection
//! to a server secure, as far as [`Verify`] asks who that is. Either takes a [`world::Stream`] and
//! gives one back, so that whoever talks over it need not know.
//!
//! The time of day and the disk come from the `world`; randomness for keys is the library's own.
//! What does not exist: renegotiation, compression, and protocols before TLS 1.2.

mod certificate;
mod client;
mod dane;
mod failure;
mod file;
mod identity;
mod layer;
mod mint;
mod roots;
mod server;
mod time;
mod verify;

pub use certificate::describe;
pub use client::Connector;
pub use dane::Dane;
pub use identity::{Identities, IdentityError, IdentityFiles, Reloaded};
pub use mint::{Authority, MintError, Minted, Shown, Validity};
pub use roots::{Roots, RootsError};
pub use server::{Acceptor, ServerSession, Terms, Versions, asked_name};
pub use verify::{Judgement, Verify};
