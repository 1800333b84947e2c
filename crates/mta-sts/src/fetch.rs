//! Fetching a policy over HTTPS (RFC 8461 §3.3).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use diagnosis::tls::TlsFailure;
use diagnosis::tls_policy::{ResultType, Shortfall};
use dns::Resolver;
use http_body_util::Empty;
use https::{Client, Manner, NoAnswer};
use hyper::header::{CONTENT_TYPE, HeaderMap, USER_AGENT};
use hyper::{Request, StatusCode};
use tls::Connector;
use world::World;

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
    /// There was no answer, or it broke off.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
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
const LARGEST: usize = 64 << 10;

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
            Trouble::NoAnswer(NoAnswer::Tls {
                failure: TlsFailure::Certificate { .. },
                ..
            }) => ResultType::StsWebpkiInvalid,
            Trouble::Policy { .. } | Trouble::NotPlainText { .. } => ResultType::StsPolicyInvalid,
            Trouble::NoAnswer(_) | Trouble::Status { .. } => ResultType::StsPolicyFetchError,
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
        let url = format!("https://mta-sts.{domain}/.well-known/mta-sts.txt");
        let request = Request::get(&url)
            .header(USER_AGENT, "Postrider")
            .body(Empty::<Bytes>::new())
            .map_err(|error| NoAnswer::Http {
                url: url.clone(),
                reported: error.to_string(),
            })?;
        let client = Client {
            world: &self.world,
            resolver: &*self.resolver,
            connector: &self.connector,
        };
        let manner = Manner {
            // §3.3: the certificate must be for the policy's host, by an authority that we trust.
            verified: true,
            patience: PATIENCE,
            largest: LARGEST,
            port: self.port,
        };
        let answer = client.ask(request, manner).await?;
        acceptable(answer.head.status, &answer.head.headers, &url)?;
        Policy::parse(&answer.body?).map_err(|error| Trouble::Policy { url, error })
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
