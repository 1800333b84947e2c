//! The sink at work: its ports, its sessions, what they share.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tls::{Identities, IdentityError, IdentityFiles, MintError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use world::{ClosedPort, Listener, World};

use crate::kept::Kept;
use crate::ledger::Ledger;
use crate::script::Script;
use crate::transcript::Line;
use crate::vault::Vault;
use crate::words::Words;
use crate::{api, session};

/// Sessions at one time; more wait to be accepted.
const MOST_SESSIONS: usize = 2_000;
/// How long to wait when the system gives no connection.
const PAUSE: Duration = Duration::from_millis(100);

/// What is told of each line of each session.
pub type Log = Arc<dyn Fn(&Line) + Send + Sync>;

/// What a sink is started with.
pub struct Settings {
    /// What it does.
    pub script: Script,
    /// Where it takes SMTP; port 0: any free one.
    pub smtp: SocketAddr,
    /// Where it takes SMTP under TLS from the first byte on.
    pub smtps: Option<SocketAddr>,
    /// The certificate that it shows; without one, it makes its own.
    pub certificate: Option<IdentityFiles>,
    /// Where its API is.
    pub api: Option<SocketAddr>,
    /// Where messages are written, besides memory.
    pub keep: Option<PathBuf>,
    /// The start of chance, before that of the script.
    pub seed: Option<u64>,
    /// Who hears what is said.
    pub log: Log,
}

/// Why a sink does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] IdentityError),
    /// The directory for messages cannot be used.
    #[error("cannot keep messages in {}: {source}", path.display())]
    Keep {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A script in force.
pub(crate) struct Plan {
    pub(crate) script: Script,
    pub(crate) ledger: Ledger,
    pub(crate) words: Words,
    pub(crate) seed: u64,
}

impl Plan {
    pub(crate) fn new(script: Script, seed: Option<u64>, world: &World) -> Plan {
        let seed = seed.or(script.server.seed).unwrap_or_else(|| {
            let mut bytes = [0; 4];
            world.random.fill(&mut bytes);
            u64::from(u32::from_le_bytes(bytes))
        });
        Plan {
            ledger: Ledger::new(&script, seed),
            words: Words::of(script.server.dialect),
            script,
            seed,
        }
    }
}

/// What the sessions and the API share.
pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) kept: Arc<Kept>,
    pub(crate) log: Log,
    pub(crate) vault: Vault,
    plan: RwLock<Arc<Plan>>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Shared {
    /// The script in force.
    pub(crate) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read())
    }

    /// Another script, with nothing counted; sessions that are open keep theirs.
    pub(crate) fn replace(&self, script: Script, seed: Option<u64>) {
        let plan = Plan::new(script, seed, &self.world);
        *self.plan.write() = Arc::new(plan);
    }

    /// Open sessions: all, and of one client.
    pub(crate) fn open(&self, client: IpAddr) -> (usize, usize) {
        let open = self.open.lock();
        let own = open.get(&client).copied().unwrap_or(0);
        (open.values().sum(), own)
    }
}

/// A session is open while this lives.
pub(crate) struct Open {
    shared: Arc<Shared>,
    client: IpAddr,
}

impl Open {
    fn new(shared: &Arc<Shared>, client: IpAddr) -> Open {
        *shared.open.lock().entry(client).or_default() += 1;
        Open {
            shared: Arc::clone(shared),
            client,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock();
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

enum Port {
    Open(Listener),
    Closed(ClosedPort),
}

/// A sink that has its ports.
pub struct Sink {
    /// Where it takes SMTP.
    pub smtp: SocketAddr,
    /// Where it takes SMTP under TLS from the first byte on.
    pub smtps: Option<SocketAddr>,
    /// Where its API is.
    pub api: Option<SocketAddr>,
    /// The start of chance.
    pub seed: u64,
    shared: Arc<Shared>,
    port: Port,
    smtps_port: Option<Port>,
    api_port: Option<Listener>,
}

impl Sink {
    /// Takes the ports; nothing is served before [`Sink::serve`], but connections wait.
    pub async fn start(world: World, settings: Settings) -> Result<Sink, StartError> {
        let at = |address| move |source| StartError::Listen { address, source };
        let closed = settings.script.server.closed;
        let (port, smtp) = Port::take(&world, settings.smtp, closed).await?;
        let (mut smtps, mut smtps_port) = (None, None);
        if let Some(wanted) = settings.smtps {
            let (port, address) = Port::take(&world, wanted, closed).await?;
            (smtps, smtps_port) = (Some(address), Some(port));
        }
        let (mut api, mut api_port) = (None, None);
        if let Some(wanted) = settings.api {
            let port = world.net.listen(wanted).await.map_err(at(wanted))?;
            api = Some(port.local_addr().map_err(at(wanted))?);
            api_port = Some(port);
        }
        let given = match settings.certificate {
            // One out of its time is shown all the same: who gives it wants to see what comes of it.
            Some(files) => Some(Identities::load(&world, vec![files])?.0.shown()),
            None => None,
        };
        let kept = Kept::new(world.clone(), settings.keep.clone());
        let kept = kept.map_err(|source| StartError::Keep {
            path: settings.keep.unwrap_or_default(),
            source,
        })?;
        let plan = Plan::new(settings.script, settings.seed, &world);
        Ok(Sink {
            smtp,
            smtps,
            api,
            seed: plan.seed,
            shared: Arc::new(Shared {
                vault: Vault::new(world.clone(), given),
                world,
                kept: Arc::new(kept),
                log: settings.log,
                plan: RwLock::new(Arc::new(plan)),
                open: Mutex::default(),
            }),
            port,
            smtps_port,
            api_port,
        })
    }

    /// The certificate of its own authority, in PEM: who trusts it trusts the sink.
    pub fn authority(&self) -> Result<String, MintError> {
        self.shared.vault.authority()
    }

    /// What it receives.
    #[must_use]
    pub fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.shared.kept)
    }

    /// Serves without an end. When the future is dropped, the sessions are.
    pub async fn serve(self) {
        let Sink {
            shared,
            port,
            smtps_port,
            api_port,
            ..
        } = self;
        let room = Arc::new(Semaphore::new(MOST_SESSIONS));
        let api = async {
            if let Some(port) = api_port {
                api::serve(port, Arc::clone(&shared)).await;
            }
        };
        let smtps = async {
            if let Some(port) = smtps_port {
                take_sessions(port, &shared, &room, true).await;
            }
        };
        tokio::join!(take_sessions(port, &shared, &room, false), smtps, api);
    }
}

impl Port {
    async fn take(
        world: &World,
        wanted: SocketAddr,
        closed: bool,
    ) -> Result<(Port, SocketAddr), StartError> {
        let at = |source| StartError::Listen {
            address: wanted,
            source,
        };
        if closed {
            let port = ClosedPort::take(wanted).map_err(at)?;
            let address = port.local_addr().map_err(at)?;
            return Ok((Port::Closed(port), address));
        }
        let port = world.net.listen(wanted).await.map_err(at)?;
        let address = port.local_addr().map_err(at)?;
        Ok((Port::Open(port), address))
    }
}

/// Sessions of a port, without an end.
async fn take_sessions(port: Port, shared: &Arc<Shared>, room: &Arc<Semaphore>, implicit: bool) {
    let listener = match port {
        Port::Open(listener) => listener,
        Port::Closed(_held) => return std::future::pending().await,
    };
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(room).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, client)) => {
                let open = Open::new(shared, client.ip());
                let shared = Arc::clone(shared);
                tasks.spawn(async move {
                    session::run(&shared, stream, client, implicit).await;
                    drop((open, place));
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
