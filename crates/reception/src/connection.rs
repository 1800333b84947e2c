//! Bytes in and out, within the time allowed.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use diagnosis::facts::BreakKind;
use diagnosis::tls::TlsFailure;
use tls::{Acceptor, ServerSession};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use world::Stream;

use crate::pace::{Overdue, Pace};
use crate::{Settings, serve};

/// Bytes taken from the system at once.
const PIECE: usize = 64 * 1024;

thread_local! {
    /// Where each thread reads to, so that a connection which waits holds no buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; PIECE].into_boxed_slice());
}

/// What came while waiting for the client.
#[derive(Debug)]
pub(crate) enum Input {
    /// So many bytes.
    Bytes(usize),
    /// The client closed the connection.
    End,
    /// The connection broke.
    Broken(io::Error),
    /// Nothing in time.
    Overdue(Overdue),
    /// The relay begins to stop; told once.
    Stopping,
}

/// A client's connection.
pub(crate) struct Connection {
    stream: Stream,
    timer: Pin<Box<Sleep>>,
    shutdown: watch::Receiver<bool>,
    stopping: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(stream: Stream, shutdown: watch::Receiver<bool>) -> Connection {
        Connection {
            stream,
            timer: Box::pin(sleep_until(Instant::now())),
            shutdown,
            stopping: None,
        }
    }

    /// Whether the relay stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Waits for bytes and hands them to `sink`.
    pub(crate) async fn read(
        &mut self,
        pace: &Pace,
        settings: &Settings,
        mut sink: impl FnMut(&[u8]),
    ) -> Input {
        let (limit, why) = pace.limit(settings, self.stopping);
        // A timer that fires too early is set again; one that is not touched costs nothing.
        if self.timer.is_elapsed() || self.timer.deadline() > limit {
            self.timer.as_mut().reset(limit);
        }
        let Connection {
            stream,
            timer,
            shutdown,
            stopping,
        } = self;
        loop {
            tokio::select! {
                biased;
                read = poll_fn(|cx| poll_read(stream, cx, &mut sink)) => return match read {
                    Ok(0) => Input::End,
                    Ok(bytes) => Input::Bytes(bytes),
                    Err(error) => Input::Broken(error),
                },
                () = serve::stopping(shutdown), if stopping.is_none() => {
                    *stopping = Some(Instant::now());
                    return Input::Stopping;
                }
                () = timer.as_mut() => {
                    if Instant::now() >= limit {
                        return Input::Overdue(why);
                    }
                    timer.as_mut().reset(limit);
                }
            }
        }
    }

    /// Whether the client says something within this time.
    pub(crate) async fn speaks_within(&mut self, delay: Duration) -> bool {
        let spoke = poll_fn(|cx| poll_read(&mut self.stream, cx, &mut |_| {}));
        matches!(timeout(delay, spoke).await, Ok(Ok(1..)))
    }

    /// Writes all of `output`.
    pub(crate) async fn write(&mut self, output: &[u8], within: Duration) -> io::Result<()> {
        let write = async {
            self.stream.write_all(output).await?;
            // A TLS session may hold back what the system would not take at once.
            self.stream.flush().await
        };
        timeout(within, write).await?
    }

    /// Does the handshake that makes the connection secure. After a failure it is gone.
    pub(crate) async fn secure(
        &mut self,
        acceptor: &Acceptor,
        within: Duration,
    ) -> Result<ServerSession, TlsFailure> {
        let plain = self.stream.detach();
        let handshake = timeout(within, acceptor.accept(plain));
        tokio::select! {
            biased;
            shaken = handshake => {
                let timed_out = TlsFailure::Broke(BreakKind::TimedOut);
                let (stream, session) = shaken.unwrap_or(Err(timed_out))?;
                self.stream = stream;
                Ok(session)
            }
            () = serve::stopping(&mut self.shutdown), if self.stopping.is_none() => {
                Err(TlsFailure::Broke(BreakKind::Closed))
            }
        }
    }

    /// Closes. A client that is still sending gets a while to read our last reply: closing with
    /// unread input makes the system reset the connection, which may destroy the reply on its way.
    pub(crate) async fn close(mut self, still_sending: bool) {
        const WHILE: Duration = Duration::from_secs(2);
        const PIECES: usize = 64;
        let Connection { stream, .. } = &mut self;
        let linger = async {
            if stream.shutdown().await.is_err() || !still_sending {
                return;
            }
            for _ in 0..PIECES {
                match poll_fn(|cx| poll_read(stream, cx, &mut |_| {})).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        // Not more than a courtesy: the session is over either way.
        let _ = timeout(WHILE, linger).await;
    }
}

fn poll_read(
    stream: &mut Stream,
    cx: &mut Context<'_>,
    sink: &mut impl FnMut(&[u8]),
) -> Poll<io::Result<usize>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        sink(bytes);
        Poll::Ready(Ok(bytes.len()))
    })
}
