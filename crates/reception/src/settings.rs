//! What the receiving role is told.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use queue::route::Routes;

use crate::Network;

const MIB: u64 = 1024 * 1024;

/// What the receiving role is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name by which the relay greets and which its trace header carries.
    pub hostname: String,
    /// Where recipients go.
    pub routes: Arc<Routes>,
    /// Clients that may send to anybody. Everybody else may send to nobody.
    pub relay_networks: Vec<Network>,
    /// The greatest message in bytes, announced as SIZE (RFC 1870).
    pub max_message_size: u64,
    /// Recipients in one transaction; RFC 5321 §4.5.3.1.8 asks for at least 100.
    pub max_recipients: usize,
    /// Connections at one time.
    pub max_connections: usize,
    /// Connections at one time from one client address (for IPv6, from one /64). Clients on this
    /// machine are not counted.
    pub max_connections_per_client: usize,
    /// `Received` fields that a message may bring; RFC 5321 §6.3 asks for a limit of 100 or so.
    pub max_hops: u32,
    /// How long the queue tries to deliver (RFC 5321 §4.5.4.1: 4 to 5 days).
    pub lifetime: Duration,
    /// How long to wait for a whole command line (RFC 5321 §4.5.3.2.7: 5 minutes), and for the client
    /// to take our replies.
    pub command_timeout: Duration,
    /// The longest silence within a message's content, and how long a slow client may take before
    /// `min_data_rate` counts. RFC 5321 §4.5.3.2.5 gives a client 3 minutes for each block.
    pub data_timeout: Duration,
    /// Bytes per second that a client must keep up on average over a message's content, once
    /// `data_timeout` has passed.
    pub min_data_rate: u64,
    /// Room which must be left for the store after a message of the announced size.
    pub min_free_bytes: u64,
    /// Refused commands and recipients after which a session is ended.
    pub max_errors: u32,
    /// How long a message that is being received at a stop may take to end.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            hostname: "localhost".to_owned(),
            routes: Arc::default(),
            relay_networks: Network::loopback(),
            max_message_size: 50 * MIB,
            max_recipients: 1_000,
            max_connections: 5_000,
            max_connections_per_client: 200,
            max_hops: 50,
            lifetime: Duration::from_secs(5 * 86_400),
            command_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(180),
            min_data_rate: 256,
            min_free_bytes: 32 * MIB,
            max_errors: 20,
            grace: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Whether the client may relay.
    pub(crate) fn may_relay(&self, client: IpAddr) -> bool {
        self.relay_networks.iter().any(|n| n.contains(client))
    }
}
