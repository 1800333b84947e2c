//! A Postfix judged by what its domains publish: TLSA records in a DNS signed by BIND, and policies of
//! MTA-STS; for a person who asks, and by the relay for mail that waits.

use std::path::Path;
use std::time::Duration;

use peers::{Client, Dnssec, Mail, Place, Postfix, Process, Relay, Signing, Zone, wait_until};
use serde_json::Value;

use crate::authority::Authority;
use crate::checking::{findings, named};
use crate::dane::{key_of, sha256};
use crate::mta_sts::{address, web};

const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

/// What a domain publishes of its server, which shows a certificate for `mx.good.example`.
#[derive(Clone, Copy, PartialEq)]
enum Record {
    None,
    Fits,
    /// That of the certificate before.
    Rolled,
    /// By a usage that mail servers do not follow.
    Unusable,
}

struct Case {
    domain: &'static str,
    record: Record,
    /// Whether a policy in mode `enforce` names the server.
    policy: bool,
    /// What is found, with what it is worth.
    found: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 5] = [
    Case {
        domain: "good.example",
        record: Record::None,
        policy: true,
        found: &[("goes-by-mta-sts", "fine"), ("mta-sts-met", "fine")],
    },
    Case {
        domain: "ee.example",
        record: Record::Fits,
        policy: true,
        found: &[
            ("goes-by-dane", "fine"),
            ("dane-met", "fine"),
            ("mta-sts-certificate", "warning"),
        ],
    },
    Case {
        domain: "rolled.example",
        record: Record::Rolled,
        policy: false,
        found: &[("goes-by-dane", "fine"), ("dane-not-met", "problem")],
    },
    Case {
        domain: "renamed.example",
        record: Record::None,
        policy: true,
        found: &[
            ("goes-by-mta-sts", "fine"),
            ("mta-sts-certificate", "problem"),
        ],
    },
    // Records that verify nothing leave it to the policy.
    Case {
        domain: "unusable.example",
        record: Record::Unusable,
        policy: true,
        found: &[
            ("goes-by-mta-sts", "fine"),
            ("mta-sts-certificate", "problem"),
        ],
    },
];

struct Stage {
    place: Place,
    authority: Authority,
    postfix: Postfix,
    dns: Dnssec,
    /// The digest of the server's key.
    key: String,
    _web: Process,
}

impl Stage {
    fn new() -> Stage {
        let place = Place::new("judging").unwrap();
        let address = address(78);
        let authority = Authority::new(place.path());
        let pair = authority.issue("postfix", "mx.good.example");
        let key = sha256(&key_of(&std::fs::read_to_string(&pair.chain).unwrap()));
        let with_policy = CASES
            .iter()
            .filter(|case| case.policy)
            .map(|case| case.domain);
        let hosts: Vec<String> = with_policy
            .clone()
            .map(|d| format!("mta-sts.{d}"))
            .collect();
        let names: Vec<String> = with_policy.clone().map(|d| format!("*.{d}")).collect();
        let policies = with_policy
            .zip(&names)
            .map(|(d, mx)| (d, "enforce", mx.as_str()));
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let of_web = authority.issue_for("web", &hosts);
        let web = web(&place, &address, &of_web, &policies.collect::<Vec<_>>());
        let domains: Vec<&str> = CASES.iter().map(|case| case.domain).collect();
        let postfix = pair.postfix(&domains);
        let zones = CASES.map(|case| zone(&case, postfix.port, &key, &address));
        let signed = CASES.iter().zip(&zones).map(|(case, records)| Zone {
            name: case.domain,
            records,
            signing: Signing::Good,
        });
        let dns = Dnssec::start(&signed.collect::<Vec<_>>()).unwrap();
        Stage {
            place,
            authority,
            postfix,
            dns,
            key,
            _web: web,
        }
    }

    fn config(&self) -> String {
        format!(
            "[dns]\nservers = [\"127.0.0.1:{}\"]\n[delivery]\nsmtp_port = {}\n\
             [checks]\nblock_lists = []\n[tls]\nauthorities = [\"{}\"]\n",
            self.dns.port,
            self.postfix.port,
            self.authority.file.display()
        )
    }
}

fn zone(case: &Case, port: u16, key: &str, address: &str) -> String {
    let mut records = String::from("@ IN MX 10 mx\nmx IN A 127.0.0.1\n");
    let tlsa = match case.record {
        Record::None => None,
        Record::Fits => Some(format!("3 1 1 {key}")),
        Record::Rolled => Some(format!("3 1 1 {}", "ab".repeat(32))),
        Record::Unusable => Some(format!("1 1 1 {key}")),
    };
    if let Some(tlsa) = tlsa {
        records.push_str(&format!("_{port}._tcp.mx IN TLSA {tlsa}\n"));
    }
    if case.policy {
        records.push_str(&format!(
            "mta-sts IN A {address}\n_mta-sts IN TXT \"v=STSv1; id=1;\"\n"
        ));
    }
    records
}

/// What is said of a server by what is published.
fn judged(all: &[Value]) -> Vec<(&str, &str)> {
    let of = |f: &&Value| f["check"] == "start-tls";
    all.iter()
        .filter(of)
        .filter_map(|f| Some((f["conclusion"].as_str()?, f["verdict"].as_str()?)))
        .filter(|(id, _)| {
            ["dane-", "mta-sts-", "goes-by-"]
                .iter()
                .any(|prefix| id.starts_with(prefix))
        })
        .collect()
}

#[test]
fn a_postfix_is_judged_by_its_signed_records_and_its_policy_and_the_story_has_it_too() {
    let stage = Stage::new();
    let relay = Relay::start(Path::new(BINARY), &stage.config()).unwrap();
    for case in &CASES {
        let all = findings(&relay, &format!("bert@{}", case.domain));
        assert_eq!(judged(&all), case.found, "{}: {all:#?}", case.domain);
    }
    names_record_and_certificate(&relay, &stage);
    carried_by_the_queue(&relay, &stage);
}

/// What to publish is said to the letter, in both languages, with the certificate as evidence.
fn names_record_and_certificate(relay: &Relay, stage: &Stage) {
    let all = findings(relay, "bert@rolled.example");
    let finding = named(&all, "dane-not-met");
    let name = format!("_{}._tcp.mx.rolled.example", stage.postfix.port);
    let fits = format!("{name}. IN TLSA 3 1 1 {}", stage.key);
    assert_eq!(finding["object"], fits.as_str());
    assert_eq!(finding["cause"]["id"], "tls.dane");
    assert_eq!(finding["facts"][0]["asked"]["name"], name.as_str());
    let certificate = &finding["facts"][1]["secured"]["certificate"];
    assert_eq!(certificate["key_sha256"], stage.key.as_str());
    for (lang, words) in [
        (
            "en",
            "Who runs the domain has to publish the record that fits",
        ),
        (
            "nl",
            "Wie het domein beheert moet het record publiceren dat past",
        ),
    ] {
        let mut command = relay.command();
        let output = command.args(["check", "--lang", lang, "bert@rolled.example"]);
        let output = output.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words) && text.contains(&fits), "{text}");
    }
    let all = findings(relay, "bert@renamed.example");
    let told = named(&all, "mta-sts-certificate")["object"]
        .as_str()
        .unwrap();
    assert!(
        told.contains("is for mx.good.example, not for mx.renamed.example")
            && told.contains("id 1, mode enforce, mx *.renamed.example"),
        "{told}"
    );
}

/// The relay looks by itself at what keeps its mail.
fn carried_by_the_queue(relay: &Relay, stage: &Stage) {
    for (domain, cause, conclusion) in [
        ("rolled.example", "tls.dane", "dane-not-met"),
        ("unusable.example", "tls.mta-sts", "mta-sts-certificate"),
    ] {
        let to = [format!("bert@{domain}")];
        let mail = Mail {
            from: "anna@client.example",
            to: &to,
            content: b"Subject: secret\r\n\r\nhello\r\n",
        };
        let sent = Client::Smtplib.send(relay.port, &mail, stage.place.path(), Path::new(BINARY));
        sent.unwrap();
        let rows = relay.settled().unwrap();
        let row = rows.iter().find(|row| row["recipient"] == to[0].as_str());
        let row = row.unwrap();
        assert_eq!(row["cause"], cause, "{row}\n{}", relay.log());
        let id = row["id"].as_str().unwrap();
        let found = wait_until(Duration::from_secs(60), || {
            let shown = relay.show(id).ok()?;
            let all = shown["recipients"][0]["findings"].as_array()?.clone();
            (!all.is_empty()).then_some(all)
        });
        let found = found.expect("the relay looks at the cause itself");
        let finding = named(&found, conclusion);
        assert_eq!(finding["cause"]["id"], cause);
        assert_eq!(finding["cause"]["bearing"], "supports");
        assert_eq!(finding["verdict"], "problem");
    }
}
