//! The domains of ours, as configured: their tables, and the secrets of forwarded senders.

use std::path::Path;
use std::sync::Arc;

use config::{Config, DomainClass, LdapSpec, PostgresSpec, ServerPlace, TableSpec};
use queue::Directory;
use recipients::{Book, Class, Domain, Entry, Fixed, Srs, Table, Template, TemplateError};
use tables::{Database, Databases, FileTable, Includes, LdapTable, Place, Search, SqliteTable};
use world::World;

use super::secrets;

/// Why the domains of ours cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// The path of mailboxes makes no sense.
    #[error("[domains.\"{domain}\"] mailbox: {source}")]
    Template {
        domain: String,
        source: TemplateError,
    },
    #[error(transparent)]
    Secrets(#[from] secrets::SecretsError),
}

/// Who is in the domains of ours; `None` where there are none.
pub(crate) fn of(
    config: &Config,
    world: &World,
    resolver: &Arc<dyn dns::Resolver>,
    data: &Path,
) -> Result<Option<Arc<dyn Directory>>, SetupError> {
    let local = &config.local;
    if local.domains.is_empty() {
        return Ok(None);
    }
    let sources = Sources {
        world,
        resolver,
        databases: Databases::new(world.clone(), resolver.clone()),
    };
    let domains: Result<Vec<Domain>, SetupError> = local
        .domains
        .iter()
        .map(|(name, spec)| domain(name, spec, &sources))
        .collect();
    let inline = local.inline_aliases.iter().map(|(key, value)| {
        let entry = Entry {
            value: value.clone(),
            line: None,
        };
        (key.clone(), entry)
    });
    let inline: Arc<dyn Table> = Arc::new(Fixed::new("[aliases]", inline));
    let mut aliases = vec![inline];
    aliases.extend(sources.tables(&local.aliases));
    let srs = match &local.srs_domain {
        Some(domain) => {
            let days = local.srs_max_age.as_secs() / 86_400;
            let days = u32::try_from(days).unwrap_or(u32::MAX);
            let secrets = secrets::of(data, "srs.secrets", world)?;
            Some(Srs::new(domain, secrets, days))
        }
        None => None,
    };
    let settings = recipients::Settings {
        delimiters: local.delimiters.clone(),
        // Checked when the configuration was read.
        postmaster: local
            .postmaster
            .as_deref()
            .and_then(|text| text.parse().ok()),
        max_recipients: local.max_recipients,
        ..recipients::Settings::default()
    };
    let includes = Arc::new(Includes::new(world.clone()));
    let routes = Arc::new(config.routes.clone());
    let book = Book::new(settings, domains?, aliases, includes, srs, routes);
    Ok(Some(Arc::new(book)))
}

fn domain(
    name: &str,
    spec: &config::DomainSpec,
    sources: &Sources<'_>,
) -> Result<Domain, SetupError> {
    let class = match spec.class {
        DomainClass::Local => Class::Local {
            mailbox: Template::parse(&spec.mailbox).map_err(|source| SetupError::Template {
                domain: name.to_owned(),
                source,
            })?,
            mailboxes: sources.tables(&spec.mailboxes),
        },
        DomainClass::Virtual => Class::Virtual,
        DomainClass::Relay => Class::Relay {
            recipients: sources.tables(&spec.recipients),
            verify: spec.verify.clone().map(Arc::new),
        },
    };
    Ok(Domain {
        name: name.to_owned(),
        class,
        aliases: sources.tables(&spec.aliases),
    })
}

/// Where tables are read from.
struct Sources<'a> {
    world: &'a World,
    resolver: &'a Arc<dyn dns::Resolver>,
    databases: Databases,
}

impl Sources<'_> {
    fn tables(&self, specs: &[TableSpec]) -> Vec<Arc<dyn Table>> {
        specs.iter().map(|spec| self.table(spec)).collect()
    }

    fn table(&self, spec: &TableSpec) -> Arc<dyn Table> {
        let name = spec.name();
        match spec {
            TableSpec::File(path) => Arc::new(FileTable::new(&name, path, self.world.clone())),
            TableSpec::Sqlite { path, query } => Arc::new(SqliteTable::new(&name, path, query)),
            TableSpec::Postgres(spec) => {
                let (database, query) = (database(spec), &spec.query);
                Arc::new(self.databases.table(&name, &database, query, spec.keep))
            }
            TableSpec::Ldap(spec) => {
                let (world, resolver) = (self.world.clone(), self.resolver.clone());
                let table = LdapTable::new(&name, search(spec), spec.keep, world, resolver);
                Arc::new(table)
            }
        }
    }
}

fn database(spec: &PostgresSpec) -> Database {
    let server = match &spec.server {
        ServerPlace::Host(host, port) => Place::Host(host.clone(), *port),
        // As libpq names it.
        ServerPlace::Socket(directory) => {
            Place::Socket(directory.join(format!(".s.PGSQL.{}", spec.port)))
        }
    };
    Database {
        server,
        name: spec.database.clone(),
        user: spec.user.clone(),
        password_file: spec.password_file.clone(),
    }
}

fn search(spec: &LdapSpec) -> Search {
    Search {
        server: match &spec.server {
            ServerPlace::Host(host, port) => Place::Host(host.clone(), *port),
            ServerPlace::Socket(path) => Place::Socket(path.clone()),
        },
        bind: spec.bind.clone(),
        base: spec.base.clone(),
        filter: spec.filter.clone(),
        value: spec.value.clone(),
    }
}
