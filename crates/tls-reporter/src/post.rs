//! A report handed in over HTTPS (RFC 8460 §5.4).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use diagnosis::tls::{TlsFailure, Trust};
use dns::Resolver;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tls::{Connector, Verify};
use tokio::time::timeout;
use world::{Peer, Stream, World};

/// How long it may take, all in all.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// Addresses that are tried.
const ADDRESSES: usize = 4;
/// Bytes of the answer that are read, so that the server can end it in peace.
const ANSWER: usize = 64 << 10;

/// Why a report was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The place is no address for HTTPS.
    #[error("{url} is not the address of a page")]
    NotAPage {
        /// As the record has it.
        url: String,
    },
    /// The host has no address, or none can be found out.
    #[error("{host}: {reported}")]
    Host {
        /// The host.
        host: String,
        /// What the resolver reported.
        reported: String,
    },
    /// Nobody answers there.
    #[error("{host}[{address}]: {reported}")]
    Connect {
        /// The host.
        host: String,
        /// Its address with the port.
        address: String,
        /// What the system reported.
        reported: String,
    },
    /// The handshake failed.
    #[error("{host}: {failure}")]
    Tls {
        /// The host.
        host: String,
        /// How.
        failure: TlsFailure,
    },
    /// Something was wrong with the talk.
    #[error("{url}: {reported}")]
    Http {
        /// The place.
        url: String,
        /// What was reported.
        reported: String,
    },
    /// The server does not take it (§5.4: only a "successful" answer counts).
    #[error("{url} answers {status}")]
    Status {
        /// The place.
        url: String,
        /// The answer.
        status: u16,
    },
    /// It took too long.
    #[error("{url}: no answer in time")]
    TimedOut {
        /// The place.
        url: String,
    },
}

/// Hands in what is packed.
pub(crate) async fn post(
    world: &World,
    resolver: &dyn Resolver,
    connector: &Connector,
    url: &str,
    packed: Vec<u8>,
) -> Result<(), PostError> {
    let page = Page::of(url)?;
    match timeout(PATIENCE, page.talk(world, resolver, connector, packed)).await {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(status)) => Err(PostError::Status {
            url: url.to_owned(),
            status: status.as_u16(),
        }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(PostError::TimedOut {
            url: url.to_owned(),
        }),
    }
}

struct Page<'a> {
    url: &'a str,
    host: String,
    authority: String,
    port: u16,
    path: String,
}

impl Page<'_> {
    fn of(url: &str) -> Result<Page<'_>, PostError> {
        let wrong = || PostError::NotAPage {
            url: url.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (Some("https"), Some(host), Some(authority)) =
            (uri.scheme_str(), uri.host(), uri.authority())
        else {
            return Err(wrong());
        };
        // Names and passwords before an `@` are nothing for a record that all can read.
        if authority.as_str().contains('@') {
            return Err(wrong());
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Page {
            url,
            host: host.to_owned(),
            authority: authority.to_string(),
            port: uri.port_u16().unwrap_or(443),
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }

    async fn talk(
        &self,
        world: &World,
        resolver: &dyn Resolver,
        connector: &Connector,
        packed: Vec<u8>,
    ) -> Result<StatusCode, PostError> {
        let stream = self.connect(world, resolver).await?;
        // RFC 8460 §3: trouble with the certificate may be ignored: it may be what is reported.
        let connecting = connector.connect(stream, &self.host, Verify::Opportunistic);
        let (stream, session) = connecting.await.map_err(|failure| PostError::Tls {
            host: self.host.clone(),
            failure,
        })?;
        if let Trust::Opportunistic {
            problem: Some(problem),
        } = &session.trust
        {
            tracing::info!(url = self.url, %problem, "a report on TLS goes to a server whose certificate is not valid");
        }
        let http = |reported: String| PostError::Http {
            url: self.url.to_owned(),
            reported,
        };
        let request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, "Postrider")
            .header(CONTENT_TYPE, "application/tlsrpt+gzip")
            .body(Full::new(Bytes::from(packed)))
            .map_err(|error| http(error.to_string()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| http(error.to_string()))?;
        let talk = async {
            let answer = sender.send_request(request).await;
            let answer = answer.map_err(|error| http(error.to_string()))?;
            let status = answer.status();
            // It has answered: what comes after that, or does not, changes nothing.
            let _ = Limited::new(answer.into_body(), ANSWER).collect().await;
            Ok(status)
        };
        tokio::pin!(talk);
        tokio::select! {
            biased;
            answered = &mut talk => answered,
            // Whatever ends the connection ends the talk: it has the last word.
            _ = connection => talk.await,
        }
    }

    async fn connect(&self, world: &World, resolver: &dyn Resolver) -> Result<Stream, PostError> {
        let none = |reported: String| PostError::Host {
            host: self.host.clone(),
            reported,
        };
        let addresses: Vec<IpAddr> = match self.host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = resolver.addresses(&self.host).await;
                found.map_err(|error| none(error.to_string()))?
            }
        };
        let mut last = none("it has no address".to_owned());
        for address in addresses.into_iter().take(ADDRESSES) {
            let address = SocketAddr::new(address, self.port);
            let connected = timeout(CONNECT, world.net.connect(&Peer::Tcp(address))).await;
            let error = match connected {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => error,
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            last = PostError::Connect {
                host: self.host.clone(),
                address: address.to_string(),
                reported: error.to_string(),
            };
        }
        Err(last)
    }
}
