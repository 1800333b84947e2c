//! Where a domain wants its report, and the way there.

use std::time::Duration;

use async_trait::async_trait;
use dns::{AskError, RecordData, RecordKind};
use explain::{Lang, Style};
use futures_util::StreamExt;
use https::NoAnswer;
use jiff::{SignedDuration, Timestamp};
use queue::{DueTlsReport, KeptTlsReport, MessageId, StoreError, TlsPostState, Tried};
use tls_report::{Letter, Record, RecordProblem, Report, Rua, pack, to_json};

use crate::post::{PostError, post};
use crate::reporter::Reporter;

/// How much is done at once: a server that does not answer holds up no others.
const AT_ONCE: usize = 16;
/// So much is read from the ledger at a time.
const PAGE: usize = 200;
/// RFC 8460 §5.5: tried again with growing waits for up to a day.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(4);
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// A mail with a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its name in the queue.
    pub id: MessageId,
    /// To whom.
    pub to: String,
    /// The message; lines end in CRLF.
    pub content: Vec<u8>,
    /// How long it is worth trying.
    pub lifetime: Duration,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// It never will be: it is no address, say.
    #[error("{0}")]
    Never(String),
    /// It cannot be taken now.
    #[error("{0}")]
    NotNow(String),
    /// The queue cannot take it now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes mail: our own queue.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Puts a mail into the queue. One whose name is there already was put there before a crash: it is
    /// not put there again.
    async fn hand_in(&self, mail: Outgoing) -> Result<(), OutboxError>;
}

/// What is to be done about a report to one place.
enum Outcome {
    Sent,
    Again(String),
    Never(String),
}

impl Outcome {
    /// What is kept of it, and what the log says of the domain, the report and the place.
    fn noted(
        self,
        tried: Tried,
        now: Timestamp,
        (domain, id, to): (&str, &str, &Rua),
    ) -> (TlsPostState, Tried) {
        match self {
            Outcome::Sent => {
                tracing::info!(domain, id, %to, "report on TLS sent");
                let done = Tried {
                    since: tried.since.or(Some(now)),
                    times: tried.times + 1,
                    problem: None,
                };
                (TlsPostState::Sent, done)
            }
            Outcome::Again(problem) => {
                let tried = tried_again(tried, problem, now);
                let problem = tried.problem.as_deref();
                match next(&tried, now) {
                    Some(at) => {
                        tracing::info!(domain, id, %to, problem, next = %at, "a report on TLS is not taken; it is tried again");
                        (TlsPostState::Waits(at), tried)
                    }
                    None => {
                        tracing::warn!(domain, id, %to, problem, reason = "tls-reports", "a report on TLS was not taken for a day: given up");
                        (TlsPostState::Failed, tried)
                    }
                }
            }
            Outcome::Never(problem) => {
                tracing::warn!(domain, id, %to, problem, reason = "tls-reports", "a report on TLS cannot be sent there");
                (TlsPostState::Failed, tried_again(tried, problem, now))
            }
        }
    }
}

impl Reporter {
    /// Does all that is due.
    pub(crate) async fn send_due(&self) -> Result<(), StoreError> {
        loop {
            let due = self.ledger.due(self.world.clock.now(), PAGE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let steps = due.into_iter().map(|due| self.step(due));
            let mut steps = futures_util::stream::iter(steps).buffer_unordered(AT_ONCE);
            // Whatever could not be noted would be done again and again: it waits for the next look.
            let mut trouble = None;
            while let Some(done) = steps.next().await {
                trouble = done.err().or(trouble);
            }
            if let Some(error) = trouble {
                return Err(error);
            }
        }
    }

    async fn step(&self, due: DueTlsReport) -> Result<(), StoreError> {
        match due {
            DueTlsReport::Ask { key, domain, tried } => self.ask(key, &domain, tried).await,
            DueTlsReport::Post {
                key,
                rua,
                message,
                tried,
            } => self.deliver(key, rua, message, tried).await,
        }
    }

    /// Finds out where a domain wants its report (RFC 8460 §3).
    async fn ask(&self, key: i64, domain: &str, tried: Tried) -> Result<(), StoreError> {
        let now = self.world.clock.now();
        let name = format!("_smtp._tls.{domain}");
        let problem = match self.resolver.ask(&name, RecordKind::Txt).await {
            Ok(records) => {
                let texts = records.iter().filter_map(|record| match &record.data {
                    RecordData::Txt(text) => Some(text.as_str()),
                    _ => None,
                });
                match Record::of(texts) {
                    Ok(record) => {
                        let places = record.rua.into_iter().map(|rua| (rua, self.new_id(now)));
                        return self.ledger.address(key, places.collect(), now).await;
                    }
                    Err(RecordProblem::None) => {
                        tracing::debug!(domain, "the domain wants no reports on TLS");
                    }
                    Err(problem) => {
                        tracing::info!(domain, %problem, "no report on TLS is sent");
                    }
                }
                return self.ledger.remove(key).await;
            }
            Err(AskError::NoSuchName | AskError::NotAName { .. }) => {
                return self.ledger.remove(key).await;
            }
            Err(problem) => format!("TXT {name}: {problem}"),
        };
        let tried = tried_again(tried, problem, now);
        match next(&tried, now) {
            Some(at) => self.ledger.ask_again(key, tried, at).await,
            None => {
                let problem = tried.problem.as_deref();
                tracing::warn!(
                    domain,
                    problem,
                    reason = "tls-reports",
                    "no report on TLS is sent: for a day it could not be found out whether the domain wants one"
                );
                self.ledger.remove(key).await
            }
        }
    }

    async fn deliver(
        &self,
        key: i64,
        rua: Rua,
        message: MessageId,
        tried: Tried,
    ) -> Result<(), StoreError> {
        let Some(kept) = self.ledger.report(key).await? else {
            return Ok(());
        };
        let report = self.report(&kept);
        let outcome = match &rua {
            Rua::Mail(to) => self.mail(&report, &kept.domain, to, message).await,
            Rua::Https(url) => {
                let packed = pack(&to_json(&report));
                let client = https::Client {
                    world: &self.world,
                    resolver: &*self.resolver,
                    connector: &self.connector,
                };
                match post(client, url, packed).await {
                    Ok(()) => Outcome::Sent,
                    Err(error @ PostError::NoAnswer(NoAnswer::NotAPage { .. })) => {
                        Outcome::Never(error.to_string())
                    }
                    Err(error) => Outcome::Again(error.to_string()),
                }
            }
        };
        let now = self.world.clock.now();
        let (state, tried) = outcome.noted(tried, now, (&kept.domain, &report.id, &rua));
        self.ledger.posted(key, &rua, state, tried).await
    }

    fn report(&self, kept: &KeptTlsReport) -> Report {
        Report {
            organization: self.settings.organization.clone(),
            start: Some(kept.start),
            end: kept.end,
            contact: self.settings.contact.clone(),
            id: kept.id.clone().unwrap_or_default(),
            policies: kept.policies.clone(),
        }
    }

    async fn mail(&self, report: &Report, domain: &str, to: &str, id: MessageId) -> Outcome {
        let words = explain::tls_report_text(report, Lang::En, Style::Plain);
        let letter = Letter {
            report,
            domain,
            from: &self.settings.from,
            to,
            date: self.world.clock.now(),
            message_id: &format!("{id}@{}", report.submitter()),
            words: &words,
        };
        let mail = Outgoing {
            id,
            to: to.to_owned(),
            content: letter.to_bytes(),
            lifetime: PATIENCE.unsigned_abs(),
        };
        match self.outbox.hand_in(mail).await {
            Ok(()) => Outcome::Sent,
            Err(OutboxError::Never(why)) => Outcome::Never(why),
            Err(error @ (OutboxError::NotNow(_) | OutboxError::Store(_))) => {
                Outcome::Again(error.to_string())
            }
        }
    }

    fn new_id(&self, now: Timestamp) -> MessageId {
        let mut random = [0; 10];
        self.world.random.fill(&mut random);
        MessageId::new(now.as_millisecond().max(0).cast_unsigned(), &random)
    }
}

fn tried_again(tried: Tried, problem: String, now: Timestamp) -> Tried {
    Tried {
        since: tried.since.or(Some(now)),
        times: tried.times + 1,
        problem: Some(problem),
    }
}

/// When it is tried next; `None`: it was tried long enough.
fn next(tried: &Tried, now: Timestamp) -> Option<Timestamp> {
    let since = tried.since.unwrap_or(now);
    let doublings = tried.times.saturating_sub(1).min(16);
    let wait = FIRST_WAIT
        .checked_mul(1 << doublings)
        .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
    let at = now.checked_add(wait).ok()?;
    (at.duration_since(since) <= PATIENCE).then_some(at)
}
