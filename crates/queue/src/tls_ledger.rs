//! Sessions with the servers of others, counted by day and domain, and the reports that come of them
//! (RFC 8460). What keeps them is a [`TlsLedger`].

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use tls_report::{FailureDetail, Policy, PolicyReport, Rua};

use crate::{MessageId, StoreError};

/// What is counted together: sessions of one day under one policy that went the same way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsSession {
    /// The day in UTC (RFC 8460 §4.1).
    pub day: Date,
    /// The policy; its domain is the one that gets the report.
    pub policy: Policy,
    /// How it failed, with a count of 0; `None`: it did not.
    pub failure: Option<FailureDetail>,
}

/// What found no more room: the numbers of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Not counted.
    pub sessions: u64,
    /// Counted as failed, without how.
    pub details: u64,
}

/// Which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// All.
    All,
    /// This one.
    One(Date),
    /// Those before this one.
    Before(Date),
}

/// A report whose time has begun and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTlsReport {
    /// Its place in the ledger.
    pub key: i64,
    /// The domain.
    pub domain: String,
    /// The day.
    pub day: Date,
}

/// The end of a report's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedTlsReport {
    /// Its place in the ledger.
    pub key: i64,
    /// Its name, which nobody can guess.
    pub id: String,
    /// The last moment that it covers.
    pub end: Timestamp,
    /// When it goes.
    pub due: Timestamp,
}

/// Something whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueTlsReport {
    /// It is to be found out whether and where the domain wants the report.
    Ask {
        /// The report's place in the ledger.
        key: i64,
        /// The domain.
        domain: String,
        /// What came of it before.
        tried: Tried,
    },
    /// It is to be sent to one place.
    Post {
        /// The report's place in the ledger.
        key: i64,
        /// The place.
        rua: Rua,
        /// By mail, the name that it has in the queue: so it is sent once.
        message: MessageId,
        /// What came of it before.
        tried: Tried,
    },
}

/// Earlier attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// When the first was.
    pub since: Option<Timestamp>,
    /// How many there were.
    pub times: u32,
    /// What was wrong the last time.
    pub problem: Option<String>,
}

/// A report in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTlsReport {
    /// Its place.
    pub key: i64,
    /// Its name; `None`: its time has not ended.
    pub id: Option<String>,
    /// The domain.
    pub domain: String,
    /// The first moment that it covers.
    pub start: Timestamp,
    /// The last; `None`: it has not ended.
    pub end: Option<Timestamp>,
    /// What was counted.
    pub policies: Vec<PolicyReport>,
    /// When it is asked where it goes; `None`: it has not ended, or that is known.
    pub due: Option<Timestamp>,
    /// What came of asking.
    pub tried: Tried,
    /// Where it goes.
    pub posts: Vec<TlsPost>,
}

/// A report on its way to one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPost {
    /// The place.
    pub rua: Rua,
    /// Where it stands.
    pub state: TlsPostState,
    /// The name in the queue, where it goes by mail.
    pub message: MessageId,
    /// What came of it.
    pub tried: Tried,
}

/// Where a report to one place stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPostState {
    /// It is tried at this time.
    Waits(Timestamp),
    /// It is in the queue, or was taken.
    Sent,
    /// Given up.
    Failed,
}

/// Keeps counts and reports. What returns `Ok` is durable, as with a [`crate::Store`].
#[async_trait]
pub trait TlsLedger: Send + Sync + std::fmt::Debug {
    /// Adds sessions. What there is no room for is told.
    async fn add(&self, counted: Vec<(TlsSession, u64)>) -> Result<Beyond, StoreError>;

    /// The reports of these days whose time has not ended.
    async fn open(&self, days: Days) -> Result<Vec<OpenTlsReport>, StoreError>;

    /// Ends the time of reports. Sessions of the same day that are added later begin another.
    async fn close(&self, closed: Vec<ClosedTlsReport>) -> Result<(), StoreError>;

    /// Has what waits go now: reports of this day alone, or all. Answers how many reports.
    async fn hasten(&self, day: Option<Date>, now: Timestamp) -> Result<u64, StoreError>;

    /// What is to be done now, at most so much.
    async fn due(&self, now: Timestamp, most: usize) -> Result<Vec<DueTlsReport>, StoreError>;

    /// One report; `None`: it is gone.
    async fn report(&self, key: i64) -> Result<Option<KeptTlsReport>, StoreError>;

    /// It goes to these places, from this time; a name in the queue for each.
    async fn address(
        &self,
        key: i64,
        places: Vec<(Rua, MessageId)>,
        due: Timestamp,
    ) -> Result<(), StoreError>;

    /// Nobody wants it: it goes.
    async fn remove(&self, key: i64) -> Result<(), StoreError>;

    /// Where it goes could not be found out; it is asked again.
    async fn ask_again(&self, key: i64, tried: Tried, due: Timestamp) -> Result<(), StoreError>;

    /// What came of sending it to one place.
    async fn posted(
        &self,
        key: i64,
        rua: &Rua,
        state: TlsPostState,
        tried: Tried,
    ) -> Result<(), StoreError>;

    /// All reports, by day and domain.
    async fn all(&self) -> Result<Vec<KeptTlsReport>, StoreError>;

    /// Forgets reports that ended before this and of which nothing waits.
    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError>;
}
