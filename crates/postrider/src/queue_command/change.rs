//! `queue hold|release|retry|drop`, `pause`, `resume`.

use std::path::Path;

use jiff::Timestamp;
use queue::{MessageId, RecipientState, Store, Story};
use store_sqlite::SqliteStore;
use world::World;

use super::{Done, QueueError, destination, open_reader};
use crate::cli::Which;
use crate::control::{Answer, ControlError, Request, ask};
use crate::place::Options;

/// What the administrator wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Hold,
    Release,
    Retry,
    Drop,
}

impl Wish {
    fn state(self) -> RecipientState {
        match self {
            Wish::Hold => RecipientState::Held,
            Wish::Release | Wish::Retry => RecipientState::Queued,
            Wish::Drop => RecipientState::Dropped,
        }
    }

    /// The states in which a recipient can be wished so.
    fn applies_to(self, state: RecipientState) -> bool {
        match self {
            Wish::Hold | Wish::Retry => state == RecipientState::Queued,
            Wish::Release => state == RecipientState::Held,
            Wish::Drop => matches!(state, RecipientState::Queued | RecipientState::Held),
        }
    }

    fn done(self) -> &'static str {
        match self {
            Wish::Hold => "held",
            Wish::Release => "released",
            Wish::Retry => "will be tried now",
            Wish::Drop => "dropped",
        }
    }
}

pub(super) async fn run(wish: Wish, which: &Which, options: &Options) -> Done {
    let data = options.data();
    let reader = open_reader(&data)?;
    for text in &which.ids {
        let id = reader.find(text).await?;
        let story = reader.story(id).await?;
        let recipients = wanted(wish, which, &story)?;
        let changed = change(&data, id, recipients, wish.state()).await?;
        if changed.is_empty() {
            return Err(QueueError::NothingChanged(format!(
                "{id}: nothing was changed: its recipients are being sent at this moment; try again"
            )));
        }
        if which.json {
            let line = serde_json::json!({"id": id, "recipients": changed, "state": wish.state().as_str()});
            println!("{line}");
        } else {
            println!("{id}: {} {}", changed.join(", "), wish.done());
        }
    }
    Ok(())
}

/// The recipients that the command is about.
fn wanted(wish: Wish, which: &Which, story: &Story) -> Result<Vec<u32>, QueueError> {
    let id = story.message.id;
    for name in &which.recipients {
        if !story.recipients.iter().any(|r| r.address.as_str() == name) {
            return Err(QueueError::NotARecipient(name.clone(), id));
        }
    }
    let named = |address: &str| {
        which.recipients.is_empty() || which.recipients.iter().any(|n| n == address)
    };
    let asked: Vec<_> = story
        .recipients
        .iter()
        .filter(|r| named(r.address.as_str()))
        .collect();
    let fit: Vec<u32> = asked
        .iter()
        .filter(|r| wish.applies_to(r.state))
        .map(|r| r.index)
        .collect();
    if fit.is_empty() {
        let mut states: Vec<&str> = asked.iter().map(|r| r.state.as_str()).collect();
        states.dedup();
        return Err(QueueError::NothingChanged(format!(
            "{id}: nothing to do: its recipients are {}",
            states.join(", ")
        )));
    }
    Ok(fit)
}

async fn change(
    data: &Path,
    id: MessageId,
    recipients: Vec<u32>,
    to: RecipientState,
) -> Result<Vec<String>, QueueError> {
    let request = Request::Change {
        message: id,
        recipients: Some(recipients.clone()),
        to,
    };
    match ask(data, &request) {
        Ok(Answer::Changed(addresses)) => Ok(addresses),
        Ok(Answer::Done | Answer::Reloaded(_) | Answer::TlsReports(_)) => Ok(Vec::new()),
        Ok(Answer::Failed(reason)) => Err(QueueError::Server(reason)),
        Err(ControlError::NoServer(_)) => {
            let store = SqliteStore::open(data, &World::real())?;
            let changed = store
                .change(id, Some(&recipients), to, Timestamp::now())
                .await?;
            Ok(changed.iter().map(|r| r.address.to_string()).collect())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn pause(text: &str, paused: bool, options: &Options) -> Done {
    let key = destination(text, options)?;
    let request = Request::Pause {
        destination: key.to_string(),
        paused,
    };
    match ask(&options.data(), &request)? {
        Answer::Done | Answer::Changed(_) | Answer::Reloaded(_) | Answer::TlsReports(_) => {
            println!("{key}: {}", if paused { "paused" } else { "resumed" });
            Ok(())
        }
        Answer::Failed(reason) => Err(QueueError::Server(reason)),
    }
}

/// Asks the running server, or writes it down for the next start.
pub(super) fn pause_receiving(paused: bool, options: &Options) -> Done {
    let data = options.data();
    match ask(&data, &Request::PauseReceiving { paused }) {
        Ok(Answer::Done | Answer::Changed(_) | Answer::Reloaded(_) | Answer::TlsReports(_)) => {}
        Ok(Answer::Failed(reason)) => return Err(QueueError::Server(reason)),
        Err(ControlError::NoServer(_)) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.map_err(QueueError::Runtime)?;
            let store = SqliteStore::open(&data, &World::real())?;
            runtime.block_on(store.pause_intake(paused, Timestamp::now()))?;
        }
        Err(error) => return Err(error.into()),
    }
    println!(
        "{}",
        if paused {
            "receiving: paused; clients are told 421 4.3.2 until `postrider resume`"
        } else {
            "receiving: resumed"
        }
    );
    Ok(())
}
