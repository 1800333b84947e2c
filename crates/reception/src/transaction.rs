//! One mail transaction (RFC 5321 §3.3): envelope, content, and the handing over to the queue.

use std::collections::HashSet;

use jiff::Timestamp;
use queue::{
    BodyKind, BodyWriter, Message, MessageId, MessageKind, NewMessage, NewRecipient, Origin,
    StoreError,
};
use smtp::Address;
use smtp::server::MailParams;

use crate::refusal::Refusal;
use crate::trace::Trace;
use crate::{Client, Shared};
use dsn::Trail;

/// The envelope so far.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) sender: Address,
    /// `BODY=8BITMIME` was given.
    pub(crate) eight_bit: bool,
    pub(crate) smtputf8: bool,
    /// As announced by SIZE.
    pub(crate) size: Option<u64>,
    pub(crate) recipients: Vec<NewRecipient>,
    /// Normalised addresses, once there are several recipients.
    seen: HashSet<String>,
}

impl Envelope {
    pub(crate) fn new(sender: Address, params: MailParams) -> Envelope {
        Envelope {
            sender,
            eight_bit: params.eight_bit,
            smtputf8: params.smtputf8,
            size: params.size,
            recipients: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// Whether no recipient is accepted yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.recipients.is_empty()
    }

    /// Adds a recipient. One that is there already is confirmed and kept once: a client that names
    /// somebody twice, in `To` and `Cc` say, wants one copy to arrive.
    pub(crate) fn add(&mut self, recipient: NewRecipient) {
        if let [only] = &self.recipients[..] {
            self.seen.insert(normalised(&only.address));
        }
        if self.recipients.is_empty() || self.seen.insert(normalised(&recipient.address)) {
            self.recipients.push(recipient);
        }
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
    eight_bit: bool,
    size: u64,
    fault: Option<StoreError>,
}

impl Incoming {
    /// Begins the content with the trace header.
    pub(crate) async fn begin(shared: &Shared, client: &Client, envelope: Envelope) -> Incoming {
        let received_at = shared.world.clock.now();
        let mut random = [0; 10];
        shared.world.random.fill(&mut random);
        let millis = u64::try_from(received_at.as_millisecond()).unwrap_or(0);
        let id = MessageId::new(millis, &random);
        let protocol = client.protocol(envelope.smtputf8);
        let only_recipient = match &envelope.recipients[..] {
            [only] => Some(&only.address),
            _ => None,
        };
        let trace = Trace {
            helo: client.helo.as_deref().unwrap_or_default(),
            client: client.address,
            hostname: &shared.settings.hostname,
            protocol,
            id,
            only_recipient,
            at: received_at,
        };
        let field = trace.field();
        let mut incoming = Incoming {
            id,
            writer: shared.intake.store().stage(id),
            protocol,
            received_at,
            trail: Trail::default(),
            eight_bit: envelope.eight_bit,
            size: 0,
            fault: None,
            envelope,
        };
        incoming.keep(field.as_bytes()).await;
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
    pub(crate) async fn write(&mut self, piece: &[u8]) {
        self.trail.watch(piece);
        self.eight_bit = self.eight_bit || !piece.is_ascii();
        self.keep(piece).await;
    }

    /// After a fault the rest is read and thrown away, so that the client gets an answer.
    async fn keep(&mut self, piece: &[u8]) {
        if self.fault.is_none() {
            match self.writer.write(piece).await {
                Ok(()) => self.size += piece.len() as u64,
                Err(fault) => self.fault = Some(fault),
            }
        }
    }

    /// The content is complete: hands the message to the queue. `Ok` means that it is durable.
    pub(crate) async fn accept(mut self, shared: &Shared, client: &Client) -> Result<(), Refusal> {
        if let Some(fault) = self.fault {
            return Err(Refusal::Store(fault));
        }
        self.trail.end();
        self.look_for_loops(shared)?;
        let body = self.writer.finish().await.map_err(Refusal::Store)?;
        let body_kind = if self.eight_bit {
            BodyKind::EightBit
        } else {
            BodyKind::SevenBit
        };
        let message = Message {
            id: self.id,
            sender: self.envelope.sender,
            received_at: self.received_at,
            expires_at: expiry(self.received_at, shared),
            size: self.size,
            body_kind,
            smtputf8: self.envelope.smtputf8,
            hops: self.trail.hops() + 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: client.address.to_canonical().to_string(),
                helo: client.helo.clone(),
                protocol: self.protocol.to_owned(),
                about: None,
            },
            options: queue::Options::default(),
        };
        let new = NewMessage {
            message,
            body,
            recipients: self.envelope.recipients,
            events: Vec::new(),
        };
        shared.intake.accept(new).await.map_err(Refusal::Store)
    }
}

impl Incoming {
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

fn expiry(received_at: Timestamp, shared: &Shared) -> Timestamp {
    received_at
        .checked_add(shared.settings.lifetime)
        .unwrap_or(Timestamp::MAX)
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
