use proptest::prelude::*;

use super::super::decide::Block;
use super::super::kinds::{Rhythm, Waits};
use super::*;

const LIMITS: PaceLimits = PaceLimits {
    sessions: 20,
    rate: None,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn effect(signal: Signal, block: Option<(i64, u32)>) -> Effect {
    Effect {
        who: Waits::Destination,
        block: block.map(|(until, failures)| Block {
            until: at(until),
            failures,
        }),
        signal,
    }
}

#[test]
fn the_window_grows_by_one_a_window() {
    let mut pace = Pace::new(5);
    assert_eq!(pace.allowed_sessions(&LIMITS), 5);
    for _ in 0..6 {
        pace.went_well(&LIMITS, at(0));
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 6);
    for _ in 0..1000 {
        pace.went_well(&LIMITS, at(0));
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 20);
}

#[test]
fn as_many_connections_as_are_borne_stay_open_and_one_more_is_tried_later() {
    let mut pace = Pace::new(5);
    // Of five that were opened together, three are refused.
    for open in [5, 4, 3] {
        pace.went_badly(&effect(Signal::Connections, None), open, at(0));
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 2);
    assert_eq!(
        (pace.complained_of(at(4)), pace.complained_of(at(5))),
        (5, 0)
    );
    for _ in 0..500 {
        pace.went_well(&LIMITS, at(60));
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 2, "it was told just now");
    for _ in 0..50 {
        pace.went_well(&LIMITS, at(700));
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 3, "one more, not two");
    pace.went_badly(&effect(Signal::Connections, None), 3, at(701));
    for _ in 0..500 {
        pace.went_well(&LIMITS, at(800));
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 2);
    assert!(pace.has_learnt());
}

#[test]
fn after_an_outage_one_probe_goes_and_then_it_doubles_up_to_what_it_was() {
    let mut pace = Pace::new(8);
    pace.went_badly(&effect(Signal::Down, Some((60, 1))), 8, at(0));
    assert_eq!(pace.session(0, &LIMITS, at(1)), Permit::At(at(60)));
    assert_eq!(pace.session(0, &LIMITS, at(60)), Permit::Go);
    assert_eq!(pace.session(1, &LIMITS, at(60)), Permit::Full);
    assert!(pace.went_well(&LIMITS, at(0)));
    let mut windows = vec![pace.allowed_sessions(&LIMITS)];
    for _ in 0..2 {
        for _ in 0..*windows.last().unwrap() {
            assert!(!pace.went_well(&LIMITS, at(0)));
        }
        windows.push(pace.allowed_sessions(&LIMITS));
    }
    assert_eq!(windows, [2, 4, 8]);
    pace.went_well(&LIMITS, at(0));
    assert_eq!(
        pace.allowed_sessions(&LIMITS),
        8,
        "by one at a time from here"
    );
}

/// A server that takes `quota` in each period of so many seconds. Answers how long it takes to send so many
/// messages with the waits of the table, two a second on each connection, and how many were refused.
fn drain(pace: &mut Pace, quota: u32, period: i64, messages: u32, begins: i64) -> (i64, u32) {
    let rhythm = Rhythm {
        first: Duration::from_secs(60),
        factor: 1.2,
        cap: Duration::from_secs(120),
    };
    let (mut now, mut left, mut refused) = (begins, messages, 0);
    let (mut counted, mut taken) = (0, 0);
    while left > 0 {
        if let Some(opens) = pace.opens_at(at(now)) {
            now += opens.duration_since(at(now)).as_secs();
            continue;
        }
        for begun in 0.. {
            let open = pace.allowed_sessions(&LIMITS);
            if left == 0 || begun >= 2 * open || pace.is_blocked(at(now)) {
                break;
            }
            if counted != now / period {
                (counted, taken) = (now / period, 0);
            }
            if taken < quota {
                taken += 1;
                left -= 1;
                pace.went_well(&LIMITS, at(now));
                continue;
            }
            refused += 1;
            let failures = pace.failures_before(at(now)) + 1;
            let wait = rhythm.wait(failures).as_secs() as i64;
            let signal = effect(Signal::Rate, Some((now + wait, failures)));
            pace.went_badly(&signal, open, at(now));
        }
        now += 1;
    }
    (now - begins, refused)
}

#[test]
fn a_quota_is_used_up_in_each_of_its_times_with_few_refusals() {
    for (quota, period) in [(5, 60), (30, 60), (100, 300), (500, 3600), (200, 3600)] {
        let mut pace = Pace::of_destination();
        let periods = 6;
        let (took, refused) = drain(&mut pace, quota, period, quota * periods, 1000);
        let ideal = period * i64::from(periods);
        assert!(took <= ideal + ideal / 3 + 120, "{quota}/{period}: {took}");
        // A probe each two minutes at most, the one that finds the end, and what was under way at first.
        let probes = took / 100 + i64::from(2 * periods) + 10;
        assert!(i64::from(refused) <= probes, "{quota}/{period}: {refused}");
    }
}

#[test]
fn what_was_under_way_when_it_was_blocked_counts_once_and_a_probe_teaches_nothing() {
    let mut pace = Pace::of_destination();
    for _ in 0..30 {
        pace.went_well(&LIMITS, at(0));
    }
    assert!(pace.has_sent_much(at(1)) && !pace.has_sent_much(at(1000)));
    for open in [6, 5, 4] {
        assert_eq!(pace.failures_before(at(1)), 0);
        pace.went_badly(&effect(Signal::Rate, Some((61, 1))), open, at(1));
    }
    assert_eq!((pace.failures(), pace.quota()), (1, Some(30)));
    assert_eq!(pace.failures_before(at(61)), 1);
    pace.went_badly(&effect(Signal::Rate, Some((141, 2))), 1, at(61));
    assert_eq!(pace.quota(), Some(30));
    pace.went_well(&LIMITS, at(141));
    for _ in 0..60 {
        pace.went_well(&LIMITS, at(142));
    }
    assert_eq!(pace.quota(), None, "forgotten when twice as much was taken");
}

#[test]
fn a_complaint_of_speed_where_next_to_nothing_was_sent_is_no_quota() {
    let mut pace = Pace::of_destination();
    pace.went_well(&LIMITS, at(0));
    assert!(!pace.has_sent_much(at(1)));
    pace.went_badly(&effect(Signal::Rate, Some((60, 1))), 1, at(1));
    assert_eq!(pace.quota(), None);
}

#[test]
fn the_operators_rate_spaces_messages_evenly() {
    let limits = PaceLimits {
        sessions: 3,
        rate: Some(0.1),
    };
    let mut pace = Pace::new(5);
    assert_eq!(pace.allowed_sessions(&limits), 3);
    pace.begin(&limits, at(0));
    assert_eq!(pace.message(at(9)), Permit::At(at(10)));
    assert_eq!(pace.message(at(10)), Permit::Go);
}

#[derive(Clone, Debug)]
enum Happens {
    Well,
    Badly(Signal, Option<i64>, u32),
    Begin,
    Open,
    Forgive,
}

fn happens() -> impl Strategy<Value = Happens> {
    let signal = prop_oneof![
        Just(Signal::None),
        Just(Signal::Down),
        Just(Signal::Connections),
        Just(Signal::Rate)
    ];
    let badly = (signal, proptest::option::of(-100i64..5000), 1u32..50);
    prop_oneof![
        4 => Just(Happens::Well),
        2 => badly.prop_map(|(s, b, f)| Happens::Badly(s, b, f)),
        4 => Just(Happens::Begin),
        1 => Just(Happens::Open),
        1 => Just(Happens::Forgive),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_it_bears_between_one_and_the_limit_and_waits_for_the_future(
        first in 0usize..100, sessions in 0usize..100, rate in proptest::option::of(0.001f64..100.0),
        events in proptest::collection::vec((happens(), 0i64..200), 0..300),
    ) {
        let limits = PaceLimits { sessions, rate };
        let mut pace = Pace::new(first);
        let mut now = 0;
        for (event, passes) in events {
            now += passes;
            match event {
                Happens::Well => { pace.went_well(&limits, at(now)); }
                Happens::Badly(signal, until, failures) => {
                    let block = until.map(|until| (now + until, failures));
                    pace.went_badly(&effect(signal, block), 3, at(now));
                }
                Happens::Begin => pace.begin(&limits, at(now)),
                Happens::Open => pace.open(),
                Happens::Forgive => pace.forgive(),
            }
            let allowed = pace.allowed_sessions(&limits);
            prop_assert!(allowed >= 1 && allowed <= sessions.max(1));
            prop_assert!(pace.opens_at(at(now)).is_none_or(|at_| at_ > at(now)));
            if pace.failures() > 0 {
                prop_assert_eq!(allowed, 1, "one probe while it fails");
            }
            prop_assert!(pace.quota().is_none_or(|quota| quota >= SENT_MUCH));
        }
    }
}
