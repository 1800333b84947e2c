use diagnosis::facts::{Circumstances, Outcome};
use diagnosis::{Cause, Failure, FailureKind, Scope, Stage, diagnose};
use proptest::prelude::*;
use smtp::Reply;

use super::super::table::TABLE;
use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn history(attempts: u32) -> History {
    History {
        attempts,
        received_at: at(0),
        expires_at: at(432_000),
        now: at(1000),
        sessions: 1,
        ..History::default()
    }
}

fn meaning(text: &str) -> Diagnosis {
    let reply = Reply::parse("mx.example.org", text.as_bytes()).unwrap();
    let kind = FailureKind::Replied(reply);
    let stage = Stage::Rcpt;
    diagnose(
        &Outcome::Failed(Failure { stage, kind }),
        &Circumstances::default(),
    )
    .unwrap()
}

fn wait_after(text: &str, history: &History) -> (i64, Basis, Effect) {
    let decided = decide(&meaning(text), history, 0.5);
    match decided.decision {
        Decision::RetryAt { at, basis } => {
            let wait = at.duration_since(history.now).as_secs();
            (wait, basis, decided.effect)
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_greylist_is_waited_out_as_long_as_it_asks_and_a_little_more() {
    let (wait, basis, effect) = wait_after(
        "450 4.7.1 Greylisted, try again in 300 seconds",
        &history(1),
    );
    assert_eq!((wait, basis), (305, Basis::PeerAsked { seconds: 300 }));
    assert_eq!(effect, Effect::NONE, "others may pass");
    let (wait, ..) = wait_after("450 4.7.1 Greylisted", &history(1));
    assert_eq!(wait, 300);
}

#[test]
fn a_full_mailbox_waits_for_hours_and_alone() {
    let waits = [1, 2, 3, 4, 5].map(|n| wait_after("452 4.2.2 over quota", &history(n)));
    assert_eq!(waits.map(|w| w.0 / 3600), [4, 6, 9, 12, 12]);
    assert!(waits.iter().all(|w| w.2 == Effect::NONE));
}

#[test]
fn a_full_server_blocks_the_destination_and_comes_back_later_each_time() {
    let mut history = history(1);
    for (failures, wait) in [(0, 300), (1, 600), (2, 1200), (9, 3600)] {
        history.destination_failures = failures;
        let (waited, _, effect) = wait_after("452 4.3.1 insufficient system storage", &history);
        assert_eq!(waited, wait);
        let until = at(1000 + wait);
        let failures = failures + 1;
        let block = Some(Block { until, failures });
        let who = Waits::Destination;
        let signal = Signal::Down;
        assert_eq!(effect, Effect { who, block, signal });
    }
    history.others_accepted = true;
    let (_, _, effect) = wait_after("452 4.3.1 insufficient system storage", &history);
    assert_eq!(effect, Effect::NONE, "others were taken just now");
}

#[test]
fn too_many_recipients_go_on_at_once_only_after_progress() {
    let meaning = meaning("452 4.5.3 too many recipients");
    let mut history = history(1);
    assert!(matches!(
        decide(&meaning, &history, 0.5).decision,
        Decision::RetryAt { .. }
    ));
    history.others_accepted = true;
    assert_eq!(
        decide(&meaning, &history, 0.5).decision,
        Decision::RetryWhen(WaitFor::NextTransaction)
    );
}

#[test]
fn what_is_final_fails_at_once_and_what_failed_here_never_does() {
    let mut final_one = meaning("550 5.1.1 User unknown");
    assert_eq!(
        decide(&final_one, &history(1), 0.5).decision,
        Decision::Fail
    );
    final_one.scope = Scope::Us;
    assert!(matches!(
        decide(&final_one, &history(1), 0.5).decision,
        Decision::RetryAt { .. }
    ));
}

#[test]
fn the_last_attempt_is_made_when_the_lifetime_ends() {
    let mut history = history(9);
    history.now = at(432_000 - 60);
    let decided = decide(&meaning("452 4.2.2 over quota"), &history, 0.5);
    let Decision::RetryAt { at: next, basis } = decided.decision else {
        panic!("one more attempt is due")
    };
    assert_eq!((next, basis), (history.expires_at, Basis::Lifetime));
    history.now = history.expires_at;
    assert_eq!(
        decide(&meaning("452 4.2.2 over quota"), &history, 0.5).decision,
        Decision::Fail
    );
}

proptest! {
    #[test]
    fn an_attempt_is_never_planned_for_the_past_nor_after_the_lifetime(
        code in 400u16..600, words in "[ a-z0-9.:]{0,40}", attempts in 0u32..200, failures in 0u32..200,
        now in 0i64..500_000, jitter in 0.0f64..1.0, others in any::<bool>(),
    ) {
        let history = History {
            attempts, destination_failures: failures, now: at(now), others_accepted: others, ..history(1)
        };
        let diagnosis = meaning(&format!("{code} {words}"));
        let decided = decide(&diagnosis, &history, jitter);
        if let Decision::RetryAt { at, .. } = decided.decision {
            prop_assert!(at > history.now);
            prop_assert!(at <= history.expires_at || decided.is(Special::NeverExpires));
        }
        if let Some(Block { until, failures: counted }) = decided.effect.block {
            prop_assert!(until > history.now && counted == failures + 1);
        }
    }

    #[test]
    fn waits_grow_up_to_the_cap(row in 0..TABLE.len(), step in 1u32..100) {
        if let Action::Retry(Retry { rhythm, .. }) = TABLE[row].action {
            let (now, next) = (rhythm.wait(step), rhythm.wait(step + 1));
            prop_assert!(now <= next && next <= rhythm.cap && now >= rhythm.first);
        }
    }

    #[test]
    fn while_our_line_is_down_nothing_expires(now in 0i64..5_000_000, failures in 0u32..1000, jitter in 0.0f64..1.0) {
        let mut diagnosis = meaning("451 4.4.1 no answer");
        (diagnosis.cause, diagnosis.scope) = (Cause::OurLineDown, Scope::Us);
        let history = History { now: at(now), line_failures: failures, ..history(3) };
        let decided = decide(&diagnosis, &history, jitter);
        let is_later = matches!(decided.decision, Decision::RetryAt { at, .. } if at > history.now);
        prop_assert!(is_later && decided.effect.who == Waits::Us);
    }

    #[test]
    fn jitter_moves_a_wait_by_a_fifth_at_most(jitter in 0.0f64..=1.0, attempts in 1u32..30) {
        let decided = decide(&meaning("452 4.2.2 over quota"), &history(attempts), jitter);
        let Action::Retry(retry) = decided.row.action else { panic!("transient") };
        let planned = retry.rhythm.wait(attempts).as_secs_f64();
        let Decision::RetryAt { at, .. } = decided.decision else { panic!("transient") };
        let waited = at.duration_since(super::tests::at(1000)).as_secs_f64();
        prop_assert!((waited / planned - 1.0).abs() <= super::super::kinds::JITTER + 0.001);
    }
}

#[test]
fn the_administrators_waits_count_for_all_lines_of_their_cause_and_for_no_other() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let rhythm = |first, factor, cap| crate::policy::Rhythm {
        first: minutes(first),
        factor,
        cap: minutes(cap),
    };
    let own = crate::policy::OwnWaits::new(
        [
            (Cause::ServerNotAccepting, rhythm(7, 3.0, 60)),
            (Cause::Greylisting, rhythm(20, 1.0, 20)),
        ]
        .into(),
    );
    let with = |history: History| History {
        own: own.clone(),
        ..history
    };
    let stopped = "421 4.3.2 System not accepting messages";
    assert_eq!(meaning(stopped).cause, Cause::ServerNotAccepting);
    let third = History {
        destination_failures: 2,
        ..history(3)
    };
    assert_eq!(wait_after(stopped, &with(history(1))).0, 7 * 60);
    assert_eq!(
        wait_after(stopped, &with(third)).0,
        60 * 60,
        "at most the longest"
    );
    // Never to come early, it varies upwards alone.
    assert_eq!(
        wait_after("450 4.7.1 Greylisted", &with(history(1))).0,
        20 * 60 + 1
    );
    let asked = "450 4.7.1 Greylisted, try again in 300 seconds";
    assert_eq!(
        wait_after(asked, &with(history(1))).0,
        305,
        "what a reply asks for counts still"
    );
    let full = "452 4.2.2 over quota";
    assert_eq!(
        wait_after(full, &with(history(1))),
        wait_after(full, &history(1))
    );
}
