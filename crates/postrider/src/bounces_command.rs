//! `postrider bounces`: what came back of mail that had been handed on, the latest first.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use explain::Lang;
use jiff::Timestamp;
use queue::{CameBack, Store, StoreError};
use serde::Serialize;
use store_sqlite::SqliteStore;

use crate::cli::Language;
use crate::exit;
use crate::lang;
use crate::place::Options;

#[derive(Debug, Args)]
#[command(after_help = "\
The latest comes first. `postrider queue show ID` tells the whole story of the message, and of the report.
Read it with [bounces] in the configuration: docs/bounces.md.")]
pub(crate) struct Bounces {
    /// One JSON object for each.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language; else that of the environment (LANG).
    #[arg(long, value_enum)]
    pub(crate) lang: Option<Language>,
    /// Only what came back in this time, like 12h or 30d.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) limit: usize,
}

/// Why nothing is listed.
#[derive(Debug, thiserror::Error)]
enum BouncesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "there is no queue in {0}: nothing has run there yet (choose another directory with --data)"
    )]
    NoQueue(String),
    #[error("`{0}` is no time: write 12h or 30d")]
    NotATime(String),
    #[error("starting: {0}")]
    Runtime(std::io::Error),
    #[error("writing the answer: {0}")]
    Output(std::io::Error),
}

/// A row as scripts read it. The names are stable.
#[derive(Serialize)]
struct JsonRow<'a> {
    at: Timestamp,
    id: String,
    sender: &'a str,
    recipient: Option<&'a str>,
    accepted_at: Timestamp,
    kind: &'static str,
    joined_by: &'static str,
    report: String,
    reporter: Option<&'a str>,
    names: Option<&'a str>,
    cause: Option<&'static str>,
    confidence: Option<f32>,
    words: Option<&'a str>,
    passed_on: Option<String>,
    suppressed: bool,
    explanation: String,
}

pub(crate) fn main(arguments: &Bounces, options: &Options) -> ExitCode {
    match run(arguments, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::problem(&error),
    }
}

fn run(arguments: &Bounces, options: &Options) -> Result<(), BouncesError> {
    let data = options.data();
    let store = match SqliteStore::open_reader(&data) {
        Ok(store) => store,
        Err(StoreError::Io { .. }) if !data.join("queue.db").exists() => {
            return Err(BouncesError::NoQueue(data.display().to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let now = world::World::real().clock.now();
    let since = match &arguments.since {
        None => None,
        Some(text) => {
            let wrong = || BouncesError::NotATime(text.clone());
            let age = toml_read::duration(text).ok_or_else(wrong)?;
            now.checked_sub(age).ok()
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BouncesError::Runtime)?;
    let all = runtime.block_on(store.returned(since, arguments.limit))?;
    let lang = lang::chosen(arguments.lang);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = match arguments.json {
        true => all.iter().try_for_each(|one| json(&mut out, one, lang)),
        false => text(&mut out, &all, lang),
    };
    written
        .and_then(|()| out.flush())
        .map_err(BouncesError::Output)
}

fn json(out: &mut impl Write, one: &CameBack, lang: Lang) -> std::io::Result<()> {
    let back = &one.returned;
    let row = JsonRow {
        at: one.at,
        id: one.message.to_string(),
        sender: one.sender.as_str(),
        recipient: one.recipient.as_ref().map(smtp::Address::as_str),
        accepted_at: one.received_at,
        kind: back.kind.as_str(),
        joined_by: back.by.as_str(),
        report: back.report.to_string(),
        reporter: back.reporter.as_deref(),
        names: back.names.as_deref(),
        cause: back.diagnosis.as_ref().map(|d| d.cause.id()),
        confidence: back.diagnosis.as_ref().map(|d| d.confidence),
        words: back.words.as_deref(),
        passed_on: back.passed_on.map(|id| id.to_string()),
        suppressed: back.suppressed,
        explanation: explain::returned_headline(back, lang),
    };
    serde_json::to_writer(&mut *out, &row)?;
    writeln!(out)
}

fn text(out: &mut impl Write, all: &[CameBack], lang: Lang) -> std::io::Result<()> {
    if all.is_empty() {
        return writeln!(out, "{}", explain::nothing_returned(lang));
    }
    for one in all {
        writeln!(out, "{}", explain::came_back(one, lang))?;
    }
    Ok(())
}
