//! `[dkim]`, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use config::{Canonical, Config, Signs};

use common::{good, said};

const FULL: &str = r#"
[dkim]
keys = "/var/lib/dkim"
sign = ["users"]
subdomains = true
canonicalization = "relaxed/simple"
check_every = "5m"
keep = "30d"
[[dkim.domain]]
name = "Example.ORG"
subdomains = false
identity = "@news.example.org"
[[dkim.domain]]
name = "example.com"
sign = false
"#;

#[test]
fn what_is_said_about_signing_is_read_and_shown() {
    let config = good(FULL);
    let own = &config.dkim;
    assert_eq!(own.sign, [Signs::Users]);
    assert_eq!(
        own.canonicalization,
        (Canonical::Relaxed, Canonical::Simple)
    );
    assert_eq!(own.domains[0].name, "example.org");
    assert_eq!(own.domains[0].subdomains, Some(false));
    assert!(own.domains[1].off);
    assert_eq!(good(&config.to_toml()), config);
    assert_eq!(
        good(&Config::default().to_toml()).dkim,
        config::Dkim::default()
    );
}

#[test]
fn what_is_wrong_is_shown_at_its_place() {
    for (text, place, help) in [
        (
            "[dkim]\nsign = [\"users\", \"all\"]",
            ":2:18",
            "\"networks\"",
        ),
        ("[dkim]\nkeys = \"dkim\"", ":2:8", "the whole path"),
        (
            "[dkim]\ncanonicalization = \"strict\"",
            ":2:20",
            "relaxed/relaxed",
        ),
        ("[dkim]\ncheck_every = \"0s\"", ":2:15", "15m"),
        ("[[dkim.domain]]\nsign = false", ":1:1", "add name"),
        (
            "[[dkim.domain]]\nname = \"example.org\"\nidentity = \"@notexample.org\"",
            ":3:12",
            "or one below it",
        ),
        ("[dkim]\nselector = \"x\"", ":2:1", "the keys are"),
    ] {
        let said = said(text);
        assert!(said.contains(&format!("postrider.toml{place}")), "{said}");
        assert!(said.contains(help) && said.contains('^'), "{said}");
    }
}
