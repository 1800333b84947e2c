//! A report handed in over HTTPS (RFC 8460 §5.4).

use std::time::Duration;

use bytes::Bytes;
use diagnosis::tls::Trust;
use http_body_util::Full;
use https::{Client, Manner, NoAnswer};
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, Uri};

/// How long it may take, all in all.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of the answer that are read, so that the server can end it in peace.
const ANSWER: usize = 64 << 10;

/// Why a report was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There was no answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The server does not take it (§5.4: only a "successful" answer counts).
    #[error("{url} answers {status}")]
    Status {
        /// The place.
        url: String,
        /// The answer.
        status: u16,
    },
}

/// Hands in what is packed.
pub(crate) async fn post(client: Client<'_>, url: &str, packed: Vec<u8>) -> Result<(), PostError> {
    let wrong = || NoAnswer::NotAPage {
        url: url.to_owned(),
    };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let request = Request::post(uri)
        .header(USER_AGENT, "Postrider")
        .header(CONTENT_TYPE, "application/tlsrpt+gzip")
        .body(Full::new(Bytes::from(packed)))
        .map_err(|_| wrong())?;
    let manner = Manner {
        // RFC 8460 §3: trouble with the certificate may be ignored: it may be what is reported.
        verified: false,
        patience: PATIENCE,
        largest: ANSWER,
        port: 443,
    };
    // It has answered: what the content is, or whether it comes, changes nothing.
    let answer = client.ask(request, manner).await?;
    if let Trust::Opportunistic {
        problem: Some(problem),
    } = &answer.trust
    {
        tracing::info!(url, %problem, "a report on TLS went to a server whose certificate is not valid");
    }
    match answer.head.status {
        status if status.is_success() => Ok(()),
        status => Err(PostError::Status {
            url: url.to_owned(),
            status: status.as_u16(),
        }),
    }
}
