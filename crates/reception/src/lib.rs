//! The receiving role: SMTP sessions in, durable messages out.
//!
//! A [`Receiver`] takes connections from listeners and gives each its own task, which drives the
//! state machine of [`smtp::server`] and hands whole messages to the queue's [`Intake`]. What holds:
//!
//! - `250` after the content is sent only when [`Intake::accept`] has returned `Ok`: the message is
//!   durable. Any other end of a transaction leaves nothing staged.
//! - A message is kept byte for byte as it came; before it stands our `Received` field, nothing else.
//! - A client outside the relay networks can send to domains of ours and to nobody else.
//! - A connection that waits for its client holds no read buffer.
//!
//! What does not exist here: AUTH, TLS, the adding of missing header fields, and looking up the
//! client's name.

mod connection;
mod greylisting;
mod limits;
mod local;
mod network;
mod nobody;
mod pace;
mod rates;
mod refusal;
mod screen;
mod serve;
mod session;
mod settings;
mod trace;
mod transaction;
mod watermark;
mod wishes;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use queue::{Directory, Greylist, Intake, Mailboxes};
use world::World;

pub use network::{Network, ParseNetworkError};
pub use rates::{Rate, Rates};
pub use settings::Settings;
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
    protocol: Arc<smtp::server::Config>,
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
    /// Who knows the mailboxes on this machine.
    pub mailboxes: Option<Arc<dyn Mailboxes>>,
    /// The filters.
    pub filters: screening::Chain,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
struct Client {
    address: IpAddr,
    /// The name given at EHLO or HELO.
    helo: Option<String>,
    /// Whether it said EHLO.
    extended: bool,
}

impl Client {
    /// How it speaks, for `Received … with` (RFC 3848, RFC 6531 §3.7.3).
    fn protocol(&self, smtputf8: bool) -> &'static str {
        match (self.extended, smtputf8) {
            (_, true) => "UTF8SMTP",
            (true, false) => "ESMTP",
            (false, false) => "SMTP",
        }
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
        let meter = Meter::new(settings.client_rates, settings.network_rates);
        let watch = Watch::new(settings.watermarks);
        let protocol = smtp::server::Config {
            max_size: settings.max_message_size,
            max_recipients: settings.max_recipients,
            max_errors: settings.max_errors,
            max_messages: settings.max_messages,
            dsn: true,
            binary_mime: true,
            require_tls: true,
            deliver_by: true,
            priority: true,
            ..smtp::server::Config::new(settings.hostname.clone())
        };
        let shared = Shared {
            world,
            intake,
            settings,
            protocol: Arc::new(protocol),
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
