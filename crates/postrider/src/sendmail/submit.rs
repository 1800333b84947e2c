//! Handing a message to the relay over SMTP.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use smtp::client::{Connection, Envelope, Event, Protocol, Settings};
use smtp::envelope::{BodyKind, MailParams};
use smtp::{Address, Reply, Severity};

use super::{Refused, Status};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

fn connect(server: SocketAddr) -> Result<TcpStream, Refused> {
    TcpStream::connect_timeout(&server, CONNECT_TIMEOUT).map_err(|e| {
        let text = format!("no relay answers at {server} ({e}); start it with `postrider serve`");
        // The caller may try again later: nothing is wrong with its message.
        Refused::new(Status::TemporaryFailure, text)
    })
}

/// What the relay said of each part of the message.
#[derive(Default)]
struct Answers {
    taken: bool,
    refused: Vec<(Option<String>, Reply)>,
}

/// Hands in a message. Where some recipients are refused, the others get it, and the error names
/// those that do not.
pub(super) fn submit(
    server: SocketAddr,
    host: &str,
    sender: Address,
    recipients: Vec<Address>,
    content: &[u8],
) -> Result<(), Refused> {
    let names: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    let envelope = Envelope {
        params: MailParams {
            smtputf8: !sender.is_ascii() || recipients.iter().any(|r| !r.is_ascii()),
            body: if content.is_ascii() {
                BodyKind::SevenBit
            } else {
                BodyKind::EightBit
            },
            ..MailParams::default()
        },
        sender,
        recipients: recipients.into_iter().map(Into::into).collect(),
        size: content.len() as u64,
    };
    let mut talk = Talk {
        stream: connect(server)?,
        smtp: Connection::new(Settings::new(host, &server.to_string(), Protocol::Smtp)),
    };
    let answers = talk.run(envelope, &names, content).map_err(|error| match error {
        TalkError::Io(e) => Refused::new(
            Status::TemporaryFailure,
            format!("the connection to {server} broke ({e}); whether the message was taken is not known"),
        ),
        TalkError::Refused(refused) => refused,
    })?;
    result(answers)
}

fn result(answers: Answers) -> Result<(), Refused> {
    let Some(worst) = answers
        .refused
        .iter()
        .map(|(_, reply)| status_of(reply))
        .max()
    else {
        return match answers.taken {
            true => Ok(()),
            false => Err(Refused::new(
                Status::TemporaryFailure,
                "the server ended the talk without an answer",
            )),
        };
    };
    let mut lines: Vec<String> = Vec::new();
    for (recipient, reply) in &answers.refused {
        let words = String::from_utf8_lossy(reply.raw());
        let words = words.trim_end().replace("\r\n", " / ");
        lines.push(match recipient {
            Some(recipient) => format!("{recipient}: the server said: {words}"),
            None => format!("the server said: {words}"),
        });
    }
    if answers.taken {
        lines.push("the other recipients get the message".to_owned());
    }
    Err(Refused::new(worst, lines.join("\n")))
}

/// The exit status for a negative reply.
fn status_of(reply: &Reply) -> Status {
    match reply.code() {
        400..=499 => Status::TemporaryFailure,
        550 | 551 | 553 if reply.status().is_none_or(|s| s.subject == 1) => Status::NoUser,
        530 | 535 | 550 | 554 => Status::NoPermission,
        501 | 552 | 555 => Status::Data,
        _ => Status::Unavailable,
    }
}

enum TalkError {
    Io(io::Error),
    Refused(Refused),
}

impl From<io::Error> for TalkError {
    fn from(error: io::Error) -> TalkError {
        TalkError::Io(error)
    }
}

struct Talk {
    stream: TcpStream,
    smtp: Connection,
}

impl Talk {
    fn run(
        &mut self,
        envelope: Envelope,
        names: &[String],
        content: &[u8],
    ) -> Result<Answers, TalkError> {
        let mut envelope = Some(envelope);
        let mut answers = Answers::default();
        loop {
            match self.event()? {
                Event::Ready(_) => {
                    if let Some(envelope) = envelope.take()
                        && let Err(unfit) = self.smtp.begin(envelope)
                    {
                        return Err(TalkError::Refused(Refused::new(
                            Status::Data,
                            unfit.to_string(),
                        )));
                    }
                }
                Event::SendContent => {
                    self.smtp.content(content);
                    self.smtp.content_end();
                    self.flush()?;
                }
                Event::Rcpt { index, reply } if reply.severity() != Severity::Completion => {
                    answers.refused.push((names.get(index).cloned(), reply));
                }
                Event::Done(reply) if reply.severity() == Severity::Completion => {
                    answers.taken = true
                }
                Event::Mail(reply)
                | Event::DataRefused(reply)
                | Event::ContentRefused(reply)
                | Event::Done(reply)
                | Event::Unusable { reply, .. } => {
                    if matches!(reply.severity(), Severity::Transient | Severity::Permanent) {
                        answers.refused.push((None, reply));
                    }
                }
                Event::Over { .. } => {
                    self.smtp.quit();
                    // The message's fate is settled.
                    let _ = self.flush();
                    return Ok(answers);
                }
                Event::Greeting(_)
                | Event::HelloRefused(_)
                | Event::Rcpt { .. }
                | Event::RecipientDone { .. }
                | Event::StartTls(_)
                | Event::Auth(_)
                | Event::Goodbye(_) => {}
            }
            if envelope.is_some() && !answers.refused.is_empty() {
                return Ok(answers);
            }
        }
    }

    fn event(&mut self) -> Result<Event, TalkError> {
        let mut buffer = [0; 4096];
        loop {
            match self.smtp.poll() {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => {
                    let text = format!("what answers there is no SMTP server: {error}");
                    return Err(TalkError::Refused(Refused::new(Status::Unavailable, text)));
                }
            }
            self.flush()?;
            self.stream
                .set_read_timeout(Some(self.smtp.stage_timeout()))?;
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                length => self.smtp.receive(&buffer[..length]),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(self.smtp.output())?;
        self.smtp.sent();
        Ok(())
    }
}

/// `-bs`: the standard input and output become the two ways of an SMTP session.
pub(super) fn pipe(server: SocketAddr) -> Result<(), Refused> {
    let broken =
        |e: io::Error| Refused::new(Status::Io, format!("the session with {server} broke: {e}"));
    let mut replies = connect(server)?;
    let mut commands = replies.try_clone().map_err(broken)?;
    std::thread::spawn(move || {
        // When the caller's side ends, so does ours; the server then ends the session.
        let _ = io::copy(&mut io::stdin().lock(), &mut commands);
        let _ = commands.shutdown(std::net::Shutdown::Write);
    });
    let mut out = io::stdout().lock();
    let mut buffer = [0; 4096];
    loop {
        match replies.read(&mut buffer).map_err(broken)? {
            0 => return Ok(()),
            length => {
                let written = out.write_all(&buffer[..length]).and_then(|()| out.flush());
                written.map_err(broken)?;
            }
        }
    }
}
