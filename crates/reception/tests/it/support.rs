//! A receiver in this process, with a store and a courier that write down what they are told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::route::Imprint;
use queue::{
    AttemptRecord, Body, BodyWriter, Courier, DestinationKey, DestinationUpdate, Due,
    DueDestination, Event, Intake, Lease, Message, MessageId, Move, Moving, NewMessage, Queued,
    Recipient, RecipientState, Room, Row, RowFilter, Store, StoreError, Story, Waiting,
};
use reception::{Door, Neighbours, Receiver, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use world::{Listener, RealDisk, RealNet, SeededRandom, SimHost, Stream, VirtualClock, World};

/// What the fake store does with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Keeps,
    FullWhileWriting,
    FullAtAccept,
    BrokenAtAccept,
    UncertainAtAccept,
}

/// Keeps messages in memory, or fails as told.
#[derive(Default)]
pub(crate) struct FakeStore {
    pub(crate) kept: Mutex<Vec<NewMessage>>,
    pub(crate) mood: Mutex<Mood>,
    pub(crate) free: AtomicU64,
    /// The disk has five inodes left.
    pub(crate) few_files: AtomicBool,
    pub(crate) free_asked: AtomicUsize,
    /// Contents that are being staged.
    pub(crate) staged: Arc<AtomicUsize>,
    /// How long `accept` takes.
    pub(crate) delay: Mutex<Duration>,
    pub(crate) accepting: AtomicBool,
}

impl FakeStore {
    pub(crate) fn messages(&self) -> Vec<NewMessage> {
        self.kept.lock().clone()
    }

    /// The content of the only message.
    pub(crate) fn only(&self) -> (NewMessage, String) {
        let kept = self.messages();
        assert_eq!(kept.len(), 1, "one message");
        let text = String::from_utf8(content(&kept[0])).unwrap();
        (kept[0].clone(), text)
    }
}

/// The bytes of a message.
pub(crate) fn content(new: &NewMessage) -> Vec<u8> {
    match &new.body {
        Body::Inline(bytes) => bytes.to_vec(),
        Body::File(_) => panic!("the fake store has no files"),
    }
}

/// The content without our trace header of so many lines.
pub(crate) fn without_trace(text: &str) -> &str {
    assert!(text.starts_with("Received: from "), "{text}");
    let mut rest = text;
    loop {
        rest = &rest[rest.find("\r\n").unwrap() + 2..];
        if !rest.starts_with('\t') {
            return rest;
        }
    }
}

struct FakeWriter {
    bytes: Vec<u8>,
    full: bool,
    staged: Arc<AtomicUsize>,
}

impl Drop for FakeWriter {
    fn drop(&mut self) {
        self.staged.fetch_sub(1, Ordering::SeqCst);
    }
}

fn full() -> StoreError {
    StoreError::Full {
        path: PathBuf::from("/queue"),
        reported: "No space left on device".to_owned(),
    }
}

#[async_trait]
impl BodyWriter for FakeWriter {
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(piece);
        if self.full && self.bytes.len() > 300 {
            return Err(full());
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Body, StoreError> {
        Ok(Body::Inline(Bytes::from(std::mem::take(&mut self.bytes))))
    }
}

fn not_asked<T>() -> Result<T, StoreError> {
    Err(StoreError::NotFound(
        "reception has no use for this".to_owned(),
    ))
}

#[async_trait]
impl Store for FakeStore {
    fn stage(&self, _id: MessageId) -> Box<dyn BodyWriter> {
        self.staged.fetch_add(1, Ordering::SeqCst);
        Box::new(FakeWriter {
            bytes: Vec::new(),
            full: *self.mood.lock() == Mood::FullWhileWriting,
            staged: Arc::clone(&self.staged),
        })
    }

    async fn accept(&self, new: NewMessage) -> Result<(), StoreError> {
        let delay = *self.delay.lock();
        self.accepting.store(true, Ordering::SeqCst);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match *self.mood.lock() {
            Mood::Keeps | Mood::FullWhileWriting => {
                self.kept.lock().push(new);
                Ok(())
            }
            Mood::FullAtAccept => Err(full()),
            Mood::BrokenAtAccept => Err(StoreError::Database {
                path: PathBuf::from("/queue/db"),
                reported: "malformed".to_owned(),
            }),
            Mood::UncertainAtAccept => Err(StoreError::Uncertain),
        }
    }

    async fn pause_intake(&self, _: bool, _: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        not_asked()
    }

    async fn intake_paused(&self) -> Result<Option<Timestamp>, StoreError> {
        not_asked()
    }

    fn room(&self) -> Result<Room, StoreError> {
        self.free_asked.fetch_add(1, Ordering::SeqCst);
        Ok(Room {
            bytes: self.free.load(Ordering::SeqCst),
            files: if self.few_files.load(Ordering::SeqCst) {
                5
            } else {
                u64::MAX
            },
        })
    }

    async fn due_destinations(&self) -> Result<Vec<DueDestination>, StoreError> {
        not_asked()
    }

    async fn lease(&self, _: &DestinationKey) -> Result<Lease, StoreError> {
        not_asked()
    }

    async fn due(
        &self,
        _: &Lease,
        _: Timestamp,
        _: usize,
        _: &[(MessageId, u32)],
        _: Option<i64>,
    ) -> Result<Due, StoreError> {
        not_asked()
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        not_asked()
    }

    async fn note_findings(&self, _: queue::Verified) -> Result<(), StoreError> {
        not_asked()
    }

    async fn note_outage(&self, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        not_asked()
    }

    async fn overdue(
        &self,
        _: &DestinationKey,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        not_asked()
    }

    async fn body(&self, _: MessageId) -> Result<Body, StoreError> {
        not_asked()
    }

    async fn begin(&self, _: &Lease, _: MessageId, _: &[u32]) -> Result<(), StoreError> {
        not_asked()
    }

    async fn record(
        &self,
        _: &Lease,
        _: AttemptRecord,
        _: Option<DestinationUpdate>,
        _: Vec<NewMessage>,
        _: Vec<Event>,
    ) -> Result<(), StoreError> {
        not_asked()
    }

    async fn tell(&self, _: Vec<NewMessage>, _: Vec<Event>) -> Result<(), StoreError> {
        not_asked()
    }

    async fn late(
        &self,
        _: Option<MessageId>,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<MessageId>, StoreError> {
        not_asked()
    }

    async fn deadlines(&self) -> Result<Vec<(MessageId, queue::Deadline)>, StoreError> {
        not_asked()
    }

    async fn recover(&self, _: Timestamp) -> Result<u64, StoreError> {
        not_asked()
    }

    async fn rows(&self, _: RowFilter) -> Result<Vec<Row>, StoreError> {
        not_asked()
    }

    async fn find(&self, _: &str) -> Result<MessageId, StoreError> {
        not_asked()
    }

    async fn returned(
        &self,
        _: Option<Timestamp>,
        _: usize,
    ) -> Result<Vec<queue::CameBack>, StoreError> {
        not_asked()
    }

    async fn find_envelope(&self, _: &str) -> Result<Option<MessageId>, StoreError> {
        not_asked()
    }

    async fn story(&self, _: MessageId) -> Result<Story, StoreError> {
        not_asked()
    }

    async fn change(
        &self,
        _: MessageId,
        _: Option<&[u32]>,
        _: RecipientState,
        _: Timestamp,
    ) -> Result<Vec<Recipient>, StoreError> {
        not_asked()
    }

    async fn pause(&self, _: &DestinationKey, _: bool, _: Timestamp) -> Result<(), StoreError> {
        not_asked()
    }

    async fn routed_by(&self) -> Result<Option<Imprint>, StoreError> {
        not_asked()
    }

    async fn note_routed_by(&self, _: Option<Imprint>) -> Result<(), StoreError> {
        not_asked()
    }

    async fn movable(
        &self,
        _: Option<(MessageId, u32)>,
        _: usize,
    ) -> Result<Vec<Moving>, StoreError> {
        not_asked()
    }

    async fn reroute(&self, _: Vec<Move>, _: Timestamp) -> Result<u64, StoreError> {
        not_asked()
    }

    async fn prune(&self, _: Timestamp, _: usize) -> Result<u64, StoreError> {
        not_asked()
    }
}

/// Writes down what it is told.
#[derive(Default)]
pub(crate) struct RecordingCourier {
    pub(crate) calls: Mutex<Vec<(&'static str, MessageId, usize)>>,
}

impl Courier for RecordingCourier {
    fn announce(&self, message: MessageId, recipients: &[DestinationKey]) {
        let call = ("announce", message, recipients.len());
        self.calls.lock().push(call);
    }

    fn accepted(&self, message: Arc<Message>, _body: Body, recipients: Vec<Recipient>) {
        let call = ("accepted", message.id, recipients.len());
        self.calls.lock().push(call);
    }

    fn withdrawn(&self, message: MessageId, recipients: &[DestinationKey]) {
        let call = ("withdrawn", message, recipients.len());
        self.calls.lock().push(call);
    }
}

/// A receiver that serves connections made within this process.
pub(crate) struct Relay {
    pub(crate) store: Arc<FakeStore>,
    pub(crate) courier: Arc<RecordingCourier>,
    pub(crate) receiver: Receiver,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) serving: JoinHandle<()>,
    incoming: mpsc::Sender<(DuplexStream, SocketAddr)>,
}

pub(crate) const LOCAL: &str = "127.0.0.1:40000";
const MIB: u64 = 1024 * 1024;

pub(crate) fn settings() -> Settings {
    Settings {
        hostname: "relay.example".to_owned(),
        ..Settings::default()
    }
}

pub(crate) fn world() -> World {
    World {
        clock: Arc::new(VirtualClock::new("2026-11-24T02:00:00Z".parse().unwrap())),
        random: Arc::new(SeededRandom::new(1)),
        net: Arc::new(RealNet),
        disk: Arc::new(RealDisk),
        host: Arc::new(SimHost::default()),
    }
}

impl Relay {
    pub(crate) fn start(settings: Settings) -> Relay {
        Relay::start_in(world(), settings, Neighbours::default())
    }

    pub(crate) fn start_in(world: World, settings: Settings, neighbours: Neighbours) -> Relay {
        Relay::start_at(world, settings, neighbours, Door::default())
    }

    pub(crate) fn start_at(
        world: World,
        settings: Settings,
        neighbours: Neighbours,
        door: Door,
    ) -> Relay {
        let store = Arc::new(FakeStore::default());
        store.free.store(1024 * MIB, Ordering::SeqCst);
        let courier = Arc::new(RecordingCourier::default());
        let intake = Intake::new(
            Arc::clone(&store) as Arc<dyn Store>,
            Arc::clone(&courier) as Arc<dyn Courier>,
        );
        let receiver = Receiver::with(world, intake, settings, neighbours);
        let serving = receiver.clone();
        let (stop, stopped) = watch::channel(false);
        let (listener, incoming) = listener();
        let serving = tokio::spawn(async move { serving.serve_at(listener, door, stopped).await });
        Relay {
            store,
            courier,
            receiver,
            stop,
            serving,
            incoming,
        }
    }

    /// Takes connections of another kind from now on.
    pub(crate) fn serve_at(&mut self, door: reception::Door) {
        let (listener, incoming) = listener();
        self.incoming = incoming;
        let (receiver, stopped) = (self.receiver.clone(), self.stop.subscribe());
        tokio::spawn(async move { receiver.serve_at(listener, door, stopped).await });
    }

    /// Connects and reads nothing yet.
    pub(crate) async fn connect_from(&self, address: &str) -> Client {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let from = address.parse().unwrap();
        self.incoming.send((theirs, from)).await.unwrap();
        Client {
            stream: Stream::Memory(ours),
            read: Vec::new(),
        }
    }

    /// Connects from this machine, reads the greeting and says EHLO.
    pub(crate) async fn session(&self) -> Client {
        self.session_from(LOCAL).await
    }

    pub(crate) async fn session_from(&self, address: &str) -> Client {
        let mut client = self.connect_from(address).await;
        client.expect("220 ").await;
        client.say("EHLO client.example").await;
        client.expect("250").await;
        client
    }

    /// Nothing staged, and nobody told of anything that is not settled.
    pub(crate) async fn nothing_left(&self) {
        for _ in 0..1_000 {
            if self.store.staged.load(Ordering::SeqCst) == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.store.staged.load(Ordering::SeqCst), 0, "staged");
        let calls = self.courier.calls.lock();
        let count = |name| calls.iter().filter(|(call, ..)| *call == name).count();
        assert_eq!(count("announce"), count("accepted") + count("withdrawn"));
    }
}

fn listener() -> (Listener, mpsc::Sender<(DuplexStream, SocketAddr)>) {
    let (incoming, connections) = mpsc::channel(64);
    let listener = Listener::Memory {
        on: "127.0.0.1:25".parse().unwrap(),
        incoming: tokio::sync::Mutex::new(connections),
    };
    (listener, incoming)
}

/// The other end of a connection.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn say(&mut self, line: &str) {
        self.send(format!("{line}\r\n").as_bytes()).await;
    }

    /// The next reply, whole; empty at the end of the connection.
    pub(crate) async fn reply(&mut self) -> String {
        loop {
            if let Some(end) = reply_end(&self.read) {
                let rest = self.read.split_off(end);
                let reply = std::mem::replace(&mut self.read, rest);
                return String::from_utf8(reply).unwrap();
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece).await {
                Ok(0) | Err(_) => {
                    return String::from_utf8(std::mem::take(&mut self.read)).unwrap();
                }
                Ok(n) => self.read.extend_from_slice(&piece[..n]),
            }
        }
    }

    /// The next reply, which begins with this.
    #[track_caller]
    pub(crate) fn expect<'a>(
        &'a mut self,
        start: &'a str,
    ) -> impl Future<Output = String> + Send + 'a {
        let place = std::panic::Location::caller();
        async move {
            let reply = self.reply().await;
            assert!(
                reply.starts_with(start),
                "expected `{start}`, got `{reply}` at {place}"
            );
            reply
        }
    }

    /// Says a line and reads its reply, which begins with this.
    pub(crate) async fn ask(&mut self, line: &str, start: &str) -> String {
        self.say(line).await;
        let reply = self.reply().await;
        assert!(
            reply.starts_with(start),
            "`{line}`: expected `{start}`, got `{reply}`"
        );
        reply
    }

    /// Up to the go-ahead for the content.
    pub(crate) async fn up_to_data(&mut self) {
        self.ask("MAIL FROM:<a@client.example>", "250 ").await;
        self.ask("RCPT TO:<b@example.org>", "250 ").await;
        self.ask("DATA", "354 ").await;
    }

    /// The relay closes without another word.
    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.reply().await, "", "the connection ends");
    }
}

/// Where the first reply ends: its first line with a space after the code.
fn reply_end(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(at) = bytes[start..].iter().position(|b| *b == b'\n') {
        let end = start + at + 1;
        if bytes.get(start + 3) != Some(&b'-') {
            return Some(end);
        }
        start = end;
    }
    None
}
