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

/// Scenarios at one time.
const AT_ONCE: usize = 3;

#[test]
fn the_sending_side_finds_the_cause_and_does_what_it_calls_for() {
    let folders = peers::scenarios("sending").unwrap();
    let played = peers::play_all(
        &folders,
        AT_ONCE,
        |folder| peers::name_of(folder),
        |folder| stage::play(folder),
    );
    assert!(played.is_ok(), "{}", played.unwrap_err());
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
