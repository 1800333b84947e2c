//! The fourth step of a start, and what comes after it: the roles at work, until the signal to stop.

use std::sync::Arc;
use std::time::Duration;

use checks::Checker;
use delivery::Engine;
use reception::{Door, Neighbours, Receiver};
use tls_reporter::Reporter;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use world::Listener;

use super::callouts::Asking;
use super::chores::{self, Chores};
use super::control_server::Asked;
use super::doors::Trace;
use super::stop::Signals;
use super::{
    Doors, Ground, Parts, StartError, checking, notify, settings, signing, users, verification,
};

/// How long deliveries under way may take at a stop.
const GRACE: Duration = Duration::from_secs(30);

/// The relay at work.
pub(super) struct Running {
    pub(super) trace: Trace,
    engine: Engine,
    signals: Signals,
    receivers: JoinSet<()>,
    shutdown: watch::Sender<bool>,
    /// What ends when the last message is dealt with.
    beside: Vec<JoinHandle<()>>,
    asking: Option<Asking>,
    reporter: Option<Arc<Reporter>>,
}

impl Running {
    pub(super) async fn start(
        ground: &Ground<'_>,
        mut parts: Parts,
        doors: Doors,
    ) -> Result<Running, StartError> {
        let (world, store) = (ground.world.clone(), ground.store.clone());
        let engine = engine(ground, &mut parts).await?;
        let counting = parts.counting;
        let reporter = counting.map(|one| one.start(&engine, &world, &ground.resolver));
        let certificates = parts.certificates;
        let greylist = parts.neighbours.greylist.clone();
        let receiver = receiver(ground, &engine, parts.neighbours, certificates.acceptor()).await?;
        let asked = Asked {
            store: store.clone(),
            engine: engine.clone(),
            receiver: receiver.clone(),
            world: world.clone(),
            certificates: certificates.clone(),
            reporter: reporter.clone(),
        };
        let (shutdown, receivers) = serve(&receiver, doors.listeners);
        let chores = Chores {
            store,
            world,
            retention: chores::retention(ground.config),
            greylist: greylist.zip(settings::greylisting(ground.config)),
            asking: parts.asking.clone(),
        };
        let mut beside = vec![
            tokio::spawn(doors.control.serve(asked)),
            tokio::spawn(chores.run()),
        ];
        if let Some(obtaining) = parts.obtaining {
            beside.push(tokio::spawn(obtaining.run(certificates.clone())));
        }
        beside.push(tokio::spawn(certificates.watch(doors.hangup)));
        Ok(Running {
            trace: doors.trace,
            engine,
            signals: doors.signals,
            receivers,
            shutdown,
            beside,
            asking: parts.asking,
            reporter,
        })
    }

    /// Waits for the signal, and ends in order: nothing new is begun, and what is under way may end.
    pub(super) async fn until_stopped(mut self) {
        self.signals.first().await;
        notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!("stopping: what is being received and sent may end");
        self.trace.hide();
        // Its receivers are the tasks of reception; they live until they have seen it.
        let _ = self.shutdown.send(true);
        tokio::select! {
            cut = finish(&mut self.receivers, &self.engine) => if cut > 0 {
                tracing::warn!(sessions = cut, "cut off in the middle: at the next start these outcomes count as unknown");
            },
            () = self.signals.second() => tracing::warn!("stopping at once"),
        }
        if let Some(asking) = &self.asking {
            asking.tell();
        }
        if let Some(reporter) = &self.reporter {
            reporter.write().await;
        }
        for task in &self.beside {
            task.abort();
        }
        self.trace.remove_socket();
    }
}

async fn finish(receivers: &mut JoinSet<()>, engine: &Engine) -> usize {
    let received = async { while receivers.join_next().await.is_some() {} };
    let ((), cut) = tokio::join!(received, engine.stop(GRACE));
    cut
}

/// The sending role, with who signs for it and who looks at the causes of its failures.
async fn engine(ground: &Ground<'_>, parts: &mut Parts) -> Result<Engine, StartError> {
    let (config, world) = (ground.config, &ground.world);
    let resolver = &ground.resolver;
    // Before anything is sent it is looked which keys are published: by these it is signed.
    let keeper = signing::Keeper::open(config, &ground.data, resolver.clone(), world).await?;
    let mut sending = delivery::Settings {
        signing: Some(keeper.signing()),
        directory: parts.directory.clone(),
        bounces: parts.bounces.take(),
        suppressions: Some(parts.suppressions.clone()),
        tls: parts.sending_tls.clone(),
        ..settings::delivery(config)
    };
    // It ends with the runtime, too.
    tokio::spawn(keeper.run());
    if config.checks.live {
        let (verification, doubts) = verification::channel();
        sending.verifier = Some(Arc::new(verification));
        let checking = checks::Settings {
            mta_sts: sending.tls.mta_sts.clone(),
            ..checking::checks(config, sending.tls.connector.clone())
        };
        let looker = verification::Looker {
            checker: Checker::new(world.clone(), resolver.clone(), checking),
            store: ground.store.clone(),
            world: world.clone(),
        };
        // It ends with the runtime: what it has not looked at is looked at after the next failure.
        tokio::spawn(looker.run(doubts));
    }
    if let Some(connector) = sending.tls.connector.clone() {
        // The first connection would have to wait for them; nobody waits for this.
        tokio::task::spawn_blocking(move || connector.prepare());
    }
    let (store, resolver) = (ground.store.clone(), resolver.clone());
    Ok(Engine::start(world.clone(), store, resolver, sending).await?)
}

async fn receiver(
    ground: &Ground<'_>,
    engine: &Engine,
    neighbours: Neighbours,
    tls: Option<tls::Acceptor>,
) -> Result<Receiver, StartError> {
    let config = ground.config;
    let settings = reception::Settings {
        tls,
        ..users::settings(config, settings::reception(config))
    };
    let receiver = Receiver::with(ground.world.clone(), engine.intake(), settings, neighbours);
    if let Some(since) = ground.store.intake_paused().await? {
        receiver.set_paused(true);
        tracing::warn!(
            %since,
            "receiving is paused, as the administrator left it: `postrider resume` takes mail again"
        );
    }
    Ok(receiver)
}

/// Takes mail at every door until told to stop.
fn serve(
    receiver: &Receiver,
    listeners: Vec<(Listener, Door)>,
) -> (watch::Sender<bool>, JoinSet<()>) {
    let (shutdown, stopping) = watch::channel(false);
    let mut receivers = JoinSet::new();
    for (listener, door) in listeners {
        let (receiver, stopping) = (receiver.clone(), stopping.clone());
        receivers.spawn(async move { receiver.serve_at(listener, door, stopping).await });
    }
    (shutdown, receivers)
}
