//! Queries to PostgreSQL, over one connection for each database: questions travel on it side by side.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dns::Resolver;
use parking_lot::Mutex;
use recipients::{Entry, Table, TableFailed};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Config, NoTls, Statement};
use world::World;

use crate::server::{Answers, Dialer, Held, Place, in_time};

/// Where a database is, and as whom it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Database {
    /// Where its server listens.
    pub server: Place,
    /// The name of the database.
    pub name: String,
    /// The user.
    pub user: String,
    /// The file whose first line is the user's password; read at each connection.
    pub password_file: Option<PathBuf>,
}

/// What the server is told at the start: nothing is written here, and nothing takes for ever.
const OPTIONS: &str = "-c default_transaction_read_only=on -c statement_timeout=5000";

/// The databases that are asked: tables of the same one share its connection.
#[derive(Clone)]
pub struct Databases {
    dialer: Dialer,
    open: Arc<Mutex<HashMap<Database, Arc<Server>>>>,
}

impl std::fmt::Debug for Databases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Databases").finish_non_exhaustive()
    }
}

impl Databases {
    /// None yet.
    #[must_use]
    pub fn new(world: World, resolver: Arc<dyn Resolver>) -> Databases {
        Databases {
            dialer: Dialer { world, resolver },
            open: Arc::default(),
        }
    }

    /// The answers of this query to a database, under `name`; each holds for `keep`.
    #[must_use]
    pub fn table(
        &self,
        name: &str,
        database: &Database,
        query: &str,
        keep: Duration,
    ) -> PostgresTable {
        let mut open = self.open.lock();
        let server = open.entry(database.clone()).or_insert_with(|| {
            Arc::new(Server {
                database: database.clone(),
                dialer: self.dialer.clone(),
                held: Held::default(),
            })
        });
        PostgresTable {
            name: name.to_owned(),
            query: query.to_owned(),
            server: Arc::clone(server),
            prepared: Mutex::default(),
            answers: Answers::new(keep),
        }
    }
}

struct Server {
    database: Database,
    dialer: Dialer,
    held: Held<Arc<Client>>,
}

/// A query with one parameter, the key, whose first column is the value.
pub struct PostgresTable {
    name: String,
    query: String,
    server: Arc<Server>,
    /// The query as the server knows it, on which connection.
    prepared: Mutex<Option<(Arc<Client>, Statement)>>,
    answers: Answers,
}

impl std::fmt::Debug for PostgresTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresTable")
            .field("database", &self.server.database)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Table for PostgresTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        if let Some(entry) = self.answers.get(key) {
            return Ok(entry);
        }
        let entry = in_time(self.ask(key)).await?;
        self.answers.put(key, &entry);
        Ok(entry)
    }
}

impl PostgresTable {
    async fn ask(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        let server = &self.server;
        let is_open = |client: &mut Arc<Client>| !client.is_closed();
        let client = server.held.get(is_open, server.connect()).await?;
        let statement = self.prepare(&client).await?;
        let rows = client.query(&statement, &[&key]).await.map_err(failed)?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let value: Option<Text> = row.try_get(0).map_err(failed)?;
        let value = value.map(|text| text.0).unwrap_or_default();
        Ok(Some(Entry { value, line: None }))
    }

    async fn prepare(&self, client: &Arc<Client>) -> Result<Statement, TableFailed> {
        let known = self.prepared.lock().clone();
        if let Some((on, statement)) = known
            && Arc::ptr_eq(&on, client)
        {
            return Ok(statement);
        }
        let prepared = client.prepare_typed(&self.query, &[Type::TEXT]).await;
        let statement = prepared.map_err(failed)?;
        *self.prepared.lock() = Some((Arc::clone(client), statement.clone()));
        Ok(statement)
    }
}

impl Server {
    async fn connect(&self) -> Result<Arc<Client>, TableFailed> {
        let database = &self.database;
        let mut config = Config::new();
        config
            .user(&database.user)
            .dbname(&database.name)
            .application_name("postrider")
            .options(OPTIONS);
        if let Some(path) = &database.password_file {
            config.password(self.dialer.password(path).await?);
        }
        let stream = self.dialer.connect(&database.server).await?;
        let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(failed)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the connection to PostgreSQL ended; the next question makes another");
            }
        });
        Ok(Arc::new(client))
    }
}

/// What the server said, with what lies behind it.
fn failed(error: tokio_postgres::Error) -> TableFailed {
    match (error.as_db_error(), std::error::Error::source(&error)) {
        (Some(said), _) => TableFailed(said.to_string()),
        (None, Some(source)) => TableFailed(format!("{error}: {source}")),
        (None, None) => TableFailed(error.to_string()),
    }
}

/// A value of any type that has an obvious text.
struct Text(String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(
        kind: &Type,
        raw: &'a [u8],
    ) -> Result<Text, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Text(match *kind {
            Type::INT2 => i16::from_sql(kind, raw)?.to_string(),
            Type::INT4 => i32::from_sql(kind, raw)?.to_string(),
            Type::INT8 => i64::from_sql(kind, raw)?.to_string(),
            Type::BOOL => bool::from_sql(kind, raw)?.to_string(),
            _ => <&str>::from_sql(kind, raw)?.to_owned(),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT2 | Type::INT4 | Type::INT8 | Type::BOOL)
            || <&str as FromSql>::accepts(kind)
    }
}
