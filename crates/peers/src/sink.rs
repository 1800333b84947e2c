//! A mail server of the tests' own, that does what it is told: takes, refuses, drops.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType};
use serde::Deserialize;

use crate::{Doing, Result};

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Received {
    /// The reverse-path, without its brackets.
    pub from: String,
    /// The forward-paths that were taken.
    pub to: Vec<String>,
    /// The content as it travelled, dots removed.
    pub content: Vec<u8>,
}

/// Something that does not go as usual.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where: `connect`, a verb in lower case (`rcpt`), `content` (while it is sent) or `end` (the
    /// reply to it).
    pub at: String,
    /// Only where the line has this in it.
    #[serde(default)]
    pub only: String,
    /// Only so many times; without it, always.
    pub times: Option<usize>,
    /// After so many lines that match were let through (the 11th recipient of a transaction).
    #[serde(default)]
    pub after: usize,
    /// What happens.
    #[serde(flatten)]
    pub act: Act,
}

/// What happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// This reply, in place of consent.
    Reply(String),
    /// The connection is reset after so many bytes of content (0 elsewhere than at `content`).
    Drop(usize),
    /// The content is kept, and then the connection is reset in place of the reply.
    KeepAndDrop(bool),
}

struct Shared {
    rules: Vec<(Rule, AtomicUsize)>,
    received: Mutex<Vec<Received>>,
    more: Condvar,
    sessions: AtomicUsize,
    stop: AtomicBool,
}

/// The server; it ends when this is dropped.
pub struct Sink {
    /// Its port on loopback.
    pub port: u16,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Sink {
    /// Takes everything, except for what the rules say.
    pub fn start(rules: Vec<Rule>) -> Result<Sink> {
        Sink::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), rules)
    }

    /// The same at this address.
    pub fn start_at(address: SocketAddr, rules: Vec<Rule>) -> Result<Sink> {
        let listener = TcpListener::bind(address).doing("starting a sink")?;
        let address = listener.local_addr().doing("starting a sink")?;
        let shared = Arc::new(Shared {
            rules: rules
                .into_iter()
                .map(|rule| (rule, AtomicUsize::new(0)))
                .collect(),
            received: Mutex::new(Vec::new()),
            more: Condvar::new(),
            sessions: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let of_sessions = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_sessions.stop.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_sessions);
                if let Ok(stream) = stream {
                    shared.sessions.fetch_add(1, Ordering::SeqCst);
                    // A session that breaks is what many a test is about.
                    std::thread::spawn(move || Session::run(&shared, stream));
                }
            }
        });
        Ok(Sink {
            port: address.port(),
            address,
            shared,
        })
    }

    /// What has been taken so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// How many messages have been taken so far.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.shared.received).len()
    }

    /// How many connections there have been.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.sessions.load(Ordering::SeqCst)
    }

    /// Waits for so many messages; the number that there are then.
    #[must_use]
    pub fn wait_for(&self, count: usize, patience: Duration) -> usize {
        let end = Instant::now() + patience;
        let mut received = lock(&self.shared.received);
        while received.len() < count {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                break;
            };
            let waited = self.shared.more.wait_timeout(received, left);
            received = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        received.len()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends; whether it works does not matter.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Session<'a> {
    shared: &'a Shared,
    input: BufReader<TcpStream>,
    output: TcpStream,
    from: String,
    to: Vec<String>,
    /// Lines let through by each rule in this transaction.
    passed: Vec<usize>,
}

enum Said {
    Yes,
    No(String),
    Drop(usize),
    KeepAndDrop,
}

impl Session<'_> {
    fn run(shared: &Shared, stream: TcpStream) {
        let Ok(output) = stream.try_clone() else {
            return;
        };
        let mut session = Session {
            shared,
            input: BufReader::with_capacity(64 * 1024, stream),
            output,
            from: String::new(),
            to: Vec::new(),
            passed: vec![0; shared.rules.len()],
        };
        // A session that breaks is what many a test is about.
        let _ = session.talk();
    }

    fn talk(&mut self) -> io::Result<()> {
        match self.ask("connect", "") {
            Said::Yes => self.say("220 sink.example ESMTP")?,
            Said::No(reply) => return self.say(&reply),
            Said::Drop(_) | Said::KeepAndDrop => return self.reset(),
        }
        loop {
            let mut line = Vec::new();
            if self.input.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            match self.ask(&verb, &line) {
                Said::Yes => {}
                Said::No(reply) => {
                    self.say(&reply)?;
                    if reply.starts_with("421") {
                        return Ok(());
                    }
                    continue;
                }
                Said::Drop(_) | Said::KeepAndDrop => return self.reset(),
            }
            match verb.as_str() {
                "ehlo" | "lhlo" => self.say(
                    "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 0",
                )?,
                "helo" | "noop" => self.say("250 2.0.0 ok")?,
                "mail" => {
                    self.begin(path(&line));
                    self.say("250 2.1.0 ok")?;
                }
                "rcpt" => {
                    self.to.push(path(&line));
                    self.say("250 2.1.5 ok")?;
                }
                "data" if self.to.is_empty() => self.say("554 5.5.1 no valid recipients")?,
                "data" => {
                    self.say("354 go on")?;
                    if !self.content()? {
                        return Ok(());
                    }
                }
                "rset" => {
                    self.begin(String::new());
                    self.say("250 2.0.0 ok")?;
                }
                "quit" => return self.say("221 2.0.0 bye"),
                _ => self.say("500 5.5.1 what?")?,
            }
        }
    }

    fn begin(&mut self, from: String) {
        self.from = from;
        self.to.clear();
        self.passed.fill(0);
    }

    /// Takes the content; false where the connection is over.
    fn content(&mut self) -> io::Result<bool> {
        if let Said::Drop(bytes) = self.ask("content", "") {
            let mut some = vec![0; bytes];
            self.input.read_exact(&mut some)?;
            self.reset()?;
            return Ok(false);
        }
        let mut content = Vec::new();
        loop {
            let start = content.len();
            if self.input.read_until(b'\n', &mut content)? == 0 {
                return Ok(false);
            }
            if &content[start..] == b".\r\n" && (start == 0 || content[..start].ends_with(b"\r\n"))
            {
                content.truncate(start);
                break;
            }
            if content[start] == b'.' {
                content.remove(start);
            }
        }
        let said = self.ask("end", "");
        if let Said::No(reply) = said {
            self.say(&reply)?;
            self.begin(String::new());
            return Ok(true);
        }
        if !matches!(said, Said::Drop(_)) {
            lock(&self.shared.received).push(Received {
                from: std::mem::take(&mut self.from),
                to: std::mem::take(&mut self.to),
                content,
            });
            self.shared.more.notify_all();
        }
        self.begin(String::new());
        if matches!(said, Said::Drop(_) | Said::KeepAndDrop) {
            self.reset()?;
            return Ok(false);
        }
        self.say("250 2.0.0 taken")?;
        Ok(true)
    }

    fn ask(&mut self, at: &str, line: &str) -> Said {
        for (n, (rule, used)) in self.shared.rules.iter().enumerate() {
            if rule.at != at || !line.contains(&rule.only) {
                continue;
            }
            self.passed[n] += 1;
            if self.passed[n] <= rule.after {
                continue;
            }
            let once_more =
                |used| (rule.times.is_none_or(|times| used < times)).then_some(used + 1);
            if used
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, once_more)
                .is_err()
            {
                continue;
            }
            return match &rule.act {
                Act::Reply(reply) => Said::No(reply.clone()),
                Act::Drop(bytes) => Said::Drop(*bytes),
                Act::KeepAndDrop(_) => Said::KeepAndDrop,
            };
        }
        Said::Yes
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        self.output.write_all(format!("{reply}\r\n").as_bytes())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.output.shutdown(Shutdown::Both)
    }
}

fn path(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(path, _)| path.to_owned()).unwrap_or_default()
}

/// A port on loopback that refuses connections, and that nobody else gets while this lives.
pub struct ClosedPort {
    /// The port.
    pub port: u16,
    _socket: rustix::fd::OwnedFd,
}

impl ClosedPort {
    /// Takes one.
    pub fn take() -> Result<ClosedPort> {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None);
        let socket = socket.map_err(io::Error::from).doing("taking a port")?;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        rustix::net::bind(&socket, &any)
            .map_err(io::Error::from)
            .doing("taking a port")?;
        let bound = rustix::net::getsockname(&socket)
            .map_err(io::Error::from)
            .doing("taking a port")?;
        let bound: SocketAddr = bound
            .try_into()
            .map_err(io::Error::from)
            .doing("taking a port")?;
        Ok(ClosedPort {
            port: bound.port(),
            _socket: socket,
        })
    }
}
