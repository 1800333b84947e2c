//! What tables behind a server have in common: finding it, holding a connection, keeping answers a while.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dns::Resolver;
use parking_lot::Mutex;
use recipients::{Entry, TableFailed};
use tokio::time::{Instant, timeout};
use world::{Disk, Peer, Stream, World};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A host, by name or address, and a port.
    Host(String, u16),
    /// A Unix socket.
    Socket(PathBuf),
}

/// How long a question may take, with the connection that it may need first.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after a failure nobody tries to connect again.
const PAUSE: Duration = Duration::from_secs(1);
/// Answers that are kept for each table; beyond it all are forgotten.
const MOST_KEPT: usize = 20_000;
/// No password is longer than this.
const LONGEST_LINE: usize = 4096;

/// Finds servers.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) world: World,
    pub(crate) resolver: Arc<dyn Resolver>,
}

impl Dialer {
    /// A connection to the first address of the server that takes one.
    pub(crate) async fn connect(&self, place: &Place) -> Result<Stream, TableFailed> {
        let mut last = TableFailed("the server has no address".to_owned());
        for peer in self.peers(place).await? {
            match self.world.net.connect(&peer).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = TableFailed(format!("{peer}: {error}")),
            }
        }
        Err(last)
    }

    async fn peers(&self, place: &Place) -> Result<Vec<Peer>, TableFailed> {
        let (host, port) = match place {
            Place::Socket(path) => return Ok(vec![Peer::Unix(path.clone())]),
            Place::Host(host, port) => (host, *port),
        };
        let addresses = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let asked = self.resolver.addresses(host).await;
                asked.map_err(|error| TableFailed(format!("{host}: {error}")))?
            }
        };
        let peer = |address| Peer::Tcp(SocketAddr::new(address, port));
        Ok(addresses.into_iter().map(peer).collect())
    }

    /// The first line of a file.
    pub(crate) async fn password(&self, path: &Path) -> Result<String, TableFailed> {
        let (disk, of) = (Arc::clone(&self.world.disk), path.to_owned());
        let read = tokio::task::spawn_blocking(move || first_line(&*disk, &of)).await;
        let told = |error: String| TableFailed(format!("{}: {error}", path.display()));
        match read {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(error)) => Err(told(error.to_string())),
            Err(error) => Err(told(error.to_string())),
        }
    }
}

fn first_line(disk: &dyn Disk, path: &Path) -> io::Result<String> {
    let mut bytes = vec![0; LONGEST_LINE];
    let read = disk.open(path)?.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// A question in its time.
pub(crate) async fn in_time<T>(
    question: impl Future<Output = Result<T, TableFailed>>,
) -> Result<T, TableFailed> {
    let late = |_| {
        let seconds = PATIENCE.as_secs();
        TableFailed(format!("no answer within {seconds} seconds"))
    };
    timeout(PATIENCE, question).await.map_err(late)?
}

/// A connection that is made when it is needed, and anew when it has ended.
pub(crate) struct Held<C>(tokio::sync::Mutex<State<C>>);

struct State<C> {
    connection: Option<C>,
    failed: Option<(Instant, TableFailed)>,
}

impl<C> Default for Held<C> {
    fn default() -> Held<C> {
        Held(tokio::sync::Mutex::new(State {
            connection: None,
            failed: None,
        }))
    }
}

impl<C: Clone> Held<C> {
    /// The connection; one that is made now, where there is none that is of use.
    pub(crate) async fn get(
        &self,
        is_open: impl FnOnce(&mut C) -> bool,
        connect: impl Future<Output = Result<C, TableFailed>>,
    ) -> Result<C, TableFailed> {
        let mut state = self.0.lock().await;
        if let Some(connection) = &mut state.connection
            && is_open(connection)
        {
            return Ok(connection.clone());
        }
        state.connection = None;
        if let Some((at, failure)) = &state.failed
            && at.elapsed() < PAUSE
        {
            return Err(failure.clone());
        }
        let made = connect.await;
        match &made {
            Ok(connection) => state.connection = Some(connection.clone()),
            Err(failure) => state.failed = Some((Instant::now(), failure.clone())),
        }
        made
    }

    /// The connection is of no more use.
    pub(crate) async fn let_go(&self) {
        self.0.lock().await.connection = None;
    }
}

/// What a table was answered, as long as that holds.
pub(crate) struct Answers {
    keep: Duration,
    known: Mutex<HashMap<String, (Instant, Option<Entry>)>>,
}

impl Answers {
    pub(crate) fn new(keep: Duration) -> Answers {
        Answers {
            keep,
            known: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Option<Entry>> {
        let known = self.known.lock();
        let (until, entry) = known.get(key)?;
        (*until > Instant::now()).then(|| entry.clone())
    }

    pub(crate) fn put(&self, key: &str, entry: &Option<Entry>) {
        if self.keep.is_zero() {
            return;
        }
        let mut known = self.known.lock();
        if known.len() >= MOST_KEPT {
            known.clear();
        }
        known.insert(key.to_owned(), (Instant::now() + self.keep, entry.clone()));
    }
}
