//! One mail transaction (RFC 5321 §3.3): envelope, content, and the handing over to the queue.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use queue::route::{Asked, Target};
use queue::{
    BodyKind, BodyWriter, DestinationKey, Expansion, MessageId, MessageKind, NewMessage,
    NewRecipient, Options, Origin,
};
use screening::{Edit, MAX_HEADER, Message, Reason};
use smtp::Address;
use smtp::server::MailParams;

use crate::local::{self, Taken};
use crate::refusal::Refusal;
use crate::screen::{Fate, Screen};
use crate::submission::{self, Header};
use crate::trace::Trace;
use crate::{Client, Shared, quarantine, wishes};
use dsn::{FieldWatch, Trail};

/// The envelope so far.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) sender: Address,
    /// As declared by BODY.
    pub(crate) body: BodyKind,
    pub(crate) smtputf8: bool,
    /// As announced by SIZE.
    pub(crate) size: Option<u64>,
    pub(crate) recipients: Vec<NewRecipient>,
    pub(crate) options: Options,
    /// Normalised addresses, once there are several recipients.
    seen: HashSet<String>,
    /// How recipients came of those that the client named.
    pub(crate) steps: Vec<Expansion>,
    /// Mailboxes of ours among the destinations, which no route changes.
    mailboxes: HashSet<DestinationKey>,
}

impl Envelope {
    pub(crate) fn new(sender: Address, params: &MailParams, options: Options) -> Envelope {
        Envelope {
            sender,
            body: params.body,
            smtputf8: params.smtputf8,
            size: params.size,
            recipients: Vec::new(),
            options,
            seen: HashSet::new(),
            steps: Vec::new(),
            mailboxes: HashSet::new(),
        }
    }

    /// Adds what an address stands for.
    pub(crate) fn take(&mut self, taken: Taken) {
        match taken {
            Taken::One(recipient) => {
                self.add(recipient);
            }
            Taken::Here {
                recipients,
                steps,
                mailboxes,
                mut expanded,
            } => {
                self.mailboxes.extend(mailboxes);
                for mut recipient in recipients {
                    recipient.options.expanded = expanded;
                    if self.add(recipient) {
                        expanded = None;
                    }
                }
                self.steps.extend(steps);
            }
        }
    }

    /// Whether no recipient is accepted yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.recipients.is_empty()
    }

    /// What a filter wants changed.
    fn edit(&mut self, edit: Edit, shared: &Shared) {
        match edit {
            Edit::Sender(sender) => self.sender = sender,
            Edit::RemoveRecipient(address) => {
                let gone = normalised(&address);
                self.recipients.retain(|r| normalised(&r.address) != gone);
            }
            Edit::AddRecipient(address) => {
                let asked = Asked::to(&address).from(&self.sender);
                let lead = shared.settings.routes.lead(&asked);
                if lead.target == Target::Nowhere {
                    tracing::warn!(%address, "a filter adds a recipient that has no route");
                    return;
                }
                self.add(NewRecipient {
                    destination: lead.key(),
                    address,
                    next_attempt: shared.world.clock.now(),
                    rewritten: None,
                    options: queue::RecipientOptions::default(),
                });
            }
            Edit::Add(_) | Edit::Insert(..) | Edit::Change { .. } | Edit::Body(_) => {}
        }
    }

    /// Adds a recipient. One that is there already is confirmed and kept once: a client that names
    /// somebody twice, in `To` and `Cc` say, wants one copy to arrive. Answers whether it is new.
    pub(crate) fn add(&mut self, recipient: NewRecipient) -> bool {
        if let [only] = &self.recipients[..] {
            self.seen.insert(normalised(&only.address));
        }
        let new = self.recipients.is_empty() || self.seen.insert(normalised(&recipient.address));
        if new {
            self.recipients.push(recipient);
        }
        new
    }
}

impl Envelope {
    /// Once the header is known, routes that go by it may lead elsewhere.
    fn reroute(&mut self, header: &[(String, String)], shared: &Shared) -> Result<(), Refusal> {
        if header.is_empty() {
            return Ok(());
        }
        for recipient in &mut self.recipients {
            if self.mailboxes.contains(&recipient.destination) {
                continue;
            }
            let asked = Asked {
                header,
                ..Asked::to(&recipient.address).from(&self.sender)
            };
            let lead = shared.settings.routes.lead(&asked);
            if lead.target == Target::Nowhere {
                return Err(Refusal::NoRoute(recipient.address.clone()));
            }
            recipient.destination = lead.key();
        }
        Ok(())
    }
}

/// RFC 5321 §2.4: the local part is the receiver's to interpret, the domain has no case.
pub(crate) fn normalised(address: &Address) -> String {
    match address.domain() {
        Some(domain) => format!("{}@{}", address.local(), domain.to_lowercase()),
        None => address.local().to_owned(),
    }
}

/// Content on its way in.
pub(crate) struct Incoming {
    id: MessageId,
    envelope: Envelope,
    writer: Box<dyn BodyWriter>,
    protocol: &'static str,
    received_at: Timestamp,
    trail: Trail,
    /// The header fields that routes go by.
    fields: FieldWatch,
    body: BodyKind,
    size: u64,
    /// Our trace header, where filters see the message before it gets one.
    trace: Option<String>,
    fault: Option<Refusal>,
    /// The header of a message of a user, until it is whole.
    submitted: Option<Header>,
}

impl Incoming {
    /// Begins the content with the trace header.
    pub(crate) async fn begin(
        shared: &Shared,
        client: &Client,
        envelope: Envelope,
        screened: bool,
    ) -> Incoming {
        let received_at = shared.world.clock.now();
        let id = name(shared, received_at);
        let protocol = client.protocol(envelope.smtputf8);
        let only_recipient = match &envelope.recipients[..] {
            // Not what it became: that is no business of the others who read the header.
            [only] => Some(only.original().unwrap_or(&only.address)),
            _ => None,
        };
        let trace = Trace {
            helo: client.helo.as_deref().unwrap_or_default(),
            client: client.address,
            show_client: client.login.is_none() || shared.settings.submission.show_client,
            hostname: &shared.settings.hostname,
            protocol,
            tls: client.tls.as_ref().map(|s| (&*s.protocol, &*s.cipher)),
            id,
            only_recipient,
            at: received_at,
        };
        let field = trace.field();
        // What filters see is staged under a name of its own: it may become another message.
        let staged = if screened {
            name(shared, received_at)
        } else {
            id
        };
        let mut incoming = Incoming {
            id,
            writer: shared.intake.store().stage(staged),
            protocol,
            received_at,
            trail: Trail::default(),
            fields: FieldWatch::new(shared.settings.routes.header_names()),
            body: envelope.body,
            size: 0,
            trace: None,
            fault: None,
            submitted: client.role.is_submission().then(Header::default),
            envelope,
        };
        match screened {
            true => incoming.trace = Some(field),
            false => incoming.keep(field.as_bytes()).await,
        }
        incoming
    }

    /// What the log tells of it.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            id: self.id,
            sender: self.envelope.sender.clone(),
            recipients: self.envelope.recipients.len(),
            size: self.size,
            protocol: self.protocol,
        }
    }

    /// The next piece of the client's content.
    pub(crate) async fn write(&mut self, shared: &Shared, client: &Client, piece: &[u8]) {
        match &mut self.submitted {
            None => self.pass(piece).await,
            Some(header) => {
                if let Some(whole) = header.push(piece) {
                    self.complete(shared, client, &whole).await;
                }
            }
        }
    }

    /// Adds what the header of a user's message lacks; from here on the content passes as it comes.
    async fn complete(&mut self, shared: &Shared, client: &Client, content: &[u8]) {
        self.submitted = None;
        let known = submission::Known {
            settings: &shared.settings.submission,
            hostname: &shared.settings.hostname,
            user: client.login.as_deref(),
            sender: &self.envelope.sender,
            id: self.id,
            at: self.received_at,
        };
        match submission::completed(content, &known) {
            Ok(added) => {
                self.keep(added.as_bytes()).await;
                self.pass(content).await;
            }
            Err(refusal) => self.fault = self.fault.take().or(Some(refusal)),
        }
    }

    async fn pass(&mut self, piece: &[u8]) {
        self.trail.watch(piece);
        self.fields.watch(piece);
        self.note_bytes(piece);
        self.keep(piece).await;
    }

    /// Content counts as 8-bit whether it was declared so or not.
    fn note_bytes(&mut self, piece: &[u8]) {
        if self.body == BodyKind::SevenBit && !piece.is_ascii() {
            self.body = BodyKind::EightBit;
        }
    }

    /// After a fault the rest is read and thrown away, so that the client gets an answer.
    async fn keep(&mut self, piece: &[u8]) {
        if self.fault.is_none() {
            match self.writer.write(piece).await {
                Ok(()) => self.size += piece.len() as u64,
                Err(fault) => self.fault = Some(Refusal::Store(fault)),
            }
        }
        if self.fault.is_none() && !self.trail.has_ended() && self.size > MAX_HEADER as u64 {
            self.fault = Some(Refusal::HeaderTooLarge { limit: MAX_HEADER });
        }
    }

    /// The content is complete: asks the filters, and hands the message to the queue. `Ok` means that
    /// it is durable, or that a filter wants it thrown away.
    pub(crate) async fn accept(
        mut self,
        shared: &Shared,
        client: &Client,
        screen: &mut Screen,
    ) -> Result<Fate, Refusal> {
        if let Some(mut header) = self.submitted.take() {
            let content = header.take();
            self.complete(shared, client, &content).await;
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.trail.end();
        self.look_for_loops(shared)?;
        let fate = match self.trace.take() {
            Some(trace) => self.look(shared, client, screen, &trace).await?,
            None => Fate::Pass,
        };
        if let Fate::Discard(..) = fate {
            return Ok(fate);
        }
        self.envelope.reroute(&self.fields.end(), shared)?;
        let body = self.writer.finish().await.map_err(Refusal::Store)?;
        let options = self.envelope.options;
        let message = queue::Message {
            id: self.id,
            sender: self.envelope.sender,
            received_at: self.received_at,
            expires_at: wishes::expiry(&options, shared.settings.lifetime, self.received_at),
            size: body.size(),
            body_kind: self.body,
            smtputf8: self.envelope.smtputf8,
            hops: self.trail.hops() + 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: client.address.to_canonical().to_string(),
                helo: client.helo.clone(),
                protocol: self.protocol.to_owned(),
                about: None,
            },
            options,
        };
        let mut events = local::events(self.envelope.steps, self.id, self.received_at);
        events.extend(quarantine::event(&fate, self.id, self.received_at));
        let new = NewMessage {
            message,
            body,
            recipients: self.envelope.recipients,
            events,
            held: matches!(fate, Fate::Hold(..)),
        };
        shared.intake.accept(new).await.map_err(Refusal::Store)?;
        Ok(fate)
    }
}

impl Incoming {
    /// Asks the filters about what is staged, and writes what they leave of it under its own name.
    async fn look(
        &mut self,
        shared: &Shared,
        client: &Client,
        screen: &mut Screen,
        trace: &str,
    ) -> Result<Fate, Refusal> {
        let store = shared.intake.store();
        let staged = std::mem::replace(&mut self.writer, store.stage(self.id));
        let staged = staged.finish().await.map_err(Refusal::Store)?;
        let mut message = Message::read(staged).await.map_err(Refusal::Store)?;
        let about = (self.id, &self.envelope);
        let judged = screen.look(shared, client, about, &mut message).await?;
        for edit in judged.envelope {
            self.envelope.edit(edit, shared);
        }
        if let Fate::Discard(..) = judged.fate {
            return Ok(judged.fate);
        }
        let write = async {
            self.writer.write(trace.as_bytes()).await?;
            let mut pieces = message.pieces();
            while let Some(piece) = pieces.next().await? {
                self.note_bytes(&piece);
                self.writer.write(&piece).await?;
            }
            Ok(())
        };
        write.await.map_err(Refusal::Store)?;
        if self.envelope.recipients.is_empty() {
            let reason = Reason::Said("no recipient is left".to_owned());
            return Ok(Fate::Discard(Arc::default(), reason));
        }
        Ok(judged.fate)
    }

    /// RFC 5321 §6.3: a server must notice loops. Two signs are taken: more `Received` fields than a
    /// message can sensibly have, and our own name among them again and again, which is told long
    /// before. Once or twice it may be there rightly: a filter hands mail back, a list forwards.
    fn look_for_loops(&self, shared: &Shared) -> Result<(), Refusal> {
        let settings = &shared.settings;
        let (hops, repeated) = (self.trail.hops(), self.trail.repeated());
        if hops > settings.max_hops {
            return Err(Refusal::Loop {
                hops,
                limit: settings.max_hops,
                repeated,
            });
        }
        let own = self.trail.by(&settings.hostname);
        // Half the world is called localhost.
        if own > settings.max_own_hops && settings.hostname != "localhost" {
            return Err(Refusal::LoopHere {
                times: own,
                limit: settings.max_own_hops,
                repeated,
            });
        }
        Ok(())
    }
}

/// A new name for a message.
fn name(shared: &Shared, at: Timestamp) -> MessageId {
    let mut random = [0; 10];
    shared.world.random.fill(&mut random);
    MessageId::new(u64::try_from(at.as_millisecond()).unwrap_or(0), &random)
}

/// What the log tells of a message.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) id: MessageId,
    pub(crate) sender: Address,
    pub(crate) recipients: usize,
    pub(crate) size: u64,
    pub(crate) protocol: &'static str,
}
