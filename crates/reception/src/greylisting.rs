//! Asking the greylist about a recipient.

use std::net::IpAddr;

use queue::{Greeting, Triplet};
use smtp::Address;

use crate::refusal::Refusal;
use crate::transaction::normalised;
use crate::{Network, Shared};

/// Whether mail from this sender to this recipient may come now.
///
/// Where the memory fails, mail comes through: greylisting is a courtesy to the mailboxes, and what it
/// keeps out wrongly is worse than what it lets in.
pub(crate) async fn ask(
    shared: &Shared,
    client: IpAddr,
    sender: &Address,
    recipient: &Address,
) -> Result<(), Refusal> {
    let (Some(policy), Some(list)) = (&shared.settings.greylisting, &shared.neighbours.greylist)
    else {
        return Ok(());
    };
    let spared = &shared.settings.not_greylisted;
    let Some(network) = network_of(client).filter(|_| !spared.iter().any(|n| n.contains(client)))
    else {
        return Ok(());
    };
    let triplet = Triplet {
        network: network.to_string(),
        sender: normalised(sender),
        recipient: normalised(recipient),
    };
    match list.meet(&triplet, policy, shared.world.clock.now()).await {
        Ok(Greeting::Pass) => Ok(()),
        Ok(Greeting::Wait(wait)) => Err(Refusal::Greylisted {
            recipient: recipient.clone(),
            network,
            wait,
        }),
        Err(error) => {
            tracing::warn!(%client, %error, "the greylist cannot be asked: mail passes");
            Ok(())
        }
    }
}

/// RFC 6647 §2.1: large senders come back from another address of the same network.
fn network_of(client: IpAddr) -> Option<Network> {
    let client = client.to_canonical();
    Network::containing(client, if client.is_ipv4() { 24 } else { 64 })
}
