//! A session: one worker of a destination, with at most one connection.

use std::sync::Arc;
use std::time::Duration;

use diagnosis::facts::{Local, RecipientAttempt, Route, StepKind};
use diagnosis::{Attempt, Failure, FailureKind, Outcome, Stage};
use queue::policy::provider_of;
use queue::route::{Command, Target};
use queue::{Body, DestinationKey, Lease, MessageId, Store, StoreError};
use tokio::sync::Notify;

use crate::conclude;
use crate::connection::Connection;
use crate::engine::{Engine, Next, Reading, STORE_RETRY, Standing, later};
use crate::fitting::{self, Fitted, Unfitted};
use crate::lane::{Handed, Work, is_here};
use crate::maildir;
use crate::passed_on;
use crate::presence::Presence;
use crate::program;
use crate::rewritten;
use crate::settings::Settings;
use crate::signed;
use crate::trail::Trail;
use crate::transaction::{Transacted, transact};
use crate::verp;
use routing::{Candidate, Own, Way, resolve};
use world::SeededRandom;

/// Works for a destination until there is nothing to do.
pub(crate) async fn run(engine: Engine, key: DestinationKey, standing: Standing) {
    let mut session = Session {
        engine,
        key,
        standing,
        connection: None,
        asked: Vec::new(),
        route: Route::default(),
    };
    loop {
        let connected = session.connection.is_some();
        match session.engine.next(&session.key, standing, connected) {
            Next::Work(work) => {
                session.work(work).await;
                session.engine.hungry_again(&session.key);
            }
            Next::Read(reading) => session.read(reading).await,
            Next::Pause(wait) => tokio::time::sleep(wait).await,
            Next::Idle(work_came) => {
                if session.idle(&work_came).await {
                    break;
                }
            }
            Next::End => break,
        }
    }
    if let Some(connection) = session.connection.take() {
        connection.close().await;
    }
}

pub(crate) struct Session {
    pub(crate) engine: Engine,
    pub(crate) key: DestinationKey,
    standing: Standing,
    connection: Option<Connection>,
    /// The servers that were asked in this attempt.
    asked: Vec<String>,
    /// The route of the open connection.
    pub(crate) route: Route,
}

/// What came of trying to hand over a message.
pub(crate) enum Tried {
    Outcomes(Vec<Outcome>),
    /// The store failed before anything was handed over.
    NotBegun(StoreError),
    /// The provider bears no more connections now.
    NotNow,
}

impl Session {
    async fn lease(&self) -> Result<Lease, StoreError> {
        let (lease, taking) = self.engine.lease_of(&self.key);
        if let Some(lease) = lease {
            return Ok(lease);
        }
        // One session takes it for all: each lease fences the one before.
        let _taking = taking.lock().await;
        if let (Some(lease), _) = self.engine.lease_of(&self.key) {
            return Ok(lease);
        }
        let lease = self.engine.shared.store.lease(&self.key).await?;
        self.engine.set_lease(&self.key, lease.clone());
        Ok(lease)
    }

    async fn read(&mut self, reading: Reading) {
        let (limit, turn) = (reading.limit, reading.turn);
        let answer = async {
            let lease = match reading.lease {
                Some(lease) => lease,
                None => self.lease().await?,
            };
            let now = self.engine.now();
            self.engine
                .shared
                .store
                .due(&lease, now, limit, &reading.claimed, turn)
                .await
        };
        let answer = answer.await;
        self.engine.end_reading(&self.key, answer);
    }

    /// Keeps the connection for the next message. Answers whether the session is over.
    async fn idle(&mut self, work_came: &Notify) -> bool {
        let keep = self.engine.shared.settings.idle_keep;
        let Some(connection) = &mut self.connection else {
            return false;
        };
        tokio::select! {
            () = work_came.notified() => false,
            () = tokio::time::sleep(keep) => self.engine.stop_idling(&self.key, self.standing),
            () = connection.until_disturbed() => {
                self.connection = None;
                self.engine.stop_idling(&self.key, self.standing)
            }
        }
    }

    async fn work(&mut self, mut work: Work) {
        if let Some(others) = work.alike() {
            self.engine.go_on(&self.key, others);
        }
        let rules = self.engine.shared.settings.rewrite.as_deref();
        if let Some(others) = rewritten::split(rules, &mut work) {
            self.engine.go_on(&self.key, others);
        }
        verp::prepare(&self.engine, &self.key, &mut work);
        self.split(&mut work);
        let started_at = self.engine.now();
        let mut trail = Trail::begin();
        let tried = match self.lease().await {
            Ok(lease) => (
                self.attempt(&mut work, &lease, &mut trail).await,
                Some(lease),
            ),
            Err(error) => (Tried::NotBegun(error), None),
        };
        match tried {
            (Tried::Outcomes(outcomes), Some(lease)) => {
                let attempt = self.facts(&work, outcomes, trail);
                self.note_hosts(&mut work);
                conclude::conclude(&self.engine, &lease, work, attempt, started_at).await;
            }
            (Tried::NotBegun(error), _) => self.not_begun(&work, &error).await,
            (Tried::NotNow, _) => self.engine.go_on(&self.key, work),
            // Outcomes come from an attempt, and an attempt has a lease.
            (Tried::Outcomes(_), None) => {}
        }
    }

    /// What is too much for one transaction goes on in a next one.
    fn split(&self, work: &mut Work) {
        let settings = &self.engine.shared.settings;
        let most = settings.max_recipients.min(self.announced_limit());
        let most = verp::at_once(settings, work).min(most);
        if work.recipients.len() > most {
            let recipients = work.recipients.split_off(most);
            let rest = work.with(recipients);
            self.engine.go_on(&self.key, rest);
        }
        let Some(connection) = &self.connection else {
            return;
        };
        // Who has no address that the server takes does not keep the others from it.
        let alone = fitting::unreachable(work, connection.smtp.extensions());
        if !alone.is_empty() && alone.len() < work.recipients.len() {
            let (alone, others): (Vec<_>, Vec<_>) = std::mem::take(&mut work.recipients)
                .into_iter()
                .partition(|r| alone.contains(&r.index));
            work.recipients = others;
            self.engine.go_on(&self.key, work.with(alone));
        }
    }

    /// Remembers with the work which servers were asked.
    fn note_hosts(&self, work: &mut Work) {
        for host in &self.asked {
            if !work.asked.contains(host) {
                work.asked.push(host.clone());
            }
        }
    }

    /// RFC 9422 §4: what the server announced, once it has.
    fn announced_limit(&self) -> usize {
        let announced = self
            .connection
            .as_ref()
            .and_then(|c| c.smtp.extensions().limits.rcpt_max);
        announced.map_or(usize::MAX, |n| n as usize)
    }

    async fn not_begun(&mut self, work: &Work, error: &StoreError) {
        tracing::error!(id = %work.message.id, destination = %self.key, %error,
            "the queue cannot note that an attempt begins; the message waits");
        self.connection = None;
        if matches!(error, StoreError::Fenced { .. }) {
            // Whoever holds the lease now sends the message.
            self.engine.fenced(&self.key, work);
            return;
        }
        let due = later(self.engine.now(), STORE_RETRY);
        self.engine.give_back(&self.key, work, due);
        // A session that fails at once must not spin.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    fn facts(&self, work: &Work, outcomes: Vec<Outcome>, trail: Trail) -> Attempt {
        let of = |(r, outcome): (&queue::Recipient, Outcome)| RecipientAttempt {
            index: r.index,
            address: r.address.clone(),
            outcome,
        };
        Attempt {
            route: self.route.clone(),
            steps: trail.into_steps(),
            recipients: work.recipients.iter().zip(outcomes).map(of).collect(),
        }
    }

    async fn attempt(&mut self, work: &mut Work, lease: &Lease, trail: &mut Trail) -> Tried {
        let store = self.engine.shared.store.clone();
        let body = match &work.body {
            Some(body) => body.clone(),
            None => match store.body(work.message.id).await {
                Ok(body) => body,
                Err(error) => return Tried::NotBegun(error),
            },
        };
        let target = match Target::of(&self.key) {
            Ok(target) => target,
            Err(error) => {
                let reported = error.to_string();
                let doing = format!("reading the destination {}", self.key);
                let kind = FailureKind::Local(Local { doing, reported });
                return all_fail(
                    work,
                    Failure {
                        stage: Stage::Route,
                        kind,
                    },
                    trail,
                );
            }
        };
        if target == Target::Bounces {
            return self.read_back(work, lease, &body, trail).await;
        }
        // A Maildir and a program are where mail ends; a server is asked below what it promises.
        work.handed = Some(Handed::ToMailbox);
        // A connection that went stale while idle costs a second try, not an attempt.
        for _ in 0..2 {
            if let Err(outcome) = self
                .ensure_connected(&target, work, lease, &body, trail)
                .await
            {
                return outcome;
            }
            // Only now is it known how many recipients the server takes at once.
            self.split(work);
            let now = self.engine.now();
            let Some(connection) = &mut self.connection else {
                break;
            };
            let about = (&*work, &body, &self.engine.shared.settings);
            let fitted = match fitted(connection, about, now, trail).await {
                Ok(fitted) => fitted,
                Err(tried) => return tried,
            };
            work.handed = Some(match (&connection.smtp, connection.smtp.extensions().dsn) {
                (smtp, _) if smtp.is_lmtp() => Handed::ToMailbox,
                (_, true) => Handed::WithDsn,
                (_, false) => Handed::WithoutDsn,
            });
            let begun = begin(store.clone(), lease, work);
            match transact(connection, work, &body, fitted, begun, trail).await {
                Transacted::Done {
                    mut outcomes,
                    usable,
                } => {
                    if let Err(error) = fitting::look_again(work, &body, &mut outcomes).await {
                        tracing::warn!(id = %work.message.id, %error, "the content cannot be read again");
                    }
                    connection.messages += 1;
                    let announced = connection.smtp.extensions().limits.mail_max;
                    let settings = &self.engine.shared.settings;
                    // RFC 9422 §4.1.
                    let most = settings.max_messages_per_connection;
                    let most = most.min(announced.unwrap_or(u32::MAX));
                    if !usable {
                        self.connection = None;
                    } else if connection.messages >= most
                        && let Some(worn) = self.connection.take()
                    {
                        tokio::spawn(worn.close());
                    }
                    return Tried::Outcomes(outcomes);
                }
                Transacted::Stale => self.connection = None,
                Transacted::NotBegun(error) => return Tried::NotBegun(error),
            }
        }
        let kind = FailureKind::Connect(Vec::new());
        all_fail(
            work,
            Failure {
                stage: Stage::Connect,
                kind,
            },
            trail,
        )
    }

    /// Makes sure there is a connection; otherwise says what that means for the message.
    async fn ensure_connected(
        &mut self,
        target: &Target,
        work: &Work,
        lease: &Lease,
        body: &Body,
        trail: &mut Trail,
    ) -> Result<(), Tried> {
        // Whoever sent us on is not asked again in this round.
        if let Some(asked) = self
            .connection
            .take_if(|connection| work.asked.contains(&connection.host))
        {
            tokio::spawn(asked.close());
        }
        if let Some(connection) = &self.connection {
            self.asked = vec![connection.host.clone()];
            let (host, address) = (connection.host.clone(), connection.address.clone());
            let earlier = connection.messages;
            trail.add(
                Stage::Connect,
                StepKind::Reused {
                    host,
                    address,
                    earlier,
                },
            );
            return Ok(());
        }
        let shared = &self.engine.shared;
        self.asked.clear();
        // A message goes the same way each time, among exchangers that are equal: a greylist that knows
        // it there knows it again.
        let chance = SeededRandom::new(seed_of(work.message.id));
        let way = resolve(
            target,
            Own {
                hostname: &shared.settings.hostname,
                smtp_port: shared.settings.smtp_port,
            },
            &*shared.resolver,
            &chance,
        )
        .await;
        trail.add(Stage::Route, StepKind::Routed);
        match way {
            Ok(Way::Servers {
                route,
                mut candidates,
                lmtp,
            }) => {
                self.route = route;
                let hosts = self.route.hosts.iter();
                let mx = hosts.filter(|h| h.preference.is_some());
                let provider = provider_of(mx.map(|host| host.name.as_str()));
                if !self.engine.may_connect(&self.key, provider) {
                    return Err(Tried::NotNow);
                }
                let others = |c: &Candidate| !work.asked.contains(&c.host);
                if candidates.iter().any(others) {
                    candidates.retain(others);
                }
                let (world, settings) = (&shared.world, &shared.settings);
                let mut ways = settings.routes.ways(&self.key);
                ways.identity = ways.identity.or(&settings.identity);
                let presence = Presence::new(&self.key, ways, &settings.hostname);
                let policies = settings.tls.for_lane(target, &self.key).consult().await;
                let (who, resolver) = ((&presence, &policies, settings), &*shared.resolver);
                match Connection::open_any(&candidates, lmtp, world, who, resolver, trail).await {
                    Ok(connection) => {
                        if !is_here(&connection.address) {
                            self.engine.reached(&self.key).await;
                        }
                        self.asked = vec![connection.host.clone()];
                        self.connection = Some(connection);
                        Ok(())
                    }
                    Err(failure) => {
                        // None is left: each was tried.
                        self.asked = candidates.into_iter().map(|c| c.host).collect();
                        Err(outcomes(work, failure))
                    }
                }
            }
            Ok(Way::Maildir { route, path }) => {
                self.route = route;
                Err(self.to_maildir(&path, work, lease, body, trail).await)
            }
            Ok(Way::Program { route, command }) => {
                self.route = route;
                Err(self.to_program(&command, work, lease, body, trail).await)
            }
            Err(no_route) => {
                self.route = Route {
                    destination: self.key.to_string(),
                    hosts: Vec::new(),
                };
                let kind = FailureKind::NoRoute(no_route);
                Err(all_fail(
                    work,
                    Failure {
                        stage: Stage::Route,
                        kind,
                    },
                    trail,
                ))
            }
        }
    }

    async fn to_maildir(
        &self,
        path: &std::path::Path,
        work: &Work,
        lease: &Lease,
        body: &Body,
        trail: &mut Trail,
    ) -> Tried {
        let shared = &self.engine.shared;
        if let Err(error) = begin(shared.store.clone(), lease, work).await {
            return Tried::NotBegun(error);
        }
        let mut outcomes = Vec::with_capacity(work.recipients.len());
        for recipient in &work.recipients {
            let place = (path, shared.settings.folder_delimiters.as_str());
            let done = maildir::deliver(&shared.world.disk, place, work, recipient, body).await;
            outcomes.push(match done {
                Ok(()) => Outcome::Accepted(None),
                Err(maildir::MaildirError::Disk(local)) => {
                    let kind = FailureKind::Local(local);
                    trail.add(Stage::Content, StepKind::Went(kind.clone()));
                    Outcome::Failed(Failure {
                        stage: Stage::Content,
                        kind,
                    })
                }
                Err(maildir::MaildirError::Loop { times, mailbox }) => {
                    let kind = FailureKind::DeliveredBefore { times, mailbox };
                    trail.add(Stage::Content, StepKind::Went(kind.clone()));
                    Outcome::Failed(Failure {
                        stage: Stage::Content,
                        kind,
                    })
                }
                Err(maildir::MaildirError::Store(error)) => return Tried::NotBegun(error),
            });
        }
        trail.add(Stage::Content, StepKind::Sent { bytes: body.size() });
        Tried::Outcomes(outcomes)
    }
}

impl Session {
    async fn to_program(
        &self,
        command: &Command,
        work: &Work,
        lease: &Lease,
        body: &Body,
        trail: &mut Trail,
    ) -> Tried {
        let shared = &self.engine.shared;
        if let Err(error) = begin(shared.store.clone(), lease, work).await {
            return Tried::NotBegun(error);
        }
        let (host, patience) = (&*shared.world.host, shared.settings.program_timeout);
        let mut outcomes = Vec::with_capacity(work.recipients.len());
        for recipient in &work.recipients {
            let message = &work.message;
            let done = program::deliver(host, command, message, recipient, body, patience).await;
            outcomes.push(match done {
                Ok(()) => {
                    trail.add(Stage::Content, StepKind::Sent { bytes: body.size() });
                    Outcome::Accepted(None)
                }
                Err(program::NotTaken::Program(failure)) => {
                    let kind = FailureKind::Program(failure);
                    trail.add(Stage::Content, StepKind::Went(kind.clone()));
                    let stage = Stage::Content;
                    Outcome::Failed(Failure { stage, kind })
                }
                // What others have taken stays taken; for this one nothing is certain but that the
                // queue could not be read.
                Err(program::NotTaken::Store(error)) => {
                    let local = Local {
                        doing: "reading the message".to_owned(),
                        reported: error.to_string(),
                    };
                    let kind = FailureKind::Local(local);
                    let stage = Stage::Content;
                    Outcome::Failed(Failure { stage, kind })
                }
            });
        }
        Tried::Outcomes(outcomes)
    }
}

/// The form in which the message goes over this connection, or what it means that there is none.
async fn fitted(
    connection: &Connection,
    (work, body, settings): (&Work, &Body, &Settings),
    now: jiff::Timestamp,
    trail: &mut Trail,
) -> Result<Fitted, Tried> {
    let params = passed_on::message(&work.message, now);
    let announced = connection.smtp.extensions();
    let chunks = !connection.smtp.is_lmtp();
    match fitting::fit(work, body, announced, chunks, params).await {
        Ok(fitted) => {
            if fitted.plan.is_some() {
                let to = if fitted.ascii { "ASCII" } else { "7-bit" }.to_owned();
                trail.add(Stage::Mail, StepKind::Converted { to });
            }
            let rules = settings.rewrite.as_deref();
            let rewritten = rewritten::rewrite(rules, (work, body), fitted, trail).await;
            let fitted = rewritten.map_err(Tried::NotBegun)?;
            // Last of all: what is signed is what is sent.
            let (signing, about) = (settings.signing.as_deref(), (&*work.message, body));
            let signed = signed::sign(signing, about, fitted, now, trail).await;
            signed.map_err(Tried::NotBegun)
        }
        Err(Unfitted::Store(error)) => Err(Tried::NotBegun(error)),
        Err(Unfitted::Cannot(what)) => {
            let failure = Failure {
                stage: Stage::Mail,
                kind: FailureKind::CannotSend(what),
            };
            Err(all_fail(work, failure, trail))
        }
    }
}

/// Notes in the store that the attempt begins. The request is on its way at once, so that the store
/// works while the envelope is being sent; the answer is waited for before the content is.
pub(crate) fn begin(
    store: Arc<dyn Store>,
    lease: &Lease,
    work: &Work,
) -> impl Future<Output = Result<(), StoreError>> + use<> {
    let lease = lease.clone();
    let id: MessageId = work.message.id;
    let recipients: Vec<u32> = work.recipients.iter().map(|r| r.index).collect();
    let noted = tokio::spawn(async move { store.begin(&lease, id, &recipients).await });
    async move { noted.await.unwrap_or(Err(StoreError::Uncertain)) }
}

/// The same number for a message each time.
fn seed_of(message: MessageId) -> u64 {
    let bytes = message.as_bytes().iter();
    bytes.fold(0, |seed: u64, byte| seed.rotate_left(8) ^ u64::from(*byte))
}

fn outcomes(work: &Work, failure: Failure) -> Tried {
    Tried::Outcomes(vec![Outcome::Failed(failure); work.recipients.len()])
}

pub(crate) fn all_fail(work: &Work, failure: Failure, trail: &mut Trail) -> Tried {
    trail.add(failure.stage, StepKind::Went(failure.kind.clone()));
    outcomes(work, failure)
}
