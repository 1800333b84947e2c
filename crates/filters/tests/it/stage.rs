//! A client, an envelope and a message to ask about; a chain of one filter to ask.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use queue::{Body, MessageId};
use screening::{
    Answer, Chain, Client, Codes, Conclusion, Envelope, Failure, Filter, Link, Message, Moment,
    OnFailure, Reason, Screening, Stage, Verdict,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::Peer;

pub(crate) struct Mail {
    pub(crate) client: Client,
    pub(crate) envelope: Envelope,
    pub(crate) message: Message,
}

impl Mail {
    pub(crate) async fn new(text: &str) -> Mail {
        Mail {
            client: Client {
                helo: Some("client.example".into()),
                protocol: "ESMTP",
                ..Client::new("192.0.2.1:4000".parse().unwrap())
            },
            envelope: Envelope {
                id: Some(MessageId::from_bytes([7; 16])),
                sender: "anna@client.example".parse().unwrap(),
                recipients: vec!["bert@example.org".parse().unwrap()],
                size: None,
            },
            message: message(text).await,
        }
    }

    /// As if the client had said STARTTLS and AUTH.
    pub(crate) fn log_in_under_tls(&mut self) {
        self.client.protocol = "ESMTPSA";
        self.client.authenticated = Some("anna".into());
        self.client.mechanism = Some("SCRAM-SHA-256".into());
        self.client.tls = Some(screening::Tls {
            protocol: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
        });
    }

    pub(crate) fn moment(&self, stage: Stage) -> Moment<'_> {
        let recipient = self.envelope.recipients.first();
        Moment {
            stage,
            hostname: "relay.example",
            client: &self.client,
            envelope: (stage >= Stage::Mail).then_some(&self.envelope),
            recipient: recipient.filter(|_| stage == Stage::Rcpt),
            message: (stage == Stage::Content).then_some(&self.message),
        }
    }

    /// Asks a filter at one stage alone.
    pub(crate) async fn ask(&self, filter: &dyn Filter, stage: Stage) -> Result<Answer, Failure> {
        filter.open().ask(&self.moment(stage)).await
    }

    /// Goes through all stages with a filter in a chain; the last conclusion.
    pub(crate) async fn through(&mut self, screening: &mut Screening) -> Conclusion {
        let mut last = None;
        for stage in Stage::ALL {
            let mut envelope = self.envelope.clone();
            if stage < Stage::Content {
                envelope.recipients.clear();
            }
            let recipient = self.envelope.recipients.first();
            let moment = Moment {
                stage,
                hostname: "relay.example",
                client: &self.client,
                envelope: (stage >= Stage::Mail).then_some(&envelope),
                recipient: recipient.filter(|_| stage == Stage::Rcpt),
                message: None,
            };
            let message = (stage == Stage::Content).then_some(&mut self.message);
            let conclusion = screening.ask(moment, message).await;
            let over = !matches!(conclusion.verdict, Ok(Verdict::Pass));
            last = Some(conclusion);
            if over {
                break;
            }
        }
        last.unwrap()
    }

    pub(crate) async fn text(&self) -> String {
        let mut text = Vec::new();
        let mut pieces = self.message.pieces();
        while let Some(piece) = pieces.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        String::from_utf8(text).unwrap()
    }
}

pub(crate) async fn message(text: &str) -> Message {
    let body = Body::Inline(Bytes::copy_from_slice(text.as_bytes()));
    Message::read(body).await.unwrap()
}

/// A chain of one filter.
pub(crate) fn chain(filter: impl Filter + 'static) -> Chain {
    Chain::new(vec![Link {
        name: "tested".into(),
        filter: Arc::new(filter),
        timeout: Duration::from_secs(30),
        on_failure: OnFailure::Defer,
        concerns: Arc::new(|_| true),
    }])
}

pub(crate) fn local(port: u16) -> Peer {
    Peer::Tcp(([127, 0, 0, 1], port).into())
}

#[track_caller]
pub(crate) fn refused(verdict: &Verdict) -> (&Reason, Option<Codes>) {
    match verdict {
        Verdict::Reject(refused) | Verdict::Defer(refused) => (&refused.reason, refused.codes),
        other => panic!("{other:?} is no refusal"),
    }
}

/// An answer of HTTP with this JSON.
pub(crate) fn http(json: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    )
    .into_bytes()
}

/// A peer that reads until `enough` and then says `answer` and closes; what it read comes back.
pub(crate) async fn scripted(
    enough: fn(&[u8]) -> bool,
    answer: impl Into<Vec<u8>>,
) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = answer.into();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        let mut piece = [0; 4096];
        while !enough(&heard) {
            match stream.read(&mut piece).await.unwrap() {
                0 => break,
                n => heard.extend_from_slice(&piece[..n]),
            }
        }
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        heard
    });
    (port, heard)
}
