//! Real clients hand mail to the relay, and real servers take it: each folder of `tests/interop` with a
//! `scenario.toml` is one case. `INTEROP=name` runs one folder alone.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod check;
mod scenario;
mod stage;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use scenario::Scenario;

/// Cases at one time: most of their time is waiting.
const AT_ONCE: usize = 3;

#[test]
fn every_scenario_comes_out_as_expected() {
    let folder = peers::root_of_the_workspace().join("tests/interop");
    let only = std::env::var("INTEROP").ok();
    let mut cases: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("scenario.toml").exists())
        .filter(|path| only.as_ref().is_none_or(|name| path.ends_with(name)))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no scenario in {}", folder.display());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let name = case.file_name().unwrap().to_string_lossy().into_owned();
                    match run(case) {
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
        cases.len(),
        failed.join("\n")
    );
}

fn run(folder: &Path) -> Result<(), String> {
    let scenario = Scenario::read(folder)?;
    let stage = stage::Stage::set_up(&scenario, folder).map_err(|error| error.to_string())?;
    let played = stage
        .play(&scenario)
        .map_err(|error| format!("{error}\nlog:\n{}", stage.relay.log()));
    played.and_then(|()| check::check(&stage, &scenario))
}
