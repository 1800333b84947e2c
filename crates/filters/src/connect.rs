//! Connections to what stands behind a filter.

use screening::Failure;
use world::{Peer, Stream, World};

/// Connects.
pub(crate) async fn to(world: &World, peer: &Peer) -> Result<Stream, Failure> {
    world
        .net
        .connect(peer)
        .await
        .map_err(|error| Failure::Unreachable {
            to: peer.to_string(),
            reported: error.to_string(),
        })
}
