//! One message over one connection: what each recipient's outcome is.

use bytes::Bytes;
use diagnosis::facts::{CannotSend, StepKind};
use diagnosis::{Failure, FailureKind, Outcome, Stage};
use queue::{Body, StoreError};
use smtp::client::{self, Envelope, Event, Unfit};
use smtp::{Address, Reply, Severity};

use crate::connection::{Connection, Ended};
use crate::fitting::{self, Fitted, Form, PIECE};
use crate::lane::Work;
use crate::passed_on;
use crate::trail::Trail;

/// What came of a transaction.
#[derive(Debug)]
pub(crate) enum Transacted {
    /// Every recipient has an outcome; whether the connection may be used again.
    Done {
        outcomes: Vec<Outcome>,
        usable: bool,
    },
    /// The connection had gone away while it was idle, before the peer heard of this message.
    Stale,
    /// The store failed before the content was sent: nothing was handed over, nothing is recorded.
    NotBegun(StoreError),
}

struct Run<'a> {
    connection: &'a mut Connection,
    trail: &'a mut Trail,
    work: &'a Work,
    outcomes: Vec<Option<Outcome>>,
    accepted: Vec<bool>,
    content_sent: u64,
    /// What is sent in all, about.
    size: u64,
    content_ended: bool,
    heard_something: bool,
}

/// Hands a message over. `begun` resolves once the store has noted that its content may be sent.
pub(crate) async fn transact(
    connection: &mut Connection,
    work: &Work,
    body: &Body,
    fitted: Fitted,
    begun: impl Future<Output = Result<(), StoreError>>,
    trail: &mut Trail,
) -> Transacted {
    let mut form = Form::signed(&fitted);
    let sender = fitted.rewriting.sender.as_ref().unwrap_or(work.sender());
    let size = work.message.size + fitted.prefix.len() as u64;
    let envelope = Envelope {
        sender: in_form(sender, fitted.ascii),
        recipients: recipients(work, fitted.ascii),
        size,
        params: fitted.params,
    };
    let count = work.recipients.len();
    let reused = connection.messages > 0;
    // RFC 8689 §4.2.1: under TLS, to a server that is surely the domain's and has shown who it is; that it
    // announces REQUIRETLS is seen to below.
    let begins = match envelope.params.require_tls && !connection.is_assured() {
        true => Err(CannotSend::RequireTls),
        false => connection.smtp.begin(envelope).map_err(cannot_send),
    };
    if let Err(unfit) = begins {
        let kind = FailureKind::CannotSend(unfit);
        trail.add(Stage::Mail, StepKind::Went(kind.clone()));
        let outcome = Outcome::Failed(Failure {
            stage: Stage::Mail,
            kind,
        });
        return Transacted::Done {
            outcomes: vec![outcome; count],
            usable: true,
        };
    }
    let mut run = Run {
        connection,
        trail,
        work,
        outcomes: vec![None; count],
        accepted: vec![false; count],
        content_sent: 0,
        size,
        content_ended: false,
        heard_something: false,
    };
    let mut begun = Some(begun);
    let end = loop {
        match run.connection.event().await {
            Ok(Event::SendContent) => {
                if let Some(begun) = begun.take()
                    && let Err(error) = begun.await
                {
                    return Transacted::NotBegun(error);
                }
                match run.send(body, &mut form).await {
                    Ok(()) => {}
                    Err(Halt::Store(error)) => return Transacted::NotBegun(error),
                    Err(Halt::Ended(ended)) => break run.broken(ended),
                }
            }
            Ok(Event::Over { usable }) => break run.over(usable),
            Ok(event) => run.take(event),
            Err(_) if reused && !run.heard_something => break Transacted::Stale,
            Err(ended) => break run.broken(ended),
        }
    };
    if let Some(begun) = begun {
        // The note must not reach the store after the record of this attempt. Its failure is no
        // matter where no content was sent.
        let _ = begun.await;
    }
    end
}

/// An address in the form that the next hop takes; that it has one was seen before.
fn in_form(address: &Address, ascii: bool) -> Address {
    let plain = fitting::ascii(address).filter(|_| ascii);
    plain.unwrap_or_else(|| address.clone())
}

fn recipients(work: &Work, ascii: bool) -> Vec<client::Recipient> {
    let recipient = |to: &queue::Recipient| {
        let mut recipient = passed_on::recipient(to);
        recipient.address = in_form(&recipient.address, ascii);
        recipient
    };
    work.recipients.iter().map(recipient).collect()
}

enum Halt {
    Store(StoreError),
    Ended(Ended),
}

impl Run<'_> {
    fn take(&mut self, event: Event) {
        self.heard_something = true;
        match event {
            Event::Mail(reply) => {
                let sender = self.work.sender();
                self.trail.replied(Stage::Mail, &reply, || {
                    format!("MAIL FROM:<{}>", sender.as_str())
                });
                if reply.severity() != Severity::Completion {
                    self.fail_rest(Stage::Mail, &reply);
                }
            }
            Event::Rcpt { index, reply } => {
                let recipient = self.work.recipients.get(index);
                self.trail.replied(Stage::Rcpt, &reply, || {
                    format!("RCPT TO:<{}>", recipient.map_or("", |r| r.address.as_str()))
                });
                if reply.severity() == Severity::Completion {
                    self.accepted[index] = true;
                } else {
                    // RFC 5321 §3.8: after 421 nothing more is answered.
                    if reply.code() == 421 {
                        self.fail_rest(Stage::Rcpt, &reply);
                    }
                    self.outcomes[index] = Some(failed(Stage::Rcpt, reply));
                }
            }
            Event::DataRefused(reply) => {
                self.trail
                    .replied(Stage::Data, &reply, || "DATA".to_owned());
                self.fail_rest(Stage::Data, &reply);
            }
            Event::ContentRefused(reply) => {
                self.trail.replied(Stage::Content, &reply, String::new);
                self.fail_rest(Stage::Content, &reply);
            }
            Event::Done(reply) => {
                self.trail
                    .replied(Stage::EndOfData, &reply, || ".".to_owned());
                let outcome = answered(reply);
                for slot in self.outcomes.iter_mut().filter(|slot| slot.is_none()) {
                    *slot = Some(outcome.clone());
                }
            }
            Event::RecipientDone { index, reply } => {
                self.trail
                    .replied(Stage::EndOfData, &reply, || ".".to_owned());
                if reply.code() == 421 {
                    self.fail_rest(Stage::EndOfData, &reply);
                }
                self.outcomes[index] = Some(answered(reply));
            }
            Event::Unusable { stage, reply } => {
                self.trail.replied(stage, &reply, String::new);
                self.fail_rest(stage, &reply);
            }
            // These belong to the opening of a connection, or are handled by the caller.
            Event::Greeting(_)
            | Event::Ready(_)
            | Event::HelloRefused(_)
            | Event::StartTls(_)
            | Event::Auth(_)
            | Event::SendContent
            | Event::Over { .. }
            | Event::Goodbye(_) => {}
        }
    }

    async fn send(&mut self, body: &Body, form: &mut Form) -> Result<(), Halt> {
        match body {
            Body::Inline(bytes) => {
                self.send_piece(form.piece(bytes.clone(), true), true)
                    .await?
            }
            Body::File(source) => {
                let (size, mut at) = (source.size(), 0);
                loop {
                    let piece = source.read(at, PIECE).await.map_err(Halt::Store)?;
                    if piece.is_empty() {
                        return Err(Halt::Store(shortened(source.path(), at, size)));
                    }
                    at += piece.len() as u64;
                    let last = at >= size;
                    self.send_piece(form.piece(piece, last), last).await?;
                    if last {
                        break;
                    }
                }
            }
        }
        self.trail.add(
            Stage::Content,
            StepKind::Sent {
                bytes: self.content_sent,
            },
        );
        Ok(())
    }

    async fn send_piece(&mut self, piece: Bytes, last: bool) -> Result<(), Halt> {
        self.connection.smtp.content(&piece);
        if last {
            self.connection.smtp.content_end();
            self.content_ended = true;
        }
        self.connection.flush().await.map_err(Halt::Ended)?;
        self.content_sent += piece.len() as u64;
        Ok(())
    }

    fn fail_rest(&mut self, stage: Stage, reply: &Reply) {
        for slot in self.outcomes.iter_mut().filter(|slot| slot.is_none()) {
            *slot = Some(failed(stage, reply.clone()));
        }
    }

    /// The connection ended in mid-transaction.
    fn broken(mut self, ended: Ended) -> Transacted {
        let stage = self.connection.smtp.stage();
        let kind = self.connection.ended(ended, self.content_sent, self.size);
        self.trail.add(stage, StepKind::Went(kind.clone()));
        let failure = Failure { stage, kind };
        for (slot, accepted) in self.outcomes.iter_mut().zip(&self.accepted) {
            // RFC 1047: once the end of the content is on its way, nobody can tell.
            let unknown = self.content_ended && *accepted;
            slot.get_or_insert_with(|| {
                if unknown {
                    Outcome::Unknown(failure.clone())
                } else {
                    Outcome::Failed(failure.clone())
                }
            });
        }
        self.over(false)
    }

    fn over(self, usable: bool) -> Transacted {
        let unanswered = || {
            let received = "the server ended the transaction without an answer".to_owned();
            let kind = FailureKind::NotSmtp { received };
            Outcome::Failed(Failure {
                stage: Stage::EndOfData,
                kind,
            })
        };
        let outcomes = self
            .outcomes
            .into_iter()
            .map(|o| o.unwrap_or_else(unanswered))
            .collect();
        Transacted::Done { outcomes, usable }
    }
}

fn answered(reply: Reply) -> Outcome {
    if reply.severity() == Severity::Completion {
        Outcome::Accepted(Some(reply))
    } else {
        failed(Stage::EndOfData, reply)
    }
}

fn failed(stage: Stage, reply: Reply) -> Outcome {
    Outcome::Failed(Failure {
        stage,
        kind: FailureKind::Replied(reply),
    })
}

fn cannot_send(unfit: Unfit) -> CannotSend {
    match unfit {
        Unfit::TooLarge { size, limit } => CannotSend::TooLarge { size, limit },
        Unfit::EightBit => CannotSend::EightBit,
        Unfit::Binary => CannotSend::Binary,
        Unfit::RequireTls => CannotSend::RequireTls,
        Unfit::DeliverBy { seconds } => CannotSend::DeliverBy { seconds },
        Unfit::SmtpUtf8 => CannotSend::SmtpUtf8,
    }
}

fn shortened(path: std::path::PathBuf, at: u64, size: u64) -> StoreError {
    let reported = format!("the file ends at byte {at} of {size}");
    StoreError::Io {
        doing: "reading",
        path,
        reported,
    }
}
