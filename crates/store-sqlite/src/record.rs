//! Beginning an attempt, and writing down what it came to.

use diagnosis::facts::{Failure, FailureKind, Outcome, RecipientAttempt, Route};
use diagnosis::{Attempt, Diagnosis};
use jiff::Timestamp;
use queue::{
    AttemptRecord, Basis, Decision, DestinationKey, DestinationUpdate, Event, EventKind, Lease,
    MessageId, RecipientState, StoreError, Verdict, WaitFor,
};
use rusqlite::params;
use smtp::Stage;

use crate::accept::Prepared;
use crate::codec::{RECIPIENT, json, nanos, recipient, stamp, state};
use crate::db::Db;
use crate::error::Fault;

/// Writes down that an attempt is about to transmit.
pub(crate) fn begin(
    db: &mut Db,
    lease: &Lease,
    message: MessageId,
    recipients: &[u32],
    now: Timestamp,
) -> Result<(), Fault> {
    db.fence(lease)?;
    for &index in recipients {
        let update =
            "UPDATE recipient SET sending = ?3 WHERE message = ?1 AND idx = ?2 AND state = 0";
        let changed =
            db.statement(update)?
                .execute(params![message.as_bytes(), index, nanos(now)])?;
        if changed == 0 {
            return Err(not_queued(db, message, index)?.into());
        }
    }
    Ok(())
}

fn not_queued(db: &Db, message: MessageId, index: u32) -> Result<StoreError, Fault> {
    let state = state_of(db, message, index)?;
    Ok(match state {
        Some(state) => StoreError::NotQueued {
            message,
            recipient: index,
            state,
        },
        None => StoreError::NotFound(message.to_string()),
    })
}

fn state_of(db: &Db, message: MessageId, index: u32) -> Result<Option<RecipientState>, Fault> {
    let select = format!(
        "SELECT {RECIPIENT} FROM recipient r JOIN destination d ON d.id = r.destination \
         WHERE r.message = ?1 AND r.idx = ?2"
    );
    let mut statement = db.statement(&select)?;
    let mut rows = statement.query(params![message.as_bytes(), index])?;
    rows.next()?
        .map(|row| Ok(recipient(row, 0)?.state))
        .transpose()
}

/// What an attempt came to, ready to be written.
pub(crate) struct Outcomes {
    message: MessageId,
    destination: DestinationKey,
    started_at: i64,
    ended_at: Timestamp,
    facts: String,
    verdicts: String,
    changes: Vec<Change>,
}

/// What becomes of one recipient.
struct Change {
    index: u32,
    state: i64,
    next_attempt: Option<i64>,
    counts: bool,
    last: Option<String>,
    basis: Option<String>,
}

impl Outcomes {
    /// Writes the record as text, before it comes to the writer.
    pub(crate) fn new(record: &AttemptRecord) -> Result<Outcomes, Fault> {
        let ended_at = record.ended_at;
        let change = |verdict: &Verdict| Change::new(verdict, ended_at);
        Ok(Outcomes {
            message: record.message,
            destination: record.destination.clone(),
            started_at: nanos(record.started_at),
            ended_at,
            facts: json(&record.attempt)?,
            verdicts: json(&record.verdicts)?,
            changes: record
                .verdicts
                .iter()
                .map(change)
                .collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn weight(&self) -> usize {
        self.facts.len() + self.verdicts.len()
    }

    /// Writes the attempt and the recipients' new states.
    pub(crate) fn write(&self, db: &mut Db) -> Result<(), Fault> {
        let destination = db.destination(&self.destination)?.id;
        let mut ended = false;
        for change in &self.changes {
            ended |= change.write(db, self.message)?;
        }
        let insert = "INSERT INTO attempt (message, destination, started_at, ended_at, facts, verdicts) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        db.statement(insert)?.execute(params![
            self.message.as_bytes(),
            destination,
            self.started_at,
            nanos(self.ended_at),
            self.facts,
            self.verdicts,
        ])?;
        if ended {
            db.end_if_final(self.message, self.ended_at)?;
        }
        Ok(())
    }
}

impl Change {
    fn new(verdict: &Verdict, ended_at: Timestamp) -> Result<Change, Fault> {
        let mut change = Change {
            index: verdict.index,
            state: state::QUEUED,
            next_attempt: None,
            counts: true,
            last: verdict
                .diagnosis
                .as_ref()
                .map(json::<Diagnosis>)
                .transpose()?,
            basis: None,
        };
        match &verdict.decision {
            Decision::Delivered => change.state = state::DELIVERED,
            Decision::RetryAt { at, basis } => {
                change.next_attempt = Some(nanos(*at));
                change.basis = Some(json(basis)?);
            }
            Decision::RetryWhen(wait) => {
                change.next_attempt = Some(nanos(ended_at));
                // What goes on at once is no attempt to count against the recipient.
                change.counts = match wait {
                    WaitFor::NextTransaction | WaitFor::OtherHost | WaitFor::Conversion => false,
                    WaitFor::Resume => true,
                };
            }
            Decision::Hold => change.state = state::HELD,
            Decision::Fail => change.state = state::FAILED,
        }
        Ok(change)
    }

    /// Answers whether the recipient is final now.
    fn write(&self, db: &mut Db, message: MessageId) -> Result<bool, Fault> {
        let update = "UPDATE recipient SET state = ?3, next_attempt = ?4, sending = NULL, \
             attempts = attempts + ?5, last = ?6, basis = ?7 \
             WHERE message = ?1 AND idx = ?2 AND state = 0";
        let changed = db.statement(update)?.execute(params![
            message.as_bytes(),
            self.index,
            self.state,
            self.next_attempt,
            self.counts,
            self.last,
            self.basis,
        ])?;
        if changed == 0 {
            self.write_to_changed(db, message)?;
        }
        Ok(self.state >= state::DELIVERED)
    }

    /// The administrator was faster. What he held stays held unless it is over; what is over stays.
    fn write_to_changed(&self, db: &mut Db, message: MessageId) -> Result<(), Fault> {
        match state_of(db, message, self.index)? {
            None => Err(StoreError::NotFound(message.to_string()).into()),
            Some(RecipientState::Held) => {
                let update = "UPDATE recipient SET state = max(?3, 2), attempts = attempts + ?4, \
                     last = ?5 WHERE message = ?1 AND idx = ?2";
                db.statement(update)?.execute(params![
                    message.as_bytes(),
                    self.index,
                    self.state,
                    self.counts,
                    self.last,
                ])?;
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }
}

/// All that belongs to one record.
pub(crate) struct Recording {
    pub(crate) lease: Lease,
    pub(crate) outcomes: Outcomes,
    pub(crate) destination: Option<PreparedUpdate>,
    pub(crate) reports: Vec<Prepared>,
    pub(crate) events: Vec<Event>,
}

/// A destination's new state.
pub(crate) struct PreparedUpdate {
    blocked_until: Option<i64>,
    failures: u32,
    last: Option<String>,
}

impl PreparedUpdate {
    pub(crate) fn new(update: &DestinationUpdate) -> Result<PreparedUpdate, Fault> {
        Ok(PreparedUpdate {
            blocked_until: update.blocked_until.map(nanos),
            failures: update.failures,
            last: update.last.as_ref().map(json::<Diagnosis>).transpose()?,
        })
    }
}

impl Recording {
    pub(crate) fn weight(&self) -> usize {
        self.outcomes.weight() + self.reports.iter().map(Prepared::weight).sum::<usize>()
    }

    pub(crate) fn write(&self, db: &mut Db) -> Result<(), Fault> {
        let destination = db.fence(&self.lease)?;
        self.outcomes.write(db)?;
        if let Some(update) = &self.destination {
            let sql =
                "UPDATE destination SET blocked_until = ?2, failures = ?3, last = ?4 WHERE id = ?1";
            db.statement(sql)?.execute(params![
                destination,
                update.blocked_until,
                update.failures,
                update.last
            ])?;
        }
        for report in &self.reports {
            report.write(db)?;
        }
        for event in &self.events {
            db.write_event(event)?;
        }
        Ok(())
    }
}

/// Puts interrupted recipients back; answers how many.
pub(crate) fn recover(db: &mut Db, now: Timestamp) -> Result<u64, Fault> {
    let mut count = 0;
    for (message, destination) in all_interrupted(db)? {
        let (started, recipients) = interrupted(db, message, &destination)?;
        count += recipients.len() as u64;
        for recipient in &recipients {
            db.write_event(&Event {
                at: now,
                message: Some(message),
                recipient: Some(recipient.index),
                destination: Some(destination.clone()),
                kind: EventKind::Interrupted,
            })?;
        }
        let record = AttemptRecord {
            message,
            destination: destination.clone(),
            started_at: started,
            ended_at: now,
            attempt: Attempt {
                route: Route {
                    destination: destination.to_string(),
                    hosts: Vec::new(),
                },
                steps: Vec::new(),
                recipients: recipients.clone(),
            },
            verdicts: recipients.iter().map(|r| again(r.index, now)).collect(),
        };
        Outcomes::new(&record)?.write(db)?;
    }
    Ok(count)
}

/// The facts alone are recorded: what they mean is for the diagnosis to say.
fn again(index: u32, at: Timestamp) -> Verdict {
    let decision = Decision::RetryAt {
        at,
        basis: Basis::Restart,
    };
    Verdict {
        index,
        diagnosis: None,
        decision,
    }
}

fn all_interrupted(db: &Db) -> Result<Vec<(MessageId, DestinationKey)>, Fault> {
    let select = "SELECT DISTINCT r.message, d.key FROM recipient r \
         JOIN destination d ON d.id = r.destination WHERE r.state = 0 AND r.sending IS NOT NULL";
    let mut statement = db.statement(select)?;
    let found = statement.query_map([], |row| {
        let key: String = row.get(1)?;
        Ok((
            MessageId::from_bytes(row.get(0)?),
            DestinationKey::new(&key),
        ))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn interrupted(
    db: &Db,
    message: MessageId,
    destination: &DestinationKey,
) -> Result<(Timestamp, Vec<RecipientAttempt>), Fault> {
    let select = format!(
        "SELECT r.sending, {RECIPIENT} FROM recipient r JOIN destination d ON d.id = r.destination \
         WHERE r.message = ?1 AND d.key = ?2 AND r.state = 0 AND r.sending IS NOT NULL ORDER BY r.idx"
    );
    let mut statement = db.statement(&select)?;
    let mut rows = statement.query(params![message.as_bytes(), destination.as_str()])?;
    let (mut started, mut recipients) = (Timestamp::MAX, Vec::new());
    while let Some(row) = rows.next()? {
        started = started.min(stamp(row.get(0)?));
        let recipient = recipient(row, 1)?;
        let failure = Failure {
            stage: Stage::EndOfData,
            kind: FailureKind::Interrupted,
        };
        recipients.push(RecipientAttempt {
            index: recipient.index,
            address: recipient.address,
            outcome: Outcome::Unknown(failure),
        });
    }
    Ok((started, recipients))
}
