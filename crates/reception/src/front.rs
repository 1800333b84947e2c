//! Who is at the other end, where a proxy stands before us (HAProxy's PROXY protocol).

use std::net::SocketAddr;
use std::time::Duration;

use smtp::proxy::{self, Header, Progress, ProxyError};
use tokio::io::AsyncReadExt as _;
use world::Stream;

/// How long a proxy may take for its header, which it sends at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a connection of a proxy is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoHeader {
    #[error(transparent)]
    Wrong(#[from] ProxyError),
    #[error("the header did not come in time")]
    Late,
    #[error("the connection ended before the header did: {0}")]
    Ended(std::io::Error),
}

/// Reads the header, and nothing after it; answers whose the connection is.
pub(crate) async fn client(stream: &mut Stream, proxy: SocketAddr) -> Result<SocketAddr, NoHeader> {
    let reading = async {
        let mut have = Vec::new();
        loop {
            match proxy::read(&have)? {
                Progress::Done(Header::For { source, .. }) => return Ok(source),
                Progress::Done(Header::Local) => return Ok(proxy),
                Progress::More(more) => {
                    let from = have.len();
                    have.resize(from + more, 0);
                    let read = stream.read_exact(&mut have[from..]).await;
                    read.map_err(NoHeader::Ended)?;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .unwrap_or(Err(NoHeader::Late))
}
