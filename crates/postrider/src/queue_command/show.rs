//! `queue show`: the story of a message.

use std::io::Write;

use jiff::Timestamp;
use queue::Store;

use super::{Done, QueueError, open_reader};
use crate::cli::Show;
use crate::lang;
use crate::place::Options;

pub(super) async fn run(show: &Show, options: &Options) -> Done {
    let store = open_reader(&options.data())?;
    let lang = lang::chosen(show.lang);
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
