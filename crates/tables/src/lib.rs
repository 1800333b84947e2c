//! Tables of recipients: files that are read anew when they change, and queries to SQLite databases.
//!
//! A table that has been read once goes on with what it knows while its file is missing or broken, and
//! the log says so; one that was never read fails, and mail for those that it may know is put off.

mod file;
mod sqlite;

pub use file::{FileTable, Includes};
pub use sqlite::SqliteTable;
