//! Where a table of recipients is.

mod ldap;
mod postgres;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::problem::ProblemKind;

pub use ldap::LdapSpec;
pub use postgres::PostgresSpec;

/// A table of recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableSpec {
    /// `file:/path`.
    File(PathBuf),
    /// `sqlite:/path?query=SELECT …`.
    Sqlite {
        /// The database.
        path: PathBuf,
        /// A query with one parameter.
        query: String,
    },
    /// `postgresql://user@host/database?query=SELECT …`.
    Postgres(PostgresSpec),
    /// `ldap://host/base?filter=(mail={key})`.
    Ldap(LdapSpec),
}

impl fmt::Display for TableSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableSpec::File(path) => write!(f, "file:{}", path.display()),
            TableSpec::Sqlite { path, query } => {
                write!(f, "sqlite:{}?query={query}", path.display())
            }
            TableSpec::Postgres(spec) => write!(f, "{spec}"),
            TableSpec::Ldap(spec) => write!(f, "{spec}"),
        }
    }
}

/// How long an answer holds where nothing else is said.
const KEEP: Duration = Duration::from_secs(30);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerPlace {
    /// A host, by name or address, and a port.
    Host(String, u16),
    /// A Unix socket, or the directory of it.
    Socket(PathBuf),
}

impl ServerPlace {
    /// The one of the two that is written; `None`: both are, or neither.
    fn one_of(host: String, port: u16, socket: Option<PathBuf>) -> Option<ServerPlace> {
        match (host.is_empty(), socket) {
            (false, None) => Some(ServerPlace::Host(host, port)),
            (true, Some(socket)) => Some(ServerPlace::Socket(socket)),
            (false, Some(_)) | (true, None) => None,
        }
    }
}

/// `host:port`, `[::1]:port`, and nothing where the server is asked by a socket.
fn host_text(host: &str, port: Option<u16>) -> String {
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    port.map_or(host.clone(), |port| format!("{host}:{port}"))
}

/// A host and a port, as they are written; `None`: the port is no number.
fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        Some(_) | None => (text, usual),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), port))
}

/// `key=value&…&last=…`: the last may have any character. Answers what it is.
fn options<'a>(
    mut rest: &'a str,
    last: &str,
    mut take: impl FnMut(&str, &'a str) -> Option<()>,
) -> Option<&'a str> {
    loop {
        let (key, value) = rest.split_once('=')?;
        if key == last {
            return Some(value);
        }
        let (value, more) = value.split_once('&')?;
        take(key, value)?;
        rest = more;
    }
}

fn absolute(path: &str) -> Result<PathBuf, ProblemKind> {
    let path = PathBuf::from(path);
    path.is_absolute()
        .then_some(path)
        .ok_or(ProblemKind::NotATable)
}

impl TableSpec {
    /// Its name for people: without the query.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            TableSpec::File(path) => path.display().to_string(),
            TableSpec::Sqlite { path, .. } => format!("sqlite:{}", path.display()),
            TableSpec::Postgres(spec) => spec.place(),
            TableSpec::Ldap(spec) => spec.place(),
        }
    }

    pub(crate) fn read(text: &str) -> Result<TableSpec, ProblemKind> {
        if let Some(path) = text.strip_prefix("file:") {
            return absolute(path).map(TableSpec::File);
        }
        if let Some(rest) = text.strip_prefix("postgresql:") {
            return PostgresSpec::read(rest).map(TableSpec::Postgres);
        }
        if let Some(rest) = text.strip_prefix("ldap:") {
            return LdapSpec::read(rest).map(TableSpec::Ldap);
        }
        let rest = text.strip_prefix("sqlite:").ok_or(ProblemKind::NotATable)?;
        let (path, query) = rest.split_once("?query=").ok_or(ProblemKind::NotATable)?;
        if !query.contains('?') {
            return Err(ProblemKind::NoParameter);
        }
        Ok(TableSpec::Sqlite {
            path: absolute(path)?,
            query: query.to_owned(),
        })
    }
}
