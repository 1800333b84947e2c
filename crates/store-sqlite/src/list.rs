//! Lists and stories, for people.

use queue::{
    AttemptRecord, Destination, DestinationKey, Event, MessageId, Recipient, Row, RowFilter,
    StoreError, Story,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::codec::{
    DESTINATION, MESSAGE, MESSAGE_COLUMNS, RECIPIENT, RECIPIENT_COLUMNS, destination, from_json,
    has_state, message, message_id, recipient, stamp,
};
use crate::error::Fault;
use crate::outage;
use crate::verified;

/// Letters of an id that suffice to look for it.
const SHORTEST: usize = 4;
/// How many ids an ambiguous part shows.
const SHOWN: usize = 10;

/// Lines of the queue list, in order of arrival.
pub(crate) fn rows(conn: &Connection, filter: &RowFilter) -> Result<Vec<Row>, Fault> {
    let mut conditions = vec!["1".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    let mut bind = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(id) = filter.message {
        bind("r.message = ?", Value::Blob(id.as_bytes().to_vec()));
    }
    if let Some(key) = &filter.destination {
        let id = "r.destination = (SELECT id FROM destination WHERE key = ?)";
        bind(id, Value::Text(key.to_string()));
    }
    if let Some((id, index)) = filter.after {
        bind(
            &format!("(r.message, r.idx) > (?, {index})"),
            Value::Blob(id.as_bytes().to_vec()),
        );
    }
    if filter.open_only {
        conditions.push("r.state < 3".to_owned());
    }
    let limit = if filter.limit == 0 {
        -1
    } else {
        i64::try_from(filter.limit).unwrap_or(-1)
    };
    let select = format!(
        "SELECT {MESSAGE}, {RECIPIENT}, {DESTINATION} FROM recipient r \
         JOIN message m ON m.id = r.message JOIN destination d ON d.id = r.destination \
         WHERE {} ORDER BY r.message, r.idx LIMIT {limit}",
        conditions.join(" AND ")
    );
    let mut statement = conn.prepare(&select)?;
    let mut found = statement.query(params_from_iter(values))?;
    let mut list = Vec::new();
    while let Some(row) = found.next()? {
        let message = message(row)?;
        let destination = destination(row, MESSAGE_COLUMNS + RECIPIENT_COLUMNS)?;
        list.push(Row {
            message: message.id,
            sender: message.sender,
            received_at: message.received_at,
            size: message.size,
            recipient: recipient(row, MESSAGE_COLUMNS)?,
            destination: has_state(&destination).then_some(destination),
        });
    }
    Ok(list)
}

/// The message with this name or part of it.
pub(crate) fn find(conn: &Connection, text: &str) -> Result<MessageId, Fault> {
    let none = || StoreError::NotFound(text.to_owned());
    if let Ok(id) = text.parse::<MessageId>() {
        let select = "SELECT 1 FROM message WHERE id = ?1";
        let found = conn.prepare_cached(select)?.exists([id.as_bytes()])?;
        return if found { Ok(id) } else { Err(none().into()) };
    }
    let part = text.to_ascii_lowercase();
    if part.len() < SHORTEST {
        return Err(none().into());
    }
    let mut statement = conn.prepare_cached("SELECT id FROM message ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut matches = Vec::new();
    while let Some(row) = rows.next()? {
        let id = message_id(row, 0)?;
        if id.to_string().contains(&part) {
            matches.push(id);
        }
        if matches.len() == SHOWN {
            break;
        }
    }
    match matches[..] {
        [] => Err(none().into()),
        [id] => Ok(id),
        _ => Err(StoreError::Ambiguous {
            text: text.to_owned(),
            matches,
        }
        .into()),
    }
}

/// All that is known about a message.
pub(crate) fn story(conn: &Connection, id: MessageId) -> Result<Story, Fault> {
    let snapshot = conn.unchecked_transaction()?;
    let select = format!("SELECT {MESSAGE}, m.ended_at IS NULL FROM message m WHERE m.id = ?1");
    let mut statement = snapshot.prepare_cached(&select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Err(StoreError::NotFound(id.to_string()).into());
    };
    let (recipients, destinations) = recipients(&snapshot, id)?;
    let message = message(row)?;
    let outages = outage::since(&snapshot, message.received_at)?;
    Ok(Story {
        message,
        has_body: row.get(MESSAGE_COLUMNS)?,
        recipients,
        attempts: attempts(&snapshot, id)?,
        events: events(&snapshot, id)?,
        destinations,
        outages,
        verified: verified::of_message(&snapshot, id)?,
    })
}

fn recipients(
    conn: &Connection,
    id: MessageId,
) -> Result<(Vec<Recipient>, Vec<Destination>), Fault> {
    let select = format!(
        "SELECT {RECIPIENT}, {DESTINATION} FROM recipient r \
         JOIN destination d ON d.id = r.destination WHERE r.message = ?1 ORDER BY r.idx"
    );
    let mut statement = conn.prepare_cached(&select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let (mut recipients, mut destinations) = (Vec::new(), Vec::<Destination>::new());
    while let Some(row) = rows.next()? {
        let recipient = recipient(row, 0)?;
        if !destinations.iter().any(|d| d.key == recipient.destination) {
            destinations.push(destination(row, RECIPIENT_COLUMNS)?);
        }
        recipients.push(recipient);
    }
    destinations.retain(has_state);
    Ok((recipients, destinations))
}

fn attempts(conn: &Connection, id: MessageId) -> Result<Vec<AttemptRecord>, Fault> {
    let select = "SELECT d.key, a.started_at, a.ended_at, a.facts, a.verdicts FROM attempt a \
         JOIN destination d ON d.id = a.destination WHERE a.message = ?1 ORDER BY a.id";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
        attempts.push(AttemptRecord {
            message: id,
            destination: DestinationKey::new(text(0)?),
            started_at: stamp(row.get(1)?),
            ended_at: stamp(row.get(2)?),
            attempt: from_json("an attempt", text(3)?)?,
            verdicts: from_json("an attempt's verdicts", text(4)?)?,
        });
    }
    Ok(attempts)
}

fn events(conn: &Connection, id: MessageId) -> Result<Vec<Event>, Fault> {
    let select = "SELECT e.at, e.recipient, d.key, e.kind FROM event e \
         LEFT JOIN destination d ON d.id = e.destination WHERE e.message = ?1 ORDER BY e.id";
    let mut statement = conn.prepare_cached(select)?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Option<String> = row.get(2)?;
        events.push(Event {
            at: stamp(row.get(0)?),
            message: Some(id),
            recipient: row.get(1)?,
            destination: key.as_deref().map(DestinationKey::new),
            kind: from_json("an event", &row.get::<_, String>(3)?)?,
        });
    }
    Ok(events)
}

/// Whether a row names the body's file of this message.
pub(crate) fn names_file(conn: &Connection, id: MessageId) -> Result<bool, Fault> {
    let select = "SELECT place FROM message WHERE id = ?1 AND ended_at IS NULL";
    let place: Option<i64> = conn
        .prepare_cached(select)?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(place == Some(crate::codec::place::FILE))
}
