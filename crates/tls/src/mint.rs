//! Certificates that we make ourselves: for a test server, and until an authority has given us one.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// A certificate that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The library said no: a name that is none, mostly.
    #[error("a certificate for {} cannot be made: {reported}", names.join(", "))]
    Library {
        /// The names that it was to be for.
        names: Vec<String>,
        /// What was reported.
        reported: String,
    },
}

/// From when until when a certificate is valid, to the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From the beginning of this day in UTC.
    pub from: Timestamp,
    /// Until the beginning of this one.
    pub until: Timestamp,
}

/// An authority of our own; nobody trusts it who was not told to.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A certificate with its key (ECDSA on P-256), as it was made.
#[derive(Debug)]
pub struct Minted {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

/// What a server shows to its clients.
#[derive(Clone, Debug)]
pub struct Shown(pub(crate) Arc<dyn ResolvesServerCert>);

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Authority {
    /// A new one with this name and a key that nobody else has.
    pub fn new(name: &str, validity: Validity) -> Result<Authority, MintError> {
        let names = || vec![name.to_owned()];
        let fail = |error: rcgen::Error| refused(names(), &error);
        let mut params = params(&[], name, validity).map_err(fail)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(fail)?;
        let pem = params.self_signed(&key).map_err(fail)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Authority { issuer, pem })
    }

    /// Its own certificate in PEM: for those who are to trust it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names (and addresses).
    pub fn issue(&self, names: &[String], validity: Validity) -> Result<Minted, MintError> {
        let fail = |error: rcgen::Error| refused(names.to_vec(), &error);
        let params = params(names, first(names), validity).map_err(fail)?;
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok(Minted { key, certificate })
    }
}

impl Minted {
    /// One that vouches for itself.
    pub fn self_signed(names: &[String], validity: Validity) -> Result<Minted, MintError> {
        let fail = |error: rcgen::Error| refused(names.to_vec(), &error);
        let params = params(names, first(names), validity).map_err(fail)?;
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.self_signed(&key).map_err(fail)?;
        Ok(Minted { key, certificate })
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The key in PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// It, whatever name a client asks for.
    pub fn shown(&self) -> Result<Shown, MintError> {
        let certified = self.certified().map_err(|error| MintError::Library {
            names: Vec::new(),
            reported: error.to_string(),
        })?;
        Ok(Shown(Arc::new(Always(Arc::new(certified)))))
    }

    fn certified(&self) -> Result<CertifiedKey, rustls::Error> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let signing = aws_lc_rs::sign::any_supported_type(&key)?;
        let chain: Vec<CertificateDer<'static>> = vec![self.certificate.der().clone()];
        Ok(CertifiedKey::new(chain, signing))
    }
}

fn first(names: &[String]) -> &str {
    names.first().map_or("", String::as_str)
}

fn refused(names: Vec<String>, error: &rcgen::Error) -> MintError {
    MintError::Library {
        names,
        reported: error.to_string(),
    }
}

fn params(
    names: &[String],
    common: &str,
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // RFC 5280 A.1: a common name has 64 characters at most.
    let common: String = common.chars().take(64).collect();
    params.distinguished_name.push(DnType::CommonName, common);
    let (year, month, date) = day(validity.from);
    params.not_before = rcgen::date_time_ymd(year, month, date);
    let (year, month, date) = day(validity.until);
    params.not_after = rcgen::date_time_ymd(year, month, date);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Year, month and day in UTC.
fn day(at: Timestamp) -> (i32, u8, u8) {
    let date = at.to_zoned_datetime(TimeZone::UTC).date();
    let month = u8::try_from(date.month()).unwrap_or(1);
    let day = u8::try_from(date.day()).unwrap_or(1);
    (i32::from(date.year()), month, day)
}
