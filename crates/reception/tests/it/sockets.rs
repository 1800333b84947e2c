//! Real sockets, and the real store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use queue::{Body, Intake, RowFilter, Store};
use reception::{Receiver, Settings};
use store_sqlite::SqliteStore;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use world::World;

use crate::support::{FakeStore, RecordingCourier, settings, without_trace};

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

async fn start(settings: Settings, store: Arc<dyn Store>) -> Server {
    let world = World::real();
    let intake = Intake::new(store, Arc::new(RecordingCourier::default()));
    let listener = world
        .net
        .listen("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = Receiver::new(world, intake, settings);
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(async move { receiver.serve(listener, stopped).await });
    Server {
        address,
        stop,
        serving,
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(to: SocketAddr) -> Client {
        Client(BufReader::with_capacity(
            1_024,
            TcpStream::connect(to).await.unwrap(),
        ))
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    async fn expect(&mut self, start: &str) -> String {
        let read = async {
            loop {
                let mut line = String::new();
                self.0.read_line(&mut line).await.unwrap();
                if line.as_bytes().get(3) != Some(&b'-') {
                    return line;
                }
            }
        };
        let line = tokio::time::timeout(Duration::from_secs(60), read)
            .await
            .unwrap();
        assert!(line.starts_with(start), "expected `{start}`, got `{line}`");
        line
    }

    async fn submit(&mut self, content: &[u8]) -> String {
        self.say(b"EHLO client.example\r\n").await;
        self.expect("250 ").await;
        self.say(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
            .await;
        self.expect("250 ").await;
        self.expect("250 ").await;
        self.expect("354 ").await;
        self.say(content).await;
        self.say(b".\r\n").await;
        let reply = self.expect("250 2.0.0 Ok: queued as ").await;
        reply.trim().rsplit(' ').next().unwrap().to_owned()
    }
}

async fn stored(store: &dyn Store, id: &str) -> String {
    let body = store.body(id.parse().unwrap()).await.unwrap();
    let bytes = match body {
        Body::Inline(bytes) => bytes.to_vec(),
        Body::File(file) => {
            let mut bytes = Vec::new();
            loop {
                let piece = file.read(bytes.len() as u64, 1 << 20).await.unwrap();
                if piece.is_empty() {
                    break bytes;
                }
                bytes.extend_from_slice(&piece);
            }
        }
    };
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn small_and_large_messages_are_in_the_store_when_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(dir.path(), &World::real()).unwrap());
    let server = start(settings(), Arc::clone(&store) as Arc<dyn Store>).await;
    let line = format!("{}\r\n", "y".repeat(70));
    let large = format!("Subject: large\r\n\r\n{}", line.repeat(40_000));
    let mut client = Client::connect(server.address).await;
    client.expect("220 ").await;
    for content in ["Subject: small\r\n\r\nhello\r\n", &large] {
        let id = client.submit(content.as_bytes()).await;
        assert!(without_trace(&stored(&*store, &id).await) == content);
    }
    let filter = RowFilter {
        limit: 10,
        ..RowFilter::default()
    };
    assert_eq!(store.rows(filter).await.unwrap().len(), 2);
    server.stop.send(true).unwrap();
    client.expect("421 4.3.2 ").await;
    server.serving.await.unwrap();
}

#[tokio::test]
async fn many_sessions_at_once_are_all_confirmed_with_what_the_store_has() {
    const SESSIONS: usize = 20;
    const EACH: usize = 10;
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(dir.path(), &World::real()).unwrap());
    let server = start(settings(), Arc::clone(&store) as Arc<dyn Store>).await;
    let mut sessions = tokio::task::JoinSet::new();
    for session in 0..SESSIONS {
        let address = server.address;
        sessions.spawn(async move {
            let mut client = Client::connect(address).await;
            client.expect("220 ").await;
            let mut confirmed = Vec::new();
            for message in 0..EACH {
                let content = format!("Subject: {session}/{message}\r\n\r\nx\r\n");
                let id = client.submit(content.as_bytes()).await;
                confirmed.push((id, content));
            }
            confirmed
        });
    }
    let confirmed: Vec<_> = sessions.join_all().await.concat();
    assert_eq!(confirmed.len(), SESSIONS * EACH);
    for (id, content) in confirmed {
        assert_eq!(without_trace(&stored(&*store, &id).await), content);
    }
    server.stop.send(true).unwrap();
    server.serving.await.unwrap();
}

#[tokio::test]
async fn mail_goes_through_beside_a_thousand_idle_connections() {
    const IDLE: usize = 1_000;
    allow_open_files(2 * IDLE as u64 + 200);
    let store = Arc::new(FakeStore::default());
    store.free.store(1 << 30, Ordering::SeqCst);
    let server = start(settings(), Arc::clone(&store) as Arc<dyn Store>).await;
    let mut idle = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        idle.push(Client::connect(server.address).await);
    }
    for client in &mut idle {
        client.expect("220 ").await;
    }
    let mut client = Client::connect(server.address).await;
    client.expect("220 ").await;
    client.submit(b"x\r\n").await;
    assert_eq!(without_trace(&store.only().1), "x\r\n");
    server.stop.send(true).unwrap();
    for client in &mut idle {
        client.expect("421 4.3.2 ").await;
    }
    server.serving.await.unwrap();
}

#[tokio::test]
async fn a_client_that_is_cut_off_while_it_sends_still_reads_why() {
    let store = Arc::new(FakeStore::default());
    store.free.store(1 << 30, Ordering::SeqCst);
    let settings = Settings {
        grace: Duration::from_millis(200),
        ..settings()
    };
    let server = start(settings, store).await;
    let mut client = Client::connect(server.address).await;
    client.expect("220 ").await;
    client.say(b"EHLO client.example\r\n").await;
    client.expect("250 ").await;
    client
        .say(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        .await;
    for code in ["250 ", "250 ", "354 "] {
        client.expect(code).await;
    }
    server.stop.send(true).unwrap();
    // Sends on until it cannot, as real clients do that read only after their last byte.
    let line = format!("{}\r\n", "x".repeat(998));
    while client.0.get_mut().write_all(line.as_bytes()).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if server.serving.is_finished() {
            break;
        }
    }
    client.expect("421 4.3.2 ").await;
    server.serving.await.unwrap();
}

fn allow_open_files(needed: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut files = getrlimit(Resource::Nofile);
    if files.current.is_some_and(|now| now < needed) {
        files.current = Some(needed);
        setrlimit(Resource::Nofile, files).unwrap();
    }
}
