//! Folders of scenarios: which there are, and playing them a few at a time.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Doing as _, PeerError, Result, root_of_the_workspace};

/// The folders under `tests/KIND` that hold a `scenario.toml`, in order. The variable KIND (in capitals)
/// of the environment names one to play alone.
///
/// # Errors
/// If the folder cannot be read, or none is left.
pub fn scenarios(kind: &str) -> Result<Vec<PathBuf>> {
    let folder = root_of_the_workspace().join("tests").join(kind);
    let only = std::env::var(kind.to_uppercase()).ok();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).doing(format!("reading {}", folder.display()))? {
        let path = entry.doing(format!("reading {}", folder.display()))?.path();
        let wanted = only.as_ref().is_none_or(|name| path.ends_with(name));
        if wanted && path.join("scenario.toml").exists() {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(PeerError::Failed {
            program: folder.display().to_string(),
            what: format!("no scenario {}", only.unwrap_or_default()),
        });
    }
    Ok(found)
}

/// Plays each case, `at_once` of them at a time, since most of their time is waiting.
///
/// # Errors
/// Every case that failed, by its name, with what went wrong.
pub fn play_all<C: Sync>(
    cases: &[C],
    at_once: usize,
    name: impl Fn(&C) -> String + Sync,
    play: impl Fn(&C) -> std::result::Result<(), String> + Sync,
) -> std::result::Result<(), Failures> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..at_once {
            threads.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let name = name(case);
                    match play(case) {
                        Ok(()) => println!("{name}: ok"),
                        Err(what) => {
                            let mut failed = failed
                                .lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner);
                            failed.push(format!("== {name}\n{what}"));
                        }
                    }
                }
            });
        }
    });
    let failed = failed
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failures {
        failed,
        of: cases.len(),
    })
}

/// The cases that failed.
pub struct Failures {
    failed: Vec<String>,
    of: usize,
}

impl Display for Failures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (failed, of) = (self.failed.len(), self.of);
        write!(f, "{failed} of {of} failed\n{}", self.failed.join("\n"))
    }
}

/// The last part of a scenario's path.
#[must_use]
pub fn name_of(folder: &std::path::Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
