//! The third step of a start: the ports, the control socket, and the file that says where they are.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use config::Config;
use reception::Door;
use tokio::signal::unix::Signal;
use world::{Listener, World};

use super::control_server::Control;
use super::stop::{self, Signals};
use super::{Ground, StartError, settings, users};
use crate::place::{self, ServerFile};

/// Where clients and the administrator come in.
pub(super) struct Doors {
    pub(super) listeners: Vec<(Listener, Door)>,
    pub(super) control: Control,
    pub(super) signals: Signals,
    pub(super) hangup: Signal,
    pub(super) trace: Trace,
}

/// What others find the server by.
pub(super) struct Trace {
    data: PathBuf,
    file: ServerFile,
}

impl Doors {
    pub(super) async fn open(ground: &Ground<'_>) -> Result<Doors, StartError> {
        let listening = "listening for signals";
        let signals = Signals::listen().map_err(StartError::system(listening))?;
        let hangup = stop::hangup().map_err(StartError::system(listening))?;
        // The control socket before any port: whoever finds a port open finds that too.
        let socket = place::control_socket(&ground.data);
        let control = Control::listen(&socket).map_err(|source| StartError::Control {
            path: socket.clone(),
            source,
        })?;
        let opened = open(ground.config, &ground.world).await;
        let (mut listeners, others) = opened.inspect_err(|_| remove(&socket))?;
        let trace = Trace {
            data: ground.data.clone(),
            file: ServerFile {
                pid: std::process::id(),
                smtp: addresses(&listeners, false)?,
                smtps: addresses(&listeners, true)?,
                control: socket,
            },
        };
        // At once: whoever finds the port open reads it.
        let written = trace.file.write(&trace.data);
        written.map_err(StartError::system("writing server.json"))?;
        listeners.extend(others);
        Ok(Doors {
            listeners,
            control,
            signals,
            hangup,
            trace,
        })
    }
}

impl Trace {
    /// Nobody may find this server any more.
    pub(super) fn hide(&self) {
        ServerFile::remove(&self.data);
    }

    pub(super) fn remove_socket(&self) {
        remove(&self.file.control);
    }

    pub(super) fn announce(&self, config: &Config) {
        let text = |of: &[SocketAddr]| {
            let all: Vec<String> = of.iter().map(ToString::to_string).collect();
            all.join(" ")
        };
        let networks = config.relay.networks.iter();
        let networks: Vec<String> = networks.map(ToString::to_string).collect();
        let smtps = &self.file.smtps;
        tracing::info!(
            smtp = text(&self.file.smtp),
            also = users::listed(config),
            smtps = (!smtps.is_empty()).then(|| text(smtps)),
            data = %self.data.display(),
            hostname = settings::hostname(config),
            may_relay = networks.join(" "),
            "ready; stop with Ctrl-C or SIGTERM"
        );
    }
}

/// The control socket, when it is of no more use; a leftover does no harm.
fn remove(socket: &Path) {
    let _ = std::fs::remove_file(socket);
}

type Listeners = Vec<(Listener, Door)>;

/// For other servers, and for users and servers next door.
async fn open(config: &Config, world: &World) -> Result<(Listeners, Listeners), StartError> {
    Ok((
        listen(config, world).await?,
        users::listen(config, world).await?,
    ))
}

async fn listen(config: &Config, world: &World) -> Result<Listeners, StartError> {
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

/// Where other servers find us.
fn addresses(
    listeners: &[(Listener, Door)],
    implicit_tls: bool,
) -> Result<Vec<SocketAddr>, StartError> {
    let kind = listeners
        .iter()
        .filter(|(_, door)| door.implicit_tls == implicit_tls);
    let addresses = kind.map(|(listener, _)| listener.local_addr());
    addresses
        .collect::<io::Result<Vec<_>>>()
        .map_err(StartError::system("asking where we listen"))
}
