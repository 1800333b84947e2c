//! One short talk with a server: line by line, each answer with its time.

use std::time::Duration;

use diagnosis::facts::{BreakKind, ConnectError, ConnectTry, PathState};
use diagnosis::finding::Fact;
use diagnosis::tls::{TlsFailure, TlsSession};
use smtp::{Reply, ReplyParser, Stage};
use tls::{Connector, Judgement, Verify};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use world::{Net, Peer, Stream};

/// A connection on which lines are said and answered.
#[derive(Debug)]
pub struct Talk {
    stream: Stream,
    parser: ReplyParser,
    patience: Duration,
    /// What was said, and when.
    pub facts: Vec<Fact>,
}

/// Why a talk does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The connection ended.
    Broke(BreakKind),
    /// What came is not SMTP.
    NotSmtp,
}

/// Of what is not SMTP, so much is kept.
const KEPT: usize = 200;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Of a line of ours, so much is shown.
const SHOWN: usize = 200;
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

impl Talk {
    /// Connects; `from` is the address of ours, for the record.
    pub async fn open(
        net: &dyn Net,
        host: &str,
        peer: &Peer,
        connecting: Duration,
        patience: Duration,
    ) -> Result<Talk, ConnectTry> {
        let began = Instant::now();
        let outcome = timeout(connecting, net.connect(peer)).await;
        let took_ms = began.elapsed().as_millis() as u64;
        let error = match outcome {
            Ok(Ok(stream)) => {
                let from = match peer {
                    Peer::Tcp(address) => net.source(*address).ok().map(|own| own.to_string()),
                    Peer::Unix(_) => None,
                };
                let connected = Fact::Connected {
                    from,
                    address: peer.to_string(),
                    took_ms,
                };
                return Ok(Talk {
                    stream,
                    parser: ReplyParser::new(format!("{host}[{peer}]")),
                    patience,
                    facts: vec![connected],
                });
            }
            Ok(Err(error)) => ConnectError::from(&error),
            Err(_) => ConnectError::TimedOut,
        };
        Err(ConnectTry {
            host: host.to_owned(),
            address: peer.to_string(),
            error,
            waited_ms: took_ms,
        })
    }

    /// What the system knows of the way.
    pub async fn path(&self) -> PathState {
        let path = self.stream.path_state().await;
        PathState {
            mtu: path.mtu,
            segment: path.segment,
            unconfirmed: path.unconfirmed,
            retransmits: path.retransmits,
        }
    }

    /// Waits so long for answers from now on, at most.
    pub fn patience(&mut self, patience: Duration) {
        self.patience = self.patience.min(patience);
    }

    /// Says a line, where there is one to say, and waits for the answer.
    pub async fn say(&mut self, stage: Stage, line: Option<&str>) -> Result<Reply, Ended> {
        let began = Instant::now();
        let outcome = match timeout(self.patience, self.exchange(line)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Ended::Broke(BreakKind::TimedOut)),
        };
        let after_ms = began.elapsed().as_millis() as u64;
        match &outcome {
            Ok(reply) => self.facts.push(Fact::Said {
                stage,
                command: line.map(shown),
                reply: reply.clone(),
                took_ms: after_ms,
            }),
            Err(Ended::Broke(how)) => {
                self.facts.push(Fact::Broke {
                    stage,
                    how: *how,
                    after_ms,
                });
                if *how == BreakKind::TimedOut {
                    self.facts.push(Fact::Path(self.path().await));
                }
            }
            Err(Ended::NotSmtp) => {}
        }
        outcome
    }

    async fn exchange(&mut self, line: Option<&str>) -> Result<Reply, Ended> {
        if let Some(line) = line {
            let sent = self
                .stream
                .write_all(format!("{line}\r\n").as_bytes())
                .await;
            sent.map_err(|error| Ended::Broke(BreakKind::from(&error)))?;
            // A TLS session may hold back what the system would not take at once.
            let sent = self.stream.flush().await;
            sent.map_err(|error| Ended::Broke(BreakKind::from(&error)))?;
        }
        let mut buffer = [0; 2048];
        loop {
            match self.parser.next_reply() {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(error) => {
                    let text = String::from_utf8_lossy(error.received());
                    let text = text.chars().take(KEPT).collect();
                    self.facts.push(Fact::Received { text });
                    return Err(Ended::NotSmtp);
                }
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) => return Err(Ended::Broke(BreakKind::Closed)),
                Ok(length) => self.parser.receive(&buffer[..length]),
                Err(error) => return Err(Ended::Broke(BreakKind::from(&error))),
            }
        }
    }

    /// Makes the connection secure, with whomever; after a failure it is gone. Beside it, what each of
    /// `by` would make of the server's certificate.
    pub async fn secure(
        &mut self,
        connector: &Connector,
        host: &str,
        by: Vec<Verify>,
    ) -> Result<(TlsSession, Vec<Judgement>), TlsFailure> {
        // RFC 3207 §4.2: nothing that came before the handshake is believed.
        if !self.parser.is_empty() {
            return Err(TlsFailure::NotTls {
                reported: "more was said in the clear behind the answer to STARTTLS".to_owned(),
            });
        }
        let shaking = connector.examine(self.stream.detach(), host, by);
        let shaken = timeout(HANDSHAKE, Box::pin(shaking)).await;
        let silent = Err(TlsFailure::Broke(BreakKind::TimedOut));
        let (stream, session, judgements) = shaken.unwrap_or(silent)?;
        self.stream = stream;
        Ok((session, judgements))
    }

    /// Takes leave (RFC 5321 §4.1.1.10); how that goes changes nothing.
    pub async fn quit(&mut self) {
        let _ = timeout(FAREWELL, self.exchange(Some("QUIT"))).await;
    }
}

/// A line of ours as evidence.
fn shown(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], line.len()),
        None => line.to_owned(),
    }
}
