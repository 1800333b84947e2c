//! `postgresql://user@host:port/database?option=value&query=SELECT …`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{KEEP, ServerPlace, absolute, host_and_port, host_text, options};
use crate::problem::ProblemKind;

/// A query to PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresSpec {
    /// As whom it is asked.
    pub user: String,
    /// Its host, or the directory of its socket.
    pub server: ServerPlace,
    /// The port by which the socket is named.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// How long an answer holds.
    pub keep: Duration,
    /// A query with one parameter, `$1`.
    pub query: String,
}

/// The usual port of PostgreSQL.
const PORT: u16 = 5432;

impl fmt::Display for PostgresSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}?", self.place())?;
        if let ServerPlace::Socket(socket) = &self.server {
            write!(f, "socket={}&", socket.display())?;
        }
        if let Some(path) = &self.password_file {
            write!(f, "password_file={}&", path.display())?;
        }
        if self.keep != KEEP {
            write!(f, "cache={}&", toml_read::duration_text(self.keep))?;
        }
        write!(f, "query={}", self.query)
    }
}

impl PostgresSpec {
    /// Its name for people.
    pub(super) fn place(&self) -> String {
        let port = (self.port != PORT).then_some(self.port);
        let host = match &self.server {
            ServerPlace::Host(host, _) => host_text(host, port),
            ServerPlace::Socket(_) => host_text("", port),
        };
        format!("postgresql://{}@{host}/{}", self.user, self.database)
    }

    /// What follows `postgresql:`.
    pub(super) fn read(text: &str) -> Result<PostgresSpec, ProblemKind> {
        PostgresSpec::parse(text)
            .ok_or(ProblemKind::NotAPostgres)
            .and_then(|spec| match spec.query.contains("$1") {
                true => Ok(spec),
                false => Err(ProblemKind::NoDollarParameter),
            })
    }

    fn parse(text: &str) -> Option<PostgresSpec> {
        let (place, rest) = text.split_once('?')?;
        let (user, place) = place.strip_prefix("//")?.split_once('@')?;
        let (host, database) = place.split_once('/')?;
        // A password here would be shown by `config show`, and stand in everybody's backup.
        if user.is_empty() || user.contains(':') || database.is_empty() {
            return None;
        }
        let (host, port) = host_and_port(host, PORT)?;
        let (mut socket, mut password_file, mut keep) = (None, None, KEEP);
        let query = options(rest, "query", |key, value| {
            match key {
                "socket" => socket = Some(absolute(value).ok()?),
                "password_file" => password_file = Some(absolute(value).ok()?),
                "cache" => keep = toml_read::duration(value)?,
                _ => return None,
            }
            Some(())
        })?;
        let server = ServerPlace::one_of(host, port, socket)?;
        Some(PostgresSpec {
            user: user.to_owned(),
            server,
            port,
            database: database.to_owned(),
            password_file,
            keep,
            query: query.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TableSpec;

    #[test]
    fn a_query_to_postgresql_is_read_and_shown_as_it_is_written() {
        for text in [
            "postgresql://mail@db.example/users?query=SELECT 1 FROM u WHERE mail = $1 AND a = 'x&y=z?'",
            "postgresql://mail@[::1]:5433/users?password_file=/etc/p&cache=0s&query=SELECT $1",
            "postgresql://mail@:5433/users?socket=/run/postgresql&query=SELECT $1",
        ] {
            assert_eq!(TableSpec::read(text).unwrap().to_string(), text);
        }
        let spec = TableSpec::read("postgresql://a@h/d?query=SELECT $1").unwrap();
        assert_eq!(spec.name(), "postgresql://a@h/d");
    }

    #[test]
    fn what_is_wrong_with_a_query_to_postgresql_is_told() {
        for (text, problem) in [
            (
                "postgresql://mail@h/users?query=SELECT 1",
                ProblemKind::NoDollarParameter,
            ),
            (
                "postgresql://mail:secret@h/users?query=SELECT $1",
                ProblemKind::NotAPostgres,
            ),
            (
                "postgresql://h/users?query=SELECT $1",
                ProblemKind::NotAPostgres,
            ),
            (
                "postgresql://mail@/users?query=SELECT $1",
                ProblemKind::NotAPostgres,
            ),
            (
                "postgresql://mail@h/users?socket=/run&query=SELECT $1",
                ProblemKind::NotAPostgres,
            ),
            (
                "postgresql://mail@h/users?colour=red&query=SELECT $1",
                ProblemKind::NotAPostgres,
            ),
            ("postgresql://mail@h/users", ProblemKind::NotAPostgres),
        ] {
            assert_eq!(TableSpec::read(text), Err(problem), "{text}");
        }
    }
}
