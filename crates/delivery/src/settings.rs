//! What the administrator may set about sending.

use std::sync::Arc;
use std::time::Duration;

use bounces::ReturnPaths;
use queue::policy::OwnWaits;
use queue::route::{Identity, Routes};
use queue::{Directory, Suppressions, Verifier};
use smtp::Address;

use crate::{Limits, Signing, Tls};

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name we give at EHLO, and by which we know ourselves among mail exchangers.
    pub hostname: String,
    /// Where mail goes; reports of our own are routed by it too.
    pub routes: Arc<Routes>,
    /// Who is in domains of ours, for reports of our own; `None`: there are no such domains.
    pub directory: Option<Arc<dyn Directory>>,
    /// Mail for `anna+shop` goes into the folder `.shop` of anna's mailbox, where there is one; the
    /// characters that part the two. Empty: it goes into the inbox.
    pub folder_delimiters: String,
    /// Who looks at the causes of failures; `None`: nobody.
    pub verifier: Option<Arc<dyn Verifier>>,
    /// What is changed in mail on its way out.
    pub rewrite: Option<Arc<rewriting::Rules>>,
    /// Who signs what is sent; `None`: nobody.
    pub signing: Option<Arc<Signing>>,
    /// To whom nothing is sent; `None`: nobody is noted.
    pub suppressions: Option<Arc<dyn Suppressions>>,
    /// How long an address is noted to which mail will never arrive; zero: not at all.
    pub suppression_keep: Duration,
    /// Return addresses, and what becomes of what comes back to them; `None`: there are none.
    pub bounces: Option<Arc<Bounces>>,
    /// The port of mail exchangers found in the DNS.
    pub smtp_port: u16,
    /// Who we are to those of whom no route says more.
    pub identity: Identity,
    /// How long a program may take to which mail is delivered.
    pub program_timeout: Duration,
    /// How long to wait for a reply, at most; RFC 5321 §4.5.3.2 says how long at each step, and less than
    /// that is for networks that one knows.
    pub reply_timeout: Duration,
    /// How connections are encrypted.
    pub tls: Tls,
    /// How long to wait for a connection to one address.
    pub connect_timeout: Duration,
    /// Connections to all destinations together.
    pub max_sessions: usize,
    /// Connections to one destination, at most; the start is lower and follows its signals.
    pub max_sessions_per_destination: usize,
    /// Connections to one provider (many domains of the same mail servers), at most.
    pub max_sessions_per_provider: usize,
    /// What the operator allows single destinations and providers.
    pub limits: Arc<Limits>,
    /// Waits that the administrator set in place of the table's.
    pub waits: OwnWaits,
    /// Recipients of one transaction.
    pub max_recipients: usize,
    /// Messages over one connection, before it is closed.
    pub max_messages_per_connection: u32,
    /// How long an idle connection is kept for the next message.
    pub idle_keep: Duration,
    /// Messages of one destination that are kept at hand in memory.
    pub max_ready: usize,
    /// Bytes of message content that are kept at hand in memory, of all destinations together.
    pub max_ready_bytes: usize,
    /// How long our own reports stay in the queue.
    pub report_lifetime: Duration,
    /// After how long a sender hears of a delay; zero: never.
    pub delay_notice: Duration,
    /// The largest message that a report returns whole, where its sender asks for that.
    pub report_full_limit: u64,
    /// The language of reports to senders in these domains.
    pub report_languages: Vec<(String, explain::Lang)>,
    /// The language of reports to other senders.
    pub report_language: explain::Lang,
}

/// What becomes of what comes back.
#[derive(Clone, Debug)]
pub struct Bounces {
    /// The return addresses.
    pub paths: Arc<ReturnPaths>,
    /// Who gets what is about no message that is known, as it came.
    pub others_to: Address,
    /// Whether a sender gets a report of failure with our explanation; else as it came.
    pub explained: bool,
    /// Whether reports count for the suppression list that came without a return address of ours: they
    /// may be forged.
    pub suppress_unsigned: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            hostname: "localhost".to_owned(),
            routes: Arc::new(Routes::default()),
            directory: None,
            folder_delimiters: String::new(),
            verifier: None,
            rewrite: None,
            signing: None,
            suppressions: None,
            suppression_keep: Duration::ZERO,
            bounces: None,
            smtp_port: 25,
            identity: Identity::default(),
            program_timeout: Duration::from_secs(300),
            reply_timeout: Duration::from_secs(600),
            tls: Tls::default(),
            connect_timeout: Duration::from_secs(30),
            max_sessions: 500,
            max_sessions_per_destination: 20,
            max_sessions_per_provider: 50,
            limits: Arc::default(),
            waits: OwnWaits::default(),
            max_recipients: 100,
            max_messages_per_connection: 1000,
            idle_keep: Duration::from_secs(2),
            max_ready: 500,
            max_ready_bytes: 32 << 20,
            report_lifetime: Duration::from_secs(5 * 86_400),
            delay_notice: Duration::from_secs(4 * 3_600),
            report_full_limit: 1 << 20,
            report_languages: Vec::new(),
            report_language: explain::Lang::En,
        }
    }
}
