//! The domains of ours, as configured: their tables, and the secrets of forwarded senders.

use std::path::Path;
use std::sync::Arc;

use config::{Config, DomainClass, TableSpec};
use queue::Directory;
use recipients::{Book, Class, Domain, Entry, Fixed, Srs, Table, Template, TemplateError};
use tables::{FileTable, Includes, SqliteTable};
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
    data: &Path,
) -> Result<Option<Arc<dyn Directory>>, SetupError> {
    let local = &config.local;
    if local.domains.is_empty() {
        return Ok(None);
    }
    let domains: Result<Vec<Domain>, SetupError> = local
        .domains
        .iter()
        .map(|(name, spec)| domain(name, spec, world))
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
    aliases.extend(tables(&local.aliases, world));
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

fn domain(name: &str, spec: &config::DomainSpec, world: &World) -> Result<Domain, SetupError> {
    let class = match spec.class {
        DomainClass::Local => Class::Local {
            mailbox: Template::parse(&spec.mailbox).map_err(|source| SetupError::Template {
                domain: name.to_owned(),
                source,
            })?,
            mailboxes: tables(&spec.mailboxes, world),
        },
        DomainClass::Virtual => Class::Virtual,
        DomainClass::Relay => Class::Relay {
            recipients: tables(&spec.recipients, world),
            verify: spec.verify.clone().map(Arc::new),
        },
    };
    Ok(Domain {
        name: name.to_owned(),
        class,
        aliases: tables(&spec.aliases, world),
    })
}

fn tables(specs: &[TableSpec], world: &World) -> Vec<Arc<dyn Table>> {
    let table = |spec: &TableSpec| -> Arc<dyn Table> {
        match spec {
            TableSpec::File(path) => Arc::new(FileTable::new(&spec.name(), path, world.clone())),
            TableSpec::Sqlite { path, query } => {
                Arc::new(SqliteTable::new(&spec.name(), path, query))
            }
        }
    };
    specs.iter().map(table).collect()
}
