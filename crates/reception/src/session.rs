//! One session: the state machine of `smtp`, driven.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use queue::NewRecipient;
use queue::route::{Asked, Matched, Target};
use screening::Stage;
use smtp::server::{self, Event, MailParams, Problem, RcptParams};
use smtp::xclient::XClient;
use smtp::{Address, Class, OutgoingReply};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::connection::{Connection, Input};
use crate::local::{self, Here, Taken};
use crate::pace::Pace;
use crate::rates::{TooFast, What};
use crate::refusal::Refusal;
use crate::screen::{Fate, Screen};
use crate::serve::{Caller, Door};
use crate::transaction::{Envelope, Incoming, Summary};
use crate::{Client, Shared, greylisting, verify, wishes};

/// Talks with one client until one side ends it.
pub(crate) async fn run(shared: Arc<Shared>, caller: Caller, shutdown: watch::Receiver<bool>) {
    let mut connection = Connection::new(caller.stream, shutdown);
    let implicit_tls = caller.door.implicit_tls;
    let mut session = Session::new(shared, caller.door, caller.from);
    if implicit_tls {
        session.protocol.set_secure();
        if !session.secure(&mut connection).await {
            return;
        }
    }
    let still_sending = session.talk(&mut connection).await;
    // What is staged goes before the farewell, which may take a while.
    drop(session);
    connection.close(still_sending).await;
}

pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) client: Client,
    pub(crate) protocol: server::Session,
    /// While the client proves who it is.
    pub(crate) exchange: Option<Box<dyn auth::Exchange>>,
    pub(crate) failed_logins: u32,
    envelope: Option<Envelope>,
    incoming: Option<Incoming>,
    screen: Screen,
    /// Recipients that were refused here; the state machine counts its own refusals.
    refused: u32,
    stopping: bool,
}

impl Session {
    fn new(shared: Arc<Shared>, door: Door, from: SocketAddr) -> Session {
        let role = door.role;
        let mut protocol = server::Session::new(Arc::clone(&shared.protocols[role as usize]));
        if shared.settings.trusted.may_xclient(from.ip()) && !role.is_lmtp() {
            protocol.offer_xclient();
        }
        Session {
            protocol,
            exchange: None,
            failed_logins: 0,
            client: Client {
                address: from.ip().to_canonical(),
                helo: None,
                extended: false,
                role,
                login: None,
                mechanism: None,
                tls: None,
            },
            screen: Screen::new(&shared.neighbours.filters, from),
            shared,
            envelope: None,
            incoming: None,
            refused: 0,
            stopping: false,
        }
    }

    /// The whole talk; answers whether the client may still be sending.
    async fn talk(&mut self, connection: &mut Connection) -> bool {
        let shared = Arc::clone(&self.shared);
        self.greet(connection).await;
        let mut pace = Pace::Command {
            since: Instant::now(),
        };
        let mut abrupt = false;
        loop {
            let mut progress = false;
            while let Some(event) = self.protocol.poll() {
                progress = true;
                let quit = event == Event::Quit;
                let starttls = event == Event::StartTls;
                if self.handle(event).await && !self.flush(connection).await {
                    return false;
                }
                if starttls && self.protocol.is_secure() && !self.secure(connection).await {
                    return false;
                }
                abrupt |= self.protocol.is_closed() && !quit;
            }
            progress |= self.protocol.has_output();
            let content = self.in_content();
            if !self.flush(connection).await {
                return false;
            }
            if self.protocol.is_closed() {
                return abrupt;
            }
            if connection.is_stopping() && !content {
                self.end(&Refusal::Stopping);
                continue;
            }
            pace = match (content, pace) {
                (true, Pace::Content { .. }) => pace,
                (true, Pace::Command { .. }) => Pace::content(Instant::now()),
                (false, Pace::Command { .. }) if !progress => pace,
                (false, _) => Pace::Command {
                    since: Instant::now(),
                },
            };
            if !content {
                self.protocol.release_buffers();
            }
            let protocol = &mut self.protocol;
            let sink = |bytes: &[u8]| protocol.input().extend_from_slice(bytes);
            match connection.read(&pace, &shared.settings, sink).await {
                Input::Bytes(bytes) => pace.came(Instant::now(), bytes),
                Input::End => return false,
                Input::Broken(error) => {
                    tracing::debug!(client = %self.client.address, %error, "connection broke");
                    return false;
                }
                Input::Stopping => self.stopping = true,
                Input::Overdue(overdue) => {
                    let content = self.in_content();
                    self.end(&Refusal::Overdue(overdue));
                    self.flush(connection).await;
                    return content;
                }
            }
        }
    }

    /// Whether content is under way, also between two chunks.
    fn in_content(&self) -> bool {
        self.incoming.is_some() || self.protocol.in_content()
    }

    /// Sends the replies; answers whether that went well.
    async fn flush(&mut self, connection: &mut Connection) -> bool {
        if !self.protocol.has_output() {
            return true;
        }
        let output = self.protocol.take_output();
        let sent = connection
            .write(&output, self.shared.settings.command_timeout)
            .await;
        if let Err(error) = &sent {
            tracing::debug!(client = %self.client.address, %error, "cannot send replies");
        }
        sent.is_ok()
    }

    /// Does what an event asks for; answers whether the replies must go out at once, because the
    /// client waits for them or must not lose them.
    async fn handle(&mut self, event: Event) -> bool {
        if !matches!(event, Event::AuthResponse(_)) {
            self.exchange = None;
        }
        match event {
            Event::Hello { name, extended } => {
                self.forget();
                self.client.helo = Some(name);
                self.client.extended = extended;
                // RFC 3207 §4.2: STARTTLS makes the session forget who the client is; so do we.
                if !self.protocol.is_authenticated() {
                    self.client.login = None;
                }
                self.offer();
                let offer = self.offered().await;
                self.protocol.offer_auth(offer);
                match self.screened(Stage::Helo, None).await {
                    Ok(()) => self.protocol.accept(),
                    Err(refusal) => self.refuse(&refusal),
                }
            }
            Event::Auth { mechanism, initial } => self.begin_login(&mechanism, initial).await,
            Event::AuthResponse(response) => self.go_on(Some(response)).await,
            Event::Xclient(told) => self.speaks_for(*told),
            Event::Mail { from, params } => self.mail(from, params).await,
            Event::Rcpt { to, params } => self.rcpt(to, params).await,
            Event::Data { .. } => self.data().await,
            Event::Content(piece) => {
                if let Some(incoming) = &mut self.incoming {
                    incoming.write(&self.shared, &self.client, &piece).await;
                }
            }
            Event::EndOfContent { .. } => {
                self.end_of_content().await;
                return true;
            }
            Event::ContentAborted(problem) => {
                self.note("content-refused", &problem, None);
                self.forget();
            }
            Event::Refused { problem, line } => {
                let reason = match problem {
                    Problem::TooManyRecipients { .. } => "too-many-recipients",
                    Problem::TooLarge { .. } => "too-large",
                    Problem::TooManyMessages { .. } => "too-many-messages",
                    _ => "command-refused",
                };
                self.note(reason, &problem, Some((&line, &problem.reply())));
            }
            Event::TooManyErrors => {
                let most = self.shared.settings.max_errors;
                self.note("too-many-errors", &format_args!("limit {most}"), None);
                self.forget();
            }
            Event::Reset | Event::Quit => self.forget(),
            Event::Vrfy(_) => {}
            Event::StartTls => {
                self.start_tls();
                return true;
            }
        }
        false
    }

    pub(crate) fn forget(&mut self) {
        self.envelope = None;
        self.incoming = None;
        self.screen.forget();
    }

    /// The greeting, or what stands in its place.
    async fn greet(&mut self, connection: &mut Connection) {
        let delay = self.shared.settings.greeting_delay;
        if !delay.is_zero() && connection.speaks_within(delay).await {
            return self.end(&Refusal::TalksFirst);
        }
        match self.screened(Stage::Connect, None).await {
            Ok(()) => self.protocol.accept(),
            Err(refusal) => self.end(&refusal),
        }
    }

    /// What the filters say before there is a message.
    async fn screened(&mut self, stage: Stage, recipient: Option<&Address>) -> Result<(), Refusal> {
        let envelope = self.envelope.as_ref();
        let asked = self
            .screen
            .ask(&self.shared, &self.client, stage, envelope, recipient);
        asked.await
    }

    /// What is offered depends on who asks: only those who may relay have their mail held back
    /// (RFC 4865 §2: it is for submission).
    fn offer(&mut self) {
        let settings = &self.shared.settings;
        let client = &self.client;
        let may_relay = settings.may_relay(client.address) || client.login.is_some();
        let offered = (may_relay || client.role.is_submission()) && !settings.max_hold.is_zero();
        let now = self.shared.world.clock.now();
        let most = (
            settings.max_hold.as_secs(),
            wishes::latest(settings.max_hold, now),
        );
        self.protocol.offer_holding(offered.then_some(most));
    }

    async fn mail(&mut self, from: Address, params: MailParams) {
        if self.stopping {
            return self.end(&Refusal::Stopping);
        }
        let now = self.shared.world.clock.now();
        let options = wishes::of_message(&params, &self.shared.settings, now);
        let may = self.may_send(&from);
        let may = may.and_then(|()| self.may_begin(params.size.unwrap_or(0)));
        let options = match may.and(options) {
            Ok(mut options) => {
                let (login, settings) = (self.client.login.as_deref(), &self.shared.settings);
                options.submitter =
                    wishes::believed(options.submitter, login, &settings.submission);
                options
            }
            Err(refusal) => return self.refuse(&refusal),
        };
        self.envelope = Some(Envelope::new(from, &params, options));
        match self.screened(Stage::Mail, None).await {
            Ok(()) => self.protocol.accept(),
            Err(refusal) => {
                self.refuse(&refusal);
                self.forget();
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        match refusal.closes() {
            true => self.end(refusal),
            false => self.answer_no(refusal),
        }
    }

    /// Whether this client may send as this sender.
    fn may_send(&self, from: &Address) -> Result<(), Refusal> {
        match &self.client.login {
            Some(login) => self.shared.settings.submission.check_sender(login, from),
            // RFC 6409 §4.3.
            None if self.client.role.is_submission() => Err(Refusal::AuthRequired),
            None => Ok(()),
        }
    }

    /// The client speaks for another from now on (Postfix's XCLIENT_README).
    ///
    /// Deviation: NAME is not used, since we look up no names.
    fn speaks_for(&mut self, told: XClient) {
        let mut address = Some(self.client.address);
        told.address.put(&mut address);
        told.helo.put(&mut self.client.helo);
        told.login.put(&mut self.client.login);
        self.client.mechanism = None;
        let mut extended = Some(self.client.extended);
        told.extended.put(&mut extended);
        // What is not known is in no network that may do anything.
        self.client.address = address
            .unwrap_or(Ipv4Addr::UNSPECIFIED.into())
            .to_canonical();
        self.client.extended = extended.unwrap_or(false);
        self.protocol.set_authenticated(self.client.login.is_some());
        self.forget();
        // The filters have a new client before them.
        let from = SocketAddr::new(self.client.address, 0);
        self.screen = Screen::new(&self.shared.neighbours.filters, from);
        self.protocol.accept();
    }

    /// What is asked before a message of this size may begin: nothing of it is accepted yet.
    fn may_begin(&self, size: u64) -> Result<(), Refusal> {
        let shared = &self.shared;
        if shared.paused.load(Ordering::SeqCst) {
            return Err(Refusal::Paused);
        }
        let store = shared.intake.store();
        shared.watch.admits(&**store, &shared.world, size)?;
        self.meter(What::Messages).map_err(Refusal::TooFast)
    }

    /// Whether there is room for one more.
    pub(crate) fn meter_look(&self, what: What) -> Result<(), TooFast> {
        match self.shared.limits.counted(self.client.address) {
            Some(counted) => {
                let now = self.shared.world.clock.now();
                self.shared.meter.look(what, counted, now)
            }
            None => Ok(()),
        }
    }

    pub(crate) fn meter(&self, what: What) -> Result<(), TooFast> {
        match self.shared.limits.counted(self.client.address) {
            Some(counted) => {
                let now = self.shared.world.clock.now();
                self.shared.meter.take(what, counted, now)
            }
            None => Ok(()),
        }
    }

    async fn rcpt(&mut self, to: Address, params: RcptParams) {
        match self.destination(to, params).await {
            Ok(taken) => {
                if let Some(envelope) = &mut self.envelope {
                    envelope.take(taken);
                }
                self.protocol.accept();
            }
            Err(refusal) => {
                self.refused += u32::from(refusal.counts());
                let most = self.shared.settings.max_errors;
                if self.refused >= most {
                    self.refusal(&refusal, None);
                    self.end(&Refusal::TooManyErrors(most));
                } else if refusal.closes() {
                    self.end(&refusal);
                } else {
                    self.answer_no(&refusal);
                }
            }
        }
    }

    async fn destination(&mut self, to: Address, params: RcptParams) -> Result<Taken, Refusal> {
        let client = self.client.address;
        let here = match &self.envelope {
            Some(envelope) => local::find(&self.shared, client, envelope, &to).await?,
            None => None,
        };
        // Deviation: RFC 5321 §4.5.1 asks that anybody can reach postmaster; a relay without domains of
        // its own has no mailboxes, so that this would relay for strangers.
        let may_relay = self.shared.settings.may_relay(client) || self.client.login.is_some();
        if here.is_none() && !may_relay {
            return Err(Refusal::RelayDenied {
                client,
                recipient: to,
            });
        }
        let asked = Asked {
            sender: self.envelope.as_ref().map(|envelope| &envelope.sender),
            ..Asked::to(&to)
        };
        let lead = self.shared.settings.routes.lead(&asked);
        let target = here.as_ref().map_or(lead.target.clone(), Here::target);
        if here.is_none() {
            self.is_qualified(&to, &lead.matched)?;
        }
        if target == Target::Nowhere {
            return Err(Refusal::NoRoute(to));
        }
        self.ask_neighbours(&to, &target, here.as_ref()).await?;
        self.screened(Stage::Rcpt, Some(&to)).await?;
        if let Err(too_fast) = self.meter(What::Recipients) {
            let alone = self.envelope.as_ref().is_none_or(Envelope::is_empty);
            return Err(match alone {
                true => Refusal::TooFast(too_fast),
                false => Refusal::RecipientTooFast {
                    recipient: to,
                    too_fast,
                },
            });
        }
        // Last of all: strangers and whatever else is refused cost no question.
        if let Some(here) = &here {
            Box::pin(verify::ask(&self.shared, &to, here)).await?;
        }
        let named = NewRecipient {
            destination: lead.key(),
            address: to,
            next_attempt: self.first_attempt(),
            rewritten: None,
            options: wishes::of_recipient(params),
        };
        Ok(match here {
            Some(here) => here.taken(&named),
            None => Taken::One(named),
        })
    }

    /// At once, unless the sender asked to hold it back.
    fn first_attempt(&self) -> Timestamp {
        let held = self.envelope.as_ref().and_then(|e| e.options.hold_until);
        held.unwrap_or_else(|| self.shared.world.clock.now())
    }

    /// RFC 6409 §5.1: 554 for a domain that is no full name, unless somebody has said where it is.
    fn is_qualified(&self, to: &Address, route: &Matched) -> Result<(), Refusal> {
        let domain = to.domain().unwrap_or_default();
        let is_full = domain.contains('.') || domain.starts_with('[');
        let is_routed = match route {
            Matched::Rule { .. } => true,
            Matched::Domain(domain) => domain != "*",
            Matched::Default => false,
        };
        if !self.client.role.is_submission() || is_full || is_routed {
            return Ok(());
        }
        Err(Refusal::NotQualified(to.clone()))
    }

    /// The greylist, and the mailbox where it is here.
    async fn ask_neighbours(
        &mut self,
        to: &Address,
        target: &Target,
        here: Option<&Here>,
    ) -> Result<(), Refusal> {
        let Some(envelope) = &self.envelope else {
            return Ok(());
        };
        let client = self.client.address;
        ask_suppressions(&self.shared, to).await?;
        // Who has said who it is is no stranger.
        if self.client.login.is_none() {
            greylisting::ask(&self.shared, client, &envelope.sender, to).await?;
        }
        if let Some(here) = here {
            return local::look(&self.shared, envelope, to, here).await;
        }
        let Some(mailboxes) = &self.shared.neighbours.mailboxes else {
            return Ok(());
        };
        let looked = mailboxes.look(target, None, envelope.size).await;
        looked.map_err(|trouble| Refusal::Mailbox {
            recipient: to.clone(),
            trouble,
        })
    }

    async fn data(&mut self) {
        if self.stopping {
            return self.end(&Refusal::Stopping);
        }
        if let Some(envelope) = self.envelope.take() {
            let screened = self.screen.sees_content();
            let incoming = Incoming::begin(&self.shared, &self.client, envelope, screened).await;
            self.incoming = Some(incoming);
        }
        self.protocol.accept();
    }

    async fn end_of_content(&mut self) {
        let Some(incoming) = self.incoming.take() else {
            // The state machine has no content without `Data`, which begins one.
            return self.answer_no(&Refusal::NoTransaction);
        };
        let message = incoming.summary();
        let accepted = incoming.accept(&self.shared, &self.client, &mut self.screen);
        let accepted = Box::pin(accepted).await;
        self.screen.forget();
        let reply = match accepted {
            Ok(fate) => self.confirmation(&message, &fate),
            Err(refusal) if refusal.closes() => {
                let reply = self.refusal(&refusal, Some(&message));
                self.forget();
                return self.protocol.close(&reply);
            }
            Err(refusal) => self.refusal(&refusal, Some(&message)),
        };
        self.protocol.answer(reply);
    }

    /// Says that the message is kept: it is in the store, or a filter wants it thrown away.
    fn confirmation(&self, message: &Summary, fate: &Fate) -> OutgoingReply {
        let (filter, what) = match fate {
            Fate::Pass => (None, "accepted"),
            Fate::Hold(filter, reason) => (Some((filter, reason)), "held by a filter"),
            Fate::Discard(filter, reason) => (Some((filter, reason)), "discarded by a filter"),
        };
        if let Some((filter, reason)) = filter {
            tracing::info!(id = %message.id, client = %self.client.address, %filter, ?reason, what);
        }
        if let Fate::Discard(..) = fate {
            let text = format!("Ok: taken as {}", message.id);
            return OutgoingReply::new(250, (Class::Success, 0, 0), text);
        }
        tracing::info!(
            id = %message.id,
            client = %self.client.address,
            helo = self.client.helo,
            sender = %message.sender,
            nrcpt = message.recipients,
            size = message.size,
            protocol = message.protocol,
            user = self.client.login,
            "accepted"
        );
        let text = format!("Ok: queued as {}", message.id);
        OutgoingReply::new(250, (Class::Success, 0, 0), text)
    }

    pub(crate) fn answer_no(&mut self, refusal: &Refusal) {
        let reply = self.refusal(refusal, None);
        self.protocol.answer(reply);
    }

    /// Ends the session with a reply of ours.
    pub(crate) fn end(&mut self, refusal: &Refusal) {
        let message = self.incoming.as_ref().map(Incoming::summary);
        let reply = self.refusal(refusal, message.as_ref());
        self.forget();
        self.protocol.close(&reply);
    }

    /// The words for a refusal, which goes to the log with what they leave out.
    pub(crate) fn refusal(&self, refusal: &Refusal, message: Option<&Summary>) -> OutgoingReply {
        let reply = refusal.reply(&self.shared.settings.hostname);
        // The level of an event is fixed where it stands.
        macro_rules! refused {
            ($level:ident) => {
                tracing::$level!(
                    id = message.map(|m| display(m.id)),
                    client = %self.client.address,
                    helo = self.client.helo,
                    sender = self.sender(message).map(display),
                    recipient = refusal.recipient().map(display),
                    user = self.client.login,
                    reason = refusal.name(),
                    %reply,
                    detail = refusal.detail(),
                    "refused"
                )
            };
        }
        if refusal.is_ours() {
            refused!(warn);
        } else {
            refused!(info);
        }
        reply
    }

    fn sender<'a>(&'a self, message: Option<&'a Summary>) -> Option<&'a Address> {
        let envelope = self.envelope.as_ref().map(|e| &e.sender);
        message.map(|m| &m.sender).or(envelope)
    }

    /// The state machine has refused something.
    fn note(
        &self,
        reason: &'static str,
        detail: &dyn Display,
        command: Option<(&[u8], &OutgoingReply)>,
    ) {
        let message = self.incoming.as_ref().map(Incoming::summary);
        tracing::info!(
            id = message.as_ref().map(|m| display(m.id)),
            client = %self.client.address,
            helo = self.client.helo,
            sender = self.sender(message.as_ref()).map(display),
            reason,
            %detail,
            line = command.map(|(line, _)| display(line.escape_ascii())),
            reply = command.map(|(_, reply)| display(reply)),
            "refused"
        );
    }
}

/// Where the list cannot be read, mail comes through: it keeps out what would fail anyway.
async fn ask_suppressions(shared: &Shared, to: &Address) -> Result<(), Refusal> {
    let Some(list) = &shared.neighbours.suppressions else {
        return Ok(());
    };
    match list.suppressed(to, shared.world.clock.now()).await {
        Ok(None) => Ok(()),
        Ok(Some(entry)) => Err(Refusal::Suppressed {
            recipient: to.clone(),
            entry: Box::new(entry),
        }),
        Err(error) => {
            tracing::warn!(recipient = %to, %error, "the suppression list cannot be read: mail passes");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With ten thousand idle clients, 8 KiB each are 80 MiB.
    #[test]
    fn a_waiting_session_takes_less_than_eight_kib() {
        fn size_of_future<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let size = size_of_future(run);
        assert!(size < 8 * 1024, "{size} bytes");
    }
}
