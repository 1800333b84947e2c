//! `postrider check` against a real name server and real mail servers, all on loopback.

use std::process::Output;

use peers::{Act, ClosedPort, Named, Postfix, Relay, Rule, Sink};
use serde_json::Value;

use crate::postrider;
use crate::talk::{Talk, content};

/// Zones of a relay in order (`relay.example` at 192.0.2.25), of good and of bad domains.
const ZONES: &[(&str, &str)] = &[
    ("relay.example", "@ IN A 192.0.2.25"),
    (
        "2.0.192.in-addr.arpa",
        "25 IN PTR relay.example.\n7 IN PTR nobody.relay.example.",
    ),
    (
        "dest.example",
        "@ IN MX 10 mx\nmx IN A 127.0.0.1\nalias IN CNAME mx\n\
         odd IN MX 10 alias\nodd IN MX 20 missing\n\
         null IN MX 0 .\nempty IN TXT \"nothing here\"\nself IN MX 10 relay.example.\n\
         broken IN MX 10 localhost.",
    ),
    (
        "sender.example",
        "@ IN MX 10 mx\nmx IN A 127.0.0.1\n@ IN TXT \"v=spf1 ip4:192.0.2.24/29 -all\"\n\
         _dmarc IN TXT \"v=DMARC1; p=reject\"\n\
         s1._domainkey IN TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n\
         s0._domainkey IN TXT \"v=DKIM1; p=\"\n\
         strict IN MX 10 mx\nstrict IN TXT \"v=spf1 include:_spf.sender.example -all\"\n\
         _spf IN TXT \"v=spf1 ip4:198.51.100.0/24 ~all\"\n\
         wrong IN MX 10 mx\nwrong IN TXT \"v=spf1 ipv4:192.0.2.1 -all\"",
    ),
    (
        "bl.example",
        "2.0.0.127 IN A 127.0.0.2\n7.2.0.192 IN A 127.0.0.4\n7.2.0.192 IN TXT \"caught by a trap\"",
    ),
    ("refuses.example", "2.0.0.127 IN A 127.255.255.254"),
    ("dead.example", "* IN A 192.0.2.80"),
    ("servfail.example", "this is no record"),
];

struct Scene {
    relay: Relay,
    _dns: Named,
}

impl Scene {
    /// A relay whose exchangers listen at this port.
    fn new(port: u16, more: &str) -> Scene {
        let dns = Named::start_zones(ZONES).unwrap();
        let config = format!(
            "[delivery]\nsmtp_port = {port}\nconnect_timeout = \"2s\"\n[dns]\nservers = [\"127.0.0.1:{}\"]\n{more}",
            dns.port
        );
        Scene {
            relay: Relay::prepare(postrider(), &config).unwrap(),
            _dns: dns,
        }
    }

    fn check(&self, arguments: &[&str]) -> Output {
        let mut command = self.relay.command();
        command.arg("check").args(arguments);
        command.output().unwrap()
    }

    /// The findings and the exit status.
    fn findings(&self, arguments: &[&str]) -> (Vec<Value>, i32) {
        let output = self.check(&[&["--json"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let findings = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let findings: Vec<Value> = findings.collect();
        self.fit_the_schema(&findings);
        (findings, output.status.code().unwrap())
    }

    /// Whatever is found, in all the tests here, is as `check --schema` says.
    fn fit_the_schema(&self, findings: &[Value]) {
        let schema = self.check(&["--schema"]).stdout;
        let schema: Value = serde_json::from_slice(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for finding in findings {
            let problems: Vec<String> = validator
                .iter_errors(finding)
                .map(|e| e.to_string())
                .collect();
            assert!(problems.is_empty(), "{problems:?}\n{finding}");
        }
    }
}

/// No list is asked, and the relay is where its name leads.
const NO_LISTS: &str = "[checks]\nblock_lists = []\nour_addresses = [\"192.0.2.25\"]\n";

#[track_caller]
fn find<'a>(findings: &'a [Value], conclusion: &str) -> &'a Value {
    let found = findings.iter().find(|f| f["conclusion"] == conclusion);
    found.unwrap_or_else(|| panic!("no {conclusion} in {findings:#?}"))
}

#[test]
fn all_is_well_with_a_real_postfix_and_real_zones() {
    let postfix = Postfix::start("smtpd_tls_security_level = none").unwrap();
    let scene = Scene::new(postfix.port, NO_LISTS);
    let (findings, status) = scene.findings(&[
        "--sender",
        "anna@sender.example",
        "--selector",
        "s1",
        "bert@dest.example",
    ]);
    assert_eq!(status, 0, "{findings:#?}");
    for conclusion in [
        "line-works",
        "route-found",
        "domain-has-servers",
        "server-answers",
        "extensions-announced",
        "size-announced",
        "ptr-confirmed",
        "helo-resolves",
        "sender-domain-reachable",
        "spf-pass",
        "dmarc-found",
        "dkim-key-found",
    ] {
        assert_eq!(find(&findings, conclusion)["verdict"], "fine");
    }
    let banner = find(&findings, "server-answers");
    assert!(
        banner["object"].as_str().unwrap().contains("Postfix"),
        "{banner}"
    );
    let ruled_out = &find(&findings, "ptr-confirmed")["cause"];
    assert_eq!(ruled_out["bearing"], "rules_out");
    assert_eq!(ruled_out["id"], "identity.no-ptr");
    // A mail server on loopback is nothing that others could reach.
    assert_eq!(find(&findings, "mx-not-public")["verdict"], "warning");
}

#[test]
fn an_address_is_probed_only_on_request_and_nothing_is_sent() {
    let postfix = Postfix::start("").unwrap();
    let scene = Scene::new(postfix.port, NO_LISTS);
    let (findings, status) = scene.findings(&["--probe", "nobody@dest.example"]);
    assert_eq!(status, 1);
    let refused = find(&findings, "recipient-refused");
    assert_eq!(refused["cause"]["id"], "mailbox.unknown");
    let (findings, status) = scene.findings(&["--probe", "bert@dest.example"]);
    assert_eq!(status, 0, "{findings:#?}");
    find(&findings, "recipient-taken");
    let (findings, _) = scene.findings(&["nobody@dest.example"]);
    assert!(
        !findings
            .iter()
            .any(|f| f["conclusion"] == "recipient-refused")
    );
    let log = postfix.log();
    assert!(
        !log.contains("postfix/cleanup"),
        "nothing was handed in:\n{log}"
    );
}

#[test]
fn bad_domains_are_told_apart_and_end_with_1() {
    let closed = ClosedPort::take().unwrap();
    let scene = Scene::new(closed.port, NO_LISTS);
    for (domain, conclusion, cause) in [
        (
            "gone.dest.example",
            "domain-unknown",
            "route.no-such-domain",
        ),
        ("null.dest.example", "domain-takes-no-mail", "route.null-mx"),
        (
            "empty.dest.example",
            "domain-has-no-server",
            "route.no-address",
        ),
        ("self.dest.example", "route-to-self", "route.to-self"),
        ("broken.dest.example", "mx-is-localhost", "route.mx-broken"),
        ("servfail.example", "dns-fails", "dns.failing"),
        ("elsewhere.test", "dns-refuses", "dns.failing"),
        (
            "dest.example",
            "connection-refused",
            "server.connection-refused",
        ),
    ] {
        let (findings, status) = scene.findings(&[domain]);
        let finding = find(&findings, conclusion);
        assert_eq!(status, 1, "{domain}");
        assert_eq!(finding["cause"]["id"], cause, "{domain}");
        assert_eq!(finding["cause"]["bearing"], "supports", "{domain}");
        assert!(!finding["explanation"]["do"].as_array().unwrap().is_empty());
    }
    let (findings, _) = scene.findings(&["odd.dest.example"]);
    assert_eq!(
        find(&findings, "mx-is-alias")["object"],
        "alias.dest.example"
    );
    assert_eq!(
        find(&findings, "server-has-no-address")["object"],
        "missing.dest.example"
    );
}

#[test]
fn the_senders_records_are_held_against_our_address() {
    let sink = Sink::start(Vec::new()).unwrap();
    let scene = Scene::new(sink.port, NO_LISTS);
    for (sender, conclusion) in [
        ("strict.sender.example", "spf-fail"),
        ("wrong.sender.example", "spf-broken"),
        ("gone.sender.example", "sender-domain-unknown"),
        ("null.dest.example", "sender-takes-no-mail"),
    ] {
        let (findings, status) = scene.findings(&["--sender", sender, "dest.example"]);
        assert_eq!(
            find(&findings, conclusion)["verdict"],
            "problem",
            "{sender}"
        );
        assert_eq!(status, 1, "{sender}");
    }
    let selectors = ["--selector", "s0", "--selector", "s9"];
    let arguments = [
        &["--sender", "sender.example"][..],
        &selectors,
        &["dest.example"],
    ]
    .concat();
    let (findings, status) = scene.findings(&arguments);
    find(&findings, "dkim-key-revoked");
    find(&findings, "dkim-key-missing");
    assert_eq!(status, 1);
}

#[test]
fn block_lists_are_tested_before_they_are_believed() {
    let sink = Sink::start(Vec::new()).unwrap();
    let lists = "[checks]\nblock_lists = [\"bl.example\", \"refuses.example\", \"dead.example\"]\nour_addresses = [\"192.0.2.7\"]\n";
    let scene = Scene::new(sink.port, lists);
    let (findings, status) = scene.findings(&["dest.example"]);
    assert_eq!(status, 1);
    let listed = find(&findings, "address-listed");
    assert_eq!(listed["object"], "bl.example");
    assert!(listed["facts"].to_string().contains("caught by a trap"));
    assert_eq!(
        find(&findings, "list-refuses-us")["object"],
        "refuses.example"
    );
    assert_eq!(find(&findings, "list-broken")["object"], "dead.example");
    find(&findings, "ptr-leads-elsewhere");
    find(&findings, "helo-leads-elsewhere");
}

#[test]
fn a_server_that_turns_us_away_is_quoted() {
    let rule = Rule {
        at: "connect".into(),
        only: String::new(),
        times: None,
        after: 0,
        act: Act::Reply("554 5.7.1 no mail from your address".into()),
    };
    let sink = Sink::start(vec![rule]).unwrap();
    let scene = Scene::new(sink.port, NO_LISTS);
    let output = scene.check(&["dest.example"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("554 5.7.1 no mail from your address"),
        "{text}"
    );
    assert!(text.contains("10 mx.dest.example"), "{text}");
    let output = scene.check(&["--lang", "nl", "dest.example"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("weigert meteen"), "{text}");
}

#[test]
fn a_silent_name_server_is_our_own_line() {
    let nobody = ClosedPort::take().unwrap();
    let config = format!("[dns]\nservers = [\"127.0.0.1:{}\"]\n", nobody.port);
    let relay = Relay::prepare(postrider(), &config).unwrap();
    let mut command = relay.command();
    let output = command
        .args(["check", "--json", "dest.example"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let finding: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(finding["conclusion"], "line-down");
    assert_eq!(finding["cause"]["id"], "us.line-down");
}

#[test]
fn a_message_of_the_queue_is_looked_at_with_its_history() {
    let closed = ClosedPort::take().unwrap();
    let mut scene = Scene::new(closed.port, NO_LISTS);
    scene.relay.run().unwrap();
    let mut talk = Talk::begin(scene.relay.port).unwrap();
    let reply = talk.mail(
        "anna@sender.example",
        "bert@dest.example",
        &content("x", 200),
    );
    assert!(reply.unwrap().starts_with("250 "));
    let id = scene.relay.settled().unwrap()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (findings, status) = scene.findings(&["--message", &id]);
    assert_eq!(status, 1);
    find(&findings, "trail-straight");
    let history = find(&findings, "attempts-fail-alike");
    assert_eq!(history["cause"]["id"], "server.connection-refused");
    find(&findings, "sending-now");
    find(&findings, "connection-refused");
    find(&findings, "spf-pass");
}

#[test]
fn wrong_use_ends_with_2() {
    let relay = Relay::prepare(postrider(), "").unwrap();
    for arguments in [
        &["check"][..],
        &["check", "not a domain"],
        &["check", "--probe", "dest.example"],
        &["check", "--selector", "s1", "dest.example"],
        &[
            "check",
            "--sender",
            "a.example",
            "--selector",
            "a b",
            "dest.example",
        ],
    ] {
        let output = relay.command().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
