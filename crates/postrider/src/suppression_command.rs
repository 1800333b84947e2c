//! `postrider suppression list|show|add|remove`: to whom nothing is sent. The list is a file of its own, so
//! that it can be changed with and without a running server.

use std::process::ExitCode;
use std::time::Duration;

use diagnosis::Cause;
use explain::Lang;
use jiff::Timestamp;
use queue::{StoreError, Suppressed, SuppressionReason, Suppressions, suppression_key};
use serde::Serialize;
use smtp::Address;
use store_sqlite::SqliteSuppressions;

use crate::cli::SuppressionCommand;
use crate::exit;
use crate::lang;
use crate::place::Options;

/// Why the list was not read or changed.
#[derive(Debug, thiserror::Error)]
enum SuppressionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "there is no data in {0}: nothing has run there yet (choose another directory with --data)"
    )]
    NoData(String),
    #[error("`{0}` is no address: {1}")]
    NotAnAddress(String, smtp::AddressError),
    #[error("`{0}` is no time: write 12h or 30d")]
    NotATime(String),
    #[error("`{0}` is not on the list")]
    NotThere(String),
    #[error("starting: {0}")]
    Runtime(std::io::Error),
    #[error("writing the answer: {0}")]
    Json(serde_json::Error),
}

pub(crate) fn main(command: &SuppressionCommand, options: &Options) -> ExitCode {
    match run(command, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::problem(&error),
    }
}

fn run(command: &SuppressionCommand, options: &Options) -> Result<(), SuppressionError> {
    let data = options.data();
    if !data.is_dir() {
        return Err(SuppressionError::NoData(data.display().to_string()));
    }
    let list = SqliteSuppressions::open(&data)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(SuppressionError::Runtime)?;
    let now = world::World::real().clock.now();
    runtime.block_on(async {
        match command {
            SuppressionCommand::List { json, lang } => {
                let lang = lang::chosen(*lang);
                let all = list.all(now).await?;
                all.iter().try_for_each(|entry| show(entry, *json, lang))
            }
            SuppressionCommand::Show {
                address,
                json,
                lang,
            } => match list.suppressed(&read(address)?, now).await? {
                Some(entry) => details(&entry, *json, lang::chosen(*lang)),
                None => Err(SuppressionError::NotThere(address.clone())),
            },
            SuppressionCommand::Add {
                address,
                reason,
                keep,
            } => {
                let entry = entry(address, reason.as_deref(), keep.as_deref(), now)?;
                Ok(list.suppress(entry).await?)
            }
            SuppressionCommand::Remove { address } => match list.release(&read(address)?).await? {
                true => Ok(()),
                false => Err(SuppressionError::NotThere(address.clone())),
            },
        }
    })
}

fn read(address: &str) -> Result<Address, SuppressionError> {
    let read = Address::parse(address, true);
    read.map_err(|error| SuppressionError::NotAnAddress(address.to_owned(), error))
}

fn entry(
    address: &str,
    reason: Option<&str>,
    keep: Option<&str>,
    now: Timestamp,
) -> Result<Suppressed, SuppressionError> {
    let keep: Option<Duration> = keep
        .map(|text| {
            let wrong = || SuppressionError::NotATime(text.to_owned());
            toml_read::duration(text).ok_or_else(wrong)
        })
        .transpose()?;
    let note = reason.unwrap_or_default();
    Ok(Suppressed {
        address: suppression_key(&read(address)?),
        reason: SuppressionReason::Administrator {
            note: note.chars().filter(|c| !c.is_control()).collect(),
        },
        since: now,
        until: keep.map(|keep| now.checked_add(keep).unwrap_or(Timestamp::MAX)),
    })
}

/// An entry as scripts read it: as it is kept, and in short.
#[derive(Serialize)]
struct JsonEntry<'a> {
    #[serde(flatten)]
    entry: &'a Suppressed,
    source: &'static str,
    cause: Option<&'static str>,
    explanation: String,
}

fn show(entry: &Suppressed, json: bool, lang: Lang) -> Result<(), SuppressionError> {
    if json {
        let row = JsonEntry {
            entry,
            source: entry.reason.source(),
            cause: entry.reason.cause().map(Cause::id),
            explanation: explain::suppressed(entry, lang),
        };
        let row = serde_json::to_string(&row).map_err(SuppressionError::Json)?;
        println!("{row}");
        return Ok(());
    }
    let (why, times) = (
        explain::suppressed(entry, lang),
        explain::suppressed_times(entry, lang),
    );
    println!("{}  {why}. {times}.", entry.address);
    Ok(())
}

fn details(entry: &Suppressed, json: bool, lang: Lang) -> Result<(), SuppressionError> {
    if json {
        return show(entry, json, lang);
    }
    println!("{}", entry.address);
    println!("  {}.", explain::suppressed(entry, lang));
    for line in explain::suppressed_details(entry, lang) {
        println!("  {line}");
    }
    Ok(())
}
