//! The virtual clock: milliseconds since the run began.

use std::time::Duration;

use jiff::Timestamp;

/// A moment, or a length of time, in milliseconds.
pub type Millis = u64;

/// After everything.
pub(crate) const NEVER: Millis = Millis::MAX;

/// Where a run begins on the calendar. Any moment would do: nothing depends on it.
const EPOCH_SECONDS: i64 = 1_800_000_000;

pub(crate) const fn seconds(n: u64) -> Millis {
    n * 1000
}

pub(crate) const fn minutes(n: u64) -> Millis {
    n * 60_000
}

pub(crate) const fn hours(n: u64) -> Millis {
    n * 3_600_000
}

pub(crate) const fn days(n: u64) -> Millis {
    n * 86_400_000
}

pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(NEVER)
}

/// The moment as the relay's code knows time.
pub(crate) fn timestamp(at: Millis) -> Timestamp {
    let at = i64::try_from(at).unwrap_or(i64::MAX / 2);
    Timestamp::from_millisecond(EPOCH_SECONDS * 1000 + at).unwrap_or(Timestamp::MAX)
}

/// The moment of a time of the relay's code.
pub(crate) fn moment(at: Timestamp) -> Millis {
    Millis::try_from(at.as_millisecond() - EPOCH_SECONDS * 1000).unwrap_or(0)
}

/// A length of time as people read it: `45s`, `12m`, `3.5h`, `2.1d`.
#[must_use]
pub fn text(length: Millis) -> String {
    let (unit, name) = if length < minutes(2) {
        (seconds(1), "s")
    } else if length < hours(2) {
        (minutes(1), "m")
    } else if length < days(2) {
        (hours(1), "h")
    } else {
        (days(1), "d")
    };
    let value = length as f64 / unit as f64;
    if value < 10.0 && length > 0 {
        format!("{value:.1}{name}")
    } else {
        format!("{value:.0}{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_goes_to_the_calendar_and_back() {
        for at in [0, 1, 999, days(5), days(400)] {
            assert_eq!(moment(timestamp(at)), at);
        }
        assert!(timestamp(NEVER) > timestamp(days(100_000)));
    }

    #[test]
    fn lengths_are_told_in_a_unit_that_fits() {
        let told = [0, 1500, 90_000, minutes(5), hours(3), days(3)].map(text);
        assert_eq!(told, ["0s", "1.5s", "90s", "5.0m", "3.0h", "3.0d"]);
    }
}
