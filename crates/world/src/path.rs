//! What the system knows of the way that a connection takes: sizes, and what is not getting through.

use std::net::SocketAddr;

use socket2::SockRef;

use crate::Stream;

/// The state of a connection's way, as far as the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathState {
    /// The largest packet that the system believes gets through (`IP_MTU`).
    pub mtu: Option<u32>,
    /// The largest piece of data in one packet (`TCP_MAXSEG`).
    pub segment: Option<u32>,
    /// Bytes that were sent or wait to be, and that the other side has not confirmed.
    pub unconfirmed: Option<u64>,
    /// How often in a row the oldest of them was sent again for nothing.
    pub retransmits: Option<u32>,
}

/// The tables of the system's connections; those of this thread's network.
const TABLES: [&str; 2] = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];

impl Stream {
    /// What the system knows of the way; empty where there is none, as over a Unix socket.
    pub async fn path_state(&self) -> PathState {
        let stream = match self {
            Stream::Tcp(stream) => stream,
            Stream::Layered(layer) => return Box::pin(layer.under().path_state()).await,
            Stream::Unix(_) | Stream::Memory(_) | Stream::Gone => return PathState::default(),
        };
        let (Ok(ours), Ok(theirs)) = (stream.local_addr(), stream.peer_addr()) else {
            return PathState::default();
        };
        let mtu = match ours {
            SocketAddr::V4(_) => rustix::net::sockopt::ip_mtu(stream),
            SocketAddr::V6(_) => rustix::net::sockopt::ipv6_mtu(stream),
        };
        let segment = SockRef::from(stream).tcp_mss();
        let read = tokio::task::spawn_blocking(move || {
            let tables = TABLES
                .iter()
                .filter_map(|t| std::fs::read_to_string(t).ok());
            tables
                .into_iter()
                .find_map(|t| outstanding(&t, ours, theirs))
        });
        let (unconfirmed, retransmits) = read.await.ok().flatten().unzip();
        PathState {
            mtu: mtu.ok(),
            segment: segment.ok(),
            unconfirmed,
            retransmits,
        }
    }
}

/// From a table like `/proc/net/tcp` (proc(5)): what a connection has not got through, and how often
/// it was sent again.
fn outstanding(table: &str, ours: SocketAddr, theirs: SocketAddr) -> Option<(u64, u32)> {
    let (ours, theirs) = (in_table(ours), in_table(theirs));
    for line in table.lines() {
        let mut fields = line.split_ascii_whitespace().skip(1);
        if fields.next() != Some(ours.as_str()) || fields.next() != Some(theirs.as_str()) {
            continue;
        }
        let queues = fields.nth(1)?;
        let sending = queues.split(':').next()?;
        let retransmits = fields.nth(1)?;
        return Some((
            u64::from_str_radix(sending, 16).ok()?,
            u32::from_str_radix(retransmits, 16).ok()?,
        ));
    }
    None
}

/// An address as it stands in the table: words of the machine's byte order, in hex.
fn in_table(address: SocketAddr) -> String {
    let octets = match address {
        SocketAddr::V4(v4) => v4.ip().octets().to_vec(),
        SocketAddr::V6(v6) => v6.ip().octets().to_vec(),
    };
    let words = octets.chunks_exact(4).map(|word| {
        let word = word.try_into().unwrap_or_default();
        format!("{:08X}", u32::from_ne_bytes(word))
    });
    format!("{}:{:04X}", words.collect::<String>(), address.port())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::{Net as _, Peer, RealNet};

    #[test]
    fn a_connection_is_found_in_the_table_of_the_system() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 010200C0:8235 0B0200C0:09C4 01 00004380:00000000 01:00000019 00000007  1000        0 2 2";
        let at = |text: &str| text.parse().unwrap();
        let found = outstanding(table, at("192.0.2.1:33333"), at("192.0.2.11:2500"));
        if cfg!(target_endian = "little") {
            assert_eq!(found, Some((0x4380, 7)));
        }
        assert_eq!(
            outstanding(table, at("192.0.2.2:1"), at("192.0.2.11:2500")),
            None
        );
        assert_eq!(in_table(at("[::1]:25")).len(), 32 + 5);
    }

    #[tokio::test]
    async fn what_nobody_reads_is_seen_as_unconfirmed_or_confirmed_with_its_sizes() {
        for on in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = RealNet.listen(on.parse().unwrap()).await else {
                continue; // No IPv6 here.
            };
            let to = Peer::Tcp(listener.local_addr().unwrap());
            let mut stream = RealNet.connect(&to).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            let state = stream.path_state().await;
            assert!(state.mtu.is_some_and(|mtu| mtu >= 1280), "{state:?}");
            assert!(state.segment.is_some_and(|mss| mss > 500), "{state:?}");
            assert_eq!(state.retransmits, Some(0), "{state:?}");
            assert!(state.unconfirmed.is_some(), "{state:?}");
        }
    }
}
