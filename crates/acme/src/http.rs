//! Requests to the authority: HTTP/1.1 under TLS over the world's network.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tls::{Connector, Verify};
use tokio::time::timeout;
use world::{Peer, Stream, World};

/// How long a request may take, all in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer, at most.
const ANSWER: usize = 1 << 20;

/// Why a request had no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// RFC 8555 §6.1: HTTPS alone.
    #[error("{0}: not an address that begins with https://")]
    NotHttps(Uri),
    #[error("{host}: {reported}")]
    NoAddress { host: String, reported: String },
    #[error("{at}: {reported}")]
    Connect { at: SocketAddr, reported: String },
    #[error("{host}: TLS: {failure}")]
    Tls {
        host: String,
        failure: diagnosis::tls::TlsFailure,
    },
    #[error("{host}: {reported}")]
    Http { host: String, reported: String },
    #[error("{0}: no answer in time")]
    TimedOut(String),
}

/// Makes requests.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) world: World,
    pub(crate) resolver: Arc<dyn dns::Resolver>,
    pub(crate) connector: Connector,
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let answered = timeout(PATIENCE, client.send(request)).await;
            let answered = answered.unwrap_or(Err(NoAnswer::TimedOut(host)));
            match answered {
                Ok(response) => Ok(BytesResponse::from(response)),
                Err(error) => Err(Error::Other(Box::new(error))),
            }
        })
    }
}

impl Client {
    async fn send(
        &self,
        mut request: Request<BodyWrapper<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, NoAnswer> {
        let uri = request.uri().clone();
        let (Some("https"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(NoAnswer::NotHttps(uri));
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let stream = self.connect(&host, port).await?;
        let verify = Verify::Authority(vec![host.clone()]);
        let secured = self.connector.connect(stream, &host, verify).await;
        let (stream, _) = secured.map_err(|failure| NoAnswer::Tls {
            host: host.clone(),
            failure,
        })?;
        let broken = |reported: String| NoAnswer::Http {
            host: host.clone(),
            reported,
        };
        let authority = uri.authority().map_or(host.as_str(), |a| a.as_str());
        let authority = HeaderValue::from_str(authority).map_err(|e| broken(e.to_string()))?;
        request.headers_mut().insert(HOST, authority);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| NoAnswer::NotHttps(uri.clone()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let talk = async {
            let answer = sender.send_request(request).await;
            let (parts, body) = answer.map_err(|e| broken(e.to_string()))?.into_parts();
            let body = Limited::new(body, ANSWER).collect().await;
            let body = body.map_err(|error| broken(error.to_string()))?.to_bytes();
            Ok(Response::from_parts(parts, Full::new(body)))
        };
        tokio::pin!(talk);
        tokio::select! {
            biased;
            answered = &mut talk => answered,
            // The connection may end before the last of the answer is taken out of it.
            _ = connection => talk.await,
        }
    }

    /// To the first of the host's addresses that can be connected to.
    async fn connect(&self, host: &str, port: u16) -> Result<Stream, NoAnswer> {
        let none = |reported: String| NoAnswer::NoAddress {
            host: host.to_owned(),
            reported,
        };
        let addresses: Vec<IpAddr> = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = self.resolver.addresses(host).await;
                found.map_err(|error| none(error.to_string()))?
            }
        };
        let mut last = none("it has no address".to_owned());
        for address in addresses {
            let at = SocketAddr::new(address, port);
            match self.world.net.connect(&Peer::Tcp(at)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    let reported = error.to_string();
                    last = NoAnswer::Connect { at, reported };
                }
            }
        }
        Err(last)
    }
}
