//! Tables of recipients: files that are read anew when they change, queries to SQLite and PostgreSQL
//! databases, searches in LDAP directories.
//!
//! A table that has been read once goes on with what it knows while its file is missing or broken, and
//! the log says so; one that was never read fails, and mail for those that it may know is put off.

mod file;
mod ldap;
mod postgres;
mod server;
mod sqlite;

pub use file::{FileTable, Includes};
pub use ldap::{LdapTable, Search};
pub use postgres::{Database, Databases, PostgresTable};
pub use server::Place;
pub use sqlite::SqliteTable;
