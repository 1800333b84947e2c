//! The server's side of the control socket.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use delivery::Engine;
use queue::{DestinationKey, RecipientState, Store, StoreError};
use reception::Receiver;
use tls_reporter::Reporter;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use world::World;

use super::certificates::Certificates;
use crate::control::{Answer, Request};

pub(crate) struct Control {
    listener: UnixListener,
}

/// Whom the control socket's clients talk to.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Engine,
    pub(crate) receiver: Receiver,
    pub(crate) world: World,
    pub(crate) certificates: Certificates,
    pub(crate) reporter: Option<Arc<Reporter>>,
}

/// Why there is nothing to send.
const NO_REPORTS: &str = "no reports on TLS are gathered: add [tls.reports] with `organization` and `contact` to the configuration (docs/tls.md)";
/// The longest request.
const MAX_LINE: u64 = 1 << 20;
/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

impl Control {
    /// Listens on a socket that only this user can open; one that a crash left is replaced: whoever
    /// comes here holds the lock of the data directory.
    pub(crate) fn listen(path: &Path) -> io::Result<Control> {
        use std::os::unix::fs::PermissionsExt;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Control { listener })
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve(self, asked: Asked) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let asked = asked.clone();
                    tokio::spawn(async move {
                        if let Err(error) = asked.talk(stream).await {
                            tracing::debug!(%error, "a control client went away");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a control connection");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Asked {
    async fn talk(&self, stream: UnixStream) -> io::Result<()> {
        let (reading, mut writing) = stream.into_split();
        let mut line = String::new();
        let mut reader = BufReader::new(reading.take(MAX_LINE));
        tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await??;
        let answer = match serde_json::from_str(&line) {
            Ok(request) => match self.answer(request).await {
                Ok(answer) => answer,
                Err(error) => Answer::Failed(error.to_string()),
            },
            Err(error) => Answer::Failed(format!("the request is not understood: {error}")),
        };
        let mut line = serde_json::to_vec(&answer).map_err(io::Error::from)?;
        line.push(b'\n');
        writing.write_all(&line).await
    }

    async fn answer(&self, request: Request) -> Result<Answer, StoreError> {
        let now = self.world.clock.now();
        match request {
            Request::Change {
                message,
                recipients,
                to,
            } => {
                let only = recipients.as_deref();
                self.engine.withdraw(message, only);
                let changed = self.store.change(message, only, to, now).await;
                // Whatever came of it, what is queued is to be looked at.
                let story = self.store.story(message).await;
                for recipient in story.iter().flat_map(|s| &s.recipients) {
                    if recipient.state == RecipientState::Queued {
                        let due = recipient.next_attempt.unwrap_or(now);
                        match to {
                            RecipientState::Queued => self.engine.wake(&recipient.destination, due),
                            _ => self.engine.look_again(&recipient.destination, due),
                        }
                    }
                }
                let changed = changed?;
                tracing::info!(id = %message, to = to.as_str(), recipients = changed.len(), "changed by the administrator");
                Ok(Answer::Changed(
                    changed.iter().map(|r| r.address.to_string()).collect(),
                ))
            }
            Request::PauseReceiving { paused } => {
                let before = self.store.pause_intake(paused, now).await?;
                self.receiver.set_paused(paused);
                tracing::info!(
                    paused,
                    since = before.map(tracing::field::display),
                    "receiving was changed by the administrator"
                );
                Ok(Answer::Done)
            }
            Request::ReloadCertificates => {
                self.certificates.wake.notify_one();
                Ok(Answer::Reloaded(self.certificates.reload().await))
            }
            Request::SendTlsReports { day } => match &self.reporter {
                Some(reporter) => {
                    let reports = reporter.send_now(day).await?;
                    tracing::info!(
                        reports,
                        day = day.map(tracing::field::display),
                        "reports on TLS go now, by the administrator's wish"
                    );
                    Ok(Answer::TlsReports(reports))
                }
                None => Ok(Answer::Failed(NO_REPORTS.to_owned())),
            },
            Request::Pause {
                destination,
                paused,
            } => {
                let key = DestinationKey::new(&destination);
                self.store.pause(&key, paused, now).await?;
                self.engine.set_paused(&key, paused);
                tracing::info!(destination = %key, paused, "changed by the administrator");
                Ok(Answer::Done)
            }
        }
    }
}
