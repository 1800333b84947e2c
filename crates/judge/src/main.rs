//! `judge`: scores the readers and the diagnosis on labelled collections.
//!
//! ```text
//! judge                       scores every collection that is there
//! judge --write-docs          also writes docs/calibration.md
//! judge --speed DIR [TIMES]   reads a folder of mails so many times, and says how many it read
//! ```

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use judge::{
    Missing, Problem, Reasons, bounces, document, flufl, pace, report, root, score, sisimai,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => run(false),
        ["--write-docs"] => run(true),
        ["--speed", directory] => speed(directory, 1),
        ["--speed", directory, times] => speed(directory, times.parse().unwrap_or(1)),
        _ => {
            say("judge [--write-docs | --speed DIR [TIMES]]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            say(&problem.to_string());
            ExitCode::FAILURE
        }
    }
}

/// A closed pipe ends the output, not the program.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn speed(directory: &str, times: usize) -> Result<(), Problem> {
    let pace = pace(Path::new(directory), times)?;
    say(&format!("{} mails, {} cases", pace.mails, pace.cases));
    Ok(())
}

fn run(write_docs: bool) -> Result<(), Problem> {
    let reasons = Reasons::read()?;
    let mut missing: Vec<Missing> = Vec::new();
    let mut collections = vec![bounces()?];
    for collection in [flufl()?, sisimai()?] {
        match collection {
            Ok(collection) => collections.push(collection),
            Err(gone) => missing.push(gone),
        }
    }
    let scores: Vec<_> = collections.iter().map(|c| score(c, &reasons)).collect();
    for (collection, score) in collections.iter().zip(&scores) {
        say(&report(collection, score));
    }
    for gone in &missing {
        say(&format!("{}: not here ({})", gone.name, gone.how));
    }
    if write_docs {
        let scored: Vec<_> = collections.iter().zip(&scores).collect();
        let path = root().join("docs/calibration.md");
        std::fs::write(&path, document(&scored, &missing))
            .map_err(|error| Problem::Read { path, error })?;
    }
    Ok(())
}
