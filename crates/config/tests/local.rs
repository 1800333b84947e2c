//! `[local]`, `[aliases]` and `[domains]`, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use config::{Config, DomainClass, TableSpec};
use queue::{CalloutPolicy, Unsure};

const GOOD: &str = r#"
[local]
postmaster = "anna@ours.example"
delimiters = "+-"
detail_folders = true
aliases = ["file:/etc/postrider/aliases"]
max_recipients = 500
srs_domain = "Ours.example"
srs_max_age = "10d"
[aliases]
"info@virtual.example" = ["anna@ours.example", "bert@ours.example"]
shop = "anna"
[domains."Ours.example"]
class = "local"
mailbox = "maildir:/var/mail/{domain}/{user}"
mailboxes = ["sqlite:/var/lib/users.db?query=SELECT options FROM users WHERE name = ?1"]
[domains."virtual.example"]
class = "virtual"
aliases = ["file:/etc/postrider/virtual"]
[domains."relay.example"]
class = "relay"
recipients = ["file:/etc/postrider/relay"]
[domains."asked.example"]
class = "relay"
recipients = [
    "postgresql://mail@db.example/users?query=SELECT 1 FROM users WHERE mail = $1",
    "ldap://ldap.example/dc=example?filter=(mail={key})",
]
verify = true
[domains."told.example"]
class = "relay"
verify = { server = "lmtp://127.0.0.1:24", wait = "2s", negative = "5m", connections = 1, unanswered = "accept" }
[domains."quiet.example"]
class = "relay"
verify = false
"#;

#[test]
fn domains_of_ours_are_read_and_shown_so_that_they_read_back() {
    let config = Config::parse(GOOD).expect("good").config;
    let local = &config.local;
    assert_eq!(local.postmaster.as_deref(), Some("anna@ours.example"));
    assert_eq!(local.srs_domain.as_deref(), Some("ours.example"));
    let shop = ("shop".to_owned(), "anna".to_owned());
    assert_eq!(local.inline_aliases[1], shop);
    let classes: Vec<_> = local
        .domains
        .iter()
        .map(|(name, d)| (name.as_str(), d.class))
        .collect();
    assert_eq!(
        classes,
        [
            ("ours.example", DomainClass::Local),
            ("virtual.example", DomainClass::Virtual),
            ("relay.example", DomainClass::Relay),
            ("asked.example", DomainClass::Relay),
            ("told.example", DomainClass::Relay),
            ("quiet.example", DomainClass::Relay),
        ]
    );
    let verify = |at: usize| local.domains[at].1.verify.clone();
    assert_eq!(verify(3), Some(CalloutPolicy::default()));
    let told = CalloutPolicy {
        server: Some("lmtp://127.0.0.1:24".parse().unwrap()),
        wait: Duration::from_secs(2),
        negative: Duration::from_secs(300),
        connections: 1,
        unanswered: Unsure::Accept,
        ..CalloutPolicy::default()
    };
    assert_eq!(verify(4), Some(told));
    assert_eq!((verify(2), verify(5)), (None, None));
    let table = &local.domains[0].1.mailboxes[0];
    assert!(matches!(table, TableSpec::Sqlite { query, .. } if query.ends_with("?1")));
    assert_eq!(table.name(), "sqlite:/var/lib/users.db");
    assert!(local.places(Some("OURS.example")) && !local.places(Some("relay.example")));
    let shown = config.to_toml();
    assert_eq!(
        Config::parse(&shown).expect("reads back").config,
        config,
        "{shown}"
    );
}

#[test]
fn what_is_wrong_with_them_is_told_with_what_to_do() {
    let mailboxes = "mailboxes = [\"file:/users\"]\n";
    for (text, says) in [
        (
            "[domains.\"a.example\"]\nclass = \"virtual\"\n",
            "have no postmaster",
        ),
        (
            "[domains.\"a.example\"]\nclass = \"local\"\n",
            "has no mailboxes",
        ),
        ("[domains.\"a b\"]\nclass = \"relay\"\n", "write a domain"),
        ("[domains]\nours = 1\n", "a section like"),
        (
            "[domains.x]\nclass = \"relay\"\nmailbox = \"maildir:/m/{user}\"\n",
            "no use for `mailbox`",
        ),
        (
            "[domains.x]\nclass = \"relay\"\nrecipients = [\"/etc/users\"]\n",
            "this is no table",
        ),
        (
            "[domains.x]\nclass = \"relay\"\nrecipients = [\"sqlite:/db?query=SELECT 1\"]\n",
            "no place for what is looked up",
        ),
        (
            "[domains.x]\nclass = \"virtual\"\nverify = true\n",
            "no use for `verify`",
        ),
        (
            "[domains.x]\nclass = \"relay\"\nverify = \"yes\"\n",
            "true, false, or a table",
        ),
        (
            "[domains.x]\nclass = \"relay\"\nverify = { server = \"maildir:/m\" }\n",
            "no server that can be asked",
        ),
        (
            "[domains.x]\nclass = \"relay\"\nverify = { unanswered = \"maybe\" }\n",
            "accept",
        ),
        (
            "[domains.x]\nclass = \"relay\"\nrecipients = [\"postgresql://a:b@h/d?query=SELECT $1\"]\n",
            "no password here",
        ),
        (
            &format!("[domains.x]\nmailbox = \"maildir:/mail\"\n{mailboxes}"),
            "no path of mailboxes",
        ),
        (
            &format!("[domains.x]\nmailbox = \"maildir:/m/../{{user}}\"\n{mailboxes}"),
            "no path of mailboxes",
        ),
        ("[local]\npostmaster = \"anna\"\n", "write a whole address"),
        ("[local]\ndelimiters = \"a\"\n", "cannot part"),
        ("[local]\nsrs_domain = \"a@b\"\n", "this is no domain"),
        ("[aliases]\ninfo = 3\n", "an address in quotes, or a list"),
    ] {
        let errors = Config::parse(text).expect_err(text);
        let told = errors.render("postrider.toml", text, false);
        assert!(told.contains(says), "{text}\n{told}");
    }
}
