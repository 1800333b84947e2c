//! Counting, and what was counted.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use queue::{Beyond, KeptTlsReport, TlsSession, Tried};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tls_report::{FailureDetail, Policy, PolicyKind, PolicyReport, ResultType};

use super::{Limits, posts};
use crate::codec::{from_json, json, nanos, stamp};
use crate::error::Fault;

/// How full it is, while a batch is added.
struct Room<'a> {
    conn: &'a Connection,
    limits: &'a Limits,
    reports: u64,
    details: u64,
}

pub(super) fn add(
    conn: &Connection,
    limits: &Limits,
    counted: &[(TlsSession, u64)],
) -> Result<Beyond, Fault> {
    let number = |sql: &str| -> Result<u64, Fault> {
        let count: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    let mut room = Room {
        conn,
        limits,
        reports: number("SELECT count(*) FROM report WHERE end IS NULL")?,
        details: number("SELECT count(*) FROM detail")?,
    };
    let mut beyond = Beyond::default();
    for (session, count) in counted {
        let policy = match room.report(session)? {
            Some(report) => room.policy(report, &session.policy)?,
            None => None,
        };
        let Some(policy) = policy else {
            beyond.sessions += count;
            continue;
        };
        let more = count.cast_signed();
        let update = match session.failure {
            None => "UPDATE policy SET good = good + ?2 WHERE key = ?1",
            Some(_) => "UPDATE policy SET failed = failed + ?2 WHERE key = ?1",
        };
        conn.prepare_cached(update)?.execute([policy, more])?;
        if let Some(failure) = &session.failure
            && !room.detail(policy, failure, more)?
        {
            beyond.details += count;
        }
    }
    Ok(beyond)
}

impl Room<'_> {
    /// The report for a session, begun where there is none.
    fn report(&mut self, session: &TlsSession) -> Result<Option<i64>, Fault> {
        let (domain, day) = (&session.policy.domain, session.day.to_string());
        let select = "SELECT key FROM report WHERE domain = ?1 AND day = ?2 AND end IS NULL";
        let mut select = self.conn.prepare_cached(select)?;
        let open = select.query_row(params![domain, day], |row| row.get(0));
        if let Some(key) = open.optional()? {
            return Ok(Some(key));
        }
        if self.reports >= self.limits.reports {
            return Ok(None);
        }
        // After one of the same day that was sent before its end.
        let latest = "SELECT max(end) FROM report WHERE domain = ?1 AND day = ?2";
        let mut latest = self.conn.prepare_cached(latest)?;
        let latest: Option<i64> = latest.query_row(params![domain, day], |row| row.get(0))?;
        let start = match latest {
            Some(end) => end.saturating_add(1_000_000_000),
            None => nanos(midnight(session.day)),
        };
        let insert = "INSERT INTO report (domain, day, start) VALUES (?1, ?2, ?3)";
        let mut insert = self.conn.prepare_cached(insert)?;
        insert.execute(params![domain, day, start])?;
        self.reports += 1;
        Ok(Some(self.conn.last_insert_rowid()))
    }

    fn policy(&self, report: i64, policy: &Policy) -> Result<Option<i64>, Fault> {
        let (lines, mx) = (json(&policy.lines)?, json(&policy.mx)?);
        let row = params![report, policy.kind.as_str(), lines, mx];
        let select =
            "SELECT key FROM policy WHERE report = ?1 AND kind = ?2 AND lines = ?3 AND mx = ?4";
        let mut select = self.conn.prepare_cached(select)?;
        if let Some(key) = select.query_row(row, |row| row.get(0)).optional()? {
            return Ok(Some(key));
        }
        let count = "SELECT count(*) FROM policy WHERE report = ?1";
        let mut count = self.conn.prepare_cached(count)?;
        let count: i64 = count.query_row([report], |row| row.get(0))?;
        if count.cast_unsigned() >= self.limits.policies {
            return Ok(None);
        }
        let insert = "INSERT INTO policy (report, kind, lines, mx) VALUES (?1, ?2, ?3, ?4)";
        self.conn.prepare_cached(insert)?.execute(row)?;
        Ok(Some(self.conn.last_insert_rowid()))
    }

    /// Whether there was room for it.
    fn detail(&mut self, policy: i64, failure: &FailureDetail, more: i64) -> Result<bool, Fault> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let row = params![
            policy,
            failure.result.as_str(),
            text(&failure.sending_ip),
            text(&failure.mx),
            text(&failure.receiving_ip),
            text(&failure.reason),
            more,
        ];
        let update = "UPDATE detail SET count = count + ?7 WHERE policy = ?1 AND result = ?2 \
            AND sender = ?3 AND mx = ?4 AND address = ?5 AND reason = ?6";
        if self.conn.prepare_cached(update)?.execute(row)? > 0 {
            return Ok(true);
        }
        let count = "SELECT count(*) FROM detail WHERE policy = ?1";
        let mut count = self.conn.prepare_cached(count)?;
        let count: i64 = count.query_row([policy], |row| row.get(0))?;
        let full =
            count.cast_unsigned() >= self.limits.details || self.details >= self.limits.all_details;
        if full {
            return Ok(false);
        }
        let insert = "INSERT INTO detail (policy, result, sender, mx, address, reason, count) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.conn.prepare_cached(insert)?.execute(row)?;
        self.details += 1;
        Ok(true)
    }
}

fn midnight(day: Date) -> Timestamp {
    let at = TimeZone::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight()));
    at.unwrap_or(Timestamp::MIN)
}

/// One report, or all by day and domain.
pub(super) fn kept(conn: &Connection, key: Option<i64>) -> Result<Vec<KeptTlsReport>, Fault> {
    let select = "SELECT key, domain, start, end, id, due, since, times, problem FROM report \
        WHERE ?1 IS NULL OR key = ?1 ORDER BY day, domain, start";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([key])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, domain): (i64, String) = (row.get(0)?, row.get(1)?);
        all.push(KeptTlsReport {
            policies: policies(conn, key, &domain)?,
            posts: posts::of(conn, key)?,
            key,
            domain,
            start: stamp(row.get(2)?),
            end: row.get::<_, Option<i64>>(3)?.map(stamp),
            id: row.get(4)?,
            due: row.get::<_, Option<i64>>(5)?.map(stamp),
            tried: tried(row, 6)?,
        });
    }
    Ok(all)
}

/// What came of attempts, from three columns.
pub(super) fn tried(row: &Row<'_>, first: usize) -> Result<Tried, Fault> {
    Ok(Tried {
        since: row.get::<_, Option<i64>>(first)?.map(stamp),
        times: row.get(first + 1)?,
        problem: row.get(first + 2)?,
    })
}

fn policies(conn: &Connection, report: i64, domain: &str) -> Result<Vec<PolicyReport>, Fault> {
    let select =
        "SELECT key, kind, lines, mx, good, failed FROM policy WHERE report = ?1 ORDER BY key";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([report])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let texts = |column| -> Result<Vec<String>, Fault> {
            from_json("a policy of a report", &row.get::<_, String>(column)?)
        };
        all.push(PolicyReport {
            policy: Policy {
                kind: PolicyKind::parse(&row.get::<_, String>(1)?),
                lines: texts(2)?,
                mx: texts(3)?,
                domain: domain.to_owned(),
            },
            successes: row.get::<_, i64>(4)?.cast_unsigned(),
            failures: row.get::<_, i64>(5)?.cast_unsigned(),
            details: details(conn, row.get(0)?)?,
        });
    }
    Ok(all)
}

fn details(conn: &Connection, policy: i64) -> Result<Vec<FailureDetail>, Fault> {
    let select = "SELECT result, sender, mx, address, reason, count FROM detail WHERE policy = ?1 \
        ORDER BY count DESC, result, mx, address, sender, reason";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([policy])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| -> Result<Option<String>, Fault> {
            let text: String = row.get(column)?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        };
        all.push(FailureDetail {
            result: ResultType::parse(&row.get::<_, String>(0)?),
            sending_ip: text(1)?,
            mx: text(2)?,
            receiving_ip: text(3)?,
            reason: text(4)?,
            count: row.get::<_, i64>(5)?.cast_unsigned(),
            helo: None,
            more: None,
        });
    }
    Ok(all)
}
