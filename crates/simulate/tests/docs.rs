//! The tables in `docs/simulate.md` are what the command there prints.
#![allow(clippy::unwrap_used, reason = "a test that cannot run fails")]

use simulate::{Policy, WORKLOADS, Workload, simulate, table};

/// As in the command that the page gives: `postrider simulate --messages 5000`.
const MESSAGES: u32 = 5000;
const SEED: u64 = 1;

const PAGE: &str = include_str!("../../../docs/simulate.md");
const BEGIN: &str = "<!-- tables: begin -->\n";
const END: &str = "<!-- tables: end -->\n";

fn tables() -> String {
    let mut out = String::new();
    for (name, _) in WORKLOADS {
        let mut workload = Workload::named(name).unwrap().unwrap();
        workload.messages = MESSAGES;
        let outcomes: Vec<_> = Policy::all()
            .iter()
            .map(|policy| simulate(name, &workload, policy, SEED))
            .collect();
        out.push_str(&table(
            &workload.title,
            &outcomes.iter().collect::<Vec<_>>(),
        ));
        out.push('\n');
    }
    out
}

#[test]
fn the_tables_of_the_page_are_those_that_its_command_prints() {
    let (_, rest) = PAGE.split_once(BEGIN).unwrap();
    let (printed, _) = rest.split_once(END).unwrap();
    let tables = tables();
    let changed = printed
        .lines()
        .zip(tables.lines())
        .find(|(page, now)| page != now);
    assert!(
        printed == tables,
        "the policy or a model changed: build postrider, run tools/simulate-tables, and look at what got worse. \
         First difference: {changed:?}"
    );
}
