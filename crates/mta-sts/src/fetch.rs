//! Fetching a policy over HTTPS (RFC 8461 §3.3).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use diagnosis::tls::TlsFailure;
use diagnosis::tls_policy::{ResultType, Shortfall};
use dns::Resolver;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tls::{Connector, Verify};
use tokio::time::timeout;
use world::{Peer, Stream, World};

use crate::{Policy, PolicyError};

/// Fetches policies.
pub struct Fetcher {
    /// The network.
    pub world: World,
    /// Who tells where the policy's host is.
    pub resolver: Arc<dyn Resolver>,
    /// Who makes the connection secure.
    pub connector: Connector,
    /// The port; 443 but in tests.
    pub port: u16,
}

/// Why a policy could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The policy's host has no address, or none can be found out.
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
    /// The answer is another than 200; one that leads elsewhere is not followed (§3.3).
    #[error("{url} answers {status}{}", elsewhere(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: u16,
    },
    /// What came is not `text/plain` (§3.2).
    #[error("{url} is of type `{found}`; a policy must be `text/plain`")]
    NotPlainText {
        /// What was asked for.
        url: String,
        /// The type.
        found: String,
    },
    /// It took too long.
    #[error("{url}: no answer in time")]
    TimedOut {
        /// What was asked for.
        url: String,
    },
    /// It is no policy.
    #[error("{url}: {error}")]
    Policy {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        error: PolicyError,
    },
}

fn elsewhere(status: u16) -> &'static str {
    match status {
        300..400 => ", and a policy must be at that very place",
        _ => "",
    }
}

/// §3.3 suggests a minute and 64 KiB.
const PATIENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
const LARGEST: usize = 64 << 10;
/// Addresses that are tried.
const ADDRESSES: usize = 4;

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl Trouble {
    /// As RFC 8460 counts it.
    #[must_use]
    pub fn shortfall(&self) -> Shortfall {
        let result = match self {
            Trouble::Tls {
                failure: TlsFailure::Certificate { .. },
                ..
            } => ResultType::StsWebpkiInvalid,
            Trouble::Policy { .. } | Trouble::NotPlainText { .. } => ResultType::StsPolicyInvalid,
            Trouble::Host { .. }
            | Trouble::Connect { .. }
            | Trouble::Tls { .. }
            | Trouble::Http { .. }
            | Trouble::Status { .. }
            | Trouble::TimedOut { .. } => ResultType::StsPolicyFetchError,
        };
        Shortfall {
            result,
            reason: self.to_string(),
        }
    }
}

impl Fetcher {
    /// The policy of a domain.
    pub async fn fetch(&self, domain: &str) -> Result<Policy, Trouble> {
        let host = format!("mta-sts.{domain}");
        let url = format!("https://{host}/.well-known/mta-sts.txt");
        let fetched = timeout(PATIENCE, self.talk(&host, &url)).await;
        let body = match fetched {
            Ok(body) => body?,
            Err(_) => return Err(Trouble::TimedOut { url }),
        };
        Policy::parse(&body).map_err(|error| Trouble::Policy { url, error })
    }

    async fn talk(&self, host: &str, url: &str) -> Result<Bytes, Trouble> {
        let stream = self.connect(host).await?;
        // §3.3: the certificate must be for the policy's host, by an authority that we trust.
        let verify = Verify::Authority(vec![host.to_owned()]);
        let connecting = self.connector.connect(stream, host, verify);
        let (stream, _) = connecting.await.map_err(|failure| Trouble::Tls {
            host: host.to_owned(),
            failure,
        })?;
        let http = |reported: String| Trouble::Http {
            url: url.to_owned(),
            reported,
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| http(error.to_string()))?;
        let request = Request::get("/.well-known/mta-sts.txt")
            .header(HOST, host)
            .header(USER_AGENT, "Postrider")
            .body(Empty::<Bytes>::new())
            .map_err(|error| http(error.to_string()))?;
        let talk = async {
            let answer = sender.send_request(request).await;
            let answer = answer.map_err(|error| http(error.to_string()))?;
            acceptable(answer.status(), answer.headers(), url)?;
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            Ok(body.map_err(|error| http(error.to_string()))?.to_bytes())
        };
        tokio::pin!(talk);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            biased;
            body = &mut talk => body,
            // Whatever ends the connection ends the talk: it has the last word.
            _ = &mut connection => talk.await,
        }
    }

    async fn connect(&self, host: &str) -> Result<Stream, Trouble> {
        let trouble = |reported: String| Trouble::Host {
            host: host.to_owned(),
            reported,
        };
        let addresses = self.resolver.addresses(host).await;
        let addresses = addresses.map_err(|error| trouble(error.to_string()))?;
        let mut last = trouble("it has no address".to_owned());
        for address in addresses.into_iter().take(ADDRESSES) {
            let address = SocketAddr::new(address, self.port);
            let connected = timeout(CONNECT, self.world.net.connect(&Peer::Tcp(address))).await;
            let error = match connected {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => error,
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            last = Trouble::Connect {
                host: host.to_owned(),
                address: address.to_string(),
                reported: error.to_string(),
            };
        }
        Err(last)
    }
}

/// §3.3: only 200 counts, and nothing is followed; §3.2: the type guards against pages of others.
fn acceptable(status: StatusCode, headers: &HeaderMap, url: &str) -> Result<(), Trouble> {
    let url = url.to_owned();
    if status != StatusCode::OK {
        let status = status.as_u16();
        return Err(Trouble::Status { url, status });
    }
    let kind = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let kind = String::from_utf8_lossy(kind.unwrap_or_default()).into_owned();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/plain") {
        return Ok(());
    }
    let found = kind.chars().take(80).collect();
    Err(Trouble::NotPlainText { url, found })
}
