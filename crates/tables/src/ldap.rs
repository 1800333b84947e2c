//! Searches in an LDAP directory (RFC 4511), over one connection for each table.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dns::Resolver;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, StdStream};
use recipients::{Entry, Table, TableFailed};
use world::{Stream, World};

use crate::server::{Answers, Dialer, Held, Place, in_time};

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Where the server listens.
    pub server: Place,
    /// As which entry it is asked, and the file whose first line is the password; none: as nobody.
    pub bind: Option<(String, PathBuf)>,
    /// Below which entry is searched.
    pub base: String,
    /// The filter (RFC 4515); `{key}` stands for the key.
    pub filter: String,
    /// The attribute whose values are the value, with commas between; none: the value is empty.
    pub value: Option<String>,
}

/// RFC 4511 §4.5.1.8: no attribute is wanted.
const NOTHING: &str = "1.1";
/// What stands for the key in a filter.
const KEY: &str = "{key}";

/// Entries that a filter finds.
pub struct LdapTable {
    name: String,
    search: Search,
    dialer: Dialer,
    held: Held<Ldap>,
    answers: Answers,
}

impl std::fmt::Debug for LdapTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LdapTable")
            .field("search", &self.search)
            .finish_non_exhaustive()
    }
}

impl LdapTable {
    /// What this search finds, under `name`; each answer holds for `keep`.
    #[must_use]
    pub fn new(
        name: &str,
        search: Search,
        keep: Duration,
        world: World,
        resolver: Arc<dyn Resolver>,
    ) -> LdapTable {
        LdapTable {
            name: name.to_owned(),
            search,
            dialer: Dialer { world, resolver },
            held: Held::default(),
            answers: Answers::new(keep),
        }
    }

    async fn ask(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        let is_open = |ldap: &mut Ldap| !ldap.is_closed();
        let mut ldap = self.held.get(is_open, self.connect()).await?;
        let found = self.find(&mut ldap, key).await;
        found.map_err(|error| failed(&error))
    }

    async fn find(&self, ldap: &mut Ldap, key: &str) -> Result<Option<Entry>, LdapError> {
        let search = &self.search;
        let filter = search.filter.replace(KEY, &ldap3::ldap_escape(key));
        let wanted = search.value.as_deref();
        let attributes = [wanted.unwrap_or(NOTHING)];
        let found = ldap.search(&search.base, Scope::Subtree, &filter, attributes);
        let (entries, _) = found.await?.success()?;
        if entries.is_empty() {
            return Ok(None);
        }
        let mut values = Vec::new();
        for entry in entries {
            let attributes = SearchEntry::construct(entry).attrs;
            // RFC 4512 §2.5: the names of attributes have no case.
            let named = attributes
                .into_iter()
                .filter(|(name, _)| wanted.is_some_and(|w| w.eq_ignore_ascii_case(name)));
            values.extend(named.flat_map(|(_, values)| values));
        }
        let value = values.join(", ");
        Ok(Some(Entry { value, line: None }))
    }

    async fn connect(&self) -> Result<Ldap, TableFailed> {
        let broken = |error: std::io::Error| TableFailed(error.to_string());
        let (stream, url) = match self.dialer.connect(&self.search.server).await? {
            Stream::Tcp(stream) => (
                StdStream::Tcp(stream.into_std().map_err(broken)?),
                "ldap://server",
            ),
            Stream::Unix(stream) => (
                StdStream::Unix(stream.into_std().map_err(broken)?),
                "ldapi://server",
            ),
            other => {
                return Err(TableFailed(format!("no LDAP over {other:?}")));
            }
        };
        let settings = LdapConnSettings::new().set_std_stream(stream);
        let opened = LdapConnAsync::with_settings(settings, url).await;
        let (connection, mut ldap) = opened.map_err(|error| failed(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::warn!(%error, "the connection to the LDAP server ended; the next question makes another");
            }
        });
        if let Some((entry, password_file)) = &self.search.bind {
            let password = self.dialer.password(password_file).await?;
            // RFC 4513 §5.1.2: without a password it would be nobody.
            if password.is_empty() {
                let file = password_file.display();
                return Err(TableFailed(format!("{file}: its first line is empty")));
            }
            let bound = ldap.simple_bind(entry, &password).await;
            let bound = bound.and_then(|result| result.success());
            bound.map_err(|error| failed(&error))?;
        }
        Ok(ldap)
    }
}

#[async_trait]
impl Table for LdapTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        if let Some(entry) = self.answers.get(key) {
            return Ok(entry);
        }
        let entry = match in_time(self.ask(key)).await {
            Ok(entry) => entry,
            Err(failure) => {
                // It may hang, and does not tell; another is made for the next question.
                self.held.let_go().await;
                return Err(failure);
            }
        };
        self.answers.put(key, &entry);
        Ok(entry)
    }
}

fn failed(error: &LdapError) -> TableFailed {
    TableFailed(error.to_string())
}
