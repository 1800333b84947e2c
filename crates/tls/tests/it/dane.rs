//! Servers that are who the signed DNS says (RFC 6698, RFC 7671, RFC 7672).

use diagnosis::tls::{CertificateProblem, TlsFailure, Trust};
use dns::Tlsa;
use sha2::{Digest, Sha256, Sha512};
use tempfile::TempDir;
use tls::{Connector, Dane, Identities, Roots, Verify};
use world::Stream;

use crate::authority::{Authority, der, files, key_of, self_signed, world};

const HOST: &str = "mx.example.org";
const DOMAIN: &str = "example.org";

fn record(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Tlsa {
    let data = match matching {
        1 => Sha256::digest(data).to_vec(),
        2 => Sha512::digest(data).to_vec(),
        _ => data.to_vec(),
    };
    Tlsa {
        usage,
        selector,
        matching,
        data,
    }
}

/// What a client with these records finds of a server that shows this.
async fn meets(pair: &(String, String), records: &[Tlsa]) -> Result<Trust, CertificateProblem> {
    let (dir, world) = (TempDir::new().unwrap(), world());
    let files = vec![files(dir.path(), "server", pair)];
    let (identities, _) = Identities::load(&world, files).unwrap();
    let names = vec![HOST.to_owned(), DOMAIN.to_owned()];
    let verify = Verify::Dane(Dane::of(records, names).unwrap());
    let connector = Connector::new(&world, Roots::none());
    let (near, far) = tokio::io::duplex(64 * 1024);
    let acceptor = identities.acceptor();
    let (client, _) = tokio::join!(
        connector.connect(Stream::Memory(near), HOST, verify),
        acceptor.accept(Stream::Memory(far)),
    );
    match client {
        Ok((_, session)) => Ok(session.trust),
        Err(TlsFailure::Certificate {
            problem,
            certificate,
        }) => {
            assert!(certificate.is_some(), "the certificate is told");
            Err(problem)
        }
        Err(other) => panic!("{other:?}"),
    }
}

fn by(record: &Tlsa) -> Result<Trust, CertificateProblem> {
    let record = record.to_string();
    Ok(Trust::Dane { record })
}

#[tokio::test(start_paused = true)]
async fn dane_ee_takes_the_certificate_by_any_selector_and_matching_whatever_it_says() {
    // For another name, and long expired: RFC 7672 §3.1.1.
    let pair = Authority::new().issue("elsewhere.example", 2020, 2021);
    let (certificate, key) = (der(&pair.0), key_of(&pair.0));
    for matching in [0, 1, 2] {
        for (selector, data) in [(0, &certificate), (1, &key)] {
            let published = record(3, selector, matching, data);
            let found = meets(&pair, std::slice::from_ref(&published)).await;
            assert_eq!(found, by(&published), "3 {selector} {matching}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_fits_no_record_is_refused_and_the_records_are_named() {
    let pair = self_signed(HOST);
    let old = record(3, 1, 1, b"the key before");
    let found = meets(&pair, std::slice::from_ref(&old)).await;
    let records = vec![old.to_string()];
    assert_eq!(
        found,
        Err(CertificateProblem::NotAsPublished { records }),
        "rolled without the DNS"
    );
    // RFC 7671 §8.1: during a change both are published.
    let new = record(3, 1, 1, &key_of(&pair.0));
    assert_eq!(meets(&pair, &[old, new.clone()]).await, by(&new));
}

#[tokio::test(start_paused = true)]
async fn a_weak_digest_that_fits_does_not_make_up_for_a_strong_one_that_does_not() {
    let pair = self_signed(HOST);
    let weak = record(3, 1, 1, &key_of(&pair.0));
    let strong = record(3, 1, 2, b"another key");
    let found = meets(&pair, &[weak, strong]).await;
    assert!(
        matches!(found, Err(CertificateProblem::NotAsPublished { .. })),
        "{found:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn dane_ta_takes_what_an_authority_of_the_domain_has_issued_for_one_of_its_names() {
    let authority = Authority::new();
    let (root, root_key) = (der(&authority.pem), key_of(&authority.pem));
    for name in [HOST, DOMAIN] {
        let (leaf, key) = authority.issue(name, 2026, 2027);
        // The server must send the authority's certificate (RFC 7672 §3.1.2).
        let with_root = (format!("{leaf}{}", authority.pem), key.clone());
        for (selector, data) in [(0, &root), (1, &root_key)] {
            let published = record(2, selector, 1, data);
            let found = meets(&with_root, std::slice::from_ref(&published)).await;
            assert_eq!(found, by(&published), "2 {selector} 1 for {name}");
        }
        // Unless the record holds all of it.
        for (selector, data) in [(0, &root), (1, &root_key)] {
            let published = record(2, selector, 0, data);
            let alone = (leaf.clone(), key.clone());
            let found = meets(&alone, std::slice::from_ref(&published)).await;
            assert_eq!(found, by(&published), "2 {selector} 0 for {name}");
        }
        let published = record(2, 0, 1, &root);
        let alone = (leaf, key);
        let found = meets(&alone, &[published]).await;
        assert!(
            matches!(found, Err(CertificateProblem::NotAsPublished { .. })),
            "a digest of what was not sent: {found:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn dane_ta_asks_for_names_and_times_and_the_right_signature() {
    let authority = Authority::new();
    let published = [record(2, 0, 1, &der(&authority.pem))];
    let chain = |(leaf, key): (String, String)| (format!("{leaf}{}", authority.pem), key);

    let other = chain(authority.issue("elsewhere.example", 2026, 2027));
    let wanted = vec![HOST.to_owned(), DOMAIN.to_owned()];
    let names = vec!["elsewhere.example".to_owned()];
    assert_eq!(
        meets(&other, &published).await,
        Err(CertificateProblem::NameMismatch { wanted, names })
    );

    let expired = chain(authority.issue(HOST, 2024, 2025));
    let found = meets(&expired, &published).await;
    assert!(
        matches!(found, Err(CertificateProblem::Expired { .. })),
        "{found:?}"
    );

    // The authority's certificate is sent, and has not issued the server's.
    let (leaf, key) = Authority::new().issue(HOST, 2026, 2027);
    let forged = (format!("{leaf}{}", authority.pem), key);
    let found = meets(&forged, &published).await;
    assert!(
        matches!(found, Err(CertificateProblem::NotAsPublished { .. })),
        "{found:?}"
    );
    let by_key = [record(2, 1, 0, &key_of(&authority.pem))];
    let found = meets(&forged, &by_key).await;
    assert!(
        matches!(found, Err(CertificateProblem::NotAsPublished { .. })),
        "{found:?}"
    );

    // RFC 7671 §5.2: the authority's record says nothing of the server's own certificate.
    let own = self_signed(HOST);
    let found = meets(&own, &[record(2, 0, 1, &der(&own.0))]).await;
    assert!(
        matches!(found, Err(CertificateProblem::NotAsPublished { .. })),
        "{found:?}"
    );
}
