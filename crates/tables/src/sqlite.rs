//! Queries to an SQLite database, which is only read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use recipients::{Entry, Table, TableFailed};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

/// How long a database may be busy with somebody's writing.
const PATIENCE: Duration = Duration::from_secs(2);

/// A query with one parameter, the key, whose first column is the value.
pub struct SqliteTable {
    name: String,
    path: PathBuf,
    query: String,
    /// Opened when it is first asked, and anew after it has failed.
    connection: Arc<Mutex<Option<Connection>>>,
}

impl std::fmt::Debug for SqliteTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteTable")
            .field("path", &self.path)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

impl SqliteTable {
    /// The answers of this query to this database, under `name`.
    #[must_use]
    pub fn new(name: &str, path: &Path, query: &str) -> SqliteTable {
        SqliteTable {
            name: name.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            connection: Arc::default(),
        }
    }
}

#[async_trait]
impl Table for SqliteTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        let (path, query) = (self.path.clone(), self.query.clone());
        let (connection, key) = (self.connection.clone(), key.to_owned());
        let asked = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock();
            let answer = ask(&mut connection, &path, &query, &key);
            if answer.is_err() {
                *connection = None;
            }
            answer
        });
        match asked.await {
            Ok(Ok(value)) => Ok(value.map(|value| Entry { value, line: None })),
            Ok(Err(error)) => Err(TableFailed(error.to_string())),
            Err(error) => Err(TableFailed(error.to_string())),
        }
    }
}

fn ask(
    connection: &mut Option<Connection>,
    path: &Path,
    query: &str,
    key: &str,
) -> rusqlite::Result<Option<String>> {
    let open = match connection {
        Some(open) => open,
        None => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let opened = Connection::open_with_flags(path, flags)?;
            opened.busy_timeout(PATIENCE)?;
            connection.insert(opened)
        }
    };
    let mut statement = open.prepare_cached(query)?;
    let found = statement.query_row([key], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Null => String::new(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) | ValueRef::Blob(text) => {
                String::from_utf8_lossy(text).into_owned()
            }
        })
    });
    found.optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE users (name TEXT, options TEXT);
                 INSERT INTO users VALUES ('anna', 'quota=5MiB'), ('bert', NULL);",
            )
            .unwrap();
        (dir, path)
    }

    async fn value(table: &SqliteTable, key: &str) -> Option<String> {
        table.look_up(key).await.unwrap().map(|entry| entry.value)
    }

    #[tokio::test]
    async fn a_query_answers_for_its_key_and_changes_are_seen_at_once() {
        let (_dir, path) = database();
        let table = SqliteTable::new("users", &path, "SELECT options FROM users WHERE name = ?1");
        assert_eq!(value(&table, "anna").await.as_deref(), Some("quota=5MiB"));
        assert_eq!(value(&table, "bert").await.as_deref(), Some(""));
        assert_eq!(value(&table, "' OR 1=1 --").await, None);
        let other = Connection::open(&path).unwrap();
        other
            .execute("INSERT INTO users VALUES ('carla', 'x')", [])
            .unwrap();
        assert_eq!(value(&table, "carla").await.as_deref(), Some("x"));
    }

    #[tokio::test]
    async fn nothing_is_written_whatever_the_query_says() {
        let (_dir, path) = database();
        let query = "DELETE FROM users WHERE name = ?1 RETURNING options";
        let table = SqliteTable::new("users", &path, query);
        let error = table.look_up("anna").await.unwrap_err();
        assert!(error.0.contains("readonly"), "{error}");
    }

    #[tokio::test]
    async fn a_database_that_is_gone_or_broken_fails_and_is_opened_anew() {
        let (dir, path) = database();
        let away = dir.path().join("away.db");
        std::fs::rename(&path, &away).unwrap();
        let table = SqliteTable::new("users", &path, "SELECT options FROM users WHERE name = ?1");
        assert!(table.look_up("anna").await.is_err());
        std::fs::rename(&away, &path).unwrap();
        assert!(value(&table, "anna").await.is_some());
        let wrong = SqliteTable::new("users", &path, "SELECT nothing FROM users WHERE name = ?1");
        assert!(wrong.look_up("anna").await.is_err());
    }
}
