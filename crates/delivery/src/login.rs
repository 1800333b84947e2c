//! Logging in at a next hop (RFC 4954).

use std::io;
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use diagnosis::facts::{CannotLogIn, StepKind};
use diagnosis::{Failure, FailureKind, Stage};
use queue::route::Login;
use sasl::{Client, ClientError, Mechanism, Password};
use smtp::client::Event;
use smtp::{Reply, Severity};
use world::{Disk, World};

use crate::connection::Connection;
use crate::trail::Trail;

/// Proves to the server who we are.
pub(crate) async fn log_in(
    connection: &mut Connection,
    login: &Login,
    world: &World,
    trail: &mut Trail,
) -> Result<(), Failure> {
    let offered = connection.smtp.extensions().auth.clone();
    let secret = connection.is_secret() || login.unencrypted;
    let failed = |why, trail: &mut Trail| {
        let kind = FailureKind::CannotLogIn(why);
        trail.add(Stage::Auth, StepKind::Went(kind.clone()));
        let stage = Stage::Auth;
        Failure { stage, kind }
    };
    let Some(mechanism) = sasl::choose(offered.iter().map(String::as_str), secret) else {
        // Who would be taken with TLS is told so: the password is not shown to the network.
        let in_the_clear = sasl::choose(offered.iter().map(String::as_str), true).is_some();
        let why = match in_the_clear {
            true => CannotLogIn::NotEncrypted { offered },
            false => CannotLogIn::NoMechanism { offered },
        };
        return Err(failed(why, trail));
    };
    let password = match password(world.disk.clone(), &login.password_file).await {
        Ok(password) => password,
        Err(error) => {
            let file = login.password_file.display().to_string();
            let reported = error.to_string();
            return Err(failed(CannotLogIn::NoPassword { file, reported }, trail));
        }
    };
    let mut nonce = [0; 18];
    world.random.fill(&mut nonce);
    let client = Client::new(mechanism, &login.user, password, BASE64.encode(&nonce));
    let mut exchange = match client {
        Ok(client) => Exchange {
            connection,
            client,
            mechanism,
            trail,
        },
        Err(unprepared) => {
            let reported = unprepared.to_string();
            return Err(failed(CannotLogIn::Exchange { reported }, trail));
        }
    };
    match exchange.run().await {
        Ok(()) => Ok(()),
        Err(Ended::Failure(failure)) => Err(failure),
        Err(Ended::Client(error)) => {
            let reported = error.to_string();
            Err(failed(CannotLogIn::Exchange { reported }, exchange.trail))
        }
    }
}

struct Exchange<'a> {
    connection: &'a mut Connection,
    client: Client,
    mechanism: Mechanism,
    trail: &'a mut Trail,
}

enum Ended {
    Failure(Failure),
    Client(ClientError),
}

/// Challenges that are answered, at most: no mechanism has more.
const MOST_CHALLENGES: usize = 5;

impl Exchange<'_> {
    async fn run(&mut self) -> Result<(), Ended> {
        let mut line = format!("AUTH {}", self.mechanism.name());
        if let Some(initial) = self.client.initial().map_err(Ended::Client)? {
            // RFC 4954 §4: an initial response that is empty is `=`.
            let initial = match initial.is_empty() {
                true => "=".to_owned(),
                false => BASE64.encode(&initial),
            };
            line.push(' ');
            line.push_str(&initial);
        }
        for _ in 0..MOST_CHALLENGES {
            let reply = self.ask(&line).await?;
            match (reply.code(), reply.severity()) {
                (334, _) => {}
                (_, Severity::Completion) => return self.client.finish().map_err(Ended::Client),
                _ => return Err(refused(reply)),
            }
            let challenge = BASE64.decode(reply.text().trim().as_bytes());
            let answer = challenge
                .map_err(|_| ClientError::Malformed)
                .and_then(|challenge| self.client.respond(&challenge));
            line = match answer {
                Ok(answer) => BASE64.encode(&answer),
                Err(error) => {
                    // RFC 4954 §4: `*` gives the exchange up; what the server says to that is no matter.
                    let _ = self.ask("*").await;
                    return Err(Ended::Client(error));
                }
            };
        }
        Err(Ended::Client(ClientError::Malformed))
    }

    async fn ask(&mut self, line: &str) -> Result<Reply, Ended> {
        self.connection.smtp.auth(line);
        loop {
            match self.connection.event().await {
                Ok(Event::Auth(reply)) => {
                    let command = || format!("AUTH {} …", self.mechanism.name());
                    self.trail.replied(Stage::Auth, &reply, command);
                    return Ok(reply);
                }
                Ok(Event::Unusable { stage, reply }) => {
                    self.trail.replied(stage, &reply, String::new);
                    return Err(refused(reply));
                }
                // Nothing else is under way.
                Ok(_) => {}
                Err(ended) => {
                    let kind = self.connection.ended(ended, 0, 0);
                    self.trail.add(Stage::Auth, StepKind::Went(kind.clone()));
                    let stage = Stage::Auth;
                    return Err(Ended::Failure(Failure { stage, kind }));
                }
            }
        }
    }
}

fn refused(reply: Reply) -> Ended {
    Ended::Failure(Failure {
        stage: Stage::Auth,
        kind: FailureKind::Replied(reply),
    })
}

/// So much of a password file is read.
const LONGEST: usize = 4096;

/// The first line of a file.
async fn password(disk: Arc<dyn Disk>, file: &Path) -> io::Result<Password> {
    let file = file.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = [0; LONGEST];
        let length = disk.open(&file)?.read_at(0, &mut bytes)?;
        let text = std::str::from_utf8(&bytes[..length]);
        let text = text.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let line = text.lines().next().unwrap_or_default();
        match line.is_empty() {
            true => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its first line is empty",
            )),
            false => Ok(Password::new(line)),
        }
    });
    read.await
        .unwrap_or_else(|error| Err(io::Error::other(error.to_string())))
}
