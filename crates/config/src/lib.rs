//! The configuration file: reading it, saying what is wrong with it, and showing what is in force.
//!
//! TOML in, a typed [`Config`] out. Everything has a default, so that an empty file will do. All that
//! is wrong with a file is found at once; each problem has its place, and says what is allowed there.
//! This crate does no I/O: it is given the text.

mod acme;
mod bounces;
mod callout;
mod dkim;
mod filters;
mod local;
mod names;
mod network;
mod pacing;
mod problem;
mod read;
mod reports;
mod rewrite;
mod routing;
mod show;
mod suppression;
mod table;
mod tls;
mod tls_reports;
mod users;
mod waits;

use std::net::SocketAddr;
use std::time::Duration;

use queue::route::Routes;

pub use acme::Acme;
pub use bounces::{Bounces, Per, ToSender};
pub use dkim::{Canonical, Dkim, DkimDomain, Signs};
pub use filters::{
    Asking, Authentication, BlockList as ReceivingList, BlockLists, Filter, FilterKind,
    FilterPlace, FilterProblem, Filtering, ListOf,
};
pub use local::{DomainClass, DomainSpec, Local};
pub use names::{Dns, TrustAd};
pub use network::Network;
pub use pacing::{PaceLimit, Pacing};
pub use problem::{Errors, Problem, ProblemKind};
pub use reports::{DomainLanguage, Reports};
pub use rewrite::NotARewrite;
pub use suppression::Suppression;
pub use table::{LdapSpec, PostgresSpec, ServerPlace, TableSpec};
pub use tls::{CertificateFiles, Tls, TlsLevel, TlsPolicy};
pub use tls_reports::TlsReports;
pub use toml_read::{Rate, Written, duration_text, rate_text, size_text};
pub use users::{Auth, Doors, Place, Submission};
pub use waits::WaitProblem;

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[listen]`
    pub listen: Listen,
    /// `[relay]`
    pub relay: Relay,
    /// `[auth]`
    pub auth: Auth,
    /// `[submission]`
    pub submission: Submission,
    /// `[[route]]` and `[routes]`, ready to be asked.
    pub routes: Routes,
    /// `[routes]` as written, in order.
    pub route_lines: Vec<RouteLine>,
    /// `[[route]]` as written, in order.
    pub rules: Vec<queue::route::Rule>,
    /// `[local]`, `[aliases]`, `[domains]`
    pub local: Local,
    /// `[queue]`
    pub queue: Queue,
    /// `[reports]`
    pub reports: Reports,
    /// `[bounces]`
    pub bounces: Bounces,
    /// `[suppression]`
    pub suppression: Suppression,
    /// `[limits]`
    pub limits: Limits,
    /// `[limits.destination]`, `[limits.provider]`
    pub pacing: Pacing,
    /// `[retry]`
    pub retry: queue::policy::OwnWaits,
    /// `[greylisting]`
    pub greylisting: Greylisting,
    /// `[maildir]`
    pub maildir: Maildir,
    /// `[authentication]`, `[block_lists]`, `[[block_list]]`, `[[filter]]`
    pub filtering: Filtering,
    /// `[delivery]`
    pub delivery: Delivery,
    /// `[[rewrite]]`
    pub rewrite: rewriting::Rules,
    /// `[dkim]`
    pub dkim: Dkim,
    /// `[tls]`
    pub tls: Tls,
    /// `[dns]`
    pub dns: Dns,
    /// `[checks]`
    pub checks: Checks,
    /// `[log]`
    pub log: Log,
    /// `[explain]`
    pub explain: Explain,
}

/// The relay itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Server {
    /// Its name in greetings, trace headers and reports; `None`: the system's host name.
    pub hostname: Option<String>,
}

/// Where the relay listens.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// For SMTP. Port 0: any free one.
    pub smtp: Vec<SocketAddr>,
    /// How long a client is listened to before it is greeted.
    pub greeting_delay: Duration,
    /// Where others than servers come, and who may speak for others.
    pub doors: Doors,
    /// For SMTP under TLS from the first byte.
    pub smtps: Vec<SocketAddr>,
    /// Where users hand in mail under TLS from the first byte (RFC 8314).
    pub submissions: Vec<SocketAddr>,
    /// For the console. Kept for later versions.
    pub console: Option<SocketAddr>,
}

/// Who may relay.
#[derive(Clone, Debug, PartialEq)]
pub struct Relay {
    /// Clients in these networks may send to anybody; others to nobody.
    pub networks: Vec<Network>,
}

/// A line of `[routes]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteLine {
    /// For which domain.
    pub domain: String,
    /// What it says.
    pub line: queue::route::Line,
}

/// How long things are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// How long delivery is tried.
    pub lifetime: Duration,
    /// The same for reports of our own.
    pub report_lifetime: Duration,
    /// How long the history of a message stays after its end.
    pub retention: Duration,
}

/// What is too much to receive.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of a message.
    pub message_size: u64,
    /// Recipients of a transaction.
    pub recipients: usize,
    /// Messages over one connection; 0: any number.
    pub messages_per_connection: u32,
    /// How long a message may be held back at its sender's wish; zero: not at all.
    pub hold: Duration,
    /// Connections at one time.
    pub connections: usize,
    /// Connections at one time from one client.
    pub connections_per_client: usize,
    /// Connections at one time from one network of clients (a /24, or a /48 of IPv6).
    pub connections_per_network: usize,
    /// Connections of one client in a period.
    pub connection_rate: Option<Rate>,
    /// Messages of one client in a period.
    pub message_rate: Option<Rate>,
    /// Recipients of one client in a period.
    pub recipient_rate: Option<Rate>,
    /// Connections of one network in a period.
    pub network_connection_rate: Option<Rate>,
    /// Messages of one network in a period.
    pub network_message_rate: Option<Rate>,
    /// Recipients of one network in a period.
    pub network_recipient_rate: Option<Rate>,
    /// Clients of which neither connections nor rates are counted.
    pub uncounted: Vec<Network>,
    /// `Received` fields of a message: more are a loop.
    pub hops: u32,
    /// `Received` fields of ours in a message: more are a loop.
    pub own_hops: u32,
    /// Bytes that stay free on the disk.
    pub min_free: u64,
    /// Files (inodes) that stay free on the disk.
    pub min_inodes: u64,
    /// Bytes of memory that the machine, or our control group, must still have.
    pub min_memory: u64,
    /// Bytes of memory that the relay itself may hold; 0: any.
    pub max_resident: u64,
    /// Percent beyond those four from which on mail is taken again.
    pub margin: u32,
}

/// Who is put off once.
#[derive(Clone, Debug, PartialEq)]
pub struct Greylisting {
    /// Whether anybody is.
    pub enabled: bool,
    /// For how long.
    pub delay: Duration,
    /// How long a stranger may take to come back.
    pub window: Duration,
    /// How long one who did is known.
    pub keep: Duration,
    /// After so many that came back, all of their network is let through; 0: never.
    pub auto_allow: u32,
    /// Clients that are never put off.
    pub exempt: Vec<Network>,
}

/// Mailboxes on this machine (`maildir:` routes).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Maildir {
    /// Bytes that each may hold. With 0 here and below, each has the quota of its own `maildirsize`.
    pub quota: u64,
    /// Messages that each may hold, likewise.
    pub quota_messages: u64,
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Who we are to those of whom no route says more.
    pub identity: queue::route::Identity,
    /// The port of mail exchangers.
    pub smtp_port: u16,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub reply_timeout: Duration,
    /// How long a program may take to which mail is delivered.
    pub program_timeout: Duration,
    /// Connections at one time.
    pub sessions: usize,
    /// Connections at one time to one destination.
    pub sessions_per_destination: usize,
    /// Connections at one time to one provider: all destinations with the same mail servers.
    pub sessions_per_provider: usize,
    /// Recipients of a transaction.
    pub recipients_per_transaction: usize,
    /// Messages over one connection.
    pub messages_per_connection: u32,
    /// How long an idle connection is kept.
    pub idle: Duration,
}

/// What is looked at to find causes.
#[derive(Clone, Debug, PartialEq)]
pub struct Checks {
    /// Whether the relay itself looks at the causes of failures.
    pub live: bool,
    /// The block lists that are asked (RFC 5782).
    pub block_lists: Vec<BlockList>,
    /// Our addresses as the world sees them; none: as this machine sees them.
    pub our_addresses: Vec<std::net::IpAddr>,
}

/// A block list in the DNS; as text its zone, with `domain:` before it where it lists domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// The name under which it is asked.
    pub zone: String,
    /// Whether it lists domains, and not addresses.
    pub of_domains: bool,
}

/// Lists that anybody may ask, and that say in their TXT records why. Spamhaus is not among them: its
/// terms leave it to each administrator to see whether his use is free.
const BLOCK_LISTS: [(&str, bool); 2] = [("bl.spamcop.net", false), ("psbl.surriel.com", false)];

impl Default for Checks {
    fn default() -> Checks {
        let lists = BLOCK_LISTS.map(|(zone, of_domains)| BlockList {
            zone: zone.to_owned(),
            of_domains,
        });
        Checks {
            live: true,
            block_lists: lists.to_vec(),
            our_addresses: Vec::new(),
        }
    }
}

impl std::fmt::Display for BlockList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.of_domains { "domain:" } else { "" };
        write!(f, "{kind}{}", self.zone)
    }
}

/// The log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// What it tells.
    pub level: LogLevel,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// The least important thing that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// What the administrator must act on.
    Error,
    /// And what is not well.
    Warn,
    /// And each message's way.
    #[default]
    Info,
    /// And what helps to find errors.
    Debug,
    /// And everything else.
    Trace,
}

impl LogLevel {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// Explanations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explain {
    /// The language of reports to senders.
    pub language: Language,
}

/// A language of explanations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Dutch.
    Nl,
}

/// What came of reading a file that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// What is allowed and has no effect.
    pub warnings: Vec<Problem>,
}

const DAY: Duration = Duration::from_secs(86_400);
const MIB: u64 = 1 << 20;

impl Default for Listen {
    fn default() -> Listen {
        Listen {
            smtp: vec![SocketAddr::from(([127, 0, 0, 1], 2525))],
            greeting_delay: Duration::ZERO,
            doors: Doors::default(),
            smtps: Vec::new(),
            submissions: Vec::new(),
            console: None,
        }
    }
}

impl Default for Relay {
    fn default() -> Relay {
        Relay {
            networks: Network::loopback(),
        }
    }
}

impl Default for Queue {
    fn default() -> Queue {
        Queue {
            lifetime: 5 * DAY,
            report_lifetime: 5 * DAY,
            retention: 7 * DAY,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_size: 50 * MIB,
            recipients: 1000,
            messages_per_connection: 0,
            hold: Duration::from_secs(30 * 86_400),
            connections: 5000,
            connections_per_client: 200,
            connections_per_network: 1000,
            connection_rate: None,
            message_rate: None,
            recipient_rate: None,
            network_connection_rate: None,
            network_message_rate: None,
            network_recipient_rate: None,
            uncounted: Network::loopback(),
            hops: 50,
            own_hops: 4,
            min_free: 32 * MIB,
            min_inodes: 1000,
            min_memory: 32 * MIB,
            max_resident: 0,
            margin: 25,
        }
    }
}

impl Default for Greylisting {
    fn default() -> Greylisting {
        Greylisting {
            enabled: false,
            delay: Duration::from_secs(300),
            window: 2 * DAY,
            keep: 35 * DAY,
            auto_allow: 5,
            exempt: Network::loopback(),
        }
    }
}

impl Default for Delivery {
    fn default() -> Delivery {
        Delivery {
            identity: queue::route::Identity::default(),
            smtp_port: 25,
            connect_timeout: Duration::from_secs(30),
            reply_timeout: Duration::from_secs(600),
            program_timeout: Duration::from_secs(300),
            sessions: 500,
            sessions_per_destination: 20,
            sessions_per_provider: 50,
            recipients_per_transaction: 100,
            messages_per_connection: 1000,
            idle: Duration::from_secs(2),
        }
    }
}

impl Config {
    /// Reads the text of a configuration file. `Err` has every problem of the file.
    pub fn parse(text: &str) -> Result<Parsed, Errors> {
        read::read(text)
    }

    /// The configuration in force as a commented file, which reads back to the same.
    #[must_use]
    pub fn to_toml(&self) -> String {
        show::to_toml(self)
    }
}
