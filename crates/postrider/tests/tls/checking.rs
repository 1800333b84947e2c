//! What `postrider check`, and the relay by itself, find out about encryption and certificates.

use std::path::Path;
use std::time::Duration;

use peers::{Client, Mail, Named, Place, Postfix, Relay, wait_until};
use serde_json::Value;

use crate::authority::{Authority, Pair};

const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

struct Stage {
    place: Place,
    authority: Authority,
    postfix: Postfix,
    dns: Named,
}

impl Stage {
    fn new(name: &str) -> Stage {
        let place = Place::new("tls-check").unwrap();
        let authority = Authority::new(place.path());
        let pair = authority.issue("postfix", name);
        Stage {
            postfix: Postfix::start(&of_postfix(&pair)).unwrap(),
            dns: Named::start_zones(&[("ours.example", "@ IN MX 10 mx\nmx IN A 127.0.0.1")])
                .unwrap(),
            authority,
            place,
        }
    }

    fn config(&self, more: &str) -> String {
        format!(
            "[routes]\n\"*\" = \"smtp://localhost:{}\"\n[checks]\nblock_lists = []\n\
             [dns]\nservers = [\"127.0.0.1:{}\"]\n[tls]\nauthorities = [\"{}\"]\n{more}",
            self.postfix.port,
            self.dns.port,
            self.authority.file.display()
        )
    }
}

fn of_postfix(pair: &Pair) -> String {
    format!(
        "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}, {}\n",
        pair.key.display(),
        pair.chain.display()
    )
}

/// What `check --json` says, each line as its schema says.
pub(crate) fn findings(relay: &Relay, subject: &str) -> Vec<Value> {
    let mut command = relay.command();
    let output = command.args(["check", "--json", subject]).output().unwrap();
    let schema = relay
        .command()
        .args(["check", "--schema"])
        .output()
        .unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let all: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    for finding in &all {
        let problems: Vec<String> = validator
            .iter_errors(finding)
            .map(|e| e.to_string())
            .collect();
        assert!(problems.is_empty(), "{problems:?}\n{finding}");
    }
    all
}

pub(crate) fn named<'a>(all: &'a [Value], conclusion: &str) -> &'a Value {
    let found = all.iter().find(|f| f["conclusion"] == conclusion);
    found.unwrap_or_else(|| panic!("{conclusion} is not among {all:#?}"))
}

#[test]
fn the_certificate_of_a_postfix_is_told_in_two_languages_with_its_evidence() {
    let stage = Stage::new("localhost");
    let relay = Relay::prepare(Path::new(BINARY), &stage.config("")).unwrap();
    let all = findings(&relay, "bert@dest.example");
    let works = named(&all, "tls-works");
    let certificate = &works["facts"][0]["secured"]["certificate"];
    assert_eq!(certificate["names"][0], "localhost");
    assert_eq!(named(&all, "certificate-good")["verdict"], "fine");

    let stage = Stage::new("mx.elsewhere.example");
    let relay = Relay::prepare(Path::new(BINARY), &stage.config("")).unwrap();
    let all = findings(&relay, "bert@dest.example");
    let other = named(&all, "certificate-other-name");
    assert_eq!(other["cause"]["id"], "tls.certificate");
    assert_eq!(other["object"], "mx.elsewhere.example");
    for (lang, words) in [
        ("en", "it is for mx.elsewhere.example. Senders who demand"),
        ("nl", "het is voor mx.elsewhere.example. Afzenders die"),
    ] {
        let mut command = relay.command();
        let output = command.args(["check", "--lang", lang, "bert@dest.example"]);
        let text = String::from_utf8(output.output().unwrap().stdout).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn the_story_of_mail_that_waits_for_a_certificate_has_what_was_found_about_it() {
    let stage = Stage::new("mx.elsewhere.example");
    let policy = "[tls.policy.localhost]\nlevel = \"verify\"\n";
    let relay = Relay::start(Path::new(BINARY), &stage.config(policy)).unwrap();
    let to = ["bert@dest.example".to_owned()];
    let mail = Mail {
        from: "anna@client.example",
        to: &to,
        content: b"Subject: secret\r\n\r\nhello\r\n",
    };
    let directory = stage.place.path();
    Client::Smtplib
        .send(relay.port, &mail, directory, Path::new(BINARY))
        .unwrap();
    let settled = relay.settled().unwrap();
    assert_eq!(settled[0]["cause"], "tls.certificate");
    let id = settled[0]["id"].as_str().unwrap().to_owned();
    let found = wait_until(Duration::from_secs(60), || {
        let shown = relay.show(&id).ok()?;
        let all = shown["recipients"][0]["findings"].as_array()?.clone();
        (!all.is_empty()).then_some(all)
    });
    let found = found.expect("the relay looks at the cause itself");
    let other = named(&found, "certificate-other-name");
    assert_eq!(other["cause"]["bearing"], "supports");
    // The policy demands it, so that it keeps mail from getting through.
    assert_eq!(other["verdict"], "problem");
    let story = relay.ask(&["queue", "show", "--lang", "en", &id]).unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        story.contains("it is for mx.elsewhere.example. Senders"),
        "{story}"
    );
}

#[test]
fn our_own_certificate_is_looked_at_where_the_domain_is_ours() {
    let stage = Stage::new("localhost");
    let own = stage.authority.issue("own", "old.ours.example");
    let more = format!(
        "[[tls.certificate]]\nchain = \"{}\"\nkey = \"{}\"\n\
         [domains.\"ours.example\"]\nclass = \"relay\"\n",
        own.chain.display(),
        own.key.display()
    );
    let relay = Relay::start(Path::new(BINARY), &stage.config(&more)).unwrap();
    let all = findings(&relay, "ours.example");
    let other = named(&all, "certificate-other-name");
    assert!(
        other["subject"].as_str().unwrap().ends_with(", ours]"),
        "{other}"
    );
    assert_eq!(other["object"], "old.ours.example");
    assert_eq!(other["remedies"][0], "renew-certificate");
}
