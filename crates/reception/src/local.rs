//! Recipients in domains of ours: who they are, and whether their mailboxes take mail.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use queue::route::{NextHop, Target};
use queue::{
    DestinationKey, Event, EventKind, Expanded, Expansion, Found, MessageId, NewRecipient, Placed,
    Rewritten,
};
use smtp::Address;

use crate::Shared;
use crate::nobody::{Nobody, Why};
use crate::refusal::Refusal;
use crate::transaction::Envelope;

/// Recipients that the addresses of one transaction may stand for, all together.
pub(crate) const MOST_TOGETHER: usize = 10_000;

/// What an address of ours stands for.
#[derive(Debug)]
pub(crate) struct Here {
    pub(crate) recipients: Vec<Placed>,
    pub(crate) steps: Vec<Expansion>,
}

/// Who an address is; `None` where its domain is none of ours.
pub(crate) async fn find(
    shared: &Shared,
    client: IpAddr,
    envelope: &Envelope,
    to: &Address,
) -> Result<Option<Here>, Refusal> {
    let Some(directory) = &shared.neighbours.directory else {
        return Ok(None);
    };
    let now = shared.world.clock.now();
    let found = directory.find(to, &envelope.sender, now).await;
    let resolved = match found {
        Ok(Found::Here(resolved)) => resolved,
        Ok(Found::Elsewhere) => return Ok(None),
        Err(not) => {
            return Err(refused(to, Why::NotFound(not)));
        }
    };
    if envelope.recipients.len() + resolved.recipients.len() > MOST_TOGETHER && !envelope.is_empty()
    {
        let limit = MOST_TOGETHER;
        return Err(refused(to, Why::TooManyTogether { limit }));
    }
    log(client, to, &resolved.steps);
    Ok(Some(Here {
        recipients: resolved.recipients,
        steps: resolved.steps,
    }))
}

fn refused(to: &Address, why: Why) -> Refusal {
    Refusal::Nobody(Box::new(Nobody {
        recipient: to.clone(),
        why,
    }))
}

/// Whether the mailboxes take a message of the announced size. Where an address stands for several, one
/// mailbox in trouble does not keep the mail from the others: it is refused where all are in trouble.
pub(crate) async fn look(
    shared: &Shared,
    envelope: &Envelope,
    to: &Address,
    here: &Here,
) -> Result<(), Refusal> {
    let Some(mailboxes) = &shared.neighbours.mailboxes else {
        return Ok(());
    };
    let mut first = None;
    for placed in &here.recipients {
        let looked = mailboxes
            .look(&placed.target, placed.quota, envelope.size)
            .await;
        let Err(trouble) = looked else {
            return Ok(());
        };
        first.get_or_insert(trouble);
    }
    match first {
        None => Ok(()),
        Some(trouble) => Err(Refusal::Mailbox {
            recipient: to.clone(),
            trouble,
        }),
    }
}

/// What is taken for a recipient that the client named.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It alone.
    One(NewRecipient),
    /// What it stands for in a domain of ours.
    Here {
        recipients: Vec<NewRecipient>,
        steps: Vec<Expansion>,
        /// Destinations that are mailboxes of ours, or are read here.
        mailboxes: Vec<DestinationKey>,
        /// What the sender is to hear of the first of them.
        expanded: Option<Expanded>,
    },
}

impl Here {
    /// Where the first of them goes.
    pub(crate) fn target(&self) -> Target {
        let first = self.recipients.first();
        first.map_or(Target::Nowhere, |placed| placed.target.clone())
    }

    /// The recipients as the queue keeps them, of the one that the client named.
    pub(crate) fn taken(self, named: &NewRecipient) -> Taken {
        let expanded = self.expanded(named);
        let mut options = named.options.clone();
        if let (Some(_), Some(notify)) = (expanded, &mut options.notify) {
            // RFC 3461 §5.2.7.3: the sender hears of the expansion, and not of each that came of it.
            notify.success = false;
        }
        let recipient = |placed: Placed| {
            let original = (placed.address != named.address).then(|| named.address.clone());
            NewRecipient {
                destination: placed.destination,
                rewritten: Rewritten::of(placed.sender, original).map(Arc::new),
                address: placed.address,
                options: options.clone(),
                ..named.clone()
            }
        };
        let is_mailbox =
            |p: &&Placed| matches!(p.target, Target::Hop(NextHop::Maildir(_)) | Target::Bounces);
        let mailboxes = self.recipients.iter().filter(is_mailbox);
        Taken::Here {
            mailboxes: mailboxes.map(|placed| placed.destination.clone()).collect(),
            recipients: self.recipients.into_iter().map(recipient).collect(),
            steps: self.steps,
            expanded,
        }
    }

    /// What the sender is to hear who wants to know of the arrival, where the address stands for several.
    fn expanded(&self, named: &NewRecipient) -> Option<Expanded> {
        if self.recipients.len() < 2 || !named.options.notify().success {
            return None;
        }
        let owned = |step: &Expansion| matches!(step, Expansion::Owner { list, .. } if *list == named.address);
        Some(match self.steps.iter().any(owned) {
            true => Expanded::List,
            false => Expanded::Alias,
        })
    }
}

/// What the story of the message tells about its recipients.
pub(crate) fn events(steps: Vec<Expansion>, message: MessageId, at: Timestamp) -> Vec<Event> {
    let event = |step| Event {
        at,
        message: Some(message),
        recipient: None,
        destination: None,
        kind: EventKind::Expanded(step),
    };
    steps.into_iter().map(event).collect()
}

fn log(client: IpAddr, to: &Address, steps: &[Expansion]) {
    for step in steps {
        match step {
            Expansion::Became {
                address,
                into,
                more,
                by,
            } => {
                let into: Vec<String> = into.iter().map(ToString::to_string).collect();
                let into = into.join(" ");
                tracing::info!(%client, recipient = %to, %address, into, more, %by, "became");
            }
            Expansion::LeftOut { address, by } => {
                tracing::warn!(%client, recipient = %to, %address, %by, "left out: there is no such recipient");
            }
            Expansion::Owner { list, owner } => {
                tracing::info!(%client, recipient = %to, %list, %owner, "sent on for the owner of the list");
            }
            Expansion::Forwarded { sender, rewritten } => {
                tracing::info!(%client, recipient = %to, %sender, %rewritten, "forwarded");
            }
            Expansion::Returned { rewritten, sender } => {
                tracing::info!(%client, recipient = %to, %rewritten, %sender, "returned");
            }
        }
    }
}
