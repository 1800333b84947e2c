//! The tables, and how an older database becomes a newer one.

use rusqlite::Connection;

use crate::error::Fault;

/// The newest format this version writes.
pub(crate) const FORMAT: u32 = 9;

/// Size of a page. With 4 KiB a row of a message with a body of a few KiB keeps its envelope in the
/// tree and its body in overflow pages, which cost nothing to free when the body goes.
pub(crate) const PAGE: u32 = 4096;

/// `MIGRATIONS[n]` leads from format n to n + 1.
const MIGRATIONS: [&str; FORMAT as usize] = [
    FIRST, GATE, REWRITTEN, OPTIONS, TURNS, OUTAGES, FINDINGS, RETURNED, ROUTED,
];

/// Times are nanoseconds since 1970; ids are the 16 bytes of the UUID. `recipient.sending` is the
/// time at which an attempt began whose outcome is not recorded: a column in no index, so that
/// beginning an attempt touches one page.
const FIRST: &str = "
CREATE TABLE destination (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    token         INTEGER NOT NULL,
    blocked_until INTEGER,
    failures      INTEGER NOT NULL,
    last          TEXT,
    paused        INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    id          BLOB PRIMARY KEY NOT NULL,
    sender      TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    body_kind   INTEGER NOT NULL,
    smtputf8    INTEGER NOT NULL,
    hops        INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    client      TEXT NOT NULL,
    helo        TEXT,
    protocol    TEXT NOT NULL,
    about       BLOB,
    ended_at    INTEGER,
    place       INTEGER NOT NULL,
    body        BLOB
) STRICT;

CREATE TABLE recipient (
    message      BLOB NOT NULL,
    idx          INTEGER NOT NULL,
    address      TEXT NOT NULL,
    destination  INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    next_attempt INTEGER,
    sending      INTEGER,
    attempts     INTEGER NOT NULL,
    last         TEXT,
    basis        TEXT,
    PRIMARY KEY (message, idx)
) STRICT, WITHOUT ROWID;

CREATE INDEX recipient_due ON recipient (destination, next_attempt) WHERE state = 0;

CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    message     BLOB NOT NULL,
    destination INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    facts       TEXT NOT NULL,
    verdicts    TEXT NOT NULL
) STRICT;

CREATE INDEX attempt_message ON attempt (message);

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    message     BLOB,
    recipient   INTEGER,
    destination INTEGER,
    kind        TEXT NOT NULL
) STRICT;

CREATE INDEX event_message ON event (message) WHERE message IS NOT NULL;
";

/// One row while the administrator has stopped receiving.
const GATE: &str = "
CREATE TABLE gate (
    name      TEXT PRIMARY KEY NOT NULL,
    closed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What a recipient's envelope has in place of what the client gave.
const REWRITTEN: &str = "ALTER TABLE recipient ADD COLUMN rewritten TEXT;";

/// What the sender asked for: JSON, and NULL where that is nothing.
const OPTIONS: &str = "
ALTER TABLE message ADD COLUMN options TEXT;
ALTER TABLE recipient ADD COLUMN options TEXT;
";

/// By which senders take turns (`queue::policy::lineup`); what is older is of one sender, and normal.
const TURNS: &str = "
ALTER TABLE recipient ADD COLUMN lineup INTEGER NOT NULL DEFAULT 72057594037927936;
CREATE INDEX recipient_turn ON recipient (destination, lineup, next_attempt) WHERE state = 0;
";

/// When our own line was down: what was queued then lives so much longer.
const OUTAGES: &str = "
CREATE TABLE outage (
    began_at INTEGER PRIMARY KEY NOT NULL,
    until    INTEGER NOT NULL
) STRICT;
";

/// What was found about the cause of a destination's failures; the latest for each.
const FINDINGS: &str = "
CREATE TABLE finding (
    destination INTEGER NOT NULL,
    cause       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    findings    TEXT NOT NULL,
    PRIMARY KEY (destination, cause)
) STRICT, WITHOUT ROWID;
";

/// What came back: in order of time, and by the name that a sender gave its message. Both indexes hold
/// only the rows that are asked for.
const RETURNED: &str = "
CREATE INDEX event_returned ON event (at, id) WHERE substr(kind, 1, 11) = '{\"returned\"';
CREATE INDEX message_envelope ON message (json_extract(options, '$.envelope_id'))
    WHERE json_extract(options, '$.envelope_id') IS NOT NULL;
";

/// By which routes all that waits was gone through: one row, or none while that is not known.
const ROUTED: &str = "
CREATE TABLE routed (
    only_one INTEGER PRIMARY KEY NOT NULL CHECK (only_one = 1),
    routes   TEXT NOT NULL
) STRICT;
";

/// The format of a database; 0 for a new one.
pub(crate) fn format_of(conn: &Connection) -> Result<u32, Fault> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Brings a database to [`FORMAT`], each step in a transaction of its own.
pub(crate) fn migrate(conn: &Connection) -> Result<(), Fault> {
    for from in format_of(conn)?..FORMAT {
        let step = MIGRATIONS[from as usize];
        conn.execute_batch(&format!(
            "BEGIN IMMEDIATE; {step} PRAGMA user_version = {}; COMMIT;",
            from + 1
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list;
    use queue::{BodyKind, MessageId, Options, RecipientOptions};

    #[test]
    fn mail_kept_before_there_were_options_has_none() {
        let conn = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..2] {
            conn.execute_batch(step).unwrap();
        }
        conn.execute_batch(
            "PRAGMA user_version = 2;
             INSERT INTO destination (id, key, token, failures, paused) VALUES (1, 'mx:x.example', 0, 0, 0);
             INSERT INTO message (id, sender, received_at, expires_at, size, body_kind, smtputf8, hops, kind,
                 client, protocol, place, body)
             VALUES (zeroblob(16), 'a@x.example', 0, 0, 1, 1, 0, 1, 0, '::1', 'ESMTP', 1, x'78');
             INSERT INTO recipient (message, idx, address, destination, state, next_attempt, attempts)
             VALUES (zeroblob(16), 0, 'b@x.example', 1, 0, 0, 0);",
        )
        .unwrap();
        migrate(&conn).unwrap();
        assert_eq!(format_of(&conn).unwrap(), FORMAT);
        let story = list::story(&conn, MessageId::from_bytes([0; 16])).unwrap();
        assert_eq!(story.message.options, Options::default());
        assert_eq!(story.message.body_kind, BodyKind::EightBit);
        assert_eq!(story.recipients[0].options, RecipientOptions::default());
    }
}
