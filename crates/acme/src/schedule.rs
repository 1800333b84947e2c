//! When a certificate is asked for: pure.

use std::time::Duration;

use jiff::Timestamp;

/// The wait after the first failure; each further one doubles it. Authorities bear few: Let's Encrypt
/// five for each name in an hour.
const FIRST: Duration = Duration::from_secs(15 * 60);
/// The longest wait after a failure.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// The shortest wait where the authority said that we ask too often.
const RATE_LIMITED: Duration = Duration::from_secs(12 * 3600);

/// When a certificate is renewed: at two thirds of its time, and up to a twentieth of it earlier, so
/// that not all who got theirs in one minute come again in one. `chance`: from 0 up to 1.
#[must_use]
pub fn renewal(from: Timestamp, until: Timestamp, chance: f64) -> Timestamp {
    let life = u64::try_from(until.as_second() - from.as_second()).unwrap_or(0);
    let life = Duration::from_secs(life);
    let after = (life * 2 / 3).saturating_sub((life / 20).mul_f64(chance.clamp(0.0, 1.0)));
    from.checked_add(after).unwrap_or(from)
}

/// How long to wait after so many failures in a row; `limited`: the authority said that we ask too
/// often (`rateLimited`).
#[must_use]
pub fn backoff(failures: u32, limited: bool) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    let wait = (FIRST * 2u32.pow(doublings)).min(LONGEST);
    if limited {
        wait.max(RATE_LIMITED)
    } else {
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn a_certificate_of_ninety_days_is_renewed_between_fifty_five_and_sixty() {
        let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let until = from
            .checked_add(Duration::from_secs(90 * 24 * HOUR))
            .unwrap();
        let days = |chance| {
            let at = renewal(from, until, chance);
            (at.as_second() - from.as_second()) as f64 / 86_400.0
        };
        assert!((days(0.0) - 60.0).abs() < 0.01);
        assert!((days(1.0) - 55.5).abs() < 0.01);
        assert_eq!(renewal(until, from, 0.5), until);
    }

    #[test]
    fn waits_grow_to_a_day_and_stay_below_five_failures_an_hour() {
        let waits: Vec<u64> = (1..=9).map(|n| backoff(n, false).as_secs()).collect();
        assert_eq!(waits[..4], [HOUR / 4, HOUR / 2, HOUR, 2 * HOUR]);
        assert_eq!(waits[8], 24 * HOUR);
        assert_eq!(backoff(u32::MAX, false).as_secs(), 24 * HOUR);
        assert_eq!(backoff(1, true).as_secs(), 12 * HOUR);
    }
}
