//! What the sending side does when it meets each of the fifteen, from a real server or a real event of the
//! network: each folder of `tests/sending` is one. `SENDING=name` runs one folder alone. Needs root: the
//! hosts are network namespaces that the test makes.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod check;
mod scenario;
mod stage;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Scenarios at one time: most of their time is waiting.
const AT_ONCE: usize = 3;

#[test]
fn the_sending_side_finds_the_cause_and_does_what_it_calls_for() {
    let folder = peers::root_of_the_workspace().join("tests/sending");
    let only = std::env::var("SENDING").ok();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("scenario.toml").exists())
        .filter(|path| only.as_ref().is_none_or(|name| path.ends_with(name)))
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no scenario in {}", folder.display());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some(path) = folders.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    match stage::play(path) {
                        Ok(()) => println!("{name}: ok"),
                        Err(what) => failed.lock().unwrap().push(format!("== {name}\n{what}")),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} failed\n{}",
        failed.len(),
        folders.len(),
        failed.join("\n")
    );
}

#[test]
fn every_row_of_the_fifteen_has_a_scenario() {
    let folder = peers::root_of_the_workspace().join("tests/sending");
    let mut missing = Vec::new();
    for code in [
        "4.2.0", "4.2.1", "4.2.2", "4.3.1", "4.3.2", "4.4.1", "4.4.2", "4.4.6", "4.4.7", "4.4.9",
        "4.5.0", "4.5.1", "4.5.2", "4.6.5", "4.7.1",
    ] {
        let found = std::fs::read_dir(&folder).unwrap().any(|entry| {
            let name = entry.unwrap().file_name();
            name.to_string_lossy().starts_with(code)
        });
        if !found {
            missing.push(code);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
