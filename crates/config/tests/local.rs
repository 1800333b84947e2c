//! `[local]`, `[aliases]` and `[domains]`, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use config::{Config, DomainClass, TableSpec};

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
            ("relay.example", DomainClass::Relay)
        ]
    );
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
