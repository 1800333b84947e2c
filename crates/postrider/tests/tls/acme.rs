//! A certificate by ACME, from a real pebble.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Pebble, Place, Relay, free_port, run, tool, wait_until};
use serde_json::Value;

use crate::authority::Authority;

const BINARY: &str = env!("CARGO_BIN_EXE_postrider");
const PATIENCE: Duration = Duration::from_secs(90);
const NAME: &str = "mx.dest.example";

/// A pebble whose own certificate is by the authority in the place.
fn pebble(place: &Place, validity: u64) -> (Pebble, Authority) {
    let authority = Authority::new(place.path());
    let pair = authority.issue("pebble", "127.0.0.1");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let pebble = Pebble::start(&read(&pair.chain), &read(&pair.key), validity).unwrap();
    (pebble, authority)
}

fn config(pebble: &Pebble, authority: &Authority, names: &str, http: u16) -> String {
    format!(
        "[log]\nformat = \"json\"\n[tls]\nauthorities = [\"{}\"]\n[tls.acme]\ndirectory = \"{}\"\n\
         agree_terms = true\ncontact = [\"postmaster@dest.example\"]\nnames = [{names}]\n\
         http = [\"127.0.0.1:{http}\"]\n",
        authority.file.display(),
        pebble.directory,
    )
}

fn log_has(relay: &Relay, words: &str, times: usize) {
    let found = wait_until(PATIENCE, || {
        (relay.log().matches(words).count() >= times).then_some(())
    });
    assert!(
        found.is_some(),
        "not {times} times {words:?}: {}",
        relay.log()
    );
}

/// Issuer and serial of what a client is shown.
fn shown(relay: &Relay) -> String {
    let mut client = Command::new(tool("openssl").unwrap());
    client.args(["s_client", "-starttls", "smtp", "-servername", NAME]);
    client.args(["-connect", &format!("127.0.0.1:{}", relay.port)]);
    let output = client.stdin(Stdio::null()).output().unwrap();
    let file = relay.directory().join("shown.pem");
    std::fs::write(&file, output.stdout).unwrap();
    let mut x509 = Command::new(tool("openssl").unwrap());
    x509.args([
        "x509",
        "-noout",
        "-issuer",
        "-serial",
        "-ext",
        "subjectAltName",
        "-in",
    ]);
    run(x509.arg(&file)).unwrap()
}

/// What `postrider certificates` says, and whether all is well.
fn certificates(relay: &Relay, arguments: &[&str]) -> (bool, String) {
    let output = relay
        .command()
        .arg("certificates")
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

#[test]
fn a_certificate_comes_from_pebble_and_the_account_outlives_a_restart() {
    let place = Place::new("acme").unwrap();
    let (pebble, authority) = pebble(&place, 86_400 * 90);
    let one = format!("\"{NAME}\"");
    let text = config(&pebble, &authority, &one, pebble.http_port);
    let mut relay = Relay::start(Path::new(BINARY), &text).unwrap();
    log_has(&relay, "a certificate has come by ACME", 1);
    log_has(&relay, "a new certificate is in use", 1);
    let first = shown(&relay);
    assert!(
        first.contains("Pebble Intermediate") && first.contains(NAME),
        "{first}"
    );
    let (fine, said) = certificates(&relay, &["--json"]);
    let row: Value = serde_json::from_str(&said).unwrap();
    assert!(fine, "{said}");
    assert_eq!(
        (&row["source"], &row["names"][0]),
        (&"acme".into(), &NAME.into())
    );
    let days = |key: &str| {
        let at: jiff::Timestamp = row[key].as_str().unwrap().parse().unwrap();
        (at.as_second() - jiff::Timestamp::now().as_second()) / 86_400
    };
    assert!((89..=90).contains(&days("until")), "{said}");
    assert!((55..=60).contains(&days("next")), "{said}");
    private(&relay.directory().join("data/acme"));

    // Started again it asks for nothing; for more names it asks, with the account that it has.
    assert!(relay.stop().unwrap());
    relay.run().unwrap();
    assert_eq!(shown(&relay), first);
    assert!(relay.stop().unwrap());
    let two = format!("\"{NAME}\", \"mail.dest.example\"");
    let text = config(&pebble, &authority, &two, pebble.http_port);
    relay.configure(&text).unwrap();
    relay.run().unwrap();
    log_has(&relay, "a certificate has come by ACME", 2);
    let second = wait_until(PATIENCE, || {
        let now = shown(&relay);
        now.contains("mail.dest.example").then_some(now)
    });
    assert!(second.is_some(), "{}", relay.log());
    let accounts = pebble.log().matches("There are now").count();
    assert!(
        !pebble.log().contains("There are now 2 accounts"),
        "{accounts}"
    );
}

/// Nobody but us can read what is there.
fn private(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(directory), 0, "{}", directory.display());
    let mut files = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            private(&path);
        } else {
            assert_eq!(mode(&path), 0, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 0, "{}", directory.display());
}

#[test]
fn a_certificate_is_renewed_before_it_ends_and_clients_see_the_new_one() {
    let place = Place::new("acme").unwrap();
    let (pebble, authority) = pebble(&place, 30);
    let one = format!("\"{NAME}\"");
    let text = config(&pebble, &authority, &one, pebble.http_port);
    let relay = Relay::start(Path::new(BINARY), &text).unwrap();
    log_has(&relay, "a new certificate is in use", 1);
    let first = shown(&relay);
    log_has(&relay, "a new certificate is in use", 2);
    let second = shown(&relay);
    assert!(second.contains("Pebble Intermediate"), "{second}");
    assert_ne!(first, second);
    let log = relay.log();
    assert!(!log.contains("used out of its time"), "{log}");
}

#[test]
fn a_challenge_that_fails_is_explained_and_tried_again_when_the_administrator_says_so() {
    let place = Place::new("acme").unwrap();
    let (pebble, authority) = pebble(&place, 86_400);
    let one = format!("\"{NAME}\"");
    let elsewhere = free_port().unwrap();
    let text = config(&pebble, &authority, &one, elsewhere);
    let mut relay = Relay::start(Path::new(BINARY), &text).unwrap();
    // Until a certificate comes, one stands in that vouches for itself.
    let stand_in = shown(&relay);
    assert!(
        stand_in.contains(NAME) && !stand_in.contains("Pebble"),
        "{stand_in}"
    );
    log_has(&relay, "no certificate by ACME", 1);
    let log = relay.log();
    let line = log
        .lines()
        .find(|l| l.contains("no certificate by ACME"))
        .unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    let told = line.to_string();
    for words in [
        "\"connection\"",
        "\"challenge\"",
        NAME,
        "port 80",
        "firewall",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let (fine, said) = certificates(&relay, &["--lang", "nl"]);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!fine, "{said}");
    for words in [
        "kreeg geen verbinding met mx.dest.example op poort 80",
        "firewall",
        NAME,
    ] {
        assert!(flat.contains(words), "{words}: {said}");
    }
    let (_, said) = certificates(&relay, &["--json"]);
    let row: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(row["failures"], 1, "{said}");
    assert_eq!(row["failed"]["problem"], "connection");
    let next: jiff::Timestamp = row["next"].as_str().unwrap().parse().unwrap();
    let wait = next.as_second() - jiff::Timestamp::now().as_second();
    assert!((600..=900).contains(&wait), "{wait}");

    // Not again at once by itself, a restart included; but when the administrator asks for it.
    assert!(relay.stop().unwrap());
    let text = config(&pebble, &authority, &one, pebble.http_port);
    relay.configure(&text).unwrap();
    relay.run().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(!relay.log().contains("a certificate has come by ACME"));
    relay.ask(&["reload-certificates"]).unwrap();
    log_has(&relay, "a certificate has come by ACME", 1);
    let (fine, said) = certificates(&relay, &[]);
    assert!(fine && said.contains("Valid until"), "{said}");
}

#[test]
fn a_name_that_the_authority_does_not_take_is_named() {
    let place = Place::new("acme").unwrap();
    let (pebble, authority) = pebble(&place, 86_400);
    let text = config(
        &pebble,
        &authority,
        "\"mx.blocked.example\"",
        pebble.http_port,
    );
    let relay = Relay::start(Path::new(BINARY), &text).unwrap();
    log_has(&relay, "rejectedIdentifier", 1);
    let (fine, said) = certificates(&relay, &[]);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        !fine && flat.contains("The authority does not issue for"),
        "{said}"
    );
}

#[test]
fn nothing_is_asked_for_before_the_terms_are_agreed_to() {
    let place = Place::new("acme").unwrap();
    let file = place
        .file(
            "postrider.toml",
            "[tls.acme]\nnames = [\"mx.dest.example\"]\n",
        )
        .unwrap();
    let output = Command::new(BINARY)
        .args(["config", "check", "--config"])
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("agree_terms = true"),
        "{said}"
    );
}
