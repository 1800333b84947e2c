use tempfile::TempDir;
use tls::{Identities, IdentityError, Reloaded};

use crate::authority::{Authority, files, self_signed, world};

fn fails(certificate: &str, key: &str) -> String {
    let dir = TempDir::new().unwrap();
    let pair = (certificate.to_owned(), key.to_owned());
    let files = files(dir.path(), "mx", &pair);
    let error = Identities::load(&world(), vec![files]).unwrap_err();
    error
        .to_string()
        .replace(&format!("{}/", dir.path().display()), "")
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_file_and_what_is_wrong_with_it() {
    let (certificate, key) = self_signed("mx.example.org");
    let (_, other_key) = self_signed("mx.example.org");
    assert_eq!(
        fails("", &key),
        "mx.pem: no certificate in it (a block that begins with -----BEGIN CERTIFICATE-----)"
    );
    assert_eq!(
        fails(&certificate, ""),
        "mx.key: no private key in it (a block like -----BEGIN PRIVATE KEY-----)"
    );
    assert_eq!(
        fails(&certificate, &other_key),
        "the key in mx.key does not fit the certificate in mx.pem"
    );
    let cut = &certificate[..certificate.len() / 2];
    assert!(fails(cut, &key).starts_with("mx.pem: not in PEM form"));
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(fails(&certificate, no_key).starts_with("mx.key: the key cannot be used"));
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(fails(no_certificate, &key).starts_with("mx.pem: certificate 1 cannot be read"));
}

#[tokio::test(start_paused = true)]
async fn a_chain_in_the_wrong_order_is_told_so() {
    let authority = Authority::new();
    let (leaf, key) = authority.issue("mx.example.org", 2026, 2027);
    let chain = format!("{}{leaf}", authority.pem);
    assert_eq!(
        fails(&chain, &key),
        "mx.pem: the server's own certificate must come first; the key fits certificate 2"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_file_is_named() {
    let dir = TempDir::new().unwrap();
    let mut files = files(dir.path(), "mx", &self_signed("mx.example.org"));
    files.key = dir.path().join("gone.key");
    let error = Identities::load(&world(), vec![files]).unwrap_err();
    assert!(
        matches!(&error, IdentityError::Unreadable { path, .. } if path.ends_with("gone.key")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_certificate_out_of_its_time_is_used_at_the_start_and_told() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let late = files(
        dir.path(),
        "late",
        &authority.issue("a.example", 2020, 2021),
    );
    let early = files(
        dir.path(),
        "early",
        &authority.issue("b.example", 2030, 2031),
    );
    let (identities, untimely) = Identities::load(&world(), vec![late, early]).unwrap();
    assert_eq!(identities.in_use().len(), 2);
    let told: Vec<String> = untimely.iter().map(ToString::to_string).collect();
    assert!(told[0].ends_with("late.pem: the certificate expired at 2021-01-01T00:00:00Z"));
    assert!(
        told[1].ends_with("early.pem: the certificate is not valid before 2030-01-01T00:00:00Z")
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_file_takes_the_place_of_the_old_and_a_bad_one_does_not() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let old = authority.issue("mx.example.org", 2026, 2027);
    let at = files(dir.path(), "mx", &old);
    let (identities, _) = Identities::load(&world(), vec![at]).unwrap();
    assert_eq!(identities.reload(), []);

    let first = identities.in_use()[0].1.clone();
    files(
        dir.path(),
        "mx",
        &authority.issue("mx.example.org", 2020, 2021),
    );
    let told = identities.reload();
    let expired = IdentityError::Expired {
        path: dir.path().join("mx.pem"),
        since: "2021-01-01T00:00:00Z".parse().unwrap(),
    };
    assert_eq!(told, [Reloaded::Kept { error: expired }]);
    assert_eq!(identities.in_use()[0].1, first);

    files(
        dir.path(),
        "mx",
        &authority.issue("mx.example.org", 2026, 2028),
    );
    let told = identities.reload();
    assert!(matches!(&told[..], [Reloaded::Changed { .. }]), "{told:?}");
    assert_eq!(identities.in_use()[0].1.not_after, "2028-01-01T00:00:00Z");
    assert_eq!(identities.reload(), []);
}
