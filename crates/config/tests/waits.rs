//! Waits of one's own, and what is said where they cannot be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use config::Config;
use diagnosis::Cause;

use common::said;

const TWO: &str = r#"
[retry."server.connection-refused"]
first = "10m"
growth = 1.5
longest = "1h"
[retry."mailbox.full"]
growth = 2
"#;

#[test]
fn what_is_not_written_is_as_in_the_table() {
    let config = Config::parse(TWO).unwrap().config;
    let waits: Vec<_> = config.retry.iter().collect();
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let [(full, of_full), (refused, of_refused)] = waits[..] else {
        panic!("{waits:?}");
    };
    assert_eq!(
        (full, refused),
        (Cause::MailboxFull, Cause::ConnectionRefused)
    );
    assert_eq!(
        (of_full.first, of_full.factor, of_full.cap),
        (minutes(240), 2.0, minutes(720))
    );
    assert_eq!(
        (of_refused.first, of_refused.factor, of_refused.cap),
        (minutes(10), 1.5, minutes(60))
    );
}

#[test]
fn what_is_shown_reads_as_the_same() {
    let config = Config::parse(TWO).unwrap().config;
    let again = Config::parse(&config.to_toml()).unwrap().config;
    assert_eq!(again.retry, config.retry);
}

#[test]
fn a_bad_wait_is_told_with_its_place_and_what_to_write() {
    let cases = [
        ("[retry.\"mailbox.fulll\"]", "did you mean `mailbox.full`?"),
        ("[retry.\"route.loop\"]\nfirst = \"1h\"", "never comes back"),
        (
            "[retry.greylisting]\nfirst = \"1s\"",
            "from \"10s\" to \"5d\"",
        ),
        (
            "[retry.greylisting]\nfirst = \"2h\"",
            "make `longest` longer too: it is \"1h\"",
        ),
        (
            "[retry.greylisting]\nlongest = \"1m\"",
            "the first wait is longer",
        ),
        ("[retry.greylisting]\ngrowth = 0.5", "a number from 1"),
        ("[retry.greylisting]\ngrowth = nan", "a number from 1"),
        ("[retry.greylisting]\ngrowth = \"2\"", "without quotes"),
        (
            "[retry.greylisting]\nlast = \"1h\"",
            "[retry] has no key `last`",
        ),
        ("[retry]\ngreylisting = \"1h\"", "sections like [retry."),
        ("retry = 3", "sections like [retry."),
    ];
    for (text, expected) in cases {
        let said = said(text);
        assert!(said.contains(expected), "{text}\n{said}");
        assert!(said.contains("postrider.toml:"), "{text}\n{said}");
        assert!(said.contains("^"), "{text}\n{said}");
    }
}
