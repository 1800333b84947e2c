//! DANE with a signed DNS by BIND, and a Postfix that is who its zone says, or not.

use std::path::Path;
use std::time::Duration;

use peers::{Client, Dnssec, Mail, Place, Relay, Signing, Zone, wait_until};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::authority::Authority;

const PATIENCE: Duration = Duration::from_secs(60);
const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn der(pem: &str) -> Vec<u8> {
    x509_parser::pem::parse_x509_pem(pem.as_bytes())
        .unwrap()
        .1
        .contents
}

pub(crate) fn key_of(pem: &str) -> Vec<u8> {
    let der = der(pem);
    let parsed = x509_parser::parse_x509_certificate(&der).unwrap().1;
    parsed.public_key().raw.to_vec()
}

/// What is published for `mx` of a domain, and whether it reaches the queue's end.
struct Case {
    domain: &'static str,
    records: Vec<String>,
    signing: Signing<'static>,
    delivered: bool,
    /// What the story says.
    told: String,
    /// As what its session is counted (RFC 8460), and how it failed.
    counted: (&'static str, Option<&'static str>),
}

fn cases(leaf: &str, authority: &str) -> Vec<Case> {
    let case = |domain, records: &[&str], signing, delivered, told: &str| Case {
        domain,
        records: records.iter().map(|r| (*r).to_owned()).collect(),
        signing,
        delivered,
        told: told.to_owned(),
        counted: match domain {
            "none.example" | "plain.example" => ("no-policy-found", None),
            "unusable.example" | "wrong.example" => ("tlsa", Some("tlsa-invalid")),
            "bogus.example" => ("tlsa", Some("dnssec-invalid")),
            _ => ("tlsa", None),
        },
    };
    let key = format!("3 1 1 {}", sha256(&key_of(leaf)));
    let anchor = format!("2 0 1 {}", sha256(&der(authority)));
    let other = format!("3 1 1 {}", "ab".repeat(32));
    let useless = format!("1 1 1 {}", "ab".repeat(32));
    let published = |record: &str| {
        format!("the certificate is the one that the domain publishes in the DNS ({record})")
    };
    let unproven = "who the server is was not demanded";
    let good = Signing::Good;
    vec![
        case("ee.example", &[&key], good, true, &published(&key)),
        case("ta.example", &[&anchor], good, true, &published(&anchor)),
        case(
            "rolled.example",
            &[&other, &key],
            good,
            true,
            &published(&key),
        ),
        case("unusable.example", &[&useless], good, true, unproven),
        case("none.example", &[], good, true, unproven),
        case("plain.example", &[&other], Signing::None, true, unproven),
        case(
            "wrong.example",
            &[&other],
            good,
            false,
            &format!("the certificate fits none of the TLSA records: {other}"),
        ),
        case(
            "bogus.example",
            &[&key],
            Signing::Tampered("TLSA\t3 1 1", "TLSA\t3 0 1"),
            false,
            "no valid answer to TLSA _",
        ),
    ]
}

#[test]
fn servers_are_held_to_what_the_signed_dns_says_of_them() {
    let place = Place::new("dane").unwrap();
    let authority = Authority::new(place.path());
    let pair = authority.issue("postfix", "mx.ta.example");
    let leaf = std::fs::read_to_string(&pair.chain).unwrap();
    let root = std::fs::read_to_string(&authority.file).unwrap();
    // RFC 7672 §3.1.2: the server sends its authority's certificate.
    std::fs::write(&pair.chain, format!("{leaf}{root}")).unwrap();
    let cases = cases(&leaf, &root);
    let domains: Vec<&str> = cases.iter().map(|case| case.domain).collect();
    let postfix = pair.postfix(&domains);
    let records: Vec<String> = cases
        .iter()
        .map(|case| {
            let tlsa = |record: &String| {
                let port = postfix.port;
                format!("_{port}._tcp.mx IN TLSA {record}\n")
            };
            let tlsa: String = case.records.iter().map(tlsa).collect();
            let reports = "_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:reports@wrong.example\"\n";
            let reports = (case.domain == "wrong.example").then_some(reports);
            let reports = reports.unwrap_or_default();
            format!("@ IN MX 10 mx\nmx IN A 127.0.0.1\n{tlsa}{reports}")
        })
        .collect();
    let zones: Vec<Zone<'_>> = cases
        .iter()
        .zip(&records)
        .map(|(case, records)| Zone {
            name: case.domain,
            records,
            signing: case.signing,
        })
        .collect();
    let dns = Dnssec::start(&zones).unwrap();
    let config = format!(
        "[dns]\nservers = [\"127.0.0.1:{}\"]\n[delivery]\nsmtp_port = {}\n[checks]\nlive = false\n\
         [tls.reports]\norganization = \"Our Relay\"\ncontact = \"postmaster@relay.example\"\n",
        dns.port, postfix.port
    );
    let relay = Relay::start(Path::new(BINARY), &config).unwrap();
    let to: Vec<String> = domains.iter().map(|d| format!("bert@{d}")).collect();
    let mail = Mail {
        from: "anna@client.example",
        to: &to,
        content: b"Subject: secret\r\n\r\nhello\r\n",
    };
    let sent = Client::Smtplib.send(relay.port, &mail, place.path(), Path::new(BINARY));
    sent.unwrap();
    let queue = relay.settled().unwrap();
    assert_eq!(queue.len(), to.len());
    for case in &cases {
        let row = queue
            .iter()
            .find(|row| row["recipient"] == format!("bert@{}", case.domain))
            .unwrap();
        let state = if case.delivered {
            "delivered"
        } else {
            "queued"
        };
        assert_eq!(
            row["state"],
            state,
            "{}: {row}\n{}",
            case.domain,
            relay.log()
        );
        if !case.delivered {
            assert_eq!(row["cause"], "tls.dane", "{row}");
        }
    }
    let id = queue[0]["id"].as_str().unwrap().to_owned();
    let story = relay.ask(&["queue", "show", "--lang", "en", &id]).unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    for case in &cases {
        assert!(story.contains(&case.told), "{}: {story}", case.domain);
    }
    assert!(story.contains("certificate: subject "), "{story}");
    counted(&relay, &cases);
    // A report arrives in spite of the record that holds mail back.
    relay.ask(&["tls-reports", "send"]).unwrap();
    let about = "TLS-Report-Domain: wrong.example";
    let arrived = wait_until(PATIENCE, || {
        let all = postfix.maildir.messages().unwrap();
        let mut all = all.iter().map(|m| String::from_utf8_lossy(&m.content));
        all.any(|mail| mail.contains(about)).then_some(())
    });
    assert!(arrived.is_some(), "{}", relay.log());
}

/// Each session is counted as what it was.
fn counted(relay: &Relay, cases: &[Case]) {
    let listed = || -> Vec<Value> {
        let text = relay.ask(&["tls-reports", "--json"]).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    let all = wait_until(PATIENCE, || {
        Some(listed()).filter(|a| a.len() == cases.len())
    });
    let all = all.unwrap_or_else(|| panic!("{:#?}", listed()));
    for case in cases {
        let one = all.iter().find(|one| one["domain"] == case.domain).unwrap();
        let policy = &one["policies"][0];
        let (kind, result) = case.counted;
        assert_eq!(policy["type"], kind, "{one:#}");
        assert_eq!(policy["good"], u64::from(result.is_none()), "{one:#}");
        assert_eq!(policy["details"][0]["result"].as_str(), result, "{one:#}");
        if kind == "tlsa" && case.domain != "bogus.example" {
            assert_eq!(
                policy["lines"].as_array().unwrap().len(),
                case.records.len()
            );
            assert_eq!(policy["mx"][0], format!("mx.{}", case.domain));
        }
    }
}
