//! Certificates for our names from an authority that speaks ACME (RFC 8555).
//!
//! [`Order`] says for what, of whom. [`Keeper`] keeps account and certificate in a directory of its
//! own, and gets a new one when [`schedule`] says that it is time. The names are shown to be ours by
//! HTTP-01 (§8.3): [`Tokens`] answers the authority's question. What goes wrong is an
//! [`diagnosis::acme::AcmeFailure`], kept with the certificate.
//!
//! Requests go over the `world`'s network; keys and waiting between questions are the library's.

mod client;
mod http;
mod keeper;
mod pem;
pub mod schedule;
mod state;
mod tokens;

pub use client::Order;
pub use keeper::{Keeper, Outcome, files, state};
pub use state::{Failed, State};
pub use tokens::Tokens;
