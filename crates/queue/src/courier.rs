//! From reception to delivery, without reading the message back from the disk.

use std::sync::Arc;

use crate::{
    Body, DestinationKey, Message, MessageId, NewMessage, Recipient, RecipientState, Store,
    StoreError,
};

/// The delivering role as the receiving role sees it.
///
/// The order of calls keeps each recipient with exactly one holder: `announce` comes before the
/// message is in the store, so that nobody who reads the store takes it meanwhile; then `accepted`
/// or `withdrawn`.
pub trait Courier: Send + Sync {
    /// These recipients are about to be stored; leave them alone when you find them there.
    fn announce(&self, message: MessageId, recipients: &[DestinationKey]);
    /// They are stored; deliver them. `recipients[i]` is the recipient of index i.
    fn accepted(&self, message: Arc<Message>, body: Body, recipients: Vec<Recipient>);
    /// They were not stored, or one cannot tell: what is in the store counts.
    fn withdrawn(&self, message: MessageId, recipients: &[DestinationKey]);
}

/// Where new messages go in: the store first, then the courier.
#[derive(Clone)]
pub struct Intake {
    store: Arc<dyn Store>,
    courier: Arc<dyn Courier>,
}

impl Intake {
    /// Joins a store and a courier.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, courier: Arc<dyn Courier>) -> Intake {
        Intake { store, courier }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Keeps a message and sets its delivery going. When this returns `Ok`, it will not be lost.
    /// What is held waits in the store; the courier hears of it when it is released.
    pub async fn accept(&self, new: NewMessage) -> Result<(), StoreError> {
        if new.held {
            return self.store.accept(new).await;
        }
        let announced = Announced::new(&*self.courier, &new);
        let (message, body) = (Arc::new(new.message.clone()), new.body.clone());
        let recipients = queued_recipients(&new);
        self.store.accept(new).await?;
        announced.settle();
        self.courier.accepted(message, body, recipients);
        Ok(())
    }
}

/// The recipients of a new message as the store will have them.
#[must_use]
pub fn queued_recipients(new: &NewMessage) -> Vec<Recipient> {
    let recipient = |(index, to): (usize, &crate::NewRecipient)| Recipient {
        index: index as u32,
        address: to.address.clone(),
        destination: to.destination.clone(),
        state: RecipientState::Queued,
        next_attempt: Some(to.next_attempt),
        attempts: 0,
        last: None,
        rewritten: to.rewritten.clone(),
        basis: new.basis(),
        options: to.options.clone(),
    };
    new.recipients.iter().enumerate().map(recipient).collect()
}

/// Withdraws what was announced unless it is settled, also when the session's task is dropped.
struct Announced<'a> {
    courier: &'a dyn Courier,
    message: MessageId,
    recipients: Vec<DestinationKey>,
}

impl<'a> Announced<'a> {
    fn new(courier: &'a dyn Courier, new: &NewMessage) -> Announced<'a> {
        let recipients: Vec<_> = new
            .recipients
            .iter()
            .map(|r| r.destination.clone())
            .collect();
        courier.announce(new.message.id, &recipients);
        Announced {
            courier,
            message: new.message.id,
            recipients,
        }
    }

    fn settle(mut self) {
        self.recipients.clear();
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        if !self.recipients.is_empty() {
            self.courier.withdrawn(self.message, &self.recipients);
        }
    }
}
