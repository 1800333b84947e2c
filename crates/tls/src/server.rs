//! The server's side of a handshake.

use std::sync::Arc;

use diagnosis::tls::TlsFailure;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ResolvesServerCert;
use tokio_rustls::TlsAcceptor;
use world::{Clock, Stream};

use crate::failure;
use crate::layer::Tls;
use crate::time::WorldTime;

/// Makes clients' connections secure.
#[derive(Clone)]
pub struct Acceptor {
    inner: TlsAcceptor,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

/// A session with a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSession {
    /// The protocol, like `TLSv1.3`.
    pub protocol: String,
    /// The cipher suite by its IANA name.
    pub cipher: String,
    /// The name of ours that the client asked for (RFC 6066 §3).
    pub server_name: Option<String>,
}

impl Acceptor {
    /// One that shows what `identities` choose.
    pub(crate) fn new(
        identities: Arc<dyn ResolvesServerCert>,
        clock: Arc<dyn Clock>,
    ) -> Result<Acceptor, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_details(provider, Arc::new(WorldTime(clock)))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(identities);
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Acceptor {
            inner: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Makes a client's connection secure. No time limit of its own.
    pub async fn accept(&self, stream: Stream) -> Result<(Stream, ServerSession), TlsFailure> {
        let accepted = self.inner.accept(stream).await;
        let secured = accepted.map_err(|error| failure::of(&error))?;
        let connection = secured.get_ref().1;
        let session = ServerSession {
            protocol: failure::protocol_name(connection.protocol_version()),
            cipher: failure::cipher_name(connection.negotiated_cipher_suite().map(|s| s.suite())),
            server_name: connection.server_name().map(str::to_owned),
        };
        let layer = Box::new(Tls(secured.into()));
        Ok((Stream::Layered(layer), session))
    }
}
