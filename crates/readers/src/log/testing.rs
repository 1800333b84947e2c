//! What the tests of the formats share.

use jiff::Timestamp;

use crate::Case;

use super::{LogReader, LogTimes, Sink};

/// Reads a log of the year 2026.
pub(super) fn read(log: &str) -> Vec<Case> {
    let mut reader = LogReader::new(LogTimes {
        year: Some(2026),
        ..LogTimes::default()
    });
    let mut cases = Vec::new();
    let mut at = 0;
    for line in log.split_inclusive('\n') {
        reader.line(line.trim_end_matches('\n').as_bytes(), at, &mut cases);
        at += line.len();
    }
    for case in &cases {
        check_places(log, case);
    }
    cases
}

/// Takes the domains of what was delivered.
struct Delivered(Vec<String>);

impl Sink for Delivered {
    fn failed(&mut self, case: Case) {
        panic!("{case:?}");
    }

    fn delivered(&mut self, domain: &str, _at: Option<Timestamp>) {
        self.0.push(domain.to_owned());
    }

    fn wants_deliveries(&self) -> bool {
        true
    }
}

/// The domains of what a log tells was delivered.
pub(super) fn delivered(log: &str) -> Vec<String> {
    let mut reader = LogReader::default();
    let mut domains = Delivered(Vec::new());
    for line in log.lines() {
        reader.line(line.as_bytes(), 0, &mut domains);
    }
    domains.0
}

/// Whatever a case points to is there in the input.
fn check_places(log: &str, case: &Case) {
    let (start, end) = case.span;
    assert!(start <= end && end <= log.len(), "{:?}", case.span);
    if let Some(status) = case.status {
        let (start, end) = status.span;
        let there = &log[start..end];
        assert!(
            there == status.value.to_string() || there.starts_with('{'),
            "{there}"
        );
    }
    if let Some(reply) = case.reply {
        assert_eq!(&log[reply.span.0..reply.span.1], reply.value.to_string());
    }
}

/// The one case of a log.
pub(super) fn one(log: &str) -> Case {
    let mut cases = read(log);
    assert_eq!(cases.len(), 1, "{log}\n{cases:#?}");
    cases.remove(0)
}

/// A case on one line: recipient, reply, status, stage, who said it, what became of it, the peer and
/// the words.
pub(super) fn shown(case: &Case) -> String {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {} {:?} {} {} | {}",
        or_none(case.recipient.clone()),
        or_none(case.reply.map(|r| r.value.to_string())),
        or_none(case.status.map(|s| s.value.to_string())),
        or_none(case.stage.map(|s| s.to_string())),
        case.said_by,
        or_none(case.ended.map(|e| format!("{e:?}"))),
        or_none(case.peer.clone()),
        case.words.text(),
    )
}

/// Reads each log and compares what comes of it, case by case.
pub(super) fn expect(rows: &[(&str, &[&str])]) {
    for (log, wanted) in rows {
        let found: Vec<String> = read(log).iter().map(shown).collect();
        assert_eq!(&found, wanted, "{log}");
    }
}
