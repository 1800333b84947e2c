//! Reads files and prints what is in them: one JSON object a line for each failed recipient.

use std::io::Write as _;

use readers::{Case, Intake};
use serde_json::json;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // `--times N`: reads all files N times, and prints nothing.
    let mut times = 0;
    if arguments.first().is_some_and(|first| first == "--times") {
        times = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(1);
        arguments.drain(..2.min(arguments.len()));
    }
    let mut files = Vec::new();
    for path in arguments {
        files.push((std::fs::read(&path)?, path));
    }
    let started = std::time::Instant::now();
    let mut found = 0;
    for _ in 0..times {
        for (bytes, _) in &files {
            found += cases(bytes).len();
        }
    }
    if times > 0 {
        let mails = files.len() * times;
        let rate = mails as f64 / started.elapsed().as_secs_f64();
        return writeln!(
            out,
            "{mails} mails, {found} cases, {rate:.0} mails a second"
        );
    }
    for (bytes, path) in &files {
        for case in cases(bytes) {
            writeln!(out, "{}", object(path, &case))?;
        }
    }
    Ok(())
}

fn cases(bytes: &[u8]) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut intake = Intake::new();
    intake.push(bytes, &mut cases);
    intake.finish(&mut cases);
    cases
}

fn object(path: &str, case: &Case) -> serde_json::Value {
    let notes: Vec<String> = case.notes.iter().map(|note| format!("{note:?}")).collect();
    json!({
        "file": path,
        "kind": case.kind.as_str(),
        "recipient": case.recipient,
        "original_recipient": case.original_recipient,
        "reply": case.reply.map(|reply| reply.value),
        "status": case.status.map(|status| status.value.to_string()),
        "words": case.words.text(),
        "dialect": case.dialect.map(|dialect| dialect.id()),
        "ended": case.ended.map(|ended| format!("{ended:?}")),
        "stage": case.stage.map(|stage| format!("{stage:?}")),
        "said_by": format!("{:?}", case.said_by),
        "reporter": case.reporter,
        "peer": case.peer,
        "at": case.at.map(|at| at.to_string()),
        "message_id": case.about.message_id,
        "subject": case.about.subject,
        "from": case.about.from,
        "notes": notes,
    })
}
