//! Reports on their way.

use jiff::Timestamp;
use queue::{DueTlsReport, MessageId, TlsPost, TlsPostState, Tried};
use rusqlite::{Connection, params};
use tls_report::Rua;

use super::count::tried;
use crate::codec::{message_id, nanos, stamp};
use crate::error::Fault;

/// `post.state`.
const WAITS: i64 = 0;
const SENT: i64 = 1;
const FAILED: i64 = 2;

fn rua(text: &str) -> Result<Rua, Fault> {
    let wrong = || Fault::Damaged(format!("`{text}` is no place for a report"));
    Rua::parse(text).ok_or_else(wrong)
}

pub(super) fn due(
    conn: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<Vec<DueTlsReport>, Fault> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    let select = "SELECT key, domain, since, times, problem FROM report WHERE due <= ?1 \
        ORDER BY due LIMIT ?2";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([nanos(now), most])?;
    while let Some(row) = rows.next()? {
        all.push(DueTlsReport::Ask {
            key: row.get(0)?,
            domain: row.get(1)?,
            tried: tried(row, 2)?,
        });
    }
    let select = "SELECT report, rua, message, since, times, problem FROM post WHERE due <= ?1 \
        ORDER BY due LIMIT ?2";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([nanos(now), most])?;
    while let Some(row) = rows.next()? {
        all.push(DueTlsReport::Post {
            key: row.get(0)?,
            rua: rua(&row.get::<_, String>(1)?)?,
            message: message_id(row, 2)?,
            tried: tried(row, 3)?,
        });
    }
    Ok(all)
}

pub(super) fn hasten(conn: &Connection, day: Option<String>, now: Timestamp) -> Result<u64, Fault> {
    let update = "UPDATE report SET due = ?1 WHERE due IS NOT NULL AND (?2 IS NULL OR day = ?2)";
    let asked = conn.execute(update, params![nanos(now), day])?;
    let select = "SELECT count(DISTINCT report) FROM post JOIN report ON report.key = post.report \
        WHERE post.due IS NOT NULL AND (?1 IS NULL OR day = ?1)";
    let posted: i64 = conn.query_row(select, [&day], |row| row.get(0))?;
    let update = "UPDATE post SET due = ?1 WHERE due IS NOT NULL AND report IN \
        (SELECT key FROM report WHERE ?2 IS NULL OR day = ?2)";
    conn.execute(update, params![nanos(now), day])?;
    Ok(asked as u64 + posted.cast_unsigned())
}

pub(super) fn address(
    conn: &Connection,
    key: i64,
    places: &[(Rua, MessageId)],
    due: Timestamp,
) -> Result<(), Fault> {
    let update = "UPDATE report SET due = NULL, problem = NULL WHERE key = ?1";
    conn.prepare_cached(update)?.execute([key])?;
    let insert = "INSERT OR IGNORE INTO post (report, rua, message, due) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = conn.prepare_cached(insert)?;
    for (rua, message) in places {
        insert.execute(params![
            key,
            rua.to_string(),
            message.as_bytes(),
            nanos(due)
        ])?;
    }
    Ok(())
}

pub(super) fn posted(
    conn: &Connection,
    key: i64,
    rua: &str,
    state: TlsPostState,
    tried: &Tried,
) -> Result<(), Fault> {
    let (state, due) = match state {
        TlsPostState::Waits(at) => (WAITS, Some(nanos(at))),
        TlsPostState::Sent => (SENT, None),
        TlsPostState::Failed => (FAILED, None),
    };
    let update = "UPDATE post SET state = ?3, due = ?4, since = ?5, times = ?6, problem = ?7 \
        WHERE report = ?1 AND rua = ?2";
    let since = tried.since.map(nanos);
    let row = params![key, rua, state, due, since, tried.times, tried.problem];
    conn.prepare_cached(update)?.execute(row)?;
    Ok(())
}

pub(super) fn of(conn: &Connection, report: i64) -> Result<Vec<TlsPost>, Fault> {
    let select = "SELECT rua, message, state, due, since, times, problem FROM post \
        WHERE report = ?1 ORDER BY rua";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([report])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let state = match (row.get(2)?, row.get::<_, Option<i64>>(3)?) {
            (WAITS, Some(due)) => TlsPostState::Waits(stamp(due)),
            (SENT, None) => TlsPostState::Sent,
            (FAILED, None) => TlsPostState::Failed,
            (state, _) => {
                let what = format!("a report on its way has no state {state}");
                return Err(Fault::Damaged(what));
            }
        };
        all.push(TlsPost {
            rua: rua(&row.get::<_, String>(0)?)?,
            message: message_id(row, 1)?,
            state,
            tried: tried(row, 4)?,
        });
    }
    Ok(all)
}
