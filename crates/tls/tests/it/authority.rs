//! A certificate authority for tests, and a world whose clock stands in 2026.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tls::IdentityFiles;
use world::{VirtualClock, World};

/// A day on which tests take place.
pub(crate) fn world() -> World {
    let start = "2026-06-01T00:00:00Z".parse().unwrap();
    World {
        clock: Arc::new(VirtualClock::new(start)),
        ..World::real()
    }
}

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = rcgen::DistinguishedName::new();
        let name = "Test Authority";
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Authority { issuer, pem }
    }

    /// Certificate and key in PEM, valid in the years from `from` until `until`.
    pub(crate) fn issue(&self, name: &str, from: i32, until: i32) -> (String, String) {
        let (params, key) = leaf(name, from, until);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub(crate) fn write(&self, dir: &Path) -> PathBuf {
        let path = dir.join("authority.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

pub(crate) fn self_signed(name: &str) -> (String, String) {
    let (params, key) = leaf(name, 2026, 2027);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn leaf(name: &str, from: i32, until: i32) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params, KeyPair::generate().unwrap())
}

/// Writes them as `stem.pem` and `stem.key`.
pub(crate) fn files(dir: &Path, stem: &str, pair: &(String, String)) -> IdentityFiles {
    let files = IdentityFiles {
        certificate: dir.join(format!("{stem}.pem")),
        key: dir.join(format!("{stem}.key")),
    };
    std::fs::write(&files.certificate, &pair.0).unwrap();
    std::fs::write(&files.key, &pair.1).unwrap();
    files
}

/// The first certificate of a PEM file.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let der = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    der.1.contents
}

/// Its public key with the algorithm (SubjectPublicKeyInfo).
pub(crate) fn key_of(pem: &str) -> Vec<u8> {
    let der = der(pem);
    let parsed = x509_parser::parse_x509_certificate(&der).unwrap().1;
    parsed.public_key().raw.to_vec()
}
