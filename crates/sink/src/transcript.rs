//! What was said in a session.

use std::fmt;
use std::net::SocketAddr;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;

use crate::handshake::{Finding, TlsFailed, TlsSeen};

/// Lines of a session that are kept.
const MOST_LINES: usize = 5_000;
/// Bytes of a line that are kept.
const LONGEST: usize = 1_000;

/// Who said a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// The client.
    Client,
    /// The sink.
    Sink,
    /// Nobody: what happened.
    Event,
}

/// A line of a session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The session.
    pub session: u64,
    /// Milliseconds since the session began.
    pub ms: u64,
    /// Who said it.
    pub who: Who,
    /// What; passwords are not in it.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.who {
            Who::Client => "C:",
            Who::Sink => "S:",
            Who::Event => "--",
        };
        write!(
            f,
            "[{}] {:>6} ms {who} {}",
            self.session, self.ms, self.text
        )
    }
}

/// A session and what was said in it.
pub struct Transcript {
    /// Its number, from 1.
    pub id: u64,
    client: SocketAddr,
    began: Timestamp,
    since: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    left_out: usize,
    ended: bool,
    messages: Vec<u64>,
    hello: String,
    tls: Option<TlsSeen>,
    tls_failed: Option<TlsFailed>,
    findings: Vec<Finding>,
}

/// A session for the API.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Its number.
    pub id: u64,
    /// The client's address and port.
    pub client: String,
    /// What the client called itself.
    pub hello: String,
    /// When it began.
    pub began: Timestamp,
    /// Whether it is over.
    pub ended: bool,
    /// Messages that were kept.
    pub messages: Vec<u64>,
    /// The TLS session, if one came about.
    pub tls: Option<TlsSeen>,
    /// The handshake that failed, if one did.
    pub tls_failed: Option<TlsFailed>,
    /// What the client should not have done.
    pub findings: Vec<Finding>,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Vec<Line>>,
    /// Lines that were too many to keep.
    pub lines_left_out: usize,
}

impl Transcript {
    pub(crate) fn new(id: u64, client: SocketAddr, began: Timestamp) -> Transcript {
        Transcript {
            id,
            client,
            began,
            since: Instant::now(),
            state: Mutex::default(),
        }
    }

    /// Notes a line.
    pub(crate) fn note(&self, who: Who, text: &str) -> Line {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line = Line {
            session: self.id,
            ms: u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX),
            who,
            text: text[..end].to_owned(),
        };
        let mut state = self.state.lock();
        if state.lines.len() < MOST_LINES {
            state.lines.push(line.clone());
        } else {
            state.left_out += 1;
        }
        line
    }

    pub(crate) fn set_hello(&self, name: &str) {
        name.clone_into(&mut self.state.lock().hello);
    }

    pub(crate) fn add_message(&self, id: u64) {
        self.state.lock().messages.push(id);
    }

    pub(crate) fn set_tls(&self, seen: TlsSeen) {
        self.state.lock().tls = Some(seen);
    }

    pub(crate) fn set_tls_failed(&self, failed: TlsFailed) {
        self.state.lock().tls_failed = Some(failed);
    }

    pub(crate) fn add_finding(&self, finding: Finding) {
        self.state.lock().findings.push(finding);
    }

    pub(crate) fn end(&self) {
        self.state.lock().ended = true;
    }

    /// The session for the API, with or without its lines.
    #[must_use]
    pub fn summary(&self, with_lines: bool) -> Summary {
        let state = self.state.lock();
        Summary {
            id: self.id,
            client: self.client.to_string(),
            hello: state.hello.clone(),
            began: self.began,
            ended: state.ended,
            messages: state.messages.clone(),
            tls: state.tls.clone(),
            tls_failed: state.tls_failed.clone(),
            findings: state.findings.clone(),
            transcript: with_lines.then(|| state.lines.clone()),
            lines_left_out: state.left_out,
        }
    }
}
