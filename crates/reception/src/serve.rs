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
use crate::{Receiver, Shared, session};

/// How long to wait when the system gives no connection, for want of file descriptors say.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a client may take to read why it is turned away.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long sessions may take beyond the grace period to say their last word.
const LAST_WORD: Duration = Duration::from_secs(10);

impl Receiver {
    /// Takes connections until `shutdown` becomes true or its sender is gone; then returns when the
    /// last session has ended. Idle sessions end at once with `421`; content that is being received
    /// has the grace period. When the future is dropped, the sessions are.
    pub async fn serve(&self, listener: Listener, shutdown: watch::Receiver<bool>) {
        let mut sessions = JoinSet::new();
        let mut stop = shutdown.clone();
        loop {
            tokio::select! {
                biased;
                () = stopping(&mut stop) => break,
                Some(ended) = sessions.join_next() => note_panic(ended),
                connection = listener.accept() => match connection {
                    Ok((stream, from)) => self.take(&mut sessions, stream, from, &shutdown),
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

    fn take(
        &self,
        sessions: &mut JoinSet<()>,
        stream: Stream,
        from: SocketAddr,
        shutdown: &watch::Receiver<bool>,
    ) {
        let shared = Arc::clone(&self.shared);
        match admit(&shared, from.ip()) {
            Ok(permit) => {
                let shutdown = shutdown.clone();
                sessions.spawn(async move {
                    session::run(shared, stream, from, shutdown).await;
                    drop(permit);
                });
            }
            Err(refusal) => {
                let reply = refusal.reply(&shared.settings.hostname);
                let reason = refusal.name();
                tracing::info!(client = %from.ip().to_canonical(), reason, %reply, "connection refused");
                sessions.spawn(turn_away(shared, stream, refusal));
            }
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
async fn turn_away(shared: Arc<Shared>, mut stream: Stream, refusal: Refusal) {
    let mut reply = BytesMut::new();
    refusal.reply(&shared.settings.hostname).write(&mut reply);
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
