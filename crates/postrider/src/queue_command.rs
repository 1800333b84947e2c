//! `postrider queue …`, `pause` and `resume`.
//!
//! Looking reads the database itself, with or without a server. Changing asks the running server,
//! and where none is running does it itself.

mod change;
mod export;
mod list;
mod show;

use std::path::Path;
use std::process::ExitCode;

use queue::route::{Asked, NextHop, Target};
use queue::{DestinationKey, StoreError};
use smtp::Address;
use store_sqlite::SqliteStore;

use crate::cli::QueueCommand;
use crate::control::ControlError;
use crate::exit;
use crate::place::{ConfigError, Options};

/// Why a command on the queue was not done.
#[derive(Debug, thiserror::Error)]
enum QueueError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "there is no queue in {0}: nothing has run there yet (choose another directory with --data)"
    )]
    NoQueue(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("the server says: {0}")]
    Server(String),
    #[error("`{0}` is no recipient of {1}")]
    NotARecipient(String, queue::MessageId),
    #[error("{0}")]
    NothingChanged(String),
    #[error("`{0}` is no destination: name a domain, or a next hop like smtp://host:port")]
    NotADestination(String),
    #[error("{doing} {path}: {source}")]
    Io {
        doing: &'static str,
        path: String,
        source: std::io::Error,
    },
    #[error("starting: {0}")]
    Runtime(std::io::Error),
    #[error("writing the answer: {0}")]
    Output(std::io::Error),
}

impl QueueError {
    fn status(&self) -> u8 {
        match self {
            QueueError::Control(ControlError::NoServer(_)) => exit::NO_SERVER,
            _ => exit::PROBLEM,
        }
    }
}

type Done = Result<(), QueueError>;

pub(crate) fn main(command: &QueueCommand, options: &Options) -> ExitCode {
    end(run(command, options))
}

fn end(done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough.
        Err(QueueError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => exit::with(error.status(), &error),
    }
}

fn run(command: &QueueCommand, options: &Options) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(QueueError::Runtime)?;
    runtime.block_on(async {
        match command {
            QueueCommand::List(list) => list::run(list, options).await,
            QueueCommand::Show(show) => show::run(show, options).await,
            QueueCommand::Export(export) => export::run(export, options).await,
            QueueCommand::Hold(which) => change::run(change::Wish::Hold, which, options).await,
            QueueCommand::Release(which) => {
                change::run(change::Wish::Release, which, options).await
            }
            QueueCommand::Retry(which) => change::run(change::Wish::Retry, which, options).await,
            QueueCommand::Drop(which) => change::run(change::Wish::Drop, which, options).await,
        }
    })
}

/// `mailq`, as sendmail's -bp.
pub(crate) fn list_all(options: &Options) -> ExitCode {
    let list = crate::cli::List {
        json: false,
        all: false,
        to: None,
    };
    main(&QueueCommand::List(list), options)
}

pub(crate) fn pause(destination: Option<&str>, paused: bool, options: &Options) -> ExitCode {
    end(match destination {
        Some(destination) => change::pause(destination, paused, options),
        None => change::pause_receiving(paused, options),
    })
}

fn open_reader(data: &Path) -> Result<SqliteStore, QueueError> {
    match SqliteStore::open_reader(data) {
        Ok(store) => Ok(store),
        Err(StoreError::Io { .. }) if !data.join("queue.db").exists() => {
            Err(QueueError::NoQueue(data.display().to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The destination that a person means by a domain or by a next hop.
fn destination(text: &str, options: &Options) -> Result<DestinationKey, QueueError> {
    let unknown = || QueueError::NotADestination(text.to_owned());
    if text == Target::Bounces.key().as_str()
        || text.starts_with("mx:")
        || text.parse::<NextHop>().is_ok_and(|hop| hop != NextHop::Mx)
    {
        return Ok(DestinationKey::new(text));
    }
    let address = Address::parse(&format!("postmaster@{text}"), true).map_err(|_| unknown())?;
    let lead = options.config()?.routes.lead(&Asked::to(&address));
    match lead.target {
        Target::Nowhere => Err(unknown()),
        Target::Domain(_) | Target::Hop(_) | Target::Bounces => Ok(lead.key()),
    }
}
