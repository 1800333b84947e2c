//! `queue list`.

use std::io::Write;

use jiff::Timestamp;
use queue::{Row, RowFilter, Store};
use serde::Serialize;

use super::{Done, QueueError, destination, open_reader};
use crate::cli::List;
use crate::place::Options;

/// A row as scripts read it. The names are stable.
#[derive(Serialize)]
struct JsonRow<'a> {
    id: String,
    sender: &'a str,
    recipient: &'a str,
    state: &'static str,
    cause: Option<&'static str>,
    next_attempt: Option<Timestamp>,
    attempts: u32,
    destination: &'a str,
    size: u64,
    received_at: Timestamp,
    paused: bool,
}

/// Rows read at a time.
const AT_ONCE: usize = 1000;

pub(super) async fn run(list: &List, options: &Options) -> Done {
    let store = open_reader(&options.data())?;
    let mut filter = RowFilter {
        open_only: !list.all,
        destination: list
            .to
            .as_deref()
            .map(|to| destination(to, options))
            .transpose()?,
        limit: AT_ONCE,
        ..RowFilter::default()
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let now = Timestamp::now();
    let mut count = 0;
    loop {
        let rows = store.rows(filter.clone()).await?;
        for row in &rows {
            let written = if list.json {
                json(&mut out, row)
            } else {
                text(&mut out, row, now, count == 0)
            };
            written.map_err(QueueError::Output)?;
            count += 1;
        }
        match rows.last() {
            Some(last) if rows.len() == AT_ONCE => {
                filter.after = Some((last.message, last.recipient.index));
            }
            _ => break,
        }
    }
    if count == 0 && !list.json {
        writeln!(out, "The queue is empty.").map_err(QueueError::Output)?;
    }
    out.flush().map_err(QueueError::Output)
}

/// When a row is tried next: not before its destination is.
fn next_attempt(row: &Row) -> Option<Timestamp> {
    let due = row.recipient.next_attempt?;
    let blocked = row.destination.as_ref().and_then(|d| d.blocked_until);
    Some(blocked.map_or(due, |until| until.max(due)))
}

fn json(out: &mut impl Write, row: &Row) -> std::io::Result<()> {
    let row = JsonRow {
        id: row.message.to_string(),
        sender: row.sender.as_str(),
        recipient: row.recipient.address.as_str(),
        state: row.recipient.state.as_str(),
        cause: cause(row),
        next_attempt: next_attempt(row),
        attempts: row.recipient.attempts,
        destination: row.recipient.destination.as_str(),
        size: row.size,
        received_at: row.received_at,
        paused: row.destination.as_ref().is_some_and(|d| d.paused),
    };
    serde_json::to_writer(&mut *out, &row)?;
    writeln!(out)
}

/// The cause of the recipient's last failure; for one that only waits behind others, theirs.
fn cause(row: &Row) -> Option<&'static str> {
    let own = row.recipient.last.as_ref();
    let shared = row
        .destination
        .as_ref()
        .filter(|d| d.failures > 0)
        .and_then(|d| d.last.as_ref());
    let open = !row.recipient.state.is_final();
    own.or(shared.filter(|_| open)).map(|d| d.cause.id())
}

fn text(out: &mut impl Write, row: &Row, now: Timestamp, first: bool) -> std::io::Result<()> {
    if first {
        writeln!(
            out,
            "{:<26} {:>5} {:>8}  {:<9} {:<26} {:<10} RECIPIENT (from SENDER)",
            "ID", "AGE", "SIZE", "STATE", "CAUSE", "NEXT"
        )?;
    }
    let next = match next_attempt(row) {
        Some(_) if row.destination.as_ref().is_some_and(|d| d.paused) => "paused".to_owned(),
        Some(at) if at <= now => "now".to_owned(),
        Some(at) => format!("in {}", span(at.duration_since(now).as_secs())),
        None => "-".to_owned(),
    };
    let sender = if row.sender.is_null() {
        "<>"
    } else {
        row.sender.as_str()
    };
    writeln!(
        out,
        "{:<26} {:>5} {:>8}  {:<9} {:<26} {:<10} {} (from {sender})",
        row.message,
        span(now.duration_since(row.received_at).as_secs()),
        row.size,
        row.recipient.state.as_str(),
        cause(row).unwrap_or("-"),
        next,
        row.recipient.address,
    )
}

fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s}s"),
        s @ 120..7200 => format!("{}m", s / 60),
        s @ 7200..172_800 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}
