//! Taking connections from a listener.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use world::{Listener, Stream};

use crate::limits::Permit;
use crate::rates::What;
use crate::refusal::Refusal;
use crate::{Receiver, Role, Shared, front, session};

/// How long to wait when the system gives no connection, for want of file descriptors say.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a client may take to read why it is turned away.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long sessions may take beyond the grace period to say their last word.
const LAST_WORD: Duration = Duration::from_secs(10);

/// What a listener is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// For whom.
    pub role: Role,
    /// TLS begins with the first byte (RFC 8314 §3.3); only where the settings have it.
    pub implicit_tls: bool,
}

impl Receiver {
    /// Takes connections until `shutdown` becomes true or its sender is gone; then returns when the
    /// last session has ended. Idle sessions end at once with `421`; content that is being received
    /// has the grace period. When the future is dropped, the sessions are.
    pub async fn serve(&self, listener: Listener, shutdown: watch::Receiver<bool>) {
        self.serve_at(listener, Door::default(), shutdown).await;
    }

    /// The same for a listener of another kind.
    pub async fn serve_at(&self, listener: Listener, door: Door, shutdown: watch::Receiver<bool>) {
        let mut sessions = JoinSet::new();
        let mut stop = shutdown.clone();
        loop {
            tokio::select! {
                biased;
                () = stopping(&mut stop) => break,
                Some(ended) = sessions.join_next() => note_panic(ended),
                connection = listener.accept() => match connection {
                    Ok((stream, from)) => {
                        let caller = Caller { stream, from, door };
                        self.take(&mut sessions, caller, &shutdown);
                    }
                    // The client gave up before we came to it.
                    Err(error) if matches!(
                        error.kind(),
                        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
                    ) => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot take a connection");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        let rest = async {
            while let Some(ended) = sessions.join_next().await {
                note_panic(ended);
            }
        };
        let limit = self.shared.settings.grace + LAST_WORD;
        if tokio::time::timeout(limit, rest).await.is_err() {
            tracing::warn!("sessions cut off that did not end in time");
        }
    }

    fn take(&self, sessions: &mut JoinSet<()>, caller: Caller, shutdown: &watch::Receiver<bool>) {
        let (shared, shutdown) = (Arc::clone(&self.shared), shutdown.clone());
        if shared.settings.trusted.is_proxy(caller.from.ip()) {
            sessions.spawn(behind_proxy(shared, caller, shutdown));
            return;
        }
        match admit(&shared, caller.from.ip()) {
            Ok(permit) => {
                sessions.spawn(async move {
                    session::run(shared, caller, shutdown).await;
                    drop(permit);
                });
            }
            Err(refusal) => {
                sessions.spawn(turn_away(shared, caller, refusal));
            }
        }
    }
}

/// A client that has connected.
pub(crate) struct Caller {
    pub(crate) stream: Stream,
    pub(crate) from: SocketAddr,
    pub(crate) door: Door,
}

/// A connection that a proxy makes for somebody: who that is comes before anything else, and counts.
async fn behind_proxy(shared: Arc<Shared>, mut caller: Caller, shutdown: watch::Receiver<bool>) {
    match front::client(&mut caller.stream, caller.from).await {
        Ok(from) => {
            caller.from = from;
            match admit(&shared, from.ip()) {
                Ok(permit) => {
                    session::run(shared, caller, shutdown).await;
                    drop(permit);
                }
                Err(refusal) => turn_away(shared, caller, refusal).await,
            }
        }
        // proxy-protocol.txt §2: without a valid header the connection is to be dropped at once, since
        // nobody can tell whose it is.
        Err(error) => {
            let (client, reason) = (caller.from.ip().to_canonical(), "no-proxy-header");
            tracing::warn!(%client, reason, %error, "connection refused");
        }
    }
}

/// Whether a client may have a connection.
fn admit(shared: &Shared, client: IpAddr) -> Result<Permit, Refusal> {
    let permit = shared.limits.admit(client).map_err(Refusal::TooMany)?;
    if let Some(counted) = shared.limits.counted(client) {
        let now = shared.world.clock.now();
        let took = shared.meter.take(What::Connections, counted, now);
        took.map_err(Refusal::TooFast)?;
    }
    Ok(permit)
}

/// RFC 5321 §3.1 and §3.8: a server that cannot serve says so in place of its greeting.
async fn turn_away(shared: Arc<Shared>, caller: Caller, refusal: Refusal) {
    let said = refusal.reply(&shared.settings.hostname);
    let (client, reason) = (caller.from.ip().to_canonical(), refusal.name());
    tracing::info!(%client, reason, reply = %said, "connection refused");
    // Under TLS from the first byte there is nobody to talk to before a handshake, and the load of one
    // is what is refused here.
    if caller.door.implicit_tls {
        return;
    }
    let mut stream = caller.stream;
    let mut reply = BytesMut::new();
    said.write(&mut reply);
    let say = async {
        stream.write_all(&reply).await?;
        stream.shutdown().await
    };
    // The client is free not to listen.
    let _ = tokio::time::timeout(FAREWELL, say).await;
}

/// Waits until the relay is to stop: told so, or left by whoever would tell.
pub(crate) async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a session broke off");
    }
}
