//! What the receiving role is told.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use queue::route::Routes;

use queue::GreylistPolicy;

use crate::{Network, Rate, Rates, Submission, Watermarks};

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
    /// Who may say AUTH how.
    pub auth: AuthSettings,
    /// How the mail of users is treated.
    pub submission: Submission,
    /// Who may speak for others.
    pub trusted: Trusted,
    /// The greatest message in bytes, announced as SIZE (RFC 1870).
    pub max_message_size: u64,
    /// Recipients in one transaction; RFC 5321 §4.5.3.1.8 asks for at least 100.
    pub max_recipients: usize,
    /// Messages over one connection, announced as MAILMAX (RFC 9422) unless it is `u32::MAX`.
    pub max_messages: u32,
    /// How long a message may be held back at its sender's wish (FUTURERELEASE, RFC 4865); zero: not
    /// at all.
    pub max_hold: Duration,
    /// Connections at one time.
    pub max_connections: usize,
    /// Connections at one time from one client address (for IPv6, from one /64).
    pub max_connections_per_client: usize,
    /// Connections at one time from one network of clients: a /24 of IPv4, a /48 of IPv6.
    pub max_connections_per_network: usize,
    /// What one client may do in a period.
    pub client_rates: Rates,
    /// What all clients of one network may do in a period.
    pub network_rates: Rates,
    /// Clients for which neither connections nor rates are counted.
    pub uncounted: Vec<Network>,
    /// `Received` fields that a message may bring; RFC 5321 §6.3 asks for a limit of 100 or so.
    pub max_hops: u32,
    /// How many of them may be our own.
    pub max_own_hops: u32,
    /// How long the queue tries to deliver (RFC 5321 §4.5.4.1: 4 to 5 days).
    pub lifetime: Duration,
    /// How long a client is listened to before it is greeted; one that speaks meanwhile is sent away.
    pub greeting_delay: Duration,
    /// How long to wait for a whole command line (RFC 5321 §4.5.3.2.7: 5 minutes), and for the client
    /// to take our replies.
    pub command_timeout: Duration,
    /// The longest silence within a message's content, and how long a slow client may take before
    /// `min_data_rate` counts. RFC 5321 §4.5.3.2.5 gives a client 3 minutes for each block.
    pub data_timeout: Duration,
    /// Bytes per second that a client must keep up on average over a message's content, once
    /// `data_timeout` has passed.
    pub min_data_rate: u64,
    /// Below which marks no mail is taken.
    pub watermarks: Watermarks,
    /// How strangers are put off; `None`: not at all.
    pub greylisting: Option<GreylistPolicy>,
    /// Clients that are never put off.
    pub not_greylisted: Vec<Network>,
    /// What makes connections secure; `None`: no TLS.
    pub tls: Option<tls::Acceptor>,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// Refused commands and recipients after which a session is ended.
    pub max_errors: u32,
    /// How long a message that is being received at a stop may take to end.
    pub grace: Duration,
}

/// Who may say AUTH how.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Clients that may send their password without TLS: nobody listens there.
    pub plaintext_networks: Vec<Network>,
    /// Failed logins of one client in a period; `None`: any number.
    pub failures: Option<Rate>,
}

impl Default for AuthSettings {
    fn default() -> AuthSettings {
        AuthSettings {
            plaintext_networks: Network::loopback(),
            failures: Some(Rate {
                count: 10,
                per: Duration::from_secs(600),
            }),
        }
    }
}

/// Clients that may say for whom they speak. Nobody by default: what they say is believed.
#[derive(Clone, Debug, Default)]
pub struct Trusted {
    /// By XCLIENT.
    pub xclient: Vec<Network>,
    /// By a PROXY header, which they must send.
    pub proxy: Vec<Network>,
}

impl Trusted {
    pub(crate) fn may_xclient(&self, client: IpAddr) -> bool {
        self.xclient.iter().any(|n| n.contains(client))
    }

    pub(crate) fn is_proxy(&self, client: IpAddr) -> bool {
        self.proxy.iter().any(|n| n.contains(client))
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            hostname: "localhost".to_owned(),
            routes: Arc::default(),
            relay_networks: Network::loopback(),
            auth: AuthSettings::default(),
            submission: Submission::default(),
            trusted: Trusted::default(),
            max_message_size: 50 * MIB,
            max_recipients: 1_000,
            max_messages: u32::MAX,
            max_hold: Duration::from_secs(30 * 86_400),
            max_connections: 5_000,
            max_connections_per_client: 200,
            max_connections_per_network: 1_000,
            client_rates: Rates::default(),
            network_rates: Rates::default(),
            uncounted: Network::loopback(),
            max_hops: 50,
            max_own_hops: 4,
            lifetime: Duration::from_secs(5 * 86_400),
            greeting_delay: Duration::ZERO,
            command_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(180),
            min_data_rate: 256,
            watermarks: Watermarks::default(),
            greylisting: None,
            not_greylisted: Network::loopback(),
            tls: None,
            handshake_timeout: Duration::from_secs(30),
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
