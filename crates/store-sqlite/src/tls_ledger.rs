//! Sessions under TLS and the reports on them: a database of its own, `tls-reports.db`, beside the
//! queue's. Each batch of counts, and each step of a report on its way, is synced.

mod count;
mod posts;

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use queue::{
    Beyond, ClosedTlsReport, Days, DueTlsReport, KeptTlsReport, MessageId, OpenTlsReport,
    StoreError, TlsLedger, TlsPostState, TlsSession, Tried,
};
use rusqlite::{Connection, params};
use tls_report::Rua;

use crate::beside::Beside;
use crate::codec::nanos;
use crate::error::Fault;

const TABLES: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS report (
    key     INTEGER PRIMARY KEY,
    domain  TEXT NOT NULL,
    day     TEXT NOT NULL,
    start   INTEGER NOT NULL,
    end     INTEGER,
    id      TEXT,
    due     INTEGER,
    since   INTEGER,
    times   INTEGER NOT NULL DEFAULT 0,
    problem TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS report_open ON report (day, domain) WHERE end IS NULL;
CREATE INDEX IF NOT EXISTS report_day ON report (domain, day, end);
CREATE INDEX IF NOT EXISTS report_due ON report (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS policy (
    key    INTEGER PRIMARY KEY,
    report INTEGER NOT NULL REFERENCES report (key) ON DELETE CASCADE,
    kind   TEXT NOT NULL,
    lines  TEXT NOT NULL,
    mx     TEXT NOT NULL,
    good   INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (report, kind, lines, mx)
) STRICT;
CREATE TABLE IF NOT EXISTS detail (
    policy  INTEGER NOT NULL REFERENCES policy (key) ON DELETE CASCADE,
    result  TEXT NOT NULL,
    sender  TEXT NOT NULL,
    mx      TEXT NOT NULL,
    address TEXT NOT NULL,
    reason  TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (policy, result, sender, mx, address, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS post (
    report  INTEGER NOT NULL REFERENCES report (key) ON DELETE CASCADE,
    rua     TEXT NOT NULL,
    message BLOB NOT NULL,
    state   INTEGER NOT NULL DEFAULT 0,
    due     INTEGER,
    since   INTEGER,
    times   INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    PRIMARY KEY (report, rua)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS post_due ON post (due) WHERE due IS NOT NULL;
";

/// How much is kept at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Reports whose time has not ended.
    reports: u64,
    /// Policies in one of them: as many as a domain changes to in a day, and one for each exchanger.
    policies: u64,
    /// Kinds of failure under one policy.
    details: u64,
    /// Kinds of failure in all: about 50 MB.
    all_details: u64,
}

const LIMITS: Limits = Limits {
    reports: 50_000,
    policies: 64,
    details: 200,
    all_details: 200_000,
};

/// The ledger in a SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteTlsLedger {
    beside: Beside,
    limits: Limits,
}

impl SqliteTlsLedger {
    /// The name of its file.
    pub const FILE: &'static str = "tls-reports.db";

    /// Opens `tls-reports.db` in a data directory that is there.
    pub fn open(dir: &Path) -> Result<SqliteTlsLedger, StoreError> {
        let beside = Beside::open(dir, Self::FILE, TABLES)?;
        Ok(SqliteTlsLedger {
            beside,
            limits: LIMITS,
        })
    }

    /// One transaction.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.beside
            .with(move |conn| {
                // Dropped before the commit, it takes all back.
                let transaction = conn.unchecked_transaction()?;
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            })
            .await
    }
}

fn text_of(day: Option<Date>) -> Option<String> {
    day.map(|day| day.to_string())
}

fn day_of(text: &str) -> Result<Date, Fault> {
    let wrong = |error| Fault::Damaged(format!("the day of a report does not read: {error}"));
    text.parse().map_err(wrong)
}

#[async_trait]
impl TlsLedger for SqliteTlsLedger {
    async fn add(&self, counted: Vec<(TlsSession, u64)>) -> Result<Beyond, StoreError> {
        let limits = self.limits;
        self.change(move |conn| count::add(conn, &limits, &counted))
            .await
    }

    async fn open(&self, days: Days) -> Result<Vec<OpenTlsReport>, StoreError> {
        self.beside
            .with(move |conn| {
                let (condition, day) = match days {
                    Days::All => ("?1 IS NULL", None),
                    Days::One(day) => ("day = ?1", Some(day)),
                    // As text, days sort as they follow each other.
                    Days::Before(day) => ("day < ?1", Some(day)),
                };
                let select = format!(
                    "SELECT key, domain, day FROM report WHERE end IS NULL AND {condition}"
                );
                let mut statement = conn.prepare_cached(&select)?;
                let mut rows = statement.query([text_of(day)])?;
                let mut open = Vec::new();
                while let Some(row) = rows.next()? {
                    open.push(OpenTlsReport {
                        key: row.get(0)?,
                        domain: row.get(1)?,
                        day: day_of(&row.get::<_, String>(2)?)?,
                    });
                }
                Ok(open)
            })
            .await
    }

    async fn close(&self, closed: Vec<ClosedTlsReport>) -> Result<(), StoreError> {
        self.change(move |conn| {
            let update =
                "UPDATE report SET end = ?2, id = ?3, due = ?4 WHERE key = ?1 AND end IS NULL";
            let mut statement = conn.prepare_cached(update)?;
            for one in closed {
                statement.execute(params![one.key, nanos(one.end), one.id, nanos(one.due)])?;
            }
            Ok(())
        })
        .await
    }

    async fn hasten(&self, day: Option<Date>, now: Timestamp) -> Result<u64, StoreError> {
        self.change(move |conn| posts::hasten(conn, text_of(day), now))
            .await
    }

    async fn due(&self, now: Timestamp, most: usize) -> Result<Vec<DueTlsReport>, StoreError> {
        self.beside
            .with(move |conn| posts::due(conn, now, most))
            .await
    }

    async fn report(&self, key: i64) -> Result<Option<KeptTlsReport>, StoreError> {
        self.beside
            .with(move |conn| Ok(count::kept(conn, Some(key))?.pop()))
            .await
    }

    async fn address(
        &self,
        key: i64,
        places: Vec<(Rua, MessageId)>,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(move |conn| posts::address(conn, key, &places, due))
            .await
    }

    async fn remove(&self, key: i64) -> Result<(), StoreError> {
        self.change(move |conn| {
            conn.execute("DELETE FROM report WHERE key = ?1", [key])?;
            Ok(())
        })
        .await
    }

    async fn ask_again(&self, key: i64, tried: Tried, due: Timestamp) -> Result<(), StoreError> {
        self.change(move |conn| {
            let update =
                "UPDATE report SET due = ?2, since = ?3, times = ?4, problem = ?5 WHERE key = ?1";
            let since = tried.since.map(nanos);
            let row = params![key, nanos(due), since, tried.times, tried.problem];
            conn.prepare_cached(update)?.execute(row)?;
            Ok(())
        })
        .await
    }

    async fn posted(
        &self,
        key: i64,
        rua: &Rua,
        state: TlsPostState,
        tried: Tried,
    ) -> Result<(), StoreError> {
        let rua = rua.to_string();
        self.change(move |conn| posts::posted(conn, key, &rua, state, &tried))
            .await
    }

    async fn all(&self) -> Result<Vec<KeptTlsReport>, StoreError> {
        self.beside.with(|conn| count::kept(conn, None)).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.change(move |conn| {
            let delete = "DELETE FROM report WHERE end < ?1 AND due IS NULL AND NOT EXISTS \
                (SELECT 1 FROM post WHERE post.report = report.key AND post.due IS NOT NULL)";
            Ok(conn.execute(delete, [nanos(before)])? as u64)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
