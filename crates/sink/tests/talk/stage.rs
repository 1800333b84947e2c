//! A sink in a simulated network, and a client that says what it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sink::{Kept, Script, Settings, Sink};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use world::{Net, Peer, RealClock, RealDisk, RealHost, SeededRandom, SimNet, Stream, World};

pub(crate) struct Stage {
    net: Arc<SimNet>,
    address: SocketAddr,
    pub(crate) kept: Arc<Kept>,
    serving: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Stage {
    pub(crate) async fn new(script: &str) -> Stage {
        Stage::with(Script::parse(script).unwrap()).await
    }

    pub(crate) async fn with(script: Script) -> Stage {
        let net = Arc::new(SimNet::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 2525));
        let world = World {
            clock: Arc::new(RealClock),
            random: Arc::new(SeededRandom::new(1)),
            net: Arc::clone(&net) as Arc<dyn Net>,
            disk: Arc::new(RealDisk),
            host: Arc::new(RealHost),
        };
        let settings = Settings {
            script,
            smtp: address,
            smtps: None,
            certificate: None,
            api: None,
            keep: None,
            seed: None,
            log: Arc::new(|_| {}),
        };
        let sink = Sink::start(world, settings).await.unwrap();
        let kept = sink.kept();
        Stage {
            net,
            address,
            kept,
            serving: tokio::spawn(sink.serve()),
        }
    }

    pub(crate) async fn connect(&self) -> Client {
        let stream = self.net.connect(&Peer::Tcp(self.address)).await.unwrap();
        Client {
            stream,
            received: Vec::new(),
        }
    }

    /// A client that has said EHLO.
    pub(crate) async fn hello(&self) -> Client {
        let mut client = self.connect().await;
        assert!(client.reply().await.starts_with("220 "));
        client.ask("EHLO client.example").await;
        client
    }

    /// The transcript of a session, a line each.
    pub(crate) fn transcript(&self, id: u64) -> String {
        let summary = self.kept.session(id).unwrap().summary(true);
        let lines = summary.transcript.unwrap();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

pub(crate) struct Client {
    stream: Stream,
    received: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // The sink may have left; what comes of that is what tests look at.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next reply, its lines parted by `\n`; empty where the connection is over.
    pub(crate) async fn reply(&mut self) -> String {
        loop {
            if let Some(reply) = self.taken() {
                return reply;
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece).await {
                Ok(0) | Err(_) => return String::new(),
                Ok(bytes) => self.received.extend_from_slice(&piece[..bytes]),
            }
        }
    }

    fn taken(&mut self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.received).into_owned();
        let mut end = 0;
        for line in text.split_inclusive("\r\n") {
            if !line.ends_with("\r\n") {
                return None;
            }
            end += line.len();
            if line.as_bytes().get(3) != Some(&b'-') {
                self.received.drain(..end);
                return Some(text[..end].replace("\r\n", "\n").trim_end().to_owned());
            }
        }
        None
    }

    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Hands in a message: the replies to RCPT, DATA and the content, as far as it gets.
    pub(crate) async fn mail(&mut self, to: &str, content: &str) -> Vec<String> {
        let mut replies = Vec::new();
        self.ask("MAIL FROM:<anna@client.example>").await;
        replies.push(self.ask(&format!("RCPT TO:<{to}>")).await);
        if !replies[0].starts_with('2') {
            self.ask("RSET").await;
            return replies;
        }
        replies.push(self.ask("DATA").await);
        if replies[1].starts_with("354") {
            self.send(content.as_bytes()).await;
            replies.push(self.ask(".").await);
        }
        replies
    }

    /// All that still comes until the connection is over, and how long that took.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, Duration) {
        let began = Instant::now();
        let mut rest = std::mem::take(&mut self.received);
        let mut piece = [0; 4096];
        while let Ok(bytes @ 1..) = self.stream.read(&mut piece).await {
            rest.extend_from_slice(&piece[..bytes]);
        }
        (rest, began.elapsed())
    }
}
