//! `queue show`: the story of a message.

use std::io::Write;

use explain::Lang;
use jiff::Timestamp;
use queue::Store;

use super::{Done, QueueError, open_reader};
use crate::cli::Show;
use crate::place::Options;

pub(super) async fn run(show: &Show, options: &Options) -> Done {
    let store = open_reader(&options.data())?;
    let lang = show.lang.map_or_else(of_environment, Lang::from);
    let mut out = std::io::stdout().lock();
    for (place, text) in show.ids.iter().enumerate() {
        let story = store.story(store.find(text).await?).await?;
        let now = Timestamp::now();
        let written = if show.json {
            serde_json::to_writer(&mut out, &explain::story_json(&story, now, lang))
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            let gap = if place > 0 { "\n" } else { "" };
            write!(out, "{gap}{}", explain::story(&story, now, lang))
        };
        written.map_err(QueueError::Output)?;
    }
    out.flush().map_err(QueueError::Output)
}

/// The language of the environment, as POSIX has it: LC_ALL, then LC_MESSAGES, then LANG.
fn of_environment() -> Lang {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let set = names
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    set.and_then(|value| value.parse().ok()).unwrap_or_default()
}
