//! `postrider suppression list|add|remove`: to whom nothing is sent. The list is a file of its own, so
//! that it can be changed with and without a running server.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use queue::{StoreError, Suppressed, SuppressionReason, Suppressions, suppression_key};
use smtp::Address;
use store_sqlite::SqliteSuppressions;

use crate::cli::SuppressionCommand;
use crate::exit;
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
            SuppressionCommand::List { json } => show(&list.all(now).await?, *json),
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

fn show(all: &[Suppressed], json: bool) -> Result<(), SuppressionError> {
    for entry in all {
        if json {
            println!(
                "{}",
                serde_json::to_string(entry).map_err(SuppressionError::Json)?
            );
            continue;
        }
        let why = match &entry.reason {
            SuppressionReason::Administrator { note } if note.is_empty() => "by hand".to_owned(),
            SuppressionReason::Administrator { note } => format!("by hand: {note}"),
            SuppressionReason::Failed { cause, message } => {
                format!("{} (message {message})", cause.id())
            }
        };
        let until = match entry.until {
            Some(until) => format!("until {}", until.strftime("%Y-%m-%d %H:%M UTC")),
            None => "until removed".to_owned(),
        };
        let since = entry.since.strftime("%Y-%m-%d %H:%M UTC");
        println!("{}  {why}, since {since}, {until}", entry.address);
    }
    Ok(())
}
