//! A network within the process, with faults on request.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;

use crate::{Listener, Net, Peer, Stream};

/// What befalls connections to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The host answers that nothing listens there.
    Refused,
    /// No answer ever comes.
    Silent,
    /// The network has no way there.
    Unreachable,
    /// The connection closes once the client has sent so many bytes; they still arrive.
    CutAfter(u64),
    /// The connection closes once the server has answered so many bytes; the client gets no more.
    CutAnswersAfter(u64),
    /// What the client sends at once and is larger than this never arrives, nor anything after it.
    LosesLarger(u64),
}

/// A network within the process: connections lead to those who listen in it.
#[derive(Debug, Default)]
pub struct SimNet {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    listeners: HashMap<SocketAddr, mpsc::Sender<(DuplexStream, SocketAddr)>>,
    faults: HashMap<SocketAddr, Fault>,
    sources: Vec<IpAddr>,
    connections: u16,
}

const BUFFER: usize = 64 * 1024;
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl SimNet {
    /// Gives this machine an address, in place of loopback. The first of a family is used.
    pub fn add_source(&self, address: IpAddr) {
        self.state.lock().sources.push(address);
    }

    /// Sets or ends what befalls connections to an address.
    pub fn set_fault(&self, address: SocketAddr, fault: Option<Fault>) {
        let mut state = self.state.lock();
        match fault {
            Some(fault) => state.faults.insert(address, fault),
            None => state.faults.remove(&address),
        };
    }
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[async_trait]
impl Net for SimNet {
    async fn connect_from(&self, from: Option<IpAddr>, to: &Peer) -> io::Result<Stream> {
        let Peer::Tcp(address) = to else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let (listener, fault, client) = {
            let mut state = self.state.lock();
            state.connections = state.connections.wrapping_add(1).max(1024);
            let own = &state.sources;
            if from.is_some_and(|from| !own.is_empty() && !own.contains(&from)) {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            let client = SocketAddr::new(from.unwrap_or(CLIENT), state.connections);
            let fault = state.faults.get(address).copied();
            (state.listeners.get(address).cloned(), fault, client)
        };
        match fault {
            Some(Fault::Refused) => return Err(refused()),
            Some(Fault::Silent) => std::future::pending().await,
            Some(Fault::Unreachable) => return Err(io::ErrorKind::HostUnreachable.into()),
            Some(Fault::CutAfter(_) | Fault::CutAnswersAfter(_) | Fault::LosesLarger(_)) | None => {
            }
        }
        let (ours, theirs) = duplex(BUFFER);
        listener
            .ok_or_else(refused)?
            .send((theirs, client))
            .await
            .map_err(|_| refused())?;
        match fault {
            Some(Fault::CutAfter(bytes)) => Ok(Stream::Memory(cut(ours, bytes, u64::MAX))),
            Some(Fault::CutAnswersAfter(bytes)) => Ok(Stream::Memory(cut(ours, u64::MAX, bytes))),
            Some(Fault::LosesLarger(bytes)) => Ok(Stream::Memory(losing(ours, bytes))),
            _ => Ok(Stream::Memory(ours)),
        }
    }

    fn source(&self, to: SocketAddr) -> io::Result<IpAddr> {
        let sources = &self.state.lock().sources;
        let same = |own: &&IpAddr| own.is_ipv4() == to.is_ipv4();
        match sources.iter().find(same) {
            Some(own) => Ok(*own),
            None if sources.is_empty() && to.is_ipv4() => Ok(CLIENT),
            None => Err(io::ErrorKind::NetworkUnreachable.into()),
        }
    }

    async fn listen(&self, on: SocketAddr) -> io::Result<Listener> {
        let (sender, incoming) = mpsc::channel(1024);
        let mut state = self.state.lock();
        if state.listeners.get(&on).is_some_and(|old| !old.is_closed()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.listeners.insert(on, sender);
        Ok(Listener::Memory {
            on,
            incoming: tokio::sync::Mutex::new(incoming),
        })
    }
}

/// Puts a wire between the client and `far` that breaks after so many bytes in a direction.
fn cut(far: DuplexStream, sent: u64, answered: u64) -> DuplexStream {
    let (client, near) = duplex(BUFFER);
    let (mut near_read, mut near_write) = tokio::io::split(near);
    let (mut far_read, mut far_write) = tokio::io::split(far);
    tokio::spawn(async move {
        // Either direction's end breaks the wire as a whole.
        tokio::select! {
            () = carry(&mut near_read, &mut far_write, sent) => {}
            () = carry(&mut far_read, &mut near_write, answered) => {}
        }
    });
    client
}

/// Puts a wire between the client and `far` that loses what is large, and all that comes after it, as
/// TCP does whose packets are too large for the way.
fn losing(far: DuplexStream, largest: u64) -> DuplexStream {
    let (client, near) = duplex(BUFFER);
    let (mut near_read, mut near_write) = tokio::io::split(near);
    let (mut far_read, mut far_write) = tokio::io::split(far);
    tokio::spawn(async move {
        let mut buffer = vec![0; BUFFER];
        while let Ok(length) = near_read.read(&mut buffer).await {
            if length as u64 > largest {
                return std::future::pending::<()>().await;
            }
            if length == 0 || far_write.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move { carry(&mut far_read, &mut near_write, u64::MAX).await });
    client
}

async fn carry(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut left: u64,
) {
    let mut buffer = [0; 4096];
    while left > 0 {
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        match from.read(&mut buffer[..most]).await {
            Ok(0) | Err(_) => return,
            Ok(length) => {
                left -= length as u64;
                if to.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> SocketAddr {
        "192.0.2.1:25".parse().unwrap()
    }

    async fn talk(net: &SimNet, listener: &Listener, say: &[u8]) -> Vec<u8> {
        let mut client = net.connect(&Peer::Tcp(address())).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let serve = async move {
            let mut got = Vec::new();
            server.read_to_end(&mut got).await.unwrap();
            got
        };
        let ask = async move {
            // A cut wire is what some of the tests are about.
            let _ = client.write_all(say).await;
            let _ = client.shutdown().await;
        };
        tokio::join!(serve, ask).0
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_arrives_and_a_cut_wire_carries_only_so_much() {
        let net = SimNet::default();
        let listener = net.listen(address()).await.unwrap();
        assert_eq!(talk(&net, &listener, b"hello").await, b"hello");
        net.set_fault(address(), Some(Fault::CutAfter(3)));
        assert_eq!(talk(&net, &listener, b"hello").await, b"hel");
        net.set_fault(address(), None);
        assert_eq!(talk(&net, &listener, b"hello").await, b"hello");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_where_nobody_listens_refuses() {
        let net = SimNet::default();
        let error = net.connect(&Peer::Tcp(address())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
