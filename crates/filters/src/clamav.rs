//! ClamAV's `clamd`, by the command INSTREAM (clamd(8)): the message in pieces, the verdict in one line.

use async_trait::async_trait;
use bytes::Bytes;
use screening::{Answer, Conversation, Failure, Filter, Message, Moment, Reason, Stage, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Peer, Stream, World};

use crate::connect;

/// What becomes of a message that is larger than the scanner takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TooLarge {
    /// It passes, not scanned.
    #[default]
    Pass,
    /// It is refused.
    Reject,
}

/// Asks `clamd` about each message, over a connection of its own.
#[derive(Clone, Debug)]
pub struct ClamAv {
    /// The world.
    pub world: World,
    /// Where `clamd` listens.
    pub peer: Peer,
    /// Bytes that are scanned at most: `StreamMaxLength` of clamd.conf, or less.
    pub max_size: u64,
    /// What becomes of larger messages.
    pub too_large: TooLarge,
}

impl Filter for ClamAv {
    fn attends(&self, stage: Stage) -> bool {
        stage == Stage::Content
    }

    fn open(&self) -> Box<dyn Conversation> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Conversation for ClamAv {
    async fn ask(&mut self, moment: &Moment<'_>) -> Result<Answer, Failure> {
        let Some(message) = moment.message else {
            return Ok(Answer::pass());
        };
        if message.size() > self.max_size {
            return Ok(self.larger(message));
        }
        let mut stream = connect::to(&self.world, &self.peer).await?;
        let sent = send(&mut stream, message).await;
        // A scanner that has enough says so and closes, while we still send.
        let said = hear(&mut stream).await;
        match (sent, said) {
            (_, Ok(said)) if !said.is_empty() => self.judge(&said, message),
            (Err(failure), _) => Err(failure),
            (Ok(()), Err(error)) => Err(error.into()),
            (Ok(()), Ok(_)) => Err(Failure::Broken("it closed without an answer".to_owned())),
        }
    }
}

impl ClamAv {
    fn larger(&self, message: &Message) -> Answer {
        let size = message.size();
        match self.too_large {
            TooLarge::Pass => {
                tracing::info!(
                    size,
                    "a message larger than the scanner takes is not scanned"
                );
                Answer::pass()
            }
            TooLarge::Reject => Answer::of(Verdict::Reject(Reason::TooLargeToScan { size }.into())),
        }
    }

    /// `stream: OK`, `stream: NAME FOUND`, `… size limit exceeded. ERROR`, `… ERROR`.
    fn judge(&self, said: &str, message: &Message) -> Result<Answer, Failure> {
        let verdict = said.strip_prefix("stream: ").unwrap_or(said);
        if verdict == "OK" {
            return Ok(Answer::pass());
        }
        if let Some(name) = verdict.strip_suffix(" FOUND") {
            let name = name.to_owned();
            return Ok(Answer::of(Verdict::Reject(
                Reason::Infected { name }.into(),
            )));
        }
        if verdict.contains("size limit exceeded") {
            return Ok(self.larger(message));
        }
        match verdict.strip_suffix(" ERROR") {
            Some(what) => Err(Failure::Reported(what.to_owned())),
            None => Err(Failure::Nonsense(said.chars().take(200).collect())),
        }
    }
}

async fn send(stream: &mut Stream, message: &Message) -> Result<(), Failure> {
    stream.write_all(b"zINSTREAM\0").await?;
    let mut pieces = message.pieces();
    while let Some(piece) = pieces.next().await? {
        chunk(stream, &piece).await?;
    }
    stream.write_all(&0_u32.to_be_bytes()).await?;
    Ok(stream.flush().await?)
}

async fn chunk(stream: &mut Stream, piece: &Bytes) -> Result<(), Failure> {
    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
    stream.write_all(&length.to_be_bytes()).await?;
    Ok(stream.write_all(piece).await?)
}

/// The one answer, which ends with a NUL, or with the connection.
async fn hear(stream: &mut Stream) -> std::io::Result<String> {
    const MOST: usize = 4096;
    let mut said = Vec::new();
    let mut piece = [0; 512];
    while said.len() < MOST && !said.contains(&0) {
        match stream.read(&mut piece).await {
            Ok(0) => break,
            Ok(n) => said.extend_from_slice(&piece[..n]),
            Err(_) if !said.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    let end = said.iter().position(|b| *b == 0).unwrap_or(said.len());
    let text = String::from_utf8_lossy(&said[..end]);
    Ok(text.trim().to_owned())
}
