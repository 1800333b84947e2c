//! The tables in `docs/simulate.md` are what the command there prints, and the one in `docs/retry.md` sums them
//! up. `tools/simulate-tables` writes both anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot run fails")]

use std::path::PathBuf;

use simulate::{Policy, Row, WORKLOADS, Workload, simulate, summary, table};

/// As in the command that the page gives: `postrider simulate --messages 5000`.
const MESSAGES: u32 = 5000;
const SEED: u64 = 1;

fn tables() -> (String, Vec<Row>) {
    let (mut out, mut rows) = (String::new(), Vec::new());
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
        rows.extend(outcomes.into_iter().map(|outcome| outcome.row));
    }
    (out, rows)
}

/// Holds what is between the two marks of a page against what it should be, or writes it.
fn check(page: &str, mark: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {mark}: begin -->\n"),
        format!("<!-- {mark}: end -->\n"),
    );
    let (before, rest) = text.split_once(&begin).unwrap();
    let (printed, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("SIMULATE_TABLES").is_some() {
        std::fs::write(&path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
        return;
    }
    let changed = printed
        .lines()
        .zip(expected.lines())
        .find(|(page, now)| page != now);
    assert!(
        printed == expected,
        "{page}: the policy or a model changed: run tools/simulate-tables, and look at what got worse. \
         First difference: {changed:?}"
    );
}

#[test]
fn the_tables_of_the_pages_are_those_that_the_simulator_prints() {
    let (tables, rows) = tables();
    check("simulate.md", "tables", &tables);
    check("retry.md", "summary", &summary(&rows));
}
