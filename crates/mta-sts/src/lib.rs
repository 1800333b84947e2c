//! MTA-STS (RFC 8461): a domain's policy by which those who send to it demand TLS and a valid
//! certificate of its mail exchangers.
//!
//! [`Policy`] is what a domain publishes over HTTPS, [`Record`] what it says of it in the DNS.
//! [`Keeper`] finds, fetches and keeps policies: on disk too, since a policy that was once seen holds
//! for as long as it says, whoever suppresses it in the meantime (§10.2).

mod fetch;
mod file;
mod fresh;
mod keep;
mod policy;
mod record;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use fetch::{Fetcher, Trouble};
pub use https::NoAnswer;
pub use keep::{Keeper, OpenError};
pub use policy::{Mode, Policy, PolicyError};
pub use record::{Record, RecordError};

/// Tells the policies of domains: a [`Keeper`], or a [`Fetcher`] that keeps nothing.
#[async_trait]
pub trait Policies: Send + Sync + fmt::Debug {
    /// What holds for mail to this domain now.
    async fn of(&self, domain: &str) -> Found;
}

/// What is known of a domain's policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The policy that holds, fetched just now or kept.
    pub held: Option<Arc<Held>>,
    /// Why a policy that the DNS announces could not be had.
    pub trouble: Option<Failed>,
}

/// A policy that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The `id` that the DNS gave it.
    pub id: String,
    /// When it was fetched.
    pub fetched: Timestamp,
    /// What it says.
    pub policy: Policy,
}

/// A policy that could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The `id` that the DNS gave it.
    pub id: String,
    /// Why.
    pub trouble: Trouble,
}

impl Held {
    /// Until when it holds (§3.2, `max_age`).
    #[must_use]
    pub fn until(&self) -> Timestamp {
        let age = jiff::SignedDuration::try_from(self.policy.max_age).unwrap_or_default();
        self.fetched.checked_add(age).unwrap_or(Timestamp::MAX)
    }
}
