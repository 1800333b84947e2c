//! Properties of whole runs, for every policy.
#![allow(clippy::unwrap_used, reason = "a test that cannot run fails")]

use proptest::prelude::*;
use simulate::{PEERS, Policy, WORKLOADS, Workload, simulate};

fn small(name: &str, messages: u32) -> Workload {
    let mut workload = Workload::named(name).unwrap().unwrap();
    workload.messages = messages;
    workload
}

#[test]
fn each_message_ends_once_in_every_workload_under_every_policy() {
    assert_eq!(Policy::all().len(), PEERS.len() + 1);
    for (name, _) in WORKLOADS {
        let workload = small(name, 1500);
        for policy in Policy::all() {
            let outcome = simulate(name, &workload, &policy, 5);
            let row = &outcome.row;
            let case = format!("{name} {}", policy.name());
            assert_eq!(row.delivered + row.given_up, row.messages, "{case}");
            assert_eq!(outcome.broken, 0, "{case}");
            assert_eq!(
                row.attempts,
                row.wasted + u64::from(row.delivered),
                "{case}"
            );
        }
    }
}

#[test]
fn where_nothing_fails_every_message_is_delivered_at_its_first_attempt() {
    let workload = small("healthy", 2000);
    for policy in Policy::all() {
        let row = simulate("healthy", &workload, &policy, 1).row;
        assert_eq!((row.delivered, row.attempts, row.met), (2000, 2000, 0));
    }
}

#[test]
fn a_seed_repeats_a_run_and_another_does_not() {
    let workload = small("mix", 3000);
    for policy in Policy::all() {
        let run = |seed| simulate("mix", &workload, &policy, seed);
        assert_eq!(run(7), run(7), "{}", policy.name());
        assert_ne!(run(7), run(8), "{}", policy.name());
    }
}

#[test]
fn every_policy_meets_the_same_failures() {
    for name in ["mix", "greylisting", "outage-hours"] {
        let workload = small(name, 2000);
        let met = |policy: &Policy| {
            let row = simulate(name, &workload, policy, 3).row;
            (row.met, row.deliverable)
        };
        let all: Vec<_> = Policy::all().iter().map(met).collect();
        assert!(
            all.windows(2).all(|pair| pair[0] == pair[1]),
            "{name}: {all:?}"
        );
    }
}

const FAILURES: [&str; 9] = [
    "kind = \"greylisting\"\ndelay = \"7m\"\nwindow = \"1h\"",
    "kind = \"outage\"\ntimes = 3\nleast = \"1m\"\nmost = \"2d\"",
    "kind = \"mailbox-full\"\nleast = \"1h\"\nmost = \"3d\"\nnever = 20",
    "kind = \"listing\"\nleast = \"1h\"\nmost = \"1d\"",
    "kind = \"rate\"\nrate = \"3/1h\"\ncounts_refused = true",
    "kind = \"connections\"\nmost = 1",
    "kind = \"flapping\"",
    "kind = \"line-down\"\nleast = \"5m\"\nmost = \"7h\"",
    "kind = \"no-mailbox\"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_failures_make_a_message_end_twice_or_never(
        chosen in proptest::collection::vec((0..FAILURES.len(), 0u32..=100), 0..4),
        messages in 1u32..300, destinations in 1u32..20, providers in 1u32..10, burst in 1u32..50,
        policy in 0usize..6, seed in any::<u64>(),
    ) {
        let mut text = format!(
            "[workload]\nmessages = {messages}\ndestinations = {destinations}\nproviders = {providers}\nburst = {burst}\n"
        );
        for (failure, share) in chosen {
            text.push_str(&format!("[[failure]]\n{}\nshare = {share}\n", FAILURES[failure]));
        }
        let workload = Workload::parse(&text).unwrap();
        let policies = Policy::all();
        let outcome = simulate("w", &workload, &policies[policy], seed);
        prop_assert_eq!(outcome.row.delivered + outcome.row.given_up, messages);
        prop_assert_eq!(outcome.broken, 0);
        prop_assert_eq!(outcome.times.len() as u32, outcome.row.deliverable);
        let sorted = outcome.times.iter().flatten().is_sorted();
        prop_assert!(sorted);
    }
}
