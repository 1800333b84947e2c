//! A small client of HTTP/1.1: one request over one connection, the answer bounded.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use screening::{Failure, Message};
use tokio::sync::mpsc;
use world::{Peer, World};

use crate::connect;

/// Bytes of an answer, at most.
const ANSWER: usize = 4 << 20;

/// Where requests go.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) world: World,
    pub(crate) peer: Peer,
    /// The `Host` field.
    pub(crate) host: String,
    pub(crate) path: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// What is sent: pieces as they come.
struct Feed {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
}

impl Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.pieces.poll_recv(cx).map(|piece| {
            let piece = piece?;
            self.left = self.left.saturating_sub(piece.len() as u64);
            Some(Ok(Frame::data(piece)))
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// What is posted.
pub(crate) enum Content<'a> {
    Bytes(Bytes),
    Message(&'a Message),
}

impl Endpoint {
    /// Posts; `headers` have values of visible ASCII, or are left out.
    pub(crate) async fn post(
        &self,
        headers: &[(&'static str, String)],
        content: Content<'_>,
    ) -> Result<Answered, Failure> {
        let stream = connect::to(&self.world, &self.peer).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let (feeding, pieces) = mpsc::channel(2);
        let left = match &content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Message(message) => message.size(),
        };
        let mut request = Request::post(&self.path)
            .header("Host", &self.host)
            .header("User-Agent", "Postrider");
        for (name, value) in headers {
            if let Ok(value) = hyper::header::HeaderValue::from_str(value) {
                request = request.header(*name, value);
            }
        }
        let request = request
            .body(Feed { pieces, left })
            .map_err(|error| Failure::Broken(error.to_string()))?;
        let feed = feed(feeding, content);
        let talk = async {
            let answer = sender.send_request(request).await.map_err(broken)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER).collect().await;
            let body = body.map_err(|error| Failure::Broken(error.to_string()))?;
            let body = body.to_bytes();
            Ok(Answered { status, body })
        };
        tokio::pin!(talk, feed);
        let mut connection = std::pin::pin!(connection);
        let (mut fed, mut closed) = (false, false);
        loop {
            tokio::select! {
                biased;
                answered = &mut talk => return answered,
                result = &mut feed, if !fed => {
                    result?;
                    fed = true;
                }
                ended = &mut connection, if !closed => {
                    closed = true;
                    if let Err(error) = ended {
                        return Err(broken(error));
                    }
                }
            }
        }
    }
}

/// Hands the pieces over; a receiver that is gone has heard enough.
async fn feed(feeding: mpsc::Sender<Bytes>, content: Content<'_>) -> Result<(), Failure> {
    match content {
        Content::Bytes(bytes) => {
            let _ = feeding.send(bytes).await;
        }
        Content::Message(message) => {
            let mut pieces = message.pieces();
            while let Some(piece) = pieces.next().await? {
                if feeding.send(piece).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(())
}

fn broken(error: hyper::Error) -> Failure {
    Failure::Broken(error.to_string())
}
