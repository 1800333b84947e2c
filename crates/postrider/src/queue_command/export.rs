//! `queue export`: messages as they are kept.

use std::io::Write;
use std::path::Path;

use queue::{Body, Store};

use super::{Done, QueueError, open_reader};
use crate::cli::Export;
use crate::place::Options;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

pub(super) async fn run(export: &Export, options: &Options) -> Done {
    let store = open_reader(&options.data())?;
    for text in &export.ids {
        let id = store.find(text).await?;
        let body = store.body(id).await?;
        match &export.directory {
            Some(directory) => {
                let path = directory.join(format!("{id}.eml"));
                write_file(&path, &body).await?;
                println!("{}", path.display());
            }
            None => copy(&body, &mut std::io::stdout().lock(), "the standard output").await?,
        }
    }
    Ok(())
}

async fn write_file(path: &Path, body: &Body) -> Done {
    let shown = path.display().to_string();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = file.map_err(|source| QueueError::Io {
        doing: "making",
        path: shown.clone(),
        source,
    })?;
    copy(body, &mut file, &shown).await
}

async fn copy(body: &Body, to: &mut impl Write, shown: &str) -> Done {
    let failed = |source| QueueError::Io {
        doing: "writing",
        path: shown.to_owned(),
        source,
    };
    match body {
        Body::Inline(bytes) => to.write_all(bytes).map_err(failed)?,
        Body::File(source) => {
            let mut at = 0;
            while at < source.size() {
                let piece = source.read(at, PIECE).await?;
                if piece.is_empty() {
                    break;
                }
                to.write_all(&piece).map_err(failed)?;
                at += piece.len() as u64;
            }
        }
    }
    to.flush().map_err(failed)
}
