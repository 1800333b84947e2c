//! `postrider serve`: the relay.

pub(crate) mod acme;
mod bounces;
mod callouts;
pub(crate) mod certificates;
pub(crate) mod checking;
mod chores;
mod control_server;
pub(crate) mod directory;
mod files;
mod filters;
mod logs;
mod pacing;
mod rerouting;
mod secrets;
pub(crate) mod settings;
pub(crate) mod signing;
pub(crate) mod stop;
mod tls_reporting;
pub(crate) mod tls_sending;
mod users;
mod verification;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use checks::Checker;
use config::Config;
use delivery::{Engine, Maildirs};
use queue::{Callout, Directory, Greylist, Store, StoreError};
use reception::{Door, Receiver};
use store_sqlite::{SqliteGreylist, SqliteStore, SqliteSuppressions};
use tokio::sync::watch;
use tokio::task::JoinSet;
use world::{Listener, World};

use crate::exit;
use crate::place::{self, Options, ServerFile};
use crate::resolver;

/// Why the relay did not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(
        "{0}\nOne data directory serves one relay: stop that one, or give this one another with --data."
    )]
    InUse(StoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {address}: {source}{}", advice(source))]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Directory(#[from] directory::SetupError),
    #[error(transparent)]
    Bounces(#[from] bounces::SetupError),
    #[error("cannot listen on {at}: {source}{}", advice(source))]
    ListenAt { at: world::Peer, source: io::Error },
    #[error("the file of users: {0}")]
    Users(#[from] auth::FileError),
    #[error("a certificate of ours: {0}")]
    Certificate(#[from] tls::IdentityError),
    #[error(transparent)]
    Sending(#[from] tls_sending::SetupError),
    #[error(transparent)]
    Acme(#[from] acme::SetupError),
    #[error("the DKIM keys: {0}")]
    Keys(#[from] ::signing::StoreFault),
    #[error("the DNS resolver: {0}")]
    Resolver(#[from] dns::SetupError),
    #[error(transparent)]
    Verifier(#[from] email_auth::VerifyError),
    #[error("the control socket {}: {source}", path.display())]
    Control { path: PathBuf, source: io::Error },
    #[error("{doing}: {source}")]
    System {
        doing: &'static str,
        source: io::Error,
    },
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "\nAnother program listens there. Stop it, or choose another port: [listen] smtp = [\"127.0.0.1:2526\"]."
        }
        io::ErrorKind::PermissionDenied => {
            "\nPorts below 1024 need a right: run as root, or give CAP_NET_BIND_SERVICE, or choose a port above."
        }
        io::ErrorKind::AddrNotAvailable => "\nThis machine has no such address.",
        _ => "",
    }
}

pub(crate) fn main(options: &Options) -> ExitCode {
    let config = match options.config() {
        Ok(config) => config,
        Err(error) => return exit::problem(&error),
    };
    let logs = logs::start(&config.log);
    files::allow(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(run(&config, &options.data()));
            // Threads that wait for a disk or a name are not waited for.
            runtime.shutdown_timeout(Duration::from_secs(1));
            ended
        }
        Err(source) => Err(StartError::System {
            doing: "starting",
            source,
        }),
    };
    drop(logs);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::problem(&error),
    }
}

/// The name under which the relay of this configuration goes; a broken configuration is told by the
/// command that needs more of it.
pub(crate) fn hostname_of(options: &Options) -> String {
    settings::hostname(&options.config().unwrap_or_default())
}

async fn run(config: &Config, data: &Path) -> Result<(), StartError> {
    let world = World::real();
    let store = open(data, &world)?;
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    prepare(&store, config, &world).await?;

    let resolver: Arc<dyn dns::Resolver> = Arc::new(resolver::of(config)?);
    let control_path = place::control_socket(&data);
    let control = control_server::Control::listen(&control_path);
    let control = control.map_err(|source| StartError::Control {
        path: control_path.clone(),
        source,
    })?;
    let mut sending_tls = tls_sending::tls(config, &world, &resolver, &data)?;
    let counting = tls_reporting::count(config, &world, &data, &mut sending_tls)?;
    let connector = sending_tls.connector.as_ref();
    let obtaining = acme::Obtaining::prepare(config, &data, &world, &resolver, connector).await?;
    let by_acme = obtaining.as_ref().map(acme::Obtaining::files);
    let certificates = certificates::Certificates::load(config, by_acme, &world)?;
    // After the control socket: whoever finds the port open finds that too. Before anything is sent:
    // a start that fails must not cut it off.
    let listening = async {
        Ok((
            listen(config, &world).await?,
            users::listen(config, &world).await?,
        ))
    };
    let (listeners, others) = match listening.await {
        Ok(listeners) => listeners,
        Err(error) => {
            // Left behind it would do no harm.
            let _ = std::fs::remove_file(&control_path);
            return Err(error);
        }
    };
    let addresses = addresses(&listeners)?;
    // At once: whoever finds the port open reads it.
    let file = ServerFile {
        pid: std::process::id(),
        smtp: addresses.smtp.clone(),
        smtps: addresses.smtps.clone(),
        control: control_path.clone(),
    };
    file.write(&data).map_err(|source| StartError::System {
        doing: "writing server.json",
        source,
    })?;
    let signals = stop::Signals::listen().map_err(|source| StartError::System {
        doing: "listening for signals",
        source,
    })?;
    let hangup = stop::hangup().map_err(|source| StartError::System {
        doing: "listening for signals",
        source,
    })?;
    let bounces = bounces::of(config, &world, &data)?;
    let directory = bounces::before(
        bounces.as_ref(),
        directory::of(config, &world, &resolver, &data)?,
    );
    let asking = callouts::of(config, &world, &resolver, &data, &sending_tls)?;
    let keeper = signing::Keeper::open(config, &data, resolver.clone(), &world).await?;
    let connector = sending_tls.connector.clone();
    let mut sending = delivery::Settings {
        signing: Some(keeper.signing()),
        directory: directory.clone(),
        bounces,
        suppressions: Some(Arc::new(SqliteSuppressions::open(&data)?)),
        tls: sending_tls,
        ..settings::delivery(config)
    };
    // It ends with the runtime, too.
    tokio::spawn(keeper.run());
    if config.checks.live {
        let (verification, doubts) = verification::channel();
        sending.verifier = Some(Arc::new(verification));
        let checking = checks::Settings {
            mta_sts: sending.tls.mta_sts.clone(),
            ..checking::checks(config, connector)
        };
        let looker = verification::Looker {
            checker: Checker::new(world.clone(), resolver.clone(), checking),
            store: store.clone(),
            world: world.clone(),
        };
        // It ends with the runtime: what it has not looked at is looked at after the next failure.
        tokio::spawn(looker.run(doubts));
    }
    let engine = Engine::start(world.clone(), store.clone(), resolver.clone(), sending).await?;
    let reporter = counting.map(|counting| counting.start(&engine, &world, &resolver));
    let offers = Offers {
        directory,
        callout: asking.clone().map(|asking| Arc::new(asking.callouts) as _),
        tls: certificates.acceptor(),
    };
    let Receiving { receiver, greylist } =
        receiver(config, &world, &resolver, &store, &engine, &data, offers).await?;
    let asked = control_server::Asked {
        store: store.clone(),
        engine: engine.clone(),
        receiver: receiver.clone(),
        world: world.clone(),
        certificates: certificates.clone(),
        reporter: reporter.clone(),
    };
    let (shutdown, stopping) = watch::channel(false);
    let mut receivers = JoinSet::new();
    for (listener, door) in listeners.into_iter().chain(others) {
        let (receiver, stopping) = (receiver.clone(), stopping.clone());
        receivers.spawn(async move { receiver.serve_at(listener, door, stopping).await });
    }
    let control = tokio::spawn(control.serve(asked));
    let chores = chores::Chores {
        store,
        world,
        retention: chores::retention(config),
        greylist: greylist.zip(settings::greylisting(config)),
        asking: asking.clone(),
    };
    let pruning = tokio::spawn(chores.run());
    let obtaining = obtaining.map(|one| tokio::spawn(one.run(certificates.clone())));
    let watching = tokio::spawn(certificates.watch(hangup));
    announce(config, &addresses, &data);
    notify(&[sd_notify::NotifyState::Ready]);

    signals.first().await;
    notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping: what is being received and sent may end");
    // Nobody may find this server any more.
    ServerFile::remove(&data);
    // Its receivers are the tasks above; they live until they have seen it.
    let _ = shutdown.send(true);
    tokio::select! {
        cut = finish(&mut receivers, &engine) => if cut > 0 {
            tracing::warn!(sessions = cut, "cut off in the middle: at the next start these outcomes count as unknown");
        },
        () = signals.second() => tracing::warn!("stopping at once"),
    }
    if let Some(asking) = &asking {
        asking.tell();
    }
    if let Some(reporter) = &reporter {
        reporter.write().await;
    }
    control.abort();
    pruning.abort();
    watching.abort();
    if let Some(obtaining) = obtaining {
        obtaining.abort();
    }
    // The socket is of no more use; a leftover does no harm either.
    let _ = std::fs::remove_file(&control_path);
    tracing::info!("stopped");
    Ok(())
}

/// How long deliveries under way may take at a stop.
const GRACE: Duration = Duration::from_secs(30);

async fn finish(receivers: &mut JoinSet<()>, engine: &Engine) -> usize {
    let received = async { while receivers.join_next().await.is_some() {} };
    let ((), cut) = tokio::join!(received, engine.stop(GRACE));
    cut
}

fn open(data: &Path, world: &World) -> Result<Arc<dyn Store>, StartError> {
    match SqliteStore::open(data, world) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error @ StoreError::InUse { .. }) => Err(StartError::InUse(error)),
        Err(error) => Err(error.into()),
    }
}

/// What is to be done on the queue before anything moves: attempts that a crash interrupted, and
/// routes that have changed.
async fn prepare(store: &Arc<dyn Store>, config: &Config, world: &World) -> Result<(), StoreError> {
    let now = world.clock.now();
    let interrupted = store.recover(now).await?;
    if interrupted > 0 {
        tracing::warn!(
            recipients = interrupted,
            "the relay was stopped in mid-delivery: nobody can tell whether these have the message; it is sent again"
        );
    }
    rerouting::reroute(config, &**store, now).await
}

async fn listen(config: &Config, world: &World) -> Result<Vec<(Listener, Door)>, StartError> {
    let mut listeners = Vec::new();
    let plain = config.listen.smtp.iter().map(|a| (*a, false));
    let secure = config.listen.smtps.iter().map(|a| (*a, true));
    for (address, implicit_tls) in plain.chain(secure) {
        let listener = world.net.listen(address).await;
        let listener = listener.map_err(|source| StartError::Listen { address, source })?;
        let door = Door {
            implicit_tls,
            ..Door::default()
        };
        listeners.push((listener, door));
    }
    Ok(listeners)
}

/// Where we listen.
struct Addresses {
    smtp: Vec<SocketAddr>,
    smtps: Vec<SocketAddr>,
}

fn addresses(listeners: &[(Listener, Door)]) -> Result<Addresses, StartError> {
    let of = |implicit_tls| {
        let kind = listeners
            .iter()
            .filter(move |l| l.1.implicit_tls == implicit_tls);
        let addresses = kind.map(|(listener, _)| listener.local_addr());
        addresses.collect::<io::Result<Vec<_>>>()
    };
    let asking = |source| StartError::System {
        doing: "asking where we listen",
        source,
    };
    Ok(Addresses {
        smtp: of(false).map_err(asking)?,
        smtps: of(true).map_err(asking)?,
    })
}

/// What the receiving role is given beside what it is told.
struct Offers {
    directory: Option<Arc<dyn Directory>>,
    callout: Option<Arc<dyn Callout>>,
    tls: Option<tls::Acceptor>,
}

/// The receiving role, and who remembers strangers for it.
struct Receiving {
    receiver: Receiver,
    greylist: Option<Arc<dyn Greylist>>,
}

async fn receiver(
    config: &Config,
    world: &World,
    resolver: &Arc<dyn dns::Resolver>,
    store: &Arc<dyn Store>,
    engine: &Engine,
    data: &Path,
    offers: Offers,
) -> Result<Receiving, StartError> {
    let greylist: Option<Arc<dyn Greylist>> = match settings::greylisting(config) {
        Some(_) => Some(Arc::new(SqliteGreylist::open(data)?)),
        None => None,
    };
    let mailboxes = Maildirs::new(world.clone(), settings::quota(config));
    let neighbours = reception::Neighbours {
        greylist: greylist.clone(),
        directory: offers.directory,
        callout: offers.callout,
        mailboxes: Some(Arc::new(mailboxes)),
        filters: filters::chain(config, world, resolver)?,
        authenticator: users::authenticator(config, world)?,
        suppressions: Some(Arc::new(SqliteSuppressions::open(data)?)),
    };
    let settings = reception::Settings {
        tls: offers.tls,
        ..users::settings(config, settings::reception(config))
    };
    let receiver = Receiver::with(world.clone(), engine.intake(), settings, neighbours);
    if let Some(since) = store.intake_paused().await? {
        receiver.set_paused(true);
        tracing::warn!(
            %since,
            "receiving is paused, as the administrator left it: `postrider resume` takes mail again"
        );
    }
    Ok(Receiving { receiver, greylist })
}

fn announce(config: &Config, addresses: &Addresses, data: &Path) {
    let listed: Vec<String> = addresses.smtp.iter().map(ToString::to_string).collect();
    let secure: Vec<String> = addresses.smtps.iter().map(ToString::to_string).collect();
    let networks: Vec<String> = config
        .relay
        .networks
        .iter()
        .map(ToString::to_string)
        .collect();
    tracing::info!(
        smtp = listed.join(" "),
        also = users::listed(config),
        smtps = (!secure.is_empty()).then(|| secure.join(" ")),
        data = %data.display(),
        hostname = settings::hostname(config),
        may_relay = networks.join(" "),
        "ready; stop with Ctrl-C or SIGTERM"
    );
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(states);
}
