//! DANE: a server is who its domain says in the signed DNS (RFC 6698, RFC 7671, RFC 7672).

use diagnosis::tls::CertificateProblem;
use dns::Tlsa;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use sha2::{Digest, Sha256, Sha512};
use x509_parser::asn1_rs::{Any, FromDer};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::certificate::parse;

const DANE_TA: u8 = 2;
const DANE_EE: u8 = 3;
const CERTIFICATE: u8 = 0;
const KEY: u8 = 1;
const FULL: u8 = 0;
const SHA_256: u8 = 1;
const SHA_512: u8 = 2;

/// What a server must show: one of these certificates or keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dane {
    records: Vec<Tlsa>,
    names: Vec<String>,
}

impl Dane {
    /// Those of the records that can be used; `None`: none can. Where an authority of the domain's
    /// vouches for the server, it does so for one of these names (RFC 7672 §3.2.2).
    #[must_use]
    pub fn of(records: &[Tlsa], names: Vec<String>) -> Option<Dane> {
        let usable: Vec<&Tlsa> = records.iter().filter(|r| is_usable(r)).collect();
        // RFC 7671 §9: of digests of the same thing only the strongest counts.
        let outdone = |record: &&&Tlsa| {
            record.matching == SHA_256
                && usable.iter().any(|other| {
                    let same = (record.usage, record.selector);
                    other.matching == SHA_512 && (other.usage, other.selector) == same
                })
        };
        let records: Vec<Tlsa> = usable
            .iter()
            .filter(|record| !outdone(record))
            .map(|record| (*record).clone())
            .collect();
        (!records.is_empty()).then_some(Dane { records, names })
    }

    /// As in a zone file.
    fn as_published(&self) -> Vec<String> {
        self.records.iter().map(ToString::to_string).collect()
    }

    /// The record that fits the certificates that were shown.
    ///
    /// `by_anchor` looks for a chain from the first certificate to one of these anchors, and then for
    /// one of the names.
    pub(crate) fn fits(
        &self,
        chain: &[&CertificateDer<'_>],
        by_anchor: impl Fn(&RootCertStore, &[String]) -> Result<String, CertificateProblem>,
    ) -> Result<String, CertificateProblem> {
        let leaf = chain.first();
        // RFC 7672 §3.1.1: neither names nor times matter to DANE-EE.
        let own = |record: &&Tlsa| record.usage == DANE_EE && leaf.is_some_and(|l| is(record, l));
        if let Some(record) = self.records.iter().find(own) {
            return Ok(record.to_string());
        }
        let mut found = CertificateProblem::NotAsPublished {
            records: self.as_published(),
        };
        for record in self.records.iter().filter(|r| r.usage == DANE_TA) {
            let anchors = anchors(record, chain);
            if anchors.is_empty() {
                continue;
            }
            match by_anchor(&anchors, &self.names) {
                Ok(_) => return Ok(record.to_string()),
                // What is nearly right says more.
                Err(
                    problem @ (CertificateProblem::NameMismatch { .. }
                    | CertificateProblem::Expired { .. }
                    | CertificateProblem::NotYetValid { .. }),
                ) => found = problem,
                Err(_) => {}
            }
        }
        Err(found)
    }
}

/// RFC 7672 §3.1.3: the usages that lean on public authorities are of no use between mail servers.
/// RFC 7671 §4: neither is what nobody can compare.
fn is_usable(record: &Tlsa) -> bool {
    let data = &record.data[..];
    let fits = match (record.selector, record.matching) {
        (CERTIFICATE, FULL) => parse(&CertificateDer::from(data)).is_ok(),
        (KEY, FULL) => SubjectPublicKeyInfo::from_der(data).is_ok_and(|(rest, _)| rest.is_empty()),
        (CERTIFICATE | KEY, SHA_256) => data.len() == 32,
        (CERTIFICATE | KEY, SHA_512) => data.len() == 64,
        _ => false,
    };
    matches!(record.usage, DANE_TA | DANE_EE) && fits
}

/// RFC 6698 §2.1: whether the record is about this certificate.
fn is(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let parsed = parse(certificate);
    let selected: &[u8] = match (record.selector, &parsed) {
        (CERTIFICATE, _) => certificate,
        (KEY, Ok(parsed)) => parsed.public_key().raw,
        _ => return false,
    };
    let data = &record.data[..];
    match record.matching {
        FULL => selected == data,
        SHA_256 => Sha256::digest(selected)[..] == *data,
        SHA_512 => Sha512::digest(selected)[..] == *data,
        _ => false,
    }
}

/// The trust anchors that a record stands for (RFC 7671 §5.2): certificates that the server sent behind
/// its own, or what the record holds in full.
fn anchors(record: &Tlsa, chain: &[&CertificateDer<'_>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    let sent = chain.iter().skip(1).filter(|c| is(record, c));
    for certificate in sent {
        // One that the library cannot read as an authority is none.
        let _ = store.add((*certificate).clone().into_owned());
    }
    match (record.selector, record.matching) {
        (CERTIFICATE, FULL) => {
            let _ = store.add(CertificateDer::from(record.data.clone()));
        }
        // RFC 7671 §5.2.3: a key without a certificate is whoever issued what was sent.
        (KEY, FULL) => store.roots.extend(
            chain
                .iter()
                .filter_map(|issued| by_key(&record.data, issued)),
        ),
        _ => {}
    }
    store
}

/// This key, under the name of who issued the certificate.
fn by_key(key: &[u8], issued: &CertificateDer<'_>) -> Option<TrustAnchor<'static>> {
    let parsed = parse(issued).ok()?;
    Some(TrustAnchor {
        subject: contents(parsed.issuer().as_raw())?.into(),
        subject_public_key_info: contents(key)?.into(),
        name_constraints: None,
    })
}

/// What is in a DER element.
fn contents(der: &[u8]) -> Option<Vec<u8>> {
    let (_, element) = Any::from_der(der).ok()?;
    Some(element.data.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str, length: usize) -> Tlsa {
        let mut fields = text.split(' ').map(|field| field.parse().unwrap());
        let mut next = || fields.next().unwrap();
        Tlsa {
            usage: next(),
            selector: next(),
            matching: next(),
            data: vec![7; length],
        }
    }

    #[test]
    fn what_leans_on_public_authorities_or_cannot_be_compared_is_not_usable() {
        for (text, length) in [
            ("0 1 1", 32),
            ("1 1 1", 32),
            ("4 1 1", 32),
            ("255 1 1", 32),
            ("3 2 1", 32),
            ("3 1 3", 32),
            ("3 1 1", 31),
            ("3 1 1", 0),
            ("3 1 2", 32),
            ("3 0 0", 40),
            ("2 1 0", 40),
            ("3 1 0", 0),
        ] {
            let dane = Dane::of(&[record(text, length)], Vec::new());
            assert_eq!(dane, None, "{text} with {length} bytes");
        }
        for (text, length) in [("3 1 1", 32), ("2 0 1", 32), ("3 0 2", 64), ("2 1 2", 64)] {
            assert!(Dane::of(&[record(text, length)], Vec::new()).is_some());
        }
    }

    #[test]
    fn of_two_digests_of_the_same_only_the_stronger_counts() {
        let (weak, strong) = (record("3 1 1", 32), record("3 1 2", 64));
        let other = record("2 1 1", 32);
        let all = [weak.clone(), strong.clone(), other.clone()];
        let dane = Dane::of(&all, Vec::new()).unwrap();
        assert_eq!(dane.records, [strong, other]);
        // One that cannot be used does not outdo another.
        let broken = record("3 1 2", 32);
        let dane = Dane::of(&[weak.clone(), broken], Vec::new()).unwrap();
        assert_eq!(dane.records, [weak]);
    }
}
