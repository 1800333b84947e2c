//! The receiving role: SMTP sessions in, durable messages out.
//!
//! A [`Receiver`] takes connections from listeners and gives each its own task, which drives the
//! state machine of [`smtp::server`] and hands whole messages to the queue's [`Intake`]. What holds:
//!
//! - `250` after the content is sent only when [`Intake::accept`] has returned `Ok`: the message is
//!   durable. Any other end of a transaction leaves nothing staged.
//! - A message is kept byte for byte as it came; before it stands our `Received` field, nothing else.
//! - A client outside the relay networks can send to domains of ours and to nobody else before it has said
//!   who it is.
//! - A connection that waits for its client holds no read buffer.
//!
//! - The mail of users gets what it lacks (RFC 6409 §8); that of servers stays as it is.
//!
//! What does not exist here: looking up the client's name.

mod connection;
mod front;
mod greylisting;
mod handshake;
mod limits;
mod local;
mod login;
mod network;
mod nobody;
mod pace;
mod quarantine;
mod rates;
mod refusal;
mod role;
mod screen;
mod serve;
mod session;
mod settings;
mod submission;
mod trace;
mod transaction;
mod verify;
mod watermark;
mod wishes;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use queue::{Callout, Directory, Greylist, Intake, Mailboxes};
use world::World;

pub use network::{Network, ParseNetworkError};
pub use rates::{Rate, Rates};
pub use role::Role;
pub use serve::Door;
pub use settings::{AuthSettings, Settings, Trusted};
pub use submission::{Sender, Senders, Submission};
pub use watermark::Watermarks;

use limits::Limits;
use rates::Meter;
use watermark::Watch;

/// Receives mail. Clones share their limits, so that several listeners may be served at once.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// What all sessions share.
struct Shared {
    world: World,
    intake: Intake,
    settings: Settings,
    /// How sessions speak, by [`Role`].
    protocols: [Arc<smtp::server::Config>; Role::ALL.len()],
    failures: login::Failures,
    limits: Arc<Limits>,
    meter: Meter,
    watch: Watch,
    /// The administrator has stopped receiving.
    paused: AtomicBool,
    neighbours: Neighbours,
}

/// Who is asked beside the queue before mail is taken; nobody is a matter of course.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// Who remembers strangers. Asked where the settings have a policy for them.
    pub greylist: Option<Arc<dyn Greylist>>,
    /// Who knows the recipients in domains of ours.
    pub directory: Option<Arc<dyn Directory>>,
    /// Who asks next hops about recipients.
    pub callout: Option<Arc<dyn Callout>>,
    /// Who knows the mailboxes on this machine.
    pub mailboxes: Option<Arc<dyn Mailboxes>>,
    /// Who knows users.
    pub authenticator: Option<Arc<dyn auth::Authenticator>>,
    /// Who knows to whom nothing is sent.
    pub suppressions: Option<Arc<dyn queue::Suppressions>>,
    /// The filters.
    pub filters: screening::Chain,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
struct Client {
    address: IpAddr,
    /// The name given at EHLO or HELO.
    helo: Option<String>,
    /// Whether it said EHLO or LHLO.
    extended: bool,
    /// What the listener is for.
    role: Role,
    /// Who it is, after AUTH.
    login: Option<String>,
    /// By which mechanism it proved that; none where somebody else says it.
    mechanism: Option<String>,
    /// The TLS session, if there is one.
    tls: Option<tls::ServerSession>,
}

impl Client {
    /// How it speaks, for `Received … with` (RFC 3848, RFC 6531 §3.7.3).
    fn protocol(&self, smtputf8: bool) -> &'static str {
        let (secure, login) = (self.tls.is_some(), self.login.is_some());
        let spoken = match (self.role.is_lmtp(), smtputf8, self.extended) {
            (true, true, _) => ["UTF8LMTP", "UTF8LMTPA", "UTF8LMTPS", "UTF8LMTPSA"],
            (true, false, _) => ["LMTP", "LMTPA", "LMTPS", "LMTPSA"],
            (false, true, _) => ["UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"],
            (false, false, true) => ["ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA"],
            (false, false, false) => return "SMTP",
        };
        spoken[usize::from(secure) * 2 + usize::from(login)]
    }
}

impl Receiver {
    /// A receiver that puts messages into `intake`.
    #[must_use]
    pub fn new(world: World, intake: Intake, settings: Settings) -> Receiver {
        Receiver::with(world, intake, settings, Neighbours::default())
    }

    /// One that asks others too.
    #[must_use]
    pub fn with(
        world: World,
        intake: Intake,
        settings: Settings,
        neighbours: Neighbours,
    ) -> Receiver {
        let limits = Limits::new(&settings);
        let client_rates = Rates {
            failed_logins: settings.auth.failures,
            ..settings.client_rates
        };
        let meter = Meter::new(client_rates, settings.network_rates);
        let watch = Watch::new(settings.watermarks);
        let protocols = Role::ALL.map(|role| Arc::new(role.protocol(&settings)));
        let shared = Shared {
            world,
            intake,
            settings,
            protocols,
            failures: login::Failures::default(),
            limits,
            meter,
            watch,
            paused: AtomicBool::new(false),
            neighbours,
        };
        Receiver {
            shared: Arc::new(shared),
        }
    }

    /// Stops taking mail, or takes it again. Messages that are being received may end.
    pub fn set_paused(&self, paused: bool) {
        self.shared.paused.store(paused, Ordering::SeqCst);
    }
}
