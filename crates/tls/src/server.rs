//! The server's side of a handshake.

use std::sync::Arc;

use diagnosis::tls::{Certificate, TlsFailure};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ResolvesServerCert;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio_rustls::TlsAcceptor;
use world::{Clock, Stream};

use crate::certificate::describe;
use crate::failure;
use crate::layer::Tls;
use crate::mint::Shown;
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
    /// The client's own certificate, where it was asked for and one came that can be read. Nobody
    /// vouches for it: the client has its key, that is all.
    pub client_certificate: Option<Certificate>,
}

/// Which protocols are spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Versions {
    /// TLS 1.2 and 1.3.
    #[default]
    Both,
    /// TLS 1.2 alone.
    Only12,
    /// TLS 1.3 alone.
    Only13,
}

impl Versions {
    fn list(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Versions::Both => vec![&TLS13, &TLS12],
            Versions::Only12 => vec![&TLS12],
            Versions::Only13 => vec![&TLS13],
        }
    }
}

/// What a server offers and asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The protocols.
    pub versions: Versions,
    /// Whether a certificate is asked of the client; it need not have one.
    pub ask_client: bool,
}

impl Acceptor {
    /// One that shows what `identities` choose.
    pub(crate) fn new(
        identities: Arc<dyn ResolvesServerCert>,
        clock: Arc<dyn Clock>,
    ) -> Result<Acceptor, rustls::Error> {
        Acceptor::with(&Shown(identities), clock, Terms::default())
    }

    /// One on terms of its own.
    pub fn with(
        shown: &Shown,
        clock: Arc<dyn Clock>,
        terms: Terms,
    ) -> Result<Acceptor, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let time = Arc::new(WorldTime(clock));
        let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
            .with_protocol_versions(&terms.versions.list())?;
        let builder = if terms.ask_client {
            let algorithms = provider.signature_verification_algorithms;
            builder.with_client_cert_verifier(Arc::new(AnyClient(algorithms)))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&shown.0));
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Acceptor {
            inner: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Makes a client's connection secure. No time limit of its own.
    pub async fn accept(&self, stream: Stream) -> Result<(Stream, ServerSession), TlsFailure> {
        self.accept_or_return(stream)
            .await
            .map_err(|(failure, _)| failure)
    }

    /// The same, but a connection that did not become secure is given back, alert sent.
    pub async fn accept_or_return(
        &self,
        stream: Stream,
    ) -> Result<(Stream, ServerSession), (TlsFailure, Stream)> {
        let accepted = self.inner.accept(stream).into_fallible().await;
        let secured = accepted.map_err(|(error, stream)| (failure::of(&error), stream))?;
        let connection = secured.get_ref().1;
        let certificates = connection.peer_certificates().unwrap_or(&[]);
        let session = ServerSession {
            protocol: failure::protocol_name(connection.protocol_version()),
            cipher: failure::cipher_name(connection.negotiated_cipher_suite().map(|s| s.suite())),
            server_name: connection.server_name().map(str::to_owned),
            client_certificate: certificates.first().and_then(|der| describe(der).ok()),
        };
        let layer = Box::new(Tls(secured.into()));
        Ok((Stream::Layered(layer), session))
    }
}

/// The name that a client asks for in the beginning of its handshake (RFC 6066 §3), if it is whole.
#[must_use]
pub fn asked_name(mut received: &[u8]) -> Option<String> {
    let mut reader = rustls::server::Acceptor::default();
    while !received.is_empty() {
        reader.read_tls(&mut received).ok()?;
    }
    let accepted = reader.accept().ok()??;
    accepted.client_hello().server_name().map(str::to_owned)
}

/// Takes any certificate of a client whose key it has: to know who comes, not to let them in.
#[derive(Debug)]
struct AnyClient(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
