//! Each schedule in small cases worked out by hand from its documentation.

use super::*;
use crate::clock::{days, minutes};
use crate::desk::{self, State};
use crate::tally::Tally;
use crate::workload::Workload;
use crate::{PEERS, Peer};

fn peer(name: &str) -> Peer {
    let (_, text) = PEERS.iter().find(|(known, _)| *known == name).unwrap();
    Peer::parse(text).unwrap()
}

/// Runs so many messages, that come in the first second, to one destination with this failure.
fn run(policy: &str, messages: u32, failure: &str) -> (Tally, Vec<State>) {
    let text = format!(
        "[workload]\nmessages = {messages}\nover = \"1ms\"\ndestinations = 1\nproviders = 1\n[[failure]]\n{failure}\n"
    );
    let workload = Workload::parse(&text).unwrap();
    let mut running = match policy {
        "postrider" => ours(queue::policy::OwnWaits::default(), [1, 1, messages]),
        name => of_peer(&peer(name), 1, messages),
    };
    let (desk, _) = desk::run(&workload, &mut *running, 1);
    let (tally, _, states) = desk.into_tally();
    assert_eq!(tally.broken, 0);
    (tally, states)
}

const DEAD: &str = "kind = \"dead\"\nsays = \"refused\"";
const FULL: &str = "kind = \"dead\"\nat = \"rcpt\"\nsays = \"452 4.2.2 mailbox full\"";

/// The first attempts for one message, in whole seconds.
fn attempts(policy: &str, failure: &str, first: usize) -> Vec<u64> {
    let (tally, _) = run(policy, 1, failure);
    let times = tally.trace.iter().map(|(_, at)| at / 1000);
    times.take(first).collect()
}

fn in_minutes(times: &[u64]) -> Vec<u64> {
    times.iter().map(|seconds| seconds / 60).collect()
}

#[test]
fn postfix_waits_as_long_as_the_message_is_old_and_looks_every_five_minutes() {
    // 300 s at least; then the age doubles with each attempt; 4000 s at most, and then the next scan.
    let expected = [0, 300, 600, 1200, 2400, 4800, 9000, 13200, 17400, 21600];
    assert_eq!(attempts("postfix", DEAD, 10), expected);
    assert_eq!(attempts("postfix", FULL, 10), expected);
}

#[test]
fn postfix_declares_a_destination_dead_after_a_cohort_and_asks_again_with_five() {
    let (tally, _) = run("postfix", 20, DEAD);
    let within = |from: u64, to: u64| {
        let times = tally
            .trace
            .iter()
            .filter(|(_, at)| (from * 1000..to * 1000).contains(at));
        times.count()
    };
    // 1/5 + 1/3 + 1/2 of a cohort: the third failure is enough; five were under way.
    assert_eq!(within(0, 299), 5);
    // Dead for 300 seconds. The scan at 300 s comes a moment too early: what it brings in is put off for
    // 300 seconds again, without an attempt. At 600 s five are under way when the third fails.
    assert_eq!(within(299, 599), 0);
    assert_eq!(within(599, 899), 5);
}

#[test]
fn exim_tries_in_queue_runs_after_the_times_of_its_rule() {
    // Runs are each half an hour. By the rule 15 minutes, up to 2 hours; the failure at 2 h is still of
    // that step. Then 1 h; then 1.5 times the shorter of the planned and the actual last interval.
    let expected = [0, 30, 60, 90, 120, 150, 210, 300, 450, 660];
    assert_eq!(in_minutes(&attempts("exim", DEAD, 10)), expected);
    assert_eq!(in_minutes(&attempts("exim", FULL, 10)), expected);
}

#[test]
fn exim_gives_up_four_days_after_the_first_failure_and_tries_a_dead_host_once_a_run() {
    let (tally, states) = run("exim", 10, DEAD);
    assert!(states.iter().all(|state| *state == State::GivenUp));
    let ended = *tally.ended.iter().max().unwrap();
    assert!(
        (days(4)..days(4) + minutes(6 * 60 + 31)).contains(&ended),
        "{ended}"
    );
    let second_run = tally
        .trace
        .iter()
        .filter(|(_, at)| (minutes(30)..minutes(59)).contains(at));
    assert_eq!(second_run.count(), 1);
}

#[test]
fn sendmail_tries_every_message_in_every_queue_run() {
    let expected = [0, 30, 60, 90, 120, 150, 180, 210, 240, 270];
    assert_eq!(in_minutes(&attempts("sendmail", DEAD, 10)), expected);
    assert_eq!(in_minutes(&attempts("sendmail", FULL, 10)), expected);
}

#[test]
fn sendmail_remembers_within_a_run_that_a_host_is_down() {
    let in_second_run = |failure| {
        let (tally, _) = run("sendmail", 10, failure);
        let within = |at: &u64| (minutes(30)..minutes(59)).contains(at);
        tally.trace.iter().filter(|(_, at)| within(at)).count()
    };
    assert_eq!(in_second_run(DEAD), 1);
    assert_eq!(in_second_run(FULL), 10);
}

#[test]
fn exchange_retries_a_connection_four_times_a_minute_six_times_five_then_each_ten() {
    let times = attempts("exchange", DEAD, 14);
    let expected = [0, 1, 2, 3, 4, 9, 14, 19, 24, 29, 34, 44, 54, 64];
    assert_eq!(in_minutes(&times), expected);
}

#[test]
fn exchange_retries_a_message_each_five_minutes_and_gives_up_after_two_days() {
    let expected = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45];
    assert_eq!(in_minutes(&attempts("exchange", FULL, 10)), expected);
    for failure in [DEAD, FULL] {
        let (tally, states) = run("exchange", 3, failure);
        assert!(states.iter().all(|state| *state == State::GivenUp));
        assert!(
            tally
                .ended
                .iter()
                .all(|at| at.abs_diff(days(2)) < minutes(1))
        );
    }
}

#[test]
fn kumomta_doubles_twenty_minutes_without_end_and_expires_when_the_next_would_be_too_late() {
    let times = attempts("kumomta", FULL, 20);
    let expected: [u64; 9] = [0, 20, 60, 140, 300, 620, 1260, 2540, 5100];
    assert_eq!(times.len(), expected.len(), "{times:?}");
    for (time, minute) in times.iter().zip(expected) {
        // Half a minute of jitter for each wait before it.
        assert!(time.abs_diff(minute * 60) <= 8 * 30 + 5, "{times:?}");
    }
    // 7 days are 10080 minutes; the next attempt would come after 10220.
    let (tally, _) = run("kumomta", 1, FULL);
    assert!(tally.ended[0].abs_diff(minutes(5100)) < minutes(5));
}

/// The relay's decisions, one after another, for a message that fails the same way each time.
fn decided(answer: &crate::answer::Answer, attempts_take: u64) -> Vec<u64> {
    use queue::Decision;
    use queue::policy::{History, Pace, decide};

    use crate::chance::Chance;
    use crate::clock::{moment, timestamp};

    let mut chance = Chance::part(1, 2);
    let mut pace = Pace::of_destination();
    let (mut now, mut times) = (0, Vec::new());
    for attempts in 1.. {
        times.push(now / 1000);
        let ended = now + attempts_take;
        let history = History {
            attempts,
            received_at: timestamp(0),
            expires_at: timestamp(days(5)),
            now: timestamp(ended),
            destination_failures: pace.failures_before(timestamp(ended)),
            provider_failures: Some(0),
            sessions: 1,
            ..History::default()
        };
        let decided = decide(&answer.diagnosis, &history, chance.unit());
        pace.went_badly(&decided.effect, 1, history.now);
        match decided.decision {
            Decision::RetryAt { at, .. } => now = moment(at),
            _ => break,
        }
    }
    times
}

#[test]
fn our_attempts_come_when_the_code_of_the_relay_says() {
    for failure in [
        DEAD,
        FULL,
        "kind = \"dead\"\nat = \"rcpt\"\nsays = \"450 4.7.1 Greylisted, try again in 300 seconds\"",
    ] {
        let text = format!("[[failure]]\n{failure}\n");
        let says = Workload::parse(&text).unwrap().failures[0].says.clone();
        let expected = decided(&crate::answer::Answer::of(&says).unwrap(), 150);
        let made = attempts("postrider", failure, usize::MAX);
        assert!(expected.len() > 10, "{expected:?}");
        assert_eq!(
            made.len(),
            expected.len(),
            "{failure}: {made:?} {expected:?}"
        );
        for (made, expected) in made.iter().zip(&expected) {
            assert!(
                made.abs_diff(*expected) <= 1,
                "{failure}: {made} {expected}"
            );
        }
    }
}
