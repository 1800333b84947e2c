//! A connection under a handshake: what came before goes first, and what is sent may be cut off.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use world::{Layer, Stream};

/// How many bytes may still be sent.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<AtomicU64>);

impl Budget {
    pub(super) fn new(bytes: Option<u64>) -> Budget {
        Budget(Arc::new(AtomicU64::new(bytes.unwrap_or(u64::MAX))))
    }

    /// No end any more.
    pub(super) fn lift(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn spend(&self, bytes: usize) {
        let left = self.0.load(Ordering::Relaxed);
        if left != u64::MAX {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.0.store(left.saturating_sub(bytes), Ordering::Relaxed);
        }
    }
}

/// The connection.
#[derive(Debug)]
pub(super) struct Spoiled {
    pub(super) inner: Stream,
    /// Received already.
    pub(super) before: BytesMut,
    pub(super) budget: Budget,
}

impl Layer for Spoiled {
    fn beneath(self: Box<Self>) -> Stream {
        self.inner
    }

    fn under(&self) -> &Stream {
        &self.inner
    }
}

impl AsyncRead for Spoiled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let length = self.before.len().min(buf.remaining());
        if let Some(piece) = self.before.get(..length) {
            buf.put_slice(piece);
        }
        self.before.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Spoiled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.budget.is_spent() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let left = self.budget.0.load(Ordering::Relaxed);
        let length = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let piece = buf.get(..length).unwrap_or(buf);
        let written = std::task::ready!(Pin::new(&mut self.inner).poll_write(cx, piece))?;
        self.budget.spend(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
