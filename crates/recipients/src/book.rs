//! All domains of ours, and what holds for each.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use queue::route::Routes;
use queue::{Directory, Found, NotFound};
use smtp::Address;

use crate::domain::Domain;
use crate::expand::Expander;
use crate::srs::Srs;
use crate::table::Table;

/// What holds for all domains.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Characters that part a name from its detail.
    pub delimiters: String,
    /// Who gets what is for `postmaster` and `abuse` and nobody else takes (RFC 5321 §4.5.1, RFC 2142).
    pub postmaster: Option<Address>,
    /// Recipients that one address may stand for.
    pub max_recipients: usize,
    /// Aliases that may follow one another.
    pub max_depth: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            delimiters: "+".to_owned(),
            postmaster: None,
            max_recipients: 10_000,
            max_depth: 20,
        }
    }
}

/// The domains that are ours, and who is in them.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) settings: Settings,
    pub(crate) domains: HashMap<String, Domain>,
    pub(crate) aliases: Vec<Arc<dyn Table>>,
    pub(crate) includes: Arc<dyn Table>,
    pub(crate) srs: Option<Srs>,
    pub(crate) routes: Arc<Routes>,
}

impl Book {
    /// A book of these domains. `aliases` are asked for all of them; `includes` answers a path with the
    /// targets of the list there; `routes` say where mail for other domains goes.
    #[must_use]
    pub fn new(
        settings: Settings,
        domains: impl IntoIterator<Item = Domain>,
        aliases: Vec<Arc<dyn Table>>,
        includes: Arc<dyn Table>,
        srs: Option<Srs>,
        routes: Arc<Routes>,
    ) -> Book {
        let named = |domain: Domain| (domain.name.to_lowercase(), domain);
        Book {
            settings,
            domains: domains.into_iter().map(named).collect(),
            aliases,
            includes,
            srs,
            routes,
        }
    }

    /// Whether a domain is ours.
    #[must_use]
    pub fn has(&self, domain: &str) -> bool {
        self.domain(domain).is_some()
    }

    pub(crate) fn domain(&self, name: &str) -> Option<&Domain> {
        // RFC 5321 §2.4: domains have no case.
        match name.chars().any(char::is_uppercase) {
            true => self.domains.get(&name.to_lowercase()),
            false => self.domains.get(name),
        }
    }
}

#[async_trait]
impl Directory for Book {
    async fn find(
        &self,
        address: &Address,
        sender: &Address,
        now: Timestamp,
    ) -> Result<Found, NotFound> {
        Expander::new(self, sender, now).find(address).await
    }
}
