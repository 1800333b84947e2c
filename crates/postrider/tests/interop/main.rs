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

use scenario::Scenario;

/// Cases at one time.
const AT_ONCE: usize = 3;

#[test]
fn every_scenario_comes_out_as_expected() {
    let folders = peers::scenarios("interop").unwrap();
    let played = peers::play_all(
        &folders,
        AT_ONCE,
        |folder| peers::name_of(folder),
        |folder| run(folder),
    );
    assert!(played.is_ok(), "{}", played.unwrap_err());
}

fn run(folder: &Path) -> Result<(), String> {
    let scenario = Scenario::read(folder)?;
    let stage = stage::Stage::set_up(&scenario, folder).map_err(|error| error.to_string())?;
    let played = stage
        .play(&scenario)
        .map_err(|error| format!("{error}\nlog:\n{}", stage.relay.log()));
    played.and_then(|()| check::check(&stage, &scenario))
}
