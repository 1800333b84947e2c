//! Each situation in which the relay says no, heard by real clients: each folder of `tests/receiving` is
//! one. `RECEIVING=name` runs one folder alone.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod clients;
mod scenario;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scenario::{Scenario, Who};

/// Cases at one time: most of their time is waiting.
const AT_ONCE: usize = 4;

#[test]
fn every_client_hears_why_and_brings_its_mail_when_the_situation_is_over() {
    let folder = peers::root_of_the_workspace().join("tests/receiving");
    let only = std::env::var("RECEIVING").ok();
    let mut cases: Vec<(PathBuf, Who)> = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let wanted = only.as_ref().is_none_or(|name| path.ends_with(name));
        if wanted && path.join("scenario.toml").exists() {
            let clients = Scenario::read(&path).unwrap().clients;
            cases.extend(clients.into_iter().map(|who| (path.clone(), who)));
        }
    }
    cases.sort();
    assert!(!cases.is_empty(), "no scenario in {}", folder.display());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some((path, who)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    match scenario::play(path, *who) {
                        Ok(()) => println!("{name} with {who:?}: ok"),
                        Err(what) => {
                            let told = format!("== {name} with {who:?}\n{what}");
                            failed.lock().unwrap().push(told);
                        }
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
        cases.len(),
        failed.join("\n")
    );
}
