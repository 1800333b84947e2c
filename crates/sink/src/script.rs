//! A script: how the sink presents itself, and the rules by which it fails.

mod problem;
mod read;

use std::time::Duration;

use diagnosis::Dialect;

use crate::pattern::Pattern;
use crate::stage::Stage;
use crate::verdict::Verdict;

pub use problem::{Errors, Problem, ProblemKind};

/// What the sink does.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// `[about]`
    pub about: About,
    /// `[server]`
    pub server: Server,
    /// `[[rule]]`, in order; the first that acts decides.
    pub rules: Vec<Rule>,
}

/// For whom reads the script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What happens.
    pub title: String,
    /// The code of the fifteen that it is about, as the page of them spells it.
    pub code: Option<String>,
    /// What a sender that is well does then.
    pub expect: String,
}

/// How the sink presents itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Its name in the greeting.
    pub name: String,
    /// The names in its certificate; none: its name and loopback.
    pub names: Vec<String>,
    /// In whose words it speaks.
    pub dialect: Dialect,
    /// Whether LMTP (RFC 2033) is spoken.
    pub lmtp: bool,
    /// The users that AUTH takes, with their passwords; none: any.
    pub users: Vec<(String, String)>,
    /// Whether AUTH is offered under TLS alone.
    pub auth_needs_tls: bool,
    /// What EHLO announces.
    pub extensions: Vec<Extension>,
    /// The largest message it takes; announced where `SIZE` is among the extensions.
    pub size: u64,
    /// Whether local parts of recipients may ask for a failure.
    pub conventions: bool,
    /// Whether the port is closed: connections are refused by the system.
    pub closed: bool,
    /// The start of chance; without it, another at each start.
    pub seed: Option<u64>,
}

/// An extension that can be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// RFC 2920.
    Pipelining,
    /// RFC 1870.
    Size,
    /// RFC 6152.
    EightBitMime,
    /// RFC 6531.
    SmtpUtf8,
    /// RFC 2034.
    EnhancedStatusCodes,
    /// RFC 3030.
    Chunking,
    /// RFC 3207.
    Starttls,
    /// RFC 4954: PLAIN and LOGIN.
    Auth,
    /// RFC 3461.
    Dsn,
    /// RFC 3030 §3.
    BinaryMime,
    /// RFC 8689; announced under TLS alone.
    RequireTls,
    /// RFC 2852.
    DeliverBy,
    /// RFC 6710.
    Priority,
}

impl Extension {
    /// All, with their keywords.
    pub const ALL: &'static [(&'static str, Extension)] = &[
        ("PIPELINING", Extension::Pipelining),
        ("SIZE", Extension::Size),
        ("8BITMIME", Extension::EightBitMime),
        ("SMTPUTF8", Extension::SmtpUtf8),
        ("ENHANCEDSTATUSCODES", Extension::EnhancedStatusCodes),
        ("CHUNKING", Extension::Chunking),
        ("STARTTLS", Extension::Starttls),
        ("AUTH", Extension::Auth),
        ("DSN", Extension::Dsn),
        ("BINARYMIME", Extension::BinaryMime),
        ("REQUIRETLS", Extension::RequireTls),
        ("DELIVERBY", Extension::DeliverBy),
        ("MT-PRIORITY", Extension::Priority),
    ];
}

/// What a count of a rule is kept for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// For the sink as a whole.
    #[default]
    Server,
    /// For each connection.
    Session,
    /// For each transaction (from MAIL to the end of it).
    Transaction,
    /// For each client's address.
    Client,
    /// For each sender's address.
    Sender,
    /// For each recipient's address.
    Recipient,
    /// For each client, sender and recipient together: as greylisting counts.
    Triplet,
}

/// So many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: usize,
    /// In what time.
    pub period: Duration,
}

/// A rule: where it looks, when it acts, what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Where.
    pub at: Stage,
    /// Only for such recipients (at the end of data: if one of them is such).
    pub recipient: Option<Pattern>,
    /// Only for such senders.
    pub sender: Option<Pattern>,
    /// Only for clients with such addresses.
    pub client: Option<Pattern>,
    /// Only for clients that call themselves so.
    pub hello: Option<Pattern>,
    /// Only under TLS, or only in the clear.
    pub secure: Option<bool>,
    /// Only for clients that have logged in, or only for others.
    pub authenticated: Option<bool>,
    /// What is counted apart.
    pub per: Per,
    /// Lets so many through first.
    pub after: u64,
    /// Acts so many times at most.
    pub times: Option<u64>,
    /// Acts only so long after it acted first.
    pub lasts: Option<Duration>,
    /// Acts with this probability.
    pub chance: Option<f64>,
    /// Acts on what goes beyond this rate.
    pub rate: Option<Rate>,
    /// Acts where a recipient would have more than so many bytes here.
    pub quota: Option<u64>,
    /// Acts while more sessions than so many are open (with `per = "client"`: of one client).
    pub open: Option<usize>,
    /// Acts on messages with more `Received` fields than this.
    pub hops: Option<usize>,
    /// Acts on messages of more bytes than this, announced or received.
    pub larger: Option<u64>,
    /// At `content`: after so many bytes of it; at `handshake`: after so many of ours.
    pub bytes: u64,
    /// What is done; several: one after the other. Empty: only the pace changes.
    pub verdicts: Vec<Verdict>,
    /// Whether the list begins again when it is through; else the rule is.
    pub repeat: bool,
    /// In whose words.
    pub dialect: Option<Dialect>,
    /// Waits before it replies.
    pub delay: Option<Duration>,
    /// Sends replies byte by byte, with so much time between.
    pub tarpit: Option<Duration>,
    /// Keeps the message although it is not accepted.
    pub keep: bool,
}

impl Rule {
    /// A rule that always acts at this stage.
    #[must_use]
    pub fn always(at: Stage, verdict: Verdict) -> Rule {
        Rule {
            at,
            recipient: None,
            sender: None,
            client: None,
            hello: None,
            secure: None,
            authenticated: None,
            per: Per::default(),
            after: 0,
            times: None,
            lasts: None,
            chance: None,
            rate: None,
            quota: None,
            open: None,
            hops: None,
            larger: None,
            bytes: 0,
            verdicts: vec![verdict],
            repeat: false,
            dialect: None,
            delay: None,
            tarpit: None,
            keep: false,
        }
    }
}

impl Default for Server {
    fn default() -> Server {
        Server {
            name: "sink.example".to_owned(),
            names: Vec::new(),
            lmtp: false,
            users: Vec::new(),
            auth_needs_tls: false,
            dialect: Dialect::Postrider,
            extensions: vec![
                Extension::Pipelining,
                Extension::Size,
                Extension::EightBitMime,
                Extension::SmtpUtf8,
                Extension::EnhancedStatusCodes,
                Extension::Chunking,
                Extension::Dsn,
                Extension::BinaryMime,
            ],
            size: 50 << 20,
            conventions: false,
            closed: false,
            seed: None,
        }
    }
}

impl Server {
    /// Whether AUTH takes this name with this password.
    #[must_use]
    pub fn takes(&self, name: &str, password: &str) -> bool {
        let known = |(user, secret): &(String, String)| user == name && secret == password;
        self.users.is_empty() || self.users.iter().any(known)
    }

    /// What its certificate is for.
    #[must_use]
    pub fn certified_names(&self) -> Vec<String> {
        if !self.names.is_empty() {
            return self.names.clone();
        }
        let own = Some(&self.name).filter(|name| name.is_ascii());
        let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        own.into_iter().cloned().chain(loopback).collect()
    }
}

impl Default for Script {
    /// No rules: everything is taken, but recipients may ask for a failure by their local part.
    fn default() -> Script {
        Script {
            about: About::default(),
            server: Server {
                conventions: true,
                ..Server::default()
            },
            rules: Vec::new(),
        }
    }
}

impl Script {
    /// Reads a script. `Err` has everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Script, Errors> {
        read::read(text)
    }

    /// Whether EHLO announces it.
    #[must_use]
    pub fn offers(&self, extension: Extension) -> bool {
        self.server.extensions.contains(&extension)
    }
}
