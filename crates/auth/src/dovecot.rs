//! Dovecot as the one who knows users, asked by its authentication protocol, version 1.1
//! (doc.dovecot.org, "Dovecot Authentication Protocol").

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use world::{Peer, Stream, World};

use crate::{About, Authenticator, Exchange, Failure, Login, Offered, Progress, Unavailable, Why};

/// How long Dovecot may take for an answer. It lets failures wait for some seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long its list of mechanisms counts.
const KEEP: Duration = Duration::from_secs(60);
/// The longest line that is read.
const LONGEST: u64 = 32 << 10;

/// Why Dovecot cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum DovecotError {
    /// The connection.
    #[error("{}: {source}", path.display())]
    Socket {
        /// Its socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It does not answer in time.
    #[error("{} does not answer", path.display())]
    Silent {
        /// Its socket.
        path: PathBuf,
    },
    /// What it says is not of the protocol.
    #[error("{} does not speak version 1 of Dovecot's authentication protocol: {line}", path.display())]
    Unknown {
        /// Its socket.
        path: PathBuf,
        /// The line.
        line: String,
    },
    /// It says that it cannot tell now.
    #[error("Dovecot cannot tell now{}", reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    Temporary {
        /// Its words, if it has any.
        reason: Option<String>,
    },
}

/// A Dovecot.
pub struct Dovecot {
    world: World,
    path: PathBuf,
    known: Mutex<Option<(Timestamp, Vec<Offered>)>>,
}

impl std::fmt::Debug for Dovecot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Dovecot").field(&self.path).finish()
    }
}

impl Dovecot {
    /// The Dovecot behind this socket, of its `unix_listener auth-client` say.
    #[must_use]
    pub fn at(world: World, path: PathBuf) -> Dovecot {
        Dovecot {
            world,
            path,
            known: Mutex::new(None),
        }
    }
}

#[async_trait]
impl Authenticator for Dovecot {
    async fn mechanisms(&self) -> Vec<Offered> {
        let now = self.world.clock.now();
        let known = self.known.lock().clone();
        if let Some((at, list)) = &known {
            let age: Result<Duration, _> = now.duration_since(*at).try_into();
            if age.is_ok_and(|age| age < KEEP) {
                return list.clone();
            }
        }
        match Connection::open(&self.world, &self.path).await {
            Ok(connection) => {
                *self.known.lock() = Some((now, connection.mechanisms.clone()));
                connection.mechanisms
            }
            Err(error) => {
                tracing::warn!(%error, "Dovecot cannot be asked for its mechanisms");
                // A client that is offered nothing gives up; one that tries is told to come back.
                let plain = |name: &str| Offered {
                    name: name.to_owned(),
                    sends_password: true,
                };
                known.map_or_else(|| vec![plain("PLAIN"), plain("LOGIN")], |(_, list)| list)
            }
        }
    }

    fn begin(&self, mechanism: &str, about: &About) -> Box<dyn Exchange> {
        Box::new(Talk {
            world: self.world.clone(),
            path: self.path.clone(),
            mechanism: mechanism.to_owned(),
            about: *about,
            connection: None,
        })
    }
}

/// One exchange, over a connection of its own.
struct Talk {
    world: World,
    path: PathBuf,
    mechanism: String,
    about: About,
    connection: Option<Connection>,
}

#[async_trait]
impl Exchange for Talk {
    async fn respond(&mut self, response: Option<&[u8]>) -> Progress {
        match self.step(response).await {
            Ok(progress) => progress,
            Err(error) => Progress::Failed(Failure::Unavailable(Unavailable::Dovecot(error))),
        }
    }
}

impl Talk {
    async fn step(&mut self, response: Option<&[u8]>) -> Result<Progress, DovecotError> {
        let encoded = response.map(|bytes| BASE64.encode(bytes));
        let line = match &self.connection {
            Some(_) => format!("CONT\t1\t{}\n", encoded.unwrap_or_default()),
            None => self.begin_line(encoded.as_deref()),
        };
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.world, &self.path).await?,
        };
        connection.write(&line).await?;
        let progress = read_answer(&connection.line().await?);
        match progress {
            Some(Ok(Progress::Challenge(challenge))) => {
                self.connection = Some(connection);
                Ok(Progress::Challenge(challenge))
            }
            Some(progress) => progress,
            None => Err(connection.unknown("no OK, FAIL or CONT")),
        }
    }

    fn begin_line(&self, response: Option<&str>) -> String {
        let mechanism: String = self
            .mechanism
            .chars()
            .filter(char::is_ascii_graphic)
            .collect();
        let mut line = format!(
            "AUTH\t1\t{mechanism}\tservice=smtp\tnologin\trip={}",
            self.about.client
        );
        if self.about.secure {
            line.push_str("\tsecured");
        }
        // It must be the last.
        if let Some(response) = response {
            line.push_str("\tresp=");
            line.push_str(response);
        }
        line.push('\n');
        line
    }
}

/// `CONT id challenge`, `OK id parameters…` or `FAIL id parameters…`.
fn read_answer(line: &str) -> Option<Result<Progress, DovecotError>> {
    let mut fields = line.split('\t');
    let verb = fields.next()?;
    fields.next().filter(|id| *id == "1")?;
    let parameters: Vec<&str> = fields.collect();
    let value = |name: &str| {
        let mut values = parameters.iter().filter_map(|field| field.split_once('='));
        values
            .find(|(key, _)| *key == name)
            .map(|(_, value)| unescaped(value))
    };
    match verb {
        "CONT" => {
            let challenge = BASE64.decode(parameters.first()?.as_bytes()).ok()?;
            Some(Ok(Progress::Challenge(challenge)))
        }
        "OK" => Some(Ok(Progress::Done(Login {
            name: value("user")?,
        }))),
        "FAIL" => {
            let (name, reason) = (value("user"), value("reason"));
            let is_temporary =
                parameters.contains(&"temp") || value("code").as_deref() == Some("temp_fail");
            Some(match is_temporary {
                true => Err(DovecotError::Temporary { reason }),
                false => Ok(Progress::Failed(Failure::refused(
                    name,
                    Why::Dovecot { reason },
                ))),
            })
        }
        _ => None,
    }
}

/// Its way to write tabs and the like: `\001` and a letter.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\u{1}' => match chars.next() {
                Some('t') => '\t',
                Some('r') => '\r',
                Some('n') => '\n',
                Some('1') => '\u{1}',
                _ => '?',
            },
            c => c,
        });
    }
    plain
}

/// A connection after the handshake.
struct Connection {
    path: PathBuf,
    stream: BufReader<Stream>,
    mechanisms: Vec<Offered>,
}

impl Connection {
    async fn open(world: &World, path: &std::path::Path) -> Result<Connection, DovecotError> {
        let path = path.to_owned();
        let peer = Peer::Unix(path.clone());
        let silent = || DovecotError::Silent { path: path.clone() };
        let connected = tokio::time::timeout(PATIENCE, world.net.connect(&peer)).await;
        let connected = connected.map_err(|_| silent())?;
        let stream = connected.map_err(|source| DovecotError::Socket {
            path: path.clone(),
            source,
        })?;
        let mut connection = Connection {
            path,
            stream: BufReader::with_capacity(1024, stream),
            mechanisms: Vec::new(),
        };
        // It wants each of its clients to have a number of its own.
        let mut number = [0; 4];
        world.random.fill(&mut number);
        let number = u32::from_le_bytes(number) >> 2 | 1;
        connection
            .write(&format!("VERSION\t1\t1\nCPID\t{number}\n"))
            .await?;
        loop {
            let line = connection.line().await?;
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["DONE", ..] => return Ok(connection),
                ["VERSION", "1", ..] => {}
                ["VERSION", ..] => return Err(connection.unknown(&line)),
                // Nobody proves anything by the first, and the second needs a certificate.
                ["MECH", name, ref about @ ..]
                    if !about.contains(&"anonymous") && name != "EXTERNAL" =>
                {
                    connection.mechanisms.push(Offered {
                        name: name.to_ascii_uppercase(),
                        sends_password: about.contains(&"plaintext"),
                    });
                }
                // SPID, CUID, COOKIE and what later versions may add.
                _ => {}
            }
        }
    }

    async fn write(&mut self, line: &str) -> Result<(), DovecotError> {
        let written = tokio::time::timeout(PATIENCE, self.stream.write_all(line.as_bytes())).await;
        self.checked(written)
    }

    async fn line(&mut self) -> Result<String, DovecotError> {
        let mut line = Vec::new();
        let mut stream = (&mut self.stream).take(LONGEST);
        let read = tokio::time::timeout(PATIENCE, stream.read_until(b'\n', &mut line)).await;
        self.checked(read)?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).into_owned()),
            _ => self.checked(Ok(Err(io::ErrorKind::UnexpectedEof.into()))),
        }
    }

    fn checked<T>(
        &self,
        outcome: Result<io::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, DovecotError> {
        let path = || self.path.clone();
        let outcome = outcome.map_err(|_| DovecotError::Silent { path: path() })?;
        outcome.map_err(|source| DovecotError::Socket {
            path: path(),
            source,
        })
    }

    fn unknown(&self, line: &str) -> DovecotError {
        DovecotError::Unknown {
            path: self.path.clone(),
            line: line.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_the_protocol_has_them() {
        let done = read_answer("OK\t1\tuser=anna\u{1}t@office.example\tpass=x")
            .unwrap()
            .unwrap();
        assert!(matches!(done, Progress::Done(Login { name }) if name == "anna\t@office.example"));
        let challenge = read_answer("CONT\t1\tVXNlcm5hbWU6").unwrap().unwrap();
        assert!(matches!(challenge, Progress::Challenge(bytes) if bytes == b"Username:"));
        let refused = read_answer("FAIL\t1\tuser=anna\treason=locked")
            .unwrap()
            .unwrap();
        let Progress::Failed(Failure::Refused { name, why }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(name.as_deref(), Some("anna"));
        assert_eq!(why.to_string(), "Dovecot says no: locked");
        for temporary in ["FAIL\t1\tuser=anna\ttemp", "FAIL\t1\tcode=temp_fail"] {
            let answer = read_answer(temporary).unwrap();
            assert!(
                matches!(answer, Err(DovecotError::Temporary { .. })),
                "{temporary}"
            );
        }
        for wrong in [
            "",
            "OK",
            "OK\t2\tuser=anna",
            "OK\t1",
            "CONT\t1",
            "CONT\t1\t?",
            "WHAT\t1",
        ] {
            assert!(read_answer(wrong).is_none(), "{wrong}");
        }
    }
}
