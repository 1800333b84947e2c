//! Who a server is.

use diagnosis::tls::{Certificate, CertificateProblem, TlsFailure, Trust};
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::certificate::{self, describe};
use crate::{Dane, Roots, failure};

/// How far a server must show who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Not at all: encryption without knowing to whom is better than none (RFC 7435). What a check
    /// would have found is told with the session.
    Opportunistic,
    /// An authority must vouch for one of these names (RFC 9525).
    Authority(Vec<String>),
    /// It must be who its domain says in the signed DNS (RFC 7672).
    Dane(Dane),
    /// Its certificate or public key must have one of these SHA-256 fingerprints, in hex.
    Fingerprint(Vec<String>),
}

/// How a certificate would have been trusted, or what is wrong with it.
pub type Judgement = Result<Trust, CertificateProblem>;

/// Looks at the certificate of one server.
#[derive(Debug)]
pub(crate) struct Judge {
    verify: Verify,
    /// What else is asked of it, though nothing follows.
    also: Vec<Verify>,
    roots: Roots,
    algorithms: WebPkiSupportedAlgorithms,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    certificate: Option<Certificate>,
    trust: Option<Trust>,
    problem: Option<CertificateProblem>,
    /// In the order of `also`.
    judgements: Vec<Judgement>,
}

impl Judge {
    pub(crate) fn new(
        verify: Verify,
        also: Vec<Verify>,
        roots: Roots,
        provider: &CryptoProvider,
    ) -> Judge {
        Judge {
            verify,
            also,
            roots,
            algorithms: provider.signature_verification_algorithms,
            seen: Mutex::default(),
        }
    }

    /// What the certificate is, and how it was trusted.
    pub(crate) fn verdict(&self) -> (Option<Certificate>, Option<Trust>) {
        let seen = self.seen.lock();
        (seen.certificate.clone(), seen.trust.clone())
    }

    /// What came of what else was asked.
    pub(crate) fn judgements(&self) -> Vec<Judgement> {
        self.seen.lock().judgements.clone()
    }

    /// Why the certificate was not taken, where it was not.
    pub(crate) fn rejection(&self) -> Option<TlsFailure> {
        let seen = self.seen.lock();
        Some(TlsFailure::Certificate {
            problem: seen.problem.clone()?,
            certificate: seen.certificate.clone().map(Box::new),
        })
    }

    fn look(
        &self,
        verify: &Verify,
        chain: Chain<'_>,
        known: Option<&Certificate>,
        now: UnixTime,
    ) -> Judgement {
        match verify {
            Verify::Opportunistic => {
                let names = [chain.asked.to_str().into_owned()];
                let problem = self.by_authority(chain, known, &names, now).err();
                Ok(Trust::Opportunistic { problem })
            }
            Verify::Authority(names) => {
                let name = self.by_authority(chain, known, names, now)?;
                Ok(Trust::Authority { name })
            }
            Verify::Dane(dane) => {
                let shown: Vec<_> = std::iter::once(chain.leaf)
                    .chain(chain.intermediates)
                    .collect();
                let record = dane.fits(&shown, |anchors, names| {
                    self.by_anchor(chain, known, (anchors, names), now)
                })?;
                Ok(Trust::Dane { record })
            }
            Verify::Fingerprint(wanted) => {
                let same = |wanted: &&String| {
                    known.is_some_and(|c| {
                        wanted.eq_ignore_ascii_case(&c.sha256)
                            || wanted.eq_ignore_ascii_case(&c.key_sha256)
                    })
                };
                match wanted.iter().find(same) {
                    Some(sha256) => Ok(Trust::Fingerprint {
                        sha256: sha256.clone(),
                    }),
                    None => Err(CertificateProblem::WrongFingerprint {
                        wanted: wanted.clone(),
                    }),
                }
            }
        }
    }

    fn by_authority(
        &self,
        chain: Chain<'_>,
        known: Option<&Certificate>,
        names: &[String],
        now: UnixTime,
    ) -> Result<String, CertificateProblem> {
        self.by_anchor(chain, known, (self.roots.all(), names), now)
    }

    /// RFC 5280 §6 and RFC 9525 §6: the chain, then the name. Answers the name that fits.
    fn by_anchor(
        &self,
        chain: Chain<'_>,
        known: Option<&Certificate>,
        (anchors, names): (&RootCertStore, &[String]),
        now: UnixTime,
    ) -> Result<String, CertificateProblem> {
        let problem = |error: &Error| problem(error, chain.leaf, known);
        let leaf = ParsedCertificate::try_from(chain.leaf).map_err(|e| problem(&e))?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &leaf,
            anchors,
            chain.intermediates,
            now,
            algorithms,
        )
        .map_err(|e| problem(&e))?;
        let fits = |name: &&String| {
            ServerName::try_from(name.as_str())
                .is_ok_and(|name| verify_server_name(&leaf, &name).is_ok())
        };
        let mismatch = || CertificateProblem::NameMismatch {
            wanted: names.to_vec(),
            names: known.map(|c| c.names.clone()).unwrap_or_default(),
        };
        names.iter().find(fits).cloned().ok_or_else(mismatch)
    }
}

/// What a server showed.
#[derive(Clone, Copy)]
struct Chain<'a> {
    leaf: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    /// The name that we asked for.
    asked: &'a ServerName<'a>,
}

fn problem(
    error: &Error,
    leaf: &CertificateDer<'_>,
    known: Option<&Certificate>,
) -> CertificateProblem {
    let unusable = || CertificateProblem::Unusable {
        reported: error.to_string(),
    };
    let (Error::InvalidCertificate(error), Some(known)) = (error, known) else {
        return unusable();
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateProblem::Expired {
                since: known.not_after.clone(),
            }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid {
                from: known.not_before.clone(),
            }
        }
        CertificateError::UnknownIssuer if is_self_signed(leaf) => CertificateProblem::SelfSigned,
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer {
            issuer: known.issuer.clone(),
        },
        CertificateError::BadSignature => CertificateProblem::BadSignature,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateProblem::WrongPurpose
        }
        _ => unusable(),
    }
}

fn is_self_signed(leaf: &CertificateDer<'_>) -> bool {
    certificate::parse(leaf).is_ok_and(|c| c.subject().as_raw() == c.issuer().as_raw())
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = Chain {
            leaf: end_entity,
            intermediates,
            asked: server_name,
        };
        let known = describe(end_entity).ok();
        let looked = self.look(&self.verify, chain, known.as_ref(), now);
        let also = self.also.iter();
        let judgements = also.map(|verify| self.look(verify, chain, known.as_ref(), now));
        let judgements = judgements.collect();
        let mut seen = self.seen.lock();
        seen.judgements = judgements;
        seen.certificate = known;
        match looked {
            Ok(trust) => {
                seen.trust = Some(trust);
                Ok(ServerCertVerified::assertion())
            }
            Err(problem) => {
                let told = failure::told(&problem);
                seen.problem = Some(problem);
                Err(Error::InvalidCertificate(told))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Judge {
    /// Where nobody asks who the server is, a signature by a certificate that the library cannot
    /// read (of version 1, say) proves as much as any: nothing.
    fn signature(
        &self,
        verified: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match (&self.verify, verified) {
            (Verify::Opportunistic, Err(error @ Error::InvalidCertificate(_))) => {
                // Whoever asks who it is ends here.
                for judgement in &mut self.seen.lock().judgements {
                    *judgement = Err(CertificateProblem::Unusable {
                        reported: error.to_string(),
                    });
                }
                Ok(HandshakeSignatureValid::assertion())
            }
            (_, verified) => verified,
        }
    }
}
