//! Rules: when they act, and what they count.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use sink::{Facts, Ledger, Script, Stage, Verdict};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Case {
    ledger: Ledger,
}

impl Case {
    fn new(rules: &str, seed: u64) -> Case {
        let script = Script::parse(rules).unwrap();
        Case {
            ledger: Ledger::new(&script, seed),
        }
    }

    /// Whether a RCPT of this session is accepted.
    fn takes(&self, session: u64, to: &str) -> bool {
        let to = [to.to_owned()];
        let decision = self.ledger.decide(&facts(Stage::Rcpt, session, &to), &[]);
        decision.verdict == Verdict::Accept
    }

    fn pattern(&self, session: u64, to: &str, times: usize) -> String {
        let mut word = |_| if self.takes(session, to) { 'y' } else { 'n' };
        (0..times).map(&mut word).collect()
    }
}

fn facts(stage: Stage, session: u64, recipients: &[String]) -> Facts<'_> {
    Facts {
        stage,
        session,
        transaction: 1,
        client: CLIENT,
        hello: "client.example",
        secure: false,
        authenticated: false,
        sender: "anna@client.example",
        recipients,
        size: 100,
        hops: 0,
        open: (1, 1),
    }
}

fn rule(more: &str) -> String {
    format!("[[rule]]\nat = \"rcpt\"\n{more}\n")
}

#[test]
fn the_same_seed_gives_the_same_chances_whatever_else_goes_on() {
    let rules = rule("chance = 0.5\nper = \"client\"\ndo = \"4.2.2\"");
    let alone = Case::new(&rules, 42).pattern(1, "b@dest.example", 64);
    assert_eq!(
        Case::new(&rules, 42).pattern(9, "c@dest.example", 64),
        alone
    );
    assert_ne!(
        Case::new(&rules, 43).pattern(1, "b@dest.example", 64),
        alone
    );
    let refused = alone.matches('n').count();
    assert!((16..48).contains(&refused), "{alone}");
    // What is counted apart is drawn apart: other sessions in between change nothing.
    let rules = rule("chance = 0.5\nper = \"session\"\ndo = \"4.2.2\"");
    let quiet = Case::new(&rules, 42).pattern(1, "b@dest.example", 32);
    let busy = Case::new(&rules, 42);
    let mut among_others = String::new();
    for _ in 0..32 {
        busy.takes(2, "c@dest.example");
        among_others += &busy.pattern(1, "b@dest.example", 1);
        busy.takes(3, "c@dest.example");
    }
    assert_eq!(among_others, quiet);
}

#[test]
fn after_and_times_count_what_they_are_told_to_count_apart() {
    let case = Case::new(
        &rule("after = 2\ntimes = 1\nper = \"session\"\ndo = \"452\""),
        0,
    );
    assert_eq!(case.pattern(1, "b@dest.example", 5), "yynyy");
    assert_eq!(case.pattern(2, "b@dest.example", 5), "yynyy");
    let case = Case::new(&rule("times = 1\nper = \"recipient\"\ndo = \"452\""), 0);
    assert_eq!(case.pattern(1, "b@dest.example", 2), "ny");
    assert_eq!(case.pattern(1, "B@Dest.example", 2), "yy");
    assert_eq!(case.pattern(1, "c@dest.example", 2), "ny");
}

#[test]
fn a_list_is_gone_through_once_or_again_and_again() {
    let list = "do = [\"452\", \"accept\", \"reset\"]\nper = \"triplet\"";
    let case = Case::new(&rule(list), 0);
    assert_eq!(case.pattern(1, "b@dest.example", 5), "nynyy");
    let case = Case::new(&rule(&format!("{list}\nrepeat = true")), 0);
    assert_eq!(case.pattern(1, "b@dest.example", 7), "nynnynn");
}

#[tokio::test(start_paused = true)]
async fn greylisting_ends_so_long_after_it_began() {
    let case = Case::new(
        &rule("lasts = \"30s\"\nper = \"triplet\"\ndo = \"4.7.1\""),
        0,
    );
    assert_eq!(case.pattern(1, "b@dest.example", 2), "nn");
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(case.pattern(2, "b@dest.example", 1), "n");
    assert_eq!(case.pattern(2, "c@dest.example", 1), "n");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(case.pattern(3, "b@dest.example", 1), "y");
    assert_eq!(case.pattern(3, "c@dest.example", 1), "n");
}

#[tokio::test(start_paused = true)]
async fn a_rate_lets_so_many_through_in_its_time() {
    let case = Case::new(&rule("rate = \"2/10s\"\ndo = \"421\""), 0);
    assert_eq!(case.pattern(1, "b@dest.example", 4), "yynn");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(case.pattern(1, "b@dest.example", 3), "yyn");
}

#[test]
fn a_mailbox_takes_until_its_quota_is_used() {
    let case = Case::new(&rule("quota = 250\ndo = \"4.2.2\""), 0);
    let to = ["b@dest.example".to_owned()];
    assert!(case.takes(1, "b@dest.example"));
    case.ledger.taken(&to, 100);
    assert!(case.takes(1, "b@dest.example"));
    case.ledger.taken(&to, 100);
    assert!(!case.takes(1, "b@dest.example"));
    assert!(case.takes(1, "c@dest.example"));
}

#[test]
fn the_first_rule_that_acts_decides_and_slowness_adds_up() {
    let rules = [
        "delay = \"1s\"",
        "tarpit = \"5ms\"",
        "recipient = \"c@*\"\ndo = \"4.2.2\"",
        "delay = \"2s\"\ndo = \"5.1.1\"",
        "do = \"reset\"",
    ];
    let rules: String = rules.into_iter().map(rule).collect();
    let case = Case::new(&rules, 0);
    let to = ["b@dest.example".to_owned()];
    let decision = case.ledger.decide(&facts(Stage::Rcpt, 1, &to), &[]);
    assert_eq!(decision.rule, Some(4));
    assert_eq!(decision.delay, Duration::from_secs(3));
    assert_eq!(decision.tarpit, Some(Duration::from_millis(5)));
    let plain = case.ledger.decide(&facts(Stage::Mail, 1, &[]), &[]);
    assert!(plain.is_plain());
}

#[test]
fn hops_sizes_and_open_sessions_are_limits() {
    let rules = "[[rule]]\nat = \"end-of-data\"\nhops = 2\ndo = \"5.4.6\"\n\
        [[rule]]\nat = \"end-of-data\"\nlarger = 1000\ndo = \"5.3.4\"\n\
        [[rule]]\nat = \"greeting\"\nopen = 2\nper = \"client\"\ndo = \"421\"\n";
    let case = Case::new(rules, 0);
    let decided = |facts: &Facts<'_>| case.ledger.decide(facts, &[]).rule;
    let end = facts(Stage::EndOfData, 1, &[]);
    assert_eq!(decided(&end), None);
    assert_eq!(
        decided(&Facts {
            hops: 3,
            ..end.clone()
        }),
        Some(1)
    );
    assert_eq!(
        decided(&Facts {
            size: 1001,
            ..end.clone()
        }),
        Some(2)
    );
    let greeting = facts(Stage::Greeting, 1, &[]);
    assert_eq!(
        decided(&Facts {
            open: (9, 2),
            ..greeting.clone()
        }),
        None
    );
    assert_eq!(
        decided(&Facts {
            open: (9, 3),
            ..greeting
        }),
        Some(3)
    );
}
