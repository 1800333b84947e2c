//! Queries to a real PostgreSQL.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::sync::Arc;
use std::time::Duration;

use dns::TableResolver;
use peers::Postgres;
use recipients::Table;
use tables::{Database, Databases, Place, PostgresTable};
use world::World;

/// So long after a failure nobody tries again, and a little more.
const PAUSE: Duration = Duration::from_millis(1_100);

const QUERY: &str = "SELECT options FROM users WHERE name = $1";

fn server() -> Postgres {
    let postgres = Postgres::start().unwrap();
    postgres
        .sql(
            "mail",
            "CREATE TABLE users (name varchar PRIMARY KEY, options text, number int);
             INSERT INTO users VALUES ('anna', 'quota=5MiB', 7), ('bert', NULL, NULL);
             CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT SELECT ON users TO reader;",
        )
        .unwrap();
    postgres
}

fn databases() -> Databases {
    Databases::new(World::real(), Arc::new(TableResolver::default()))
}

fn by_socket(postgres: &Postgres) -> Database {
    Database {
        server: Place::Socket(postgres.socket.clone()),
        name: "mail".into(),
        user: "reader".into(),
        password_file: None,
    }
}

async fn value(table: &PostgresTable, key: &str) -> Option<String> {
    table.look_up(key).await.unwrap().map(|entry| entry.value)
}

#[tokio::test]
async fn a_query_answers_for_its_key_over_one_connection_and_what_it_answered_holds_a_while() {
    let postgres = server();
    let databases = databases();
    let database = by_socket(&postgres);
    let keep = Duration::from_secs(1);
    let users = databases.table("users", &database, QUERY, keep);
    let numbers = "SELECT number FROM users WHERE name = $1";
    let numbers = databases.table("numbers", &database, numbers, keep);
    assert_eq!(value(&users, "anna").await.as_deref(), Some("quota=5MiB"));
    assert_eq!(value(&users, "bert").await.as_deref(), Some(""));
    assert_eq!(value(&users, "' OR 1=1 --").await, None);
    assert_eq!(value(&numbers, "anna").await.as_deref(), Some("7"));
    let many = (0..100).map(|n| format!("nobody{n}")).collect::<Vec<_>>();
    let asked = many.iter().map(|key| users.look_up(key));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer, Ok(None));
    }
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postrider'";
    assert_eq!(postgres.sql("mail", count).unwrap().trim(), "1");
    postgres
        .sql("mail", "INSERT INTO users VALUES ('carla', 'x')")
        .unwrap();
    postgres
        .sql("mail", "DELETE FROM users WHERE name = 'anna'")
        .unwrap();
    assert!(value(&users, "anna").await.is_some(), "it still holds");
    assert_eq!(value(&users, "carla").await.as_deref(), Some("x"));
    tokio::time::sleep(keep).await;
    assert_eq!(value(&users, "anna").await, None);
}

#[tokio::test]
async fn over_tcp_a_password_is_shown_and_a_wrong_one_fails() {
    let postgres = server();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "wrong\n").unwrap();
    let database = Database {
        server: Place::Host("127.0.0.1".into(), postgres.port),
        password_file: Some(file.clone()),
        ..by_socket(&postgres)
    };
    let table = databases().table("users", &database, QUERY, Duration::ZERO);
    let error = table.look_up("anna").await.unwrap_err();
    assert!(
        error.0.contains("password authentication failed"),
        "{error}"
    );
    std::fs::write(&file, "secret\n").unwrap();
    tokio::time::sleep(PAUSE).await;
    assert!(value(&table, "anna").await.is_some());
}

#[tokio::test]
async fn nothing_is_written_whatever_the_query_says() {
    let postgres = server();
    postgres
        .sql("mail", "GRANT ALL ON users TO reader")
        .unwrap();
    let query = "DELETE FROM users WHERE name = $1 RETURNING options";
    let table = databases().table("users", &by_socket(&postgres), query, Duration::ZERO);
    let error = table.look_up("anna").await.unwrap_err();
    assert!(error.0.contains("read-only transaction"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_fails_and_is_connected_to_anew_when_it_is_back() {
    let mut postgres = server();
    let table = databases().table("users", &by_socket(&postgres), QUERY, Duration::ZERO);
    assert!(value(&table, "anna").await.is_some());
    postgres.kill();
    assert!(table.look_up("anna").await.is_err());
    assert!(table.look_up("anna").await.is_err());
    postgres.run().unwrap();
    tokio::time::sleep(PAUSE).await;
    assert!(value(&table, "anna").await.is_some());
    let wrong = databases().table(
        "users",
        &by_socket(&postgres),
        "SELECT x FROM users WHERE name = $1",
        Duration::ZERO,
    );
    let error = wrong.look_up("anna").await.unwrap_err();
    assert!(error.0.contains("does not exist"), "{error}");
}
