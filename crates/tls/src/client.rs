//! The client's side of a handshake.

use std::sync::Arc;

use diagnosis::tls::{TlsFailure, TlsSession, Trust};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use world::{Clock, Stream, World};

use crate::layer::Tls;
use crate::time::WorldTime;
use crate::verify::{Judge, Judgement, Verify};
use crate::{Roots, failure};

/// Makes connections to servers secure.
#[derive(Clone)]
pub struct Connector {
    provider: Arc<CryptoProvider>,
    roots: Roots,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// One that trusts these authorities, where authorities are asked.
    #[must_use]
    pub fn new(world: &World, roots: Roots) -> Connector {
        Connector {
            provider: Arc::new(aws_lc_rs::default_provider()),
            roots,
            clock: Arc::clone(&world.clock),
        }
    }

    /// Reads the authorities now, and not with the first connection. Blocks.
    pub fn prepare(&self) {
        self.roots.all();
    }

    /// Makes a connection to `host` secure; that name is sent to it (RFC 6066 §3), unless it is an
    /// address. No time limit of its own.
    ///
    /// Sessions are never resumed: a resumed one shows no certificate to verify.
    pub async fn connect(
        &self,
        stream: Stream,
        host: &str,
        verify: Verify,
    ) -> Result<(Stream, TlsSession), TlsFailure> {
        let judge = self.judge(verify, Vec::new());
        self.shake(stream, host, judge).await
    }

    /// The same with whomever; and what each of these would have made of the server's certificate.
    pub async fn examine(
        &self,
        stream: Stream,
        host: &str,
        by: Vec<Verify>,
    ) -> Result<(Stream, TlsSession, Vec<Judgement>), TlsFailure> {
        let judge = self.judge(Verify::Opportunistic, by);
        let (stream, session) = self.shake(stream, host, Arc::clone(&judge)).await?;
        Ok((stream, session, judge.judgements()))
    }

    fn judge(&self, verify: Verify, also: Vec<Verify>) -> Arc<Judge> {
        let judge = Judge::new(verify, also, self.roots.clone(), &self.provider);
        Arc::new(judge)
    }

    async fn shake(
        &self,
        stream: Stream,
        host: &str,
        judge: Arc<Judge>,
    ) -> Result<(Stream, TlsSession), TlsFailure> {
        let (name, known) = match ServerName::try_from(host.to_owned()) {
            Ok(name) => (name, true),
            Err(_) => (ServerName::from(std::net::Ipv4Addr::UNSPECIFIED), false),
        };
        let config = self.config(Arc::clone(&judge), known)?;
        let connector = TlsConnector::from(Arc::new(config));
        let secured = match connector.connect(name, stream).await {
            Ok(secured) => secured,
            // What we found wrong ourselves is told by the one who found it.
            Err(error) => return Err(judge.rejection().unwrap_or_else(|| failure::of(&error))),
        };
        let connection = secured.get_ref().1;
        let (certificate, trust) = judge.verdict();
        let session = TlsSession {
            protocol: failure::protocol_name(connection.protocol_version()),
            cipher: failure::cipher_name(connection.negotiated_cipher_suite().map(|s| s.suite())),
            certificate,
            trust: trust.unwrap_or(Trust::Opportunistic { problem: None }),
        };
        let layer = Box::new(Tls(secured.into()));
        Ok((Stream::Layered(layer), session))
    }

    fn config(&self, judge: Arc<Judge>, with_name: bool) -> Result<ClientConfig, TlsFailure> {
        let time = Arc::new(WorldTime(Arc::clone(&self.clock)));
        let builder = ClientConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsFailure::Protocol {
                reported: error.to_string(),
            })?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(judge)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.enable_sni = with_name;
        Ok(config)
    }
}
