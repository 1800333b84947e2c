//! Scripts: what is in them is read, and what is wrong with them is told.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use sink::{Per, SCENARIOS, Scenario, Script, Stage, Verdict};

fn said(text: &str) -> String {
    match Script::parse(text) {
        Ok(script) => panic!("{script:?}"),
        Err(errors) => errors.render("script.toml", text, false),
    }
}

#[test]
fn every_scenario_can_be_read_and_says_what_it_is() {
    for scenario in SCENARIOS {
        let script = scenario
            .script()
            .unwrap_or_else(|e| panic!("{}", e.render(scenario.name, scenario.text, false)));
        assert!(!script.about.title.is_empty(), "{}", scenario.name);
        assert!(!script.about.expect.is_empty(), "{}", scenario.name);
        assert!(Scenario::named(scenario.name).is_some());
    }
}

#[test]
fn the_library_begins_with_the_fifteen_in_their_order() {
    let codes: Vec<_> = SCENARIOS
        .iter()
        .filter_map(|scenario| scenario.script().unwrap().about.code)
        .collect();
    let fifteen: Vec<String> = diagnosis::codes::FIFTEEN
        .iter()
        .map(|row| format!("{}.{}.{}", row.dotted.0, row.dotted.1, row.dotted.2))
        .collect();
    assert_eq!(codes, fifteen);
}

#[test]
fn every_key_of_a_rule_is_read() {
    let text = r#"
[server]
name = "mx.example.org"
dialect = "exchange"
extensions = ["size", "AUTH"]
size = "1 MiB"
conventions = true
seed = 7

[[rule]]
at = "rcpt"
recipient = "*@full.example"
sender = "anna@*"
client = "192.0.2.*"
hello = "*.client.example"
per = "triplet"
after = 1
times = 3
lasts = "5m"
chance = 0.5
rate = "10/m"
quota = "10 KB"
larger = 1000
do = ["4.2.2", "550 5.1.1 No such user", "reset"]
repeat = true
dialect = "postfix"
delay = "2s"
tarpit = "10ms"

[[rule]]
at = "content"
bytes = "1 KiB"
do = "close"

[[rule]]
at = "end-of-data"
hops = 25
keep = true
do = "silence"

[[rule]]
at = "connect"
open = 2
chance = 1
do = "raw \u0000"
"#;
    let script = Script::parse(text).unwrap();
    assert_eq!(script.server.size, 1 << 20);
    assert_eq!(script.server.extensions.len(), 2);
    assert_eq!(script.server.seed, Some(7));
    let rule = &script.rules[0];
    assert_eq!((rule.at, rule.per), (Stage::Rcpt, Per::Triplet));
    assert_eq!(
        (rule.after, rule.times, rule.quota),
        (1, Some(3), Some(10_000))
    );
    assert_eq!(rule.rate.unwrap().count, 10);
    assert_eq!(rule.rate.unwrap().period.as_secs(), 60);
    assert_eq!(rule.verdicts.len(), 3);
    assert_eq!(script.rules[1].bytes, 1024);
    assert!(script.rules[2].keep);
    assert_eq!(script.rules[3].verdicts, [Verdict::Raw(vec![0])]);
}

#[test]
fn what_is_wrong_is_told_with_line_caret_and_what_is_allowed() {
    let table = [
        ("syntax", "[[rule]\nat = \"rcpt\"\n"),
        ("unknown_section", "[rules]\n"),
        ("rule_as_table", "[rule]\nat = \"rcpt\"\ndo = \"close\"\n"),
        ("no_stage", "[[rule]]\ndo = \"4.2.2\"\n"),
        ("no_such_stage", "[[rule]]\nat = \"eod\"\ndo = \"4.2.2\"\n"),
        ("nothing_to_do", "[[rule]]\nat = \"rcpt\"\n"),
        ("no_verdict", "[[rule]]\nat = \"rcpt\"\ndo = \"explode\"\n"),
        ("no_code", "[[rule]]\nat = \"rcpt\"\ndo = \"999 no\"\n"),
        (
            "unknown_key",
            "[[rule]]\nat = \"rcpt\"\ndoo = \"4.2.2\"\ndelay = \"1s\"\n",
        ),
        (
            "no_delay",
            "[[rule]]\nat = \"rcpt\"\ndelay = \"5 seconds\"\n",
        ),
        (
            "no_rate",
            "[[rule]]\nat = \"mail\"\nrate = \"ten\"\ndo = \"421\"\n",
        ),
        (
            "no_chance",
            "[[rule]]\nat = \"mail\"\nchance = 50\ndo = \"421\"\n",
        ),
        (
            "misplaced",
            "[[rule]]\nat = \"mail\"\nbytes = 10\nopen = 3\ndo = \"reset\"\n",
        ),
        (
            "too_early",
            "[[rule]]\nat = \"greeting\"\nrecipient = \"*\"\ndo = \"421\"\n",
        ),
        ("no_dialect", "[server]\ndialect = \"exchagne\"\n"),
        ("no_extension", "[server]\nextensions = [\"8BIT\"]\n"),
        ("empty_list", "[[rule]]\nat = \"rcpt\"\ndo = []\n"),
        (
            "several",
            "[server]\nsize = \"big\"\n[[rule]]\nat = \"rcpt\"\ntimes = -1\nper = \"user\"\ndo = 452\n",
        ),
    ];
    for (name, text) in table {
        insta::assert_snapshot!(name, said(text));
    }
}
