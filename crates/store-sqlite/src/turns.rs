//! What is due for a destination, all senders by turns.
//!
//! A sender's place is the column `lineup`. The index `recipient_turn` leads from one sender to the
//! next without touching what lies between, so that a reading costs as much whether a sender has ten
//! recipients queued or a hundred thousand.

use std::collections::HashSet;

use jiff::Timestamp;
use queue::policy::{Class, lineups_of};
use queue::{MessageId, RecipientState};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{RECIPIENT, message_id, nanos, recipient, stamp};
use crate::due::Found;
use crate::error::Fault;

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) now: Timestamp,
    pub(crate) limit: usize,
    pub(crate) except: HashSet<(MessageId, u32)>,
    /// Whose turn it was last.
    pub(crate) turn: Option<i64>,
}

/// What is taken.
pub(crate) struct Taken {
    pub(crate) found: Found,
    pub(crate) next: Option<Timestamp>,
    pub(crate) turn: Option<i64>,
}

/// Senders that are looked at in one reading. With more of them that have nothing due, the next
/// reading goes on where this one ended.
const EXAMINED: usize = 1000;
/// The urgent ones get so much more of a reading.
const URGENT_SHARE: usize = 2;

/// Takes what is due, beginning with the sender after the one whose turn it was.
pub(crate) fn take(conn: &Connection, destination: i64, asked: &Asked) -> Result<Taken, Fault> {
    let urgent = lineups_of(Class::Urgent);
    let others = lineups_of(Class::Normal).start..lineups_of(Class::Bulk).end;
    let turn = asked.turn.unwrap_or(others.start - 1);
    // Among the urgent the turn goes round, too: by the place in their range.
    let within = turn.rem_euclid(urgent.end);
    let first = Senders::of(conn, destination, &urgent, within, asked)?;
    let then = Senders::of(conn, destination, &others, turn, asked)?;
    let mut taken = Taken {
        found: Vec::new(),
        next: None,
        turn: Some(then.last.unwrap_or(turn)),
    };
    let shares = (URGENT_SHARE * first.due.len() + then.due.len()).max(1);
    let share = asked.limit.div_ceil(shares);
    let mut more = !first.all || !then.all;
    for (senders, share) in [(&first, share * URGENT_SHARE), (&then, share)] {
        for &lineup in &senders.due {
            more |= take_of(conn, destination, lineup, share, asked, &mut taken.found)?;
        }
    }
    taken.next = match more {
        true => Some(asked.now),
        false => next_due(conn, destination, asked.now)?,
    };
    Ok(taken)
}

/// Senders with something due.
struct Senders {
    due: Vec<i64>,
    /// The last one that was looked at.
    last: Option<i64>,
    /// Whether all were looked at.
    all: bool,
}

impl Senders {
    /// Those of a range, once around beginning after `turn`.
    fn of(
        conn: &Connection,
        destination: i64,
        range: &std::ops::Range<i64>,
        turn: i64,
        asked: &Asked,
    ) -> Result<Senders, Fault> {
        // The index on the lineup alone: what is queued of a sender is stepped over.
        let select = "SELECT lineup, next_attempt FROM recipient INDEXED BY recipient_turn \
             WHERE destination = ?1 AND state = 0 AND lineup > ?2 AND lineup <= ?3 \
             ORDER BY lineup, next_attempt LIMIT 1";
        let mut statement = conn.prepare_cached(select)?;
        let begin = turn.clamp(range.start - 1, range.end - 1);
        let mut senders = Senders {
            due: Vec::new(),
            last: None,
            all: false,
        };
        let mut examined = 0;
        for (from, to) in [(begin, range.end - 1), (range.start - 1, begin)] {
            let mut at = from;
            loop {
                if examined >= EXAMINED || senders.due.len() >= asked.limit {
                    return Ok(senders);
                }
                let next: Option<(i64, i64)> = statement
                    .query_row(params![destination, at, to], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()?;
                let Some((lineup, due)) = next else {
                    break;
                };
                examined += 1;
                at = lineup;
                senders.last = Some(lineup);
                if due <= nanos(asked.now) {
                    senders.due.push(lineup);
                }
            }
        }
        senders.all = true;
        Ok(senders)
    }
}

/// Takes a sender's share; answers whether it has more.
fn take_of(
    conn: &Connection,
    destination: i64,
    lineup: i64,
    share: usize,
    asked: &Asked,
    found: &mut Found,
) -> Result<bool, Fault> {
    let select = format!(
        "SELECT r.message, r.next_attempt, {RECIPIENT} \
         FROM recipient r INDEXED BY recipient_turn JOIN destination d ON d.id = ?1 \
         WHERE r.destination = ?1 AND r.state = 0 AND r.lineup = ?2 AND r.next_attempt <= ?3 \
         ORDER BY r.next_attempt, r.message, r.idx"
    );
    let mut statement = conn.prepare_cached(&select)?;
    let mut rows = statement.query(params![destination, lineup, nanos(asked.now)])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let id = message_id(row, 0)?;
        if asked.except.contains(&(id, row.get(2)?)) {
            continue;
        }
        if count >= share {
            return Ok(true);
        }
        let mut recipient = recipient(row, 2)?;
        // Whoever holds the lease names what he has in hand; an attempt that he began and does not
        // name has come to nothing.
        recipient.state = RecipientState::Queued;
        recipient.next_attempt = Some(stamp(row.get(1)?));
        found.push((id, recipient));
        count += 1;
    }
    Ok(false)
}

fn next_due(
    conn: &Connection,
    destination: i64,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let select = "SELECT next_attempt FROM recipient INDEXED BY recipient_due \
         WHERE destination = ?1 AND state = 0 AND next_attempt > ?2 ORDER BY next_attempt LIMIT 1";
    let mut statement = conn.prepare_cached(select)?;
    let found: Option<i64> = statement
        .query_row(params![destination, nanos(now)], |row| row.get(0))
        .optional()?;
    Ok(found.map(stamp))
}
