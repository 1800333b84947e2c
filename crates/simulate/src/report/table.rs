//! The table: one for each workload, in Markdown that can be read as it is.

use super::summary::Verdict;
use super::{Outcome, Row};
use crate::clock::{Millis, text};

const HEADS: [&str; 13] = [
    "policy",
    "delivered",
    "median",
    "p95",
    "p99",
    "p95 after opening",
    "late",
    "wasted",
    "windows missed",
    "wrong give-ups",
    "notice",
    "peak/min",
    "ours is better in",
];

/// What the columns mean, for under a table.
#[must_use]
pub fn legend() -> &'static str {
    "\
delivered: of those that a failure met and that could be delivered. median, p95, p99: their time to be
delivered, what was given up counting as never. after opening: the same from when the server would take
them. late: more than half an hour after that, or never. wasted: attempts that came to nothing, for each
message met. windows missed: greylisting that began anew because the retry came too late. wrong give-ups:
although the failure passed within five days. notice: until 95 of 100 senders of what nobody could deliver
were told. peak/min: the most attempts in a minute at one server in the hour after it opened again.
The last column compares p95 and wasted with ours: what differs by less than 1 % (p95) or 0.005 is equal.
"
}

/// Runs of one workload.
#[must_use]
pub fn table(title: &str, outcomes: &[&Outcome]) -> String {
    let mut lines: Vec<Vec<String>> = vec![HEADS.map(str::to_owned).to_vec()];
    let ours = outcomes.iter().find(|outcome| outcome.row.policy == OURS);
    lines.extend(outcomes.iter().map(|outcome| {
        let mut line = cells(outcome);
        line.push(verdict(ours, outcome));
        line
    }));
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| {
            let width = |line: &Vec<String>| line[column].chars().count();
            lines.iter().map(width).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    if let Some(first) = outcomes.first() {
        let Row {
            workload,
            messages,
            met,
            ..
        } = &first.row;
        out.push_str(&format!(
            "**{workload}**: {title} ({messages} messages, {met} met)\n\n"
        ));
    }
    for (number, line) in lines.iter().enumerate() {
        out.push_str(&written(line, &widths));
        if number == 0 {
            let rule = |(column, width): (usize, &usize)| {
                let dashes = "-".repeat(*width);
                if column == 0 {
                    format!("|-{dashes}-")
                } else {
                    format!("|-{dashes}:")
                }
            };
            let rules: String = widths.iter().enumerate().map(rule).collect();
            out.push_str(&format!("{rules}|\n"));
        }
    }
    out
}

fn verdict(ours: Option<&&Outcome>, other: &Outcome) -> String {
    let verdict = ours.and_then(|ours| Verdict::of(&ours.row, &other.row));
    verdict.map_or("–", Verdict::text).to_owned()
}

pub(super) const OURS: &str = "postrider";

fn written(line: &[String], widths: &[usize]) -> String {
    let cell = |(column, (cell, width)): (usize, (&String, &usize))| {
        if column == 0 {
            format!("| {cell:<width$} ")
        } else {
            format!("| {cell:>width$} ")
        }
    };
    let cells: String = line.iter().zip(widths).enumerate().map(cell).collect();
    format!("{cells}|\n")
}

fn cells(outcome: &Outcome) -> Vec<String> {
    let row = &outcome.row;
    let time = |value: Option<Millis>| match value {
        Some(value) => text(value),
        None if row.deliverable == 0 => "–".to_owned(),
        None => "never".to_owned(),
    };
    let count = |n: u64| {
        if n == 0 {
            "–".to_owned()
        } else {
            n.to_string()
        }
    };
    vec![
        row.policy.clone(),
        percent(delivered(outcome), outcome.times.len()),
        time(row.median),
        time(row.p95),
        time(row.p99),
        time(row.late95),
        percent(row.late as usize, row.deliverable as usize),
        format!("{:.2}", row.wasted_each),
        count(row.windows_missed),
        count(u64::from(row.wrong_give_ups)),
        row.notice.map_or("–".to_owned(), text),
        count(u64::from(row.peak)),
    ]
}

fn delivered(outcome: &Outcome) -> usize {
    outcome.times.iter().flatten().count()
}

/// All and nothing are told only where it is all and nothing.
pub(super) fn percent(part: usize, of: usize) -> String {
    if of == 0 || part == 0 {
        return "–".to_owned();
    }
    if part == of {
        return "100 %".to_owned();
    }
    let value = (part as f64 * 100.0 / of as f64).clamp(0.1, 99.9);
    format!("{value:.1} %")
}
