//! Each situation in which the relay says no, heard by real clients: each folder of `tests/receiving` is
//! one. `RECEIVING=name` runs one folder alone.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

mod clients;
mod logins;
mod scenario;

use std::path::PathBuf;

use scenario::{Scenario, Who};

/// Cases at one time.
const AT_ONCE: usize = 4;

#[test]
fn every_client_hears_why_and_brings_its_mail_when_the_situation_is_over() {
    let mut cases: Vec<(PathBuf, Who)> = Vec::new();
    for path in peers::scenarios("receiving").unwrap() {
        let clients = Scenario::read(&path).unwrap().clients;
        cases.extend(clients.into_iter().map(|who| (path.clone(), who)));
    }
    cases.sort();
    let played = peers::play_all(
        &cases,
        AT_ONCE,
        |(path, who)| format!("{} with {who:?}", peers::name_of(path)),
        |(path, who)| scenario::play(path, *who),
    );
    assert!(played.is_ok(), "{}", played.unwrap_err());
}
