//! The durable queue on SQLite, and large bodies in files.
//!
//! One thread owns the connection that writes. It takes all requests that wait, makes them one
//! transaction, and answers when the log is synced (`writer`); readers have connections of their
//! own. Small bodies lie in the database, larger ones in files (`body`). What is durable when, and
//! what a crash leaves, is written down in `docs/durability.md`.
//!
//! | module | what it is |
//! |---|---|
//! | `open` | the data directory, its lock, opening and cleaning up |
//! | `schema` | the tables |
//! | `db`, `writer` | the writing connection and its thread: group commit |
//! | `readers` | connections that read |
//! | `room` | what happens when the disk is full |
//! | `body`, `staging` | content in files |
//! | `accept`, `record`, `change`, `gate`, `outage` | what is written |
//! | `rerouting` | what goes elsewhere, and by which routes all was gone through |
//! | `due`, `late`, `list`, `returned` | what is read |
//! | `greylist` | a database of its own: who has come before |
//! | `callout` | a database of its own: what next hops answered about recipients |
//! | `suppression` | another: to whom nothing is sent |
//! | `tls_ledger` | another: sessions under TLS, and the reports on them |

mod accept;
mod beside;
mod body;
mod callout;
mod change;
mod codec;
mod db;
mod due;
mod error;
mod gate;
mod greylist;
mod late;
mod list;
mod lock;
mod open;
mod outage;
mod readers;
mod record;
mod rerouting;
mod returned;
mod room;
mod schema;
mod staging;
mod store;
mod suppression;
mod tls_ledger;
mod turns;
mod verified;
mod writer;

pub use callout::SqliteCallouts;
pub use greylist::SqliteGreylist;
pub use store::SqliteStore;
pub use suppression::SqliteSuppressions;
pub use tls_ledger::SqliteTlsLedger;
