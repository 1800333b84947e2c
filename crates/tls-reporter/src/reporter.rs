//! The work of every few seconds, of every minute, and of every day.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use dns::Resolver;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use queue::{ClosedTlsReport, Days, OpenTlsReport, StoreError, TlsLedger, TlsSession};
use tls::Connector;
use tokio::sync::Notify;
use world::World;

use crate::send::Outbox;
use crate::tally::{Batch, Tally, today};

/// How often what was counted is written: so much is missing after a crash.
const WRITE: Duration = Duration::from_secs(10);
/// How often it is looked what is due.
const LOOK: Duration = Duration::from_secs(60);
/// RFC 8460 §4.1: reports go after a delay by chance, of up to four hours.
const SPREAD: f64 = 4.0 * 3600.0;
/// How long reports that have gone are shown.
const SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Who reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The organization's name.
    pub organization: String,
    /// Whom to ask; its domain hands the reports in.
    pub contact: String,
    /// The address in `From`.
    pub from: String,
}

/// Sends reports on TLS.
pub struct Reporter {
    pub(crate) settings: Settings,
    pub(crate) world: World,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) connector: Connector,
    pub(crate) ledger: Arc<dyn TlsLedger>,
    pub(crate) outbox: Arc<dyn Outbox>,
    tally: Arc<Tally>,
    writing: tokio::sync::Mutex<()>,
    wake: Notify,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

impl Reporter {
    /// One that writes what this tally counts.
    pub fn new(
        settings: Settings,
        (world, resolver, connector): (World, Arc<dyn Resolver>, Connector),
        ledger: Arc<dyn TlsLedger>,
        outbox: Arc<dyn Outbox>,
        tally: Arc<Tally>,
    ) -> Reporter {
        Reporter {
            settings,
            world,
            resolver,
            connector,
            ledger,
            outbox,
            tally,
            writing: tokio::sync::Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Works without an end.
    pub async fn run(&self) {
        tokio::join!(self.count(), self.send());
    }

    async fn count(&self) {
        loop {
            tokio::time::sleep(WRITE).await;
            self.write().await;
        }
    }

    async fn send(&self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::error!(%error, reason = "tls-reports", "reports on TLS cannot go on; it is tried again");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Writes what was counted into the ledger. Also to be done at the end.
    pub async fn write(&self) {
        // One after the other, so that whoever waited finds all of it written.
        let _writing = self.writing.lock().await;
        let Batch { sessions, dropped } = self.tally.take();
        if dropped > 0 {
            tracing::warn!(
                sessions = dropped,
                reason = "tls-reports",
                "too many kinds of sessions at once: these are missing in the reports on TLS"
            );
        }
        if sessions.is_empty() {
            return;
        }
        let sessions: Vec<_> = sessions
            .into_iter()
            .map(|(s, n)| (self.whole(s), n))
            .collect();
        match self.ledger.add(sessions.clone()).await {
            Ok(beyond) if beyond.sessions + beyond.details > 0 => tracing::warn!(
                sessions = beyond.sessions,
                details = beyond.details,
                reason = "tls-reports",
                "too many domains, policies or kinds of failure: these sessions, and the details of these, are missing in the reports on TLS"
            ),
            Ok(_) => {}
            // Nobody can tell whether it is written: rather a session too few than twice.
            Err(error @ StoreError::Uncertain) => {
                tracing::error!(%error, reason = "tls-reports", "counted sessions may be missing in the reports on TLS");
            }
            Err(error) => {
                tracing::error!(%error, reason = "tls-reports", "counted sessions cannot be written; it is tried again");
                self.tally.give_back(sessions);
            }
        }
    }

    /// With our address, where none was chosen.
    fn whole(&self, mut session: TlsSession) -> TlsSession {
        if let Some(failure) = &mut session.failure
            && failure.sending_ip.is_none()
            && let Some(to) = failure
                .receiving_ip
                .as_deref()
                .and_then(|ip| ip.parse().ok())
        {
            let source = self.world.net.source(std::net::SocketAddr::new(to, 25));
            failure.sending_ip = source.ok().map(|own| own.to_string());
        }
        session
    }

    /// Ends the reports of days that are over, sends what is due, and forgets what is long gone.
    pub async fn look(&self) -> Result<(), StoreError> {
        let now = self.world.clock.now();
        let today = today(&*self.world.clock);
        self.write().await;
        let open = self.ledger.open(Days::Before(today)).await?;
        if !open.is_empty() {
            tracing::info!(
                reports = open.len(),
                "the day of these reports on TLS is over"
            );
            self.close(open, now, true).await?;
        }
        self.send_due().await?;
        if let Ok(before) = now.checked_sub(SHOWN) {
            self.ledger.forget(before).await?;
        }
        Ok(())
    }

    /// Has what was gathered go now, of one day or all, that of today as well. Answers how many reports.
    pub async fn send_now(&self, day: Option<Date>) -> Result<u64, StoreError> {
        let now = self.world.clock.now();
        self.write().await;
        let days = day.map_or(Days::All, Days::One);
        let open = self.ledger.open(days).await?;
        self.close(open, now, false).await?;
        let reports = self.ledger.hasten(day, now).await?;
        self.wake.notify_one();
        Ok(reports)
    }

    async fn close(
        &self,
        open: Vec<OpenTlsReport>,
        now: Timestamp,
        spread: bool,
    ) -> Result<(), StoreError> {
        let closed = open.into_iter().map(|open| ClosedTlsReport {
            id: self.name(&open),
            key: open.key,
            end: last_second(open.day).min(now),
            due: match spread {
                true => now + Duration::from_secs_f64(1.0 + self.world.random.unit() * SPREAD),
                false => now,
            },
        });
        self.ledger.close(closed.collect()).await
    }

    /// RFC 8460 §5.3: of the form of a Message-ID, so that it can stand in the subject.
    fn name(&self, open: &OpenTlsReport) -> String {
        let mut random = [0; 8];
        self.world.random.fill(&mut random);
        let domain = self
            .settings
            .contact
            .rsplit_once('@')
            .map_or("localhost", |at| at.1);
        format!("{}.{}@{domain}", open.day, HEXLOWER.encode(&random))
    }
}

/// The last second of a day, as the example of RFC 8460 appendix B has it.
fn last_second(day: Date) -> Timestamp {
    let end = day.to_datetime(jiff::civil::time(23, 59, 59, 0));
    TimeZone::UTC.to_timestamp(end).unwrap_or(Timestamp::MAX)
}
