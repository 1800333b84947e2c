//! Requests to the authority.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use https::{Manner, NoAnswer};
use hyper::{Request, Response};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tls::Connector;
use world::World;

/// RFC 8555 §6.1: HTTPS alone, with a certificate by an authority that we trust.
const MANNER: Manner = Manner {
    verified: true,
    patience: Duration::from_secs(30),
    largest: 1 << 20,
    port: 443,
};

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
            match client.send(request).await {
                Ok(response) => Ok(BytesResponse::from(response)),
                Err(error) => Err(Error::Other(Box::new(error))),
            }
        })
    }
}

impl Client {
    async fn send(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Result<Response<Full<Bytes>>, NoAnswer> {
        let client = https::Client {
            world: &self.world,
            resolver: &*self.resolver,
            connector: &self.connector,
        };
        let answer = client.ask(request, MANNER).await?;
        Ok(Response::from_parts(answer.head, Full::new(answer.body?)))
    }
}
