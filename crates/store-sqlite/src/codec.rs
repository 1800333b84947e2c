//! Between the queue's types and columns.

use jiff::Timestamp;
use queue::{
    BodyKind, Destination, DestinationKey, Message, MessageId, MessageKind, Origin, Recipient,
    RecipientState,
};
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smtp::Address;

use crate::error::Fault;

/// Where the content of a message lies.
pub(crate) mod place {
    pub(crate) const INLINE: i64 = 1;
    pub(crate) const FILE: i64 = 2;
}

/// `recipient.state`. `Sending` is `QUEUED` with a time in `recipient.sending`.
pub(crate) mod state {
    pub(crate) const QUEUED: i64 = 0;
    pub(crate) const HELD: i64 = 2;
    pub(crate) const DELIVERED: i64 = 3;
    pub(crate) const FAILED: i64 = 4;
    pub(crate) const DROPPED: i64 = 5;
}

/// Nanoseconds since 1970; times beyond the year 2262 are cut to it.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    let exact = at.as_nanosecond();
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

pub(crate) fn stamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::MAX)
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::Damaged(format!("a value does not write: {e}")))
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::Damaged(format!("{what} does not read: {e}")))
}

fn optional_json<T: DeserializeOwned>(what: &str, text: Option<&str>) -> Result<Option<T>, Fault> {
    text.map(|text| from_json(what, text)).transpose()
}

pub(crate) fn message_id(row: &Row<'_>, column: usize) -> Result<MessageId, Fault> {
    Ok(MessageId::from_bytes(row.get(column)?))
}

pub(crate) fn address(text: &str) -> Result<Address, Fault> {
    if text.is_empty() {
        return Ok(Address::null());
    }
    text.parse()
        .map_err(|e| Fault::Damaged(format!("the address `{text}` does not read: {e}")))
}

/// `message.body_kind`.
pub(crate) const fn body_kind_number(kind: BodyKind) -> i64 {
    match kind {
        BodyKind::SevenBit => 0,
        BodyKind::EightBit => 1,
        BodyKind::Binary => 2,
    }
}

fn body_kind(number: i64) -> Result<BodyKind, Fault> {
    [BodyKind::SevenBit, BodyKind::EightBit, BodyKind::Binary]
        .into_iter()
        .find(|kind| body_kind_number(*kind) == number)
        .ok_or_else(|| Fault::Damaged(format!("{number} is no kind of body")))
}

/// Options as they are kept: nothing where none was given.
pub(crate) fn options_text<T: Serialize + Default + PartialEq>(
    options: &T,
) -> Result<Option<String>, Fault> {
    if *options == T::default() {
        Ok(None)
    } else {
        json(options).map(Some)
    }
}

fn options<T: DeserializeOwned + Default>(row: &Row<'_>, column: usize) -> Result<T, Fault> {
    let text = row.get_ref(column)?;
    let text = text.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(optional_json("the sender's options", text)?.unwrap_or_default())
}

/// The columns that [`message`] reads.
///
/// What was queued while our own line was down lives so much longer.
pub(crate) const MESSAGE: &str = "m.id, m.sender, m.received_at, \
     m.expires_at + (SELECT coalesce(sum(o.until - max(o.began_at, m.received_at)), 0) \
     FROM outage o WHERE o.until > m.received_at), m.size, m.body_kind, \
     m.smtputf8, m.hops, m.kind, m.client, m.helo, m.protocol, m.about, m.options";

/// How many they are.
pub(crate) const MESSAGE_COLUMNS: usize = 14;

pub(crate) fn message(row: &Row<'_>) -> Result<Message, Fault> {
    let about: Option<[u8; 16]> = row.get(12)?;
    Ok(Message {
        id: message_id(row, 0)?,
        sender: address(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
        received_at: stamp(row.get(2)?),
        expires_at: stamp(row.get(3)?),
        size: row.get::<_, i64>(4)?.cast_unsigned(),
        body_kind: body_kind(row.get(5)?)?,
        smtputf8: row.get(6)?,
        hops: row.get(7)?,
        kind: if row.get(8)? {
            MessageKind::Report
        } else {
            MessageKind::Mail
        },
        origin: Origin {
            client: row.get(9)?,
            helo: row.get(10)?,
            protocol: row.get(11)?,
            about: about.map(MessageId::from_bytes),
        },
        options: options(row, 13)?,
    })
}

/// The columns that [`recipient`] reads; `r` is the recipient and `d` its destination.
pub(crate) const RECIPIENT: &str = "r.idx, r.address, d.key, r.state, r.next_attempt, r.sending, r.attempts, r.last, r.basis, \
     r.rewritten, r.options";

/// How many they are.
pub(crate) const RECIPIENT_COLUMNS: usize = 11;

/// Reads a recipient from the columns that begin at `at`.
pub(crate) fn recipient(row: &Row<'_>, at: usize) -> Result<Recipient, Fault> {
    let text = |column: usize| -> Result<_, Fault> {
        Ok(row
            .get_ref(at + column)?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?)
    };
    let sending: Option<i64> = row.get(at + 5)?;
    let state = match (row.get(at + 3)?, sending) {
        (state::QUEUED, None) => RecipientState::Queued,
        (state::QUEUED, Some(_)) => RecipientState::Sending,
        (state::HELD, _) => RecipientState::Held,
        (state::DELIVERED, _) => RecipientState::Delivered,
        (state::FAILED, _) => RecipientState::Failed,
        (state::DROPPED, _) => RecipientState::Dropped,
        (other, _) => return Err(Fault::Damaged(format!("{other} is no recipient's state"))),
    };
    let next_attempt: Option<i64> = row.get(at + 4)?;
    Ok(Recipient {
        index: row.get(at)?,
        address: address(text(1)?.unwrap_or_default())?,
        destination: DestinationKey::new(text(2)?.unwrap_or_default()),
        state,
        next_attempt: next_attempt
            .filter(|_| state == RecipientState::Queued)
            .map(stamp),
        attempts: row.get(at + 6)?,
        last: optional_json("a recipient's diagnosis", text(7)?)?,
        basis: optional_json("a recipient's basis", text(8)?)?,
        rewritten: optional_json("a recipient's envelope", text(9)?)?,
        options: options(row, at + 10)?,
    })
}

/// The columns that [`destination`] reads.
pub(crate) const DESTINATION: &str = "d.key, d.blocked_until, d.failures, d.last, d.paused";

/// Reads a destination from the columns that begin at `at`.
pub(crate) fn destination(row: &Row<'_>, at: usize) -> Result<Destination, Fault> {
    let last = row.get_ref(at + 3)?;
    Ok(Destination {
        key: DestinationKey::new(row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?),
        blocked_until: row.get::<_, Option<i64>>(at + 1)?.map(stamp),
        failures: row.get(at + 2)?,
        last: optional_json(
            "a destination's diagnosis",
            last.as_str_or_null().map_err(rusqlite::Error::from)?,
        )?,
        paused: row.get(at + 4)?,
    })
}

/// Whether something is remembered of a destination beyond its name.
pub(crate) fn has_state(destination: &Destination) -> bool {
    destination.blocked_until.is_some()
        || destination.failures > 0
        || destination.last.is_some()
        || destination.paused
}
