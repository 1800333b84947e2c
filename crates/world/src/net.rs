//! The network: connections out and in, over TCP and Unix sockets.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Makes connections.
#[async_trait]
pub trait Net: Send + Sync {
    /// Connects. No time-out of its own beyond the system's.
    async fn connect(&self, to: &Peer) -> io::Result<Stream> {
        self.connect_from(None, to).await
    }
    /// Connects from this address of ours, where the other side has one.
    async fn connect_from(&self, from: Option<IpAddr>, to: &Peer) -> io::Result<Stream>;
    /// The address of ours that a connection there would come from. Nothing is sent for it.
    fn source(&self, to: SocketAddr) -> io::Result<IpAddr>;
    /// Listens on an address; port 0 takes a free one.
    async fn listen(&self, on: SocketAddr) -> io::Result<Listener>;
    /// Listens on a Unix socket, for its owner and group; one that a crash left is replaced.
    async fn listen_unix(&self, path: &Path) -> io::Result<Listener> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
    /// Within this process, in a simulation.
    Memory(DuplexStream),
    /// Within another connection: a TLS session, say.
    Layered(Box<dyn Layer>),
    /// None any more: it was taken away. Nothing can be read or written.
    Gone,
}

/// A connection within another.
pub trait Layer: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {
    /// The connection beneath; what the layer holds back is lost.
    fn beneath(self: Box<Self>) -> Stream;
    /// The connection beneath, to look at.
    fn under(&self) -> &Stream;
}

impl Stream {
    /// Takes the connection away, to put another in its place.
    #[must_use]
    pub fn detach(&mut self) -> Stream {
        std::mem::replace(self, Stream::Gone)
    }

    /// Resets the connection (RST) in place of closing it, where there is such a thing.
    pub fn reset(self) -> io::Result<()> {
        match self {
            // A socket that may not linger is reset when it is closed (socket(7)).
            Stream::Tcp(stream) => {
                socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))
            }
            Stream::Layered(layer) => layer.beneath().reset(),
            Stream::Unix(_) | Stream::Memory(_) | Stream::Gone => Ok(()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Unix(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Memory(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Layered(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(s) => Pin::new(s).poll_write(cx, buf),
            Stream::Unix(s) => Pin::new(s).poll_write(cx, buf),
            Stream::Memory(s) => Pin::new(s).poll_write(cx, buf),
            Stream::Layered(s) => Pin::new(s).poll_write(cx, buf),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Tcp(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Stream::Unix(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Stream::Memory(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Stream::Layered(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Stream::Gone => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Tcp(s) => s.is_write_vectored(),
            Stream::Unix(s) => s.is_write_vectored(),
            Stream::Memory(s) => s.is_write_vectored(),
            Stream::Layered(s) => s.is_write_vectored(),
            Stream::Gone => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(s) => Pin::new(s).poll_flush(cx),
            Stream::Unix(s) => Pin::new(s).poll_flush(cx),
            Stream::Memory(s) => Pin::new(s).poll_flush(cx),
            Stream::Layered(s) => Pin::new(s).poll_flush(cx),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Unix(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Memory(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Layered(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Gone => Poll::Ready(Ok(())),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// On a Unix socket. Its clients count as of 127.0.0.1.
    Unix(UnixListener),
    /// Within this process, in a simulation.
    Memory {
        /// The address it was asked for.
        on: SocketAddr,
        /// Connections as they come.
        incoming: tokio::sync::Mutex<tokio::sync::mpsc::Receiver<(DuplexStream, SocketAddr)>>,
    },
}

impl Listener {
    /// Waits for the next connection and its client's address.
    pub async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Replies are small and each is waited for: Nagle's delay only costs.
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), address))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), (Ipv4Addr::LOCALHOST, 0).into()))
            }
            Listener::Memory { incoming, .. } => match incoming.lock().await.recv().await {
                Some((stream, address)) => Ok((Stream::Memory(stream), address)),
                None => std::future::pending().await,
            },
        }
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr(),
            Listener::Unix(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
            Listener::Memory { on, .. } => Ok(*on),
        }
    }
}

/// The machine's network.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealNet;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

#[async_trait]
impl Net for RealNet {
    async fn connect_from(&self, from: Option<IpAddr>, to: &Peer) -> io::Result<Stream> {
        match to {
            Peer::Tcp(address) => {
                let socket = match address {
                    SocketAddr::V4(_) => TcpSocket::new_v4()?,
                    SocketAddr::V6(_) => TcpSocket::new_v6()?,
                };
                if let Some(from) = from {
                    socket.bind(SocketAddr::new(from, 0))?;
                }
                let stream = socket.connect(*address).await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Peer::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        }
    }

    fn source(&self, to: SocketAddr) -> io::Result<IpAddr> {
        // Connecting a UDP socket only chooses the way: no packet leaves.
        let socket = match to {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        socket.connect(to)?;
        Ok(socket.local_addr()?.ip())
    }

    async fn listen(&self, on: SocketAddr) -> io::Result<Listener> {
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(Domain::for_address(on), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if on.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&on.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(Listener::Tcp(TcpListener::from_std(socket.into())?))
    }

    async fn listen_unix(&self, path: &Path) -> io::Result<Listener> {
        use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
        // Only a socket is removed, and only where nobody listens any more.
        if let Ok(there) = std::fs::symlink_metadata(path)
            && there.file_type().is_socket()
            && UnixStream::connect(path).await.is_err()
        {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Listener::Unix(listener))
    }
}

/// A port that refuses connections, and that nobody else gets while this lives.
#[derive(Debug)]
pub struct ClosedPort {
    socket: socket2::Socket,
}

impl ClosedPort {
    /// Takes it; port 0 takes a free one.
    pub fn take(on: SocketAddr) -> io::Result<ClosedPort> {
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(Domain::for_address(on), Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&on.into())?;
        Ok(ClosedPort { socket })
    }

    /// The address that refuses.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let address = self.socket.local_addr()?.as_socket();
        address.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }
}
