//! Bytes in and out, and the end.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::{End, Step, Talk};
use crate::ledger::Decision;
use crate::transcript::Who;

/// How long a client may say nothing; RFC 5321 §4.5.3.2.7 asks for five minutes at least.
pub(super) const IDLE: Duration = Duration::from_secs(300);
/// How long a client may take to read a reply.
const WRITE: Duration = Duration::from_secs(300);
/// How long a client that we left may go on sending.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long silence lasts at most.
const SILENCE: Duration = Duration::from_secs(3600);
const PIECE: usize = 32 * 1024;

/// What came in time.
enum Came {
    Bytes,
    Nothing,
}

impl Talk<'_> {
    /// Waits for bytes.
    pub(super) async fn read(&mut self) -> Step {
        match self.receive().await? {
            Came::Bytes => Ok(()),
            Came::Nothing => {
                // RFC 5321 §4.5.3.2: 421 before closing.
                let reply = smtp::OutgoingReply::plain(421, "4.4.2 nothing came for too long");
                self.session.close(&reply);
                let said = self.session.take_output();
                self.say(&said, &Decision::accept()).await?;
                Err(End::Close)
            }
        }
    }

    /// Waits for bytes of a handshake: there are no words for one that takes too long.
    pub(super) async fn read_handshake(&mut self) -> Step {
        match self.receive().await? {
            Came::Bytes => Ok(()),
            Came::Nothing => {
                self.note(Who::Event, "nothing came for too long");
                Err(End::Close)
            }
        }
    }

    async fn receive(&mut self) -> Result<Came, End> {
        self.input.reserve(PIECE);
        match timeout(IDLE, self.stream.read_buf(&mut self.input)).await {
            Ok(Ok(0)) => Err(End::Gone),
            Ok(Ok(_)) => Ok(Came::Bytes),
            Ok(Err(error)) => {
                self.note(Who::Event, &format!("the connection broke: {error}"));
                Err(End::Gone)
            }
            Err(_) => Ok(Came::Nothing),
        }
    }

    /// Writes what is to be written.
    pub(super) async fn flush(&mut self) -> Step {
        let output = self.output.split();
        self.write(&output).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Step {
        if bytes.is_empty() {
            return Ok(());
        }
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(WRITE, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Says something at the pace that was decided. At the usual pace it goes out with what else is to
    /// be said (RFC 2920 §3.2).
    pub(super) async fn say(&mut self, bytes: &[u8], pace: &Decision) -> Step {
        self.wait(pace).await?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.note(Who::Sink, &String::from_utf8_lossy(line));
        }
        let Some(gap) = pace.tarpit else {
            self.output.extend_from_slice(bytes);
            return Ok(());
        };
        self.flush().await?;
        for byte in bytes {
            self.write(std::slice::from_ref(byte)).await?;
            sleep(gap).await;
        }
        Ok(())
    }

    /// Waits as was decided, after all that was said before.
    pub(super) async fn wait(&mut self, pace: &Decision) -> Step {
        if !pace.delay.is_zero() {
            self.flush().await?;
            sleep(pace.delay).await;
        }
        Ok(())
    }

    /// Ends the session.
    pub(super) async fn finish(mut self, end: End) {
        // The client may be gone already; then there is nothing to write to.
        let written = self.flush().await.is_ok();
        match end {
            End::Close => {
                self.note(Who::Event, "closed");
                if written && self.stream.shutdown().await.is_ok() {
                    self.drain(FAREWELL).await;
                }
            }
            End::Reset => {
                self.note(Who::Event, "reset");
                // A connection that cannot be reset any more is gone.
                let _ = self.stream.reset();
            }
            End::Silence => {
                self.note(Who::Event, "silent from here on");
                self.drain(SILENCE).await;
                self.note(Who::Event, "the client left");
            }
            End::Gone => self.note(Who::Event, "the client left"),
        }
    }

    /// Reads and drops what comes until the client leaves, so that closing does not become a reset.
    async fn drain(&mut self, within: Duration) {
        let reading = async {
            let mut dropped = BytesMut::with_capacity(PIECE);
            while let Ok(1..) = self.stream.read_buf(&mut dropped).await {
                dropped.clear();
            }
        };
        // Not more than a courtesy: the session is over either way.
        let _ = timeout(within, reading).await;
    }
}
