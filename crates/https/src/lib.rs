//! One request over HTTPS: HTTP/1.1 under our own TLS, over the world's network. Nothing is followed, kept or tried
//! again: what an answer means is for those who ask.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use diagnosis::tls::{TlsFailure, Trust};
use dns::Resolver;
use http_body_util::{BodyExt, Limited};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::http::response::Parts;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tls::{Connector, Verify};
use tokio::time::timeout;
use world::{Peer, Stream, World};

/// What is needed to ask.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// The network.
    pub world: &'a World,
    /// Who tells where a host is.
    pub resolver: &'a dyn Resolver,
    /// Who makes the connection secure.
    pub connector: &'a Connector,
}

/// How a request is made.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether the certificate must be for the host, by an authority that we trust; else trouble with it is told
    /// in the answer.
    pub verified: bool,
    /// How long it may take, all in all.
    pub patience: Duration,
    /// Bytes of the answer that are read.
    pub largest: usize,
    /// The port where the address names none.
    pub port: u16,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status and the fields.
    pub head: Parts,
    /// The content, or why it could not be read.
    pub body: Result<Bytes, NoAnswer>,
    /// What the certificate was worth.
    pub trust: Trust,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The address is none for HTTPS.
    #[error("{url} is not the address of a page over HTTPS")]
    NotAPage {
        /// As it was given.
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
    /// The connection could not be made secure; mostly the certificate is not valid.
    #[error("{host}: {failure}")]
    Tls {
        /// The host.
        host: String,
        /// How it failed.
        failure: TlsFailure,
    },
    /// Something was wrong with the talk.
    #[error("{url}: {reported}")]
    Http {
        /// What was asked for.
        url: String,
        /// What was reported.
        reported: String,
    },
    /// It took too long.
    #[error("{url}: no answer in time")]
    TimedOut {
        /// What was asked for.
        url: String,
    },
}

/// How long one address may take to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// Addresses that are tried.
const ADDRESSES: usize = 4;

impl std::fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Where a request goes.
struct Page {
    url: String,
    host: String,
    port: u16,
    authority: HeaderValue,
    path: Uri,
}

impl Page {
    fn of(uri: &Uri, otherwise: u16) -> Result<Page, NoAnswer> {
        let wrong = || NoAnswer::NotAPage {
            url: uri.to_string(),
        };
        let (Some("https"), Some(host), Some(authority)) =
            (uri.scheme_str(), uri.host(), uri.authority())
        else {
            return Err(wrong());
        };
        // Names and passwords before an `@` are nothing for what stands where all can read it.
        if authority.as_str().contains('@') {
            return Err(wrong());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Page {
            url: uri.to_string(),
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(otherwise),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?,
            path: path.parse().map_err(|_| wrong())?,
        })
    }

    fn http(&self, error: impl std::fmt::Display) -> NoAnswer {
        NoAnswer::Http {
            url: self.url.clone(),
            reported: error.to_string(),
        }
    }
}

impl Client<'_> {
    /// Asks for what the request names with its whole address.
    pub async fn ask<B>(&self, request: Request<B>, manner: Manner) -> Result<Answer, NoAnswer>
    where
        B: Body + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let page = Page::of(request.uri(), manner.port)?;
        let answered = timeout(manner.patience, self.talk(&page, request, manner)).await;
        answered.unwrap_or(Err(NoAnswer::TimedOut { url: page.url }))
    }

    async fn talk<B>(
        &self,
        page: &Page,
        mut request: Request<B>,
        manner: Manner,
    ) -> Result<Answer, NoAnswer>
    where
        B: Body + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let stream = self.connect(page).await?;
        let verify = match manner.verified {
            true => Verify::Authority(vec![page.host.clone()]),
            false => Verify::Opportunistic,
        };
        let secured = self.connector.connect(stream, &page.host, verify).await;
        let (stream, session) = secured.map_err(|failure| NoAnswer::Tls {
            host: page.host.clone(),
            failure,
        })?;
        // RFC 9112 §3.2.1: to the server itself a request names the path, and the host in a field.
        request.headers_mut().insert(HOST, page.authority.clone());
        request.uri_mut().clone_from(&page.path);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| page.http(error))?;
        let talk = async {
            let answer = sender.send_request(request).await;
            let (head, body) = answer.map_err(|error| page.http(error))?.into_parts();
            let body = Limited::new(body, manner.largest).collect().await;
            Ok(Answer {
                head,
                body: body.map(|b| b.to_bytes()).map_err(|e| page.http(e)),
                trust: session.trust,
            })
        };
        tokio::pin!(talk);
        tokio::select! {
            biased;
            answered = &mut talk => answered,
            // Whatever ends the connection ends the talk: it has the last word.
            _ = connection => talk.await,
        }
    }

    /// To the first of the host's addresses that can be connected to.
    async fn connect(&self, page: &Page) -> Result<Stream, NoAnswer> {
        let none = |reported: String| NoAnswer::Host {
            host: page.host.clone(),
            reported,
        };
        let addresses: Vec<IpAddr> = match page.host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = self.resolver.addresses(&page.host).await;
                found.map_err(|error| none(error.to_string()))?
            }
        };
        let mut last = none("it has no address".to_owned());
        for address in addresses.into_iter().take(ADDRESSES) {
            let address = SocketAddr::new(address, page.port);
            let connected = timeout(CONNECT, self.world.net.connect(&Peer::Tcp(address))).await;
            let error = match connected {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => error,
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            last = NoAnswer::Connect {
                host: page.host.clone(),
                address: address.to_string(),
                reported: error.to_string(),
            };
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_or_refused() {
        let page = |url: &str| Page::of(&url.parse().unwrap(), 443);
        let whole = page("https://[2001:db8::1]:8443/a/b?c=d").unwrap();
        assert_eq!((whole.host.as_str(), whole.port), ("2001:db8::1", 8443));
        assert_eq!(whole.authority, "[2001:db8::1]:8443");
        assert_eq!(whole.path.to_string(), "/a/b?c=d");
        let short = page("https://rua.example.org").unwrap();
        assert_eq!((short.port, short.path.to_string().as_str()), (443, "/"));
        for url in [
            "http://rua.example.org/",
            "/path",
            "https://anna:geheim@rua.example.org/",
        ] {
            let refused = page(url).err().unwrap();
            assert!(matches!(refused, NoAnswer::NotAPage { .. }), "{url}");
        }
    }
}
