use proptest::prelude::*;

use super::super::decide::Block;
use super::super::kinds::Waits;
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
fn the_window_grows_by_one_a_window_and_halves_at_a_complaint() {
    let mut pace = Pace::new(5);
    assert_eq!(pace.allowed_sessions(&LIMITS), 5);
    for _ in 0..6 {
        pace.went_well(&LIMITS);
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 6);
    pace.went_badly(&effect(Signal::Connections, None), at(0));
    assert_eq!(pace.allowed_sessions(&LIMITS), 3);
    for _ in 0..1000 {
        pace.went_well(&LIMITS);
    }
    assert_eq!(pace.allowed_sessions(&LIMITS), 20);
}

#[test]
fn after_an_outage_one_probe_goes_and_then_it_doubles_up_to_what_it_was() {
    let mut pace = Pace::new(8);
    pace.went_badly(&effect(Signal::Down, Some((60, 1))), at(0));
    assert_eq!(pace.session(0, &LIMITS, at(1)), Permit::At(at(60)));
    assert_eq!(pace.session(0, &LIMITS, at(60)), Permit::Go);
    assert_eq!(pace.session(1, &LIMITS, at(60)), Permit::Full);
    assert!(pace.went_well(&LIMITS));
    let mut windows = vec![pace.allowed_sessions(&LIMITS)];
    for _ in 0..2 {
        for _ in 0..*windows.last().unwrap() {
            assert!(!pace.went_well(&LIMITS));
        }
        windows.push(pace.allowed_sessions(&LIMITS));
    }
    assert_eq!(windows, [2, 4, 8]);
    pace.went_well(&LIMITS);
    assert_eq!(
        pace.allowed_sessions(&LIMITS),
        8,
        "by one at a time from here"
    );
}

#[test]
fn a_complaint_about_speed_halves_the_rate_and_success_brings_it_back() {
    let mut pace = Pace::new(5);
    for second in 0..120 {
        assert_eq!(pace.message(at(second)), Permit::Go);
        pace.begin(&LIMITS, at(second));
    }
    pace.went_badly(&effect(Signal::Rate, Some((420, 1))), at(119));
    let learnt = pace.learnt_rate().unwrap();
    assert!((0.4..0.6).contains(&learnt), "{learnt}");
    let mut now = at(420);
    pace.begin(&LIMITS, now);
    pace.went_well(&LIMITS);
    let Permit::At(next) = pace.message(now) else {
        panic!("the next message waits for its turn")
    };
    assert!((1..=3).contains(&next.duration_since(now).as_secs()));
    for _ in 0..200 {
        now = pace.opens_at(now).unwrap_or(now);
        pace.begin(&LIMITS, now);
        pace.went_well(&LIMITS);
    }
    assert_eq!(
        pace.learnt_rate(),
        None,
        "forgotten at twice the speed it was met at"
    );
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
                Happens::Well => { pace.went_well(&limits); }
                Happens::Badly(signal, until, failures) => {
                    let block = until.map(|until| (now + until, failures));
                    pace.went_badly(&effect(signal, block), at(now));
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
            if let Some(rate) = pace.learnt_rate() {
                prop_assert!(rate >= f64::from(SLOWEST) * 0.999);
            }
        }
    }
}
