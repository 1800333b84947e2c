//! One connection to a server: opening it, carrying bytes, closing it.

use std::time::Duration;

use diagnosis::facts::{Break, BreakKind, PathState, StepKind};
use diagnosis::tls::{TlsSession, WhyInsecure};
use diagnosis::tls_policy::Server;
use diagnosis::{Failure, FailureKind, Stage};
use dns::Resolver;
use smtp::ProtocolError;
use smtp::client::{self, Event, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use world::{Stream, World};

use crate::Settings;
use crate::login::log_in;
use crate::policies::Policies;
use crate::presence::Presence;
use crate::race::{self, Race, Won};
use crate::security::{self, Security};
use crate::trail::Trail;
use routing::Candidate;

/// A connection on which transactions can be made.
pub(crate) struct Connection {
    stream: Stream,
    pub(crate) smtp: client::Connection,
    pub(crate) host: String,
    pub(crate) address: String,
    /// Messages handed over on it.
    pub(crate) messages: u32,
    heard: Instant,
    /// How long the peer may take for an answer, at most.
    patience: Duration,
    /// The TLS session, if there is one.
    session: Option<Box<TlsSession>>,
    /// The address of ours that was chosen for it.
    from: Option<String>,
    /// Whether it is sure that the recipients' domain named this server.
    named: bool,
    /// What the system knew of the way when the peer had been silent for too long.
    stalled: Option<PathState>,
}

/// Why a connection was not greeted.
enum Ungreeted {
    /// It failed.
    Failed(Failure),
    /// Encryption failed and is not demanded: once more in the clear (RFC 7435 §3).
    InTheClear(Candidate, Failure),
}

/// Why a talk cannot go on.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The connection broke.
    Broke(BreakKind),
    /// The peer does not speak SMTP.
    NotSmtp(String),
}

/// How long a peer that reset the connection may still have words for us in the socket.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long a block of content may take to be taken (RFC 5321 §4.5.3.2.5).
const BLOCK_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a connection that is being closed may hold us up.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
const READ_SIZE: usize = 4096;
/// Of what is not SMTP, so much is kept as evidence.
const KEPT_RECEIVED: usize = 200;

impl Connection {
    /// Tries the candidates in order until one greets us (RFC 5321 §5.1).
    pub(crate) async fn open_any(
        candidates: &[Candidate],
        lmtp: bool,
        world: &World,
        (presence, policies, settings): (&Presence<'_>, &Policies<'_>, &Settings),
        resolver: &dyn Resolver,
        trail: &mut Trail,
    ) -> Result<Connection, Failure> {
        let mut tries = Vec::new();
        let mut answered = None;
        let race = Race {
            net: &*world.net,
            presence,
            patience: settings.connect_timeout,
        };
        for tier in race::tiers(candidates) {
            let mut admitted = policies.admit(tier, resolver, trail).await;
            answered = answered.or(admitted.failure.take());
            let tier = std::mem::take(&mut admitted.candidates);
            let mut left = race::in_order(tier, &*world.net, presence);
            while let Some(won) = race.run(&mut left, &mut tries, trail).await {
                let security = admitted.of(&won.candidate);
                let who = (presence, security, settings);
                let mut greeted = Connection::greet(won, lmtp, who, trail).await;
                if let Err(Ungreeted::InTheClear(candidate, _)) = &greeted {
                    let mut once = vec![candidate.clone()];
                    let clear = security.given_up();
                    if let Some(won) = race.run(&mut once, &mut tries, trail).await {
                        let who = (presence, &clear, settings);
                        greeted = Connection::greet(won, lmtp, who, trail).await;
                    }
                }
                match greeted {
                    Ok(mut connection) => {
                        if let Some(login) = presence.login() {
                            // Others there would hear the same name and password.
                            if let Err(failure) = log_in(&mut connection, login, world, trail).await
                            {
                                connection.close().await;
                                return Err(failure);
                            }
                        }
                        return Ok(connection);
                    }
                    // The first answer counts: it is the preferred exchanger's.
                    Err(Ungreeted::Failed(failure) | Ungreeted::InTheClear(_, failure)) => {
                        answered = answered.or(Some(failure));
                    }
                }
            }
        }
        // A server's own words say more than an address that was dead.
        Err(answered.unwrap_or(Failure {
            stage: Stage::Connect,
            kind: FailureKind::Connect(tries),
        }))
    }

    async fn greet(
        won: Won,
        lmtp: bool,
        (presence, security, settings): (&Presence<'_>, &Security<'_>, &Settings),
        trail: &mut Trail,
    ) -> Result<Connection, Ungreeted> {
        let Won {
            stream,
            candidate,
            from,
        } = won;
        let (host, address) = (candidate.host.clone(), candidate.peer.to_string());
        let from = from.map(|own| own.to_string());
        let peer = if host == address {
            host.clone()
        } else {
            format!("{host}[{address}]")
        };
        let protocol = if lmtp { Protocol::Lmtp } else { Protocol::Smtp };
        let talk = client::Settings::new(presence.helo(), &peer, protocol);
        let smtp = client::Connection::new(talk);
        trail.add(
            Stage::Connect,
            StepKind::Connected {
                host: host.clone(),
                address: address.clone(),
                from: from.clone(),
            },
        );
        let heard = Instant::now();
        let mut connection = Connection {
            stream,
            smtp,
            host,
            address,
            messages: 0,
            heard,
            patience: settings.reply_timeout,
            session: None,
            from,
            named: security.is_named(),
            stalled: None,
        };
        if security.implicit
            && let Err(why) = connection.secure(security, trail).await
        {
            let failure = security.insecure(connection.server(), why, trail);
            return Err(Ungreeted::Failed(failure));
        }
        loop {
            let stage = connection.smtp.stage();
            match connection.event().await {
                Ok(Event::Greeting(reply)) => trail.replied(stage, &reply, String::new),
                Ok(Event::Ready(reply)) => {
                    trail.replied(stage, &reply, String::new);
                    if security.is_off() || connection.session.is_some() {
                        return Ok(connection);
                    }
                    if connection.smtp.extensions().starttls {
                        connection.smtp.start_tls();
                    } else if security.may_be_clear() {
                        security.clear(connection.server(), &WhyInsecure::NotOffered);
                        return Ok(connection);
                    } else {
                        let why = WhyInsecure::NotOffered;
                        let failure = security.insecure(connection.server(), why, trail);
                        connection.close().await;
                        return Err(Ungreeted::Failed(failure));
                    }
                }
                Ok(Event::StartTls(reply)) => {
                    trail.replied(stage, &reply, || "STARTTLS".to_owned());
                    if reply.code() != 220 {
                        let why = WhyInsecure::Refused(reply);
                        // RFC 3207 §4: the client decides whether to go on.
                        if security.may_be_clear() {
                            security.clear(connection.server(), &why);
                            return Ok(connection);
                        }
                        let failure = security.insecure(connection.server(), why, trail);
                        connection.close().await;
                        return Err(Ungreeted::Failed(failure));
                    }
                    if let Err(why) = connection.secure(security, trail).await {
                        let failure = security.insecure(connection.server(), why, trail);
                        return Err(ungreeted(security, candidate, failure));
                    }
                    connection.smtp.secured();
                }
                Ok(Event::HelloRefused(reply)) => {
                    trail.replied(stage, &reply, || format!("EHLO {}", presence.helo()));
                }
                Ok(Event::Unusable { stage, reply }) => {
                    trail.replied(stage, &reply, String::new);
                    connection.close().await;
                    return Err(Ungreeted::Failed(Failure {
                        stage,
                        kind: FailureKind::Replied(reply),
                    }));
                }
                // No transaction is under way, so no event of one can come.
                Ok(_) => {}
                // A server that breaks off at STARTTLS, or as soon as TLS is on, cannot do it.
                Err(Ended::Broke(how))
                    if stage == Stage::StartTls || connection.session.is_some() =>
                {
                    let why = WhyInsecure::Broke(how);
                    let failure = security.insecure(connection.server(), why, trail);
                    return Err(match security.implicit {
                        true => Ungreeted::Failed(failure),
                        false => ungreeted(security, candidate, failure),
                    });
                }
                Err(ended) => {
                    let kind = connection.ended(ended, 0, 0);
                    trail.add(stage, StepKind::Went(kind.clone()));
                    return Err(Ungreeted::Failed(Failure { stage, kind }));
                }
            }
        }
    }

    /// Makes the connection secure; after a failure it is gone.
    async fn secure(
        &mut self,
        security: &Security<'_>,
        trail: &mut Trail,
    ) -> Result<(), WhyInsecure> {
        let plain = self.stream.detach();
        let (stream, session) = security.shake(plain, self.server()).await?;
        self.stream = stream;
        self.heard = Instant::now();
        let session = Box::new(session);
        trail.add(Stage::StartTls, StepKind::Secured(session.clone()));
        self.session = Some(session);
        Ok(())
    }

    /// Both ends, for who counts sessions.
    fn server(&self) -> Server {
        Server {
            host: self.host.clone(),
            address: self.address.clone(),
            from: self.from.clone(),
        }
    }

    /// Whether the connection is encrypted, it is sure to whom, and that this is where the domain wants
    /// its mail (RFC 8689 §4.2.1).
    pub(crate) fn is_assured(&self) -> bool {
        self.named && self.is_verified()
    }

    /// Whether the connection is encrypted, and it is sure to whom.
    fn is_verified(&self) -> bool {
        self.session.as_ref().is_some_and(|s| security::is_known(s))
    }

    /// Whether nobody on the way can read what is said.
    pub(crate) fn is_secret(&self) -> bool {
        match &self.stream {
            // Somebody may stand between us and a server that is not known.
            Stream::Layered(_) => self.is_verified(),
            Stream::Unix(_) => true,
            Stream::Tcp(stream) => stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()),
            // A network within this process stands for one between machines.
            Stream::Memory(_) | Stream::Gone => false,
        }
    }

    /// What has come of the talk; waits for the peer as long as the stage allows.
    pub(crate) async fn event(&mut self) -> Result<Event, Ended> {
        loop {
            if let Some(event) = self.smtp.poll().map_err(not_smtp)? {
                return Ok(event);
            }
            self.flush().await?;
            let wait = self.smtp.stage_timeout().min(self.patience);
            match timeout(wait, self.read()).await {
                Ok(result) => result?,
                Err(_) => return Err(self.fell_silent().await),
            }
        }
    }

    /// The peer says nothing: what does not get through to it is seen now or never.
    async fn fell_silent(&mut self) -> Ended {
        let path = self.stream.path_state().await;
        self.stalled = Some(PathState {
            mtu: path.mtu,
            segment: path.segment,
            unconfirmed: path.unconfirmed,
            retransmits: path.retransmits,
        });
        Ended::Broke(BreakKind::TimedOut)
    }

    async fn read(&mut self) -> Result<(), Ended> {
        let mut buffer = [0; READ_SIZE];
        match self.stream.read(&mut buffer).await {
            Ok(0) => Err(Ended::Broke(BreakKind::Closed)),
            Ok(length) => {
                self.heard = Instant::now();
                self.smtp.receive(&buffer[..length]);
                Ok(())
            }
            Err(error) => Err(Ended::Broke(BreakKind::from(&error))),
        }
    }

    /// Sends what stands in the output.
    pub(crate) async fn flush(&mut self) -> Result<(), Ended> {
        if self.smtp.output().is_empty() {
            return Ok(());
        }
        let sent = timeout(BLOCK_TIMEOUT.min(self.patience), async {
            self.stream.write_all(self.smtp.output()).await?;
            // A TLS session may hold back what the system would not take at once.
            self.stream.flush().await
        })
        .await;
        match sent {
            Ok(Ok(())) => {
                self.smtp.sent();
                Ok(())
            }
            Ok(Err(error)) => {
                // What the peer said before it closed is worth more than the fact that it closed.
                if let Ok(Ok(())) = timeout(LAST_WORDS, self.read()).await {
                    self.smtp.sent();
                    return Ok(());
                }
                Err(Ended::Broke(BreakKind::from(&error)))
            }
            Err(_) => Err(self.fell_silent().await),
        }
    }

    /// Waits, between transactions, until the peer says or does something: that ends its use.
    pub(crate) async fn until_disturbed(&mut self) {
        let mut byte = [0];
        // Whatever comes, data or the end: nothing was asked, so the connection is not used again.
        let _ = self.stream.read(&mut byte).await;
    }

    /// Says QUIT and closes, without waiting long for an answer (RFC 5321 §4.1.1.10).
    pub(crate) async fn close(mut self) {
        self.smtp.quit();
        let farewell = async {
            self.flush().await?;
            self.read().await
        };
        // The message's fate is settled; how the farewell goes changes nothing.
        let _ = timeout(CLOSE_TIMEOUT, farewell).await;
    }

    /// The failure that an ended talk amounts to.
    pub(crate) fn ended(&self, ended: Ended, content_sent: u64, content_size: u64) -> FailureKind {
        match ended {
            Ended::Broke(how) => FailureKind::Broken(Break {
                how,
                content_sent,
                content_size,
                silent_ms: self.heard.elapsed().as_millis() as u64,
                path: self.stalled,
            }),
            Ended::NotSmtp(received) => FailureKind::NotSmtp { received },
        }
    }
}

/// After encryption failed: once more in the clear, where that may be.
fn ungreeted(security: &Security<'_>, candidate: Candidate, failure: Failure) -> Ungreeted {
    match security.may_be_clear() {
        true => Ungreeted::InTheClear(candidate, failure),
        false => Ungreeted::Failed(failure),
    }
}

fn not_smtp(error: ProtocolError) -> Ended {
    let received = String::from_utf8_lossy(error.received());
    Ended::NotSmtp(received.chars().take(KEPT_RECEIVED).collect())
}
