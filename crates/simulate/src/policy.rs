//! Policies: ours, which is the relay's own code, and those of others, each a model with its numbers
//! from a file in `peers/`.

mod exchange;
mod exim;
mod kumomta;
mod line;
mod ours;
mod postfix;
mod sendmail;
#[cfg(test)]
mod tests;

use queue::policy::OwnWaits;

use crate::answer::AnswerId;
use crate::clock::{Millis, seconds};
use crate::desk::{Desk, Wake};
use crate::peer::{Model, Peer};
use crate::traffic::MessageId;

pub(crate) use exim::Step;

/// Decides when what is tried. Told of what happens, it acts through the desk.
pub(crate) trait Policy {
    /// How long it waits for a connection.
    fn connect_timeout(&self) -> Millis {
        seconds(30)
    }

    /// The run begins.
    fn begin(&mut self, _desk: &mut Desk) {}

    /// A message came in. It waits.
    fn arrived(&mut self, desk: &mut Desk, id: MessageId);

    /// An attempt ended: the message was taken, or waits again, after that answer.
    fn concluded(&mut self, desk: &mut Desk, id: MessageId, answer: Option<AnswerId>);

    /// What was asked for by `Desk::wake_at`.
    fn woken(&mut self, desk: &mut Desk, wake: Wake);
}

/// The policy of a peer, for so many destinations and messages.
pub(crate) fn of_peer(peer: &Peer, destinations: u32, messages: u32) -> Box<dyn Policy> {
    match &peer.model {
        Model::Postfix(numbers) => Box::new(postfix::Postfix::new(numbers, destinations)),
        Model::Exim(numbers) => Box::new(exim::Exim::new(numbers, destinations)),
        Model::Sendmail(numbers) => Box::new(sendmail::Sendmail::new(numbers, destinations)),
        Model::Exchange(numbers) => {
            Box::new(exchange::Exchange::new(numbers, destinations, messages))
        }
        Model::Kumomta(numbers) => Box::new(kumomta::Kumomta::new(numbers, destinations, messages)),
    }
}

/// Our own, with these waits in place of the table's, for so many destinations, providers and messages.
pub(crate) fn ours(waits: OwnWaits, amounts: [u32; 3]) -> Box<dyn Policy> {
    Box::new(ours::Ours::new(waits, amounts))
}

pub(crate) use exchange::Numbers as ExchangeNumbers;
pub(crate) use exim::Numbers as EximNumbers;
pub(crate) use kumomta::Numbers as KumomtaNumbers;
pub(crate) use postfix::Numbers as PostfixNumbers;
pub(crate) use sendmail::Numbers as SendmailNumbers;
