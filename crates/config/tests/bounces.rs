//! `[bounces]`, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use config::{Config, Per, ToSender};

const GOOD: &str = r#"
[bounces]
domain = "Bounces.ours.example"
prefix = "R"
senders = ["ours.example", "news@other.example"]
per = "message"
max_age = "20d"
addresses = ["fbl@ours.example"]
others_to = "anna@ours.example"
to_sender = "as-it-came"
suppress_unsigned = true
"#;

#[test]
fn return_addresses_are_read_and_shown_so_that_they_read_back() {
    let config = Config::parse(GOOD).expect("good").config;
    let own = &config.bounces;
    assert_eq!(own.domain.as_deref(), Some("bounces.ours.example"));
    assert_eq!((own.prefix.as_str(), own.per), ("r", Per::Message));
    assert_eq!(own.max_age, Duration::from_secs(20 * 86_400));
    assert_eq!(own.to_sender, ToSender::AsItCame);
    let again = Config::parse(&config.to_toml()).expect("shown").config;
    assert_eq!(again.bounces, config.bounces);
    let none = Config::parse(&Config::default().to_toml()).expect("shown");
    assert_eq!(none.config.bounces, config::Bounces::default());
    assert!(!none.config.bounces.is_on());
}

#[test]
fn what_is_wrong_with_return_addresses_is_told_with_what_to_do() {
    for (text, said) in [
        ("domain = \"b.example.org\"", "others_to"),
        ("addresses = [\"fbl@example.org\"]", "others_to"),
        ("senders = [\"example.org\"]", "domain ="),
        ("prefix = \"b-\"", "12 letters"),
        ("domain = \"localhost\"", "domain"),
        ("addresses = [\"fbl\"]", "address"),
        (
            "addresses = [\"a@example.org\"]\nothers_to = \"A@example.org\"",
            "somebody's mailbox",
        ),
    ] {
        let text = format!("[bounces]\n{text}\n");
        let problems = Config::parse(&text);
        let told = problems.expect_err("bad").render("x.toml", &text, false);
        assert!(told.contains(said), "{text}: {told}");
    }
}
