//! What came of a run: numbers, a table, a plot.

mod plot;
mod summary;
mod table;

use serde::{Serialize, Serializer};

use crate::clock::{Millis, NEVER, days, minutes};
use crate::desk::{Desk, State};
use crate::traffic::Message;

pub use plot::plot;
pub use summary::{Class as VerdictClass, Verdict, summary};
pub use table::{legend, table};

/// A policy under a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The numbers.
    pub row: Row,
    /// Times to deliver those that a failure met and that could be delivered, in order; `None` at the
    /// end for those that never were.
    pub times: Vec<Option<Millis>>,
    /// Where the policy did what cannot be done. A test holds it at 0.
    pub broken: u32,
}

/// The numbers of a run. *Met* are messages that a failure met when they came, or whose destination
/// limits how much it takes, whatever the policy. They *could be delivered* where what kept them passed
/// within five days; times are of those, and what was given up counts as later than everything.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The workload.
    pub workload: String,
    /// The policy.
    pub policy: String,
    /// With which the run can be repeated.
    pub seed: u64,
    /// How many came.
    pub messages: u32,
    /// How many of them a failure met.
    pub met: u32,
    /// How many of those could be delivered.
    pub deliverable: u32,
    /// How many were delivered, of all.
    pub delivered: u32,
    /// How many were given up, of all.
    pub given_up: u32,
    /// Half of them were delivered in this time.
    #[serde(rename = "median_seconds", serialize_with = "in_seconds")]
    pub median: Option<Millis>,
    /// 95 of 100 were.
    #[serde(rename = "p95_seconds", serialize_with = "in_seconds")]
    pub p95: Option<Millis>,
    /// 99 of 100 were.
    #[serde(rename = "p99_seconds", serialize_with = "in_seconds")]
    pub p99: Option<Millis>,
    /// 95 of 100 were delivered in this time after they could be.
    #[serde(rename = "p95_after_opening_seconds", serialize_with = "in_seconds")]
    pub late95: Option<Millis>,
    /// How many were delivered more than half an hour after they could be, or never.
    pub late: u32,
    /// Attempts in all.
    pub attempts: u64,
    /// Attempts that came to nothing.
    pub wasted: u64,
    /// The same for each message that a failure met.
    pub wasted_each: f64,
    /// How often greylisting began anew because the retry came too late.
    pub windows_missed: u64,
    /// How many were given up although they could be delivered.
    pub wrong_give_ups: u32,
    /// When 95 of 100 senders of those that nobody could deliver had been told.
    #[serde(rename = "notice_seconds", serialize_with = "in_seconds")]
    pub notice: Option<Millis>,
    /// The most attempts in one minute at one destination in the hour after it opened again.
    pub peak: u32,
}

fn in_seconds<S: Serializer>(value: &Option<Millis>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(millis) => serializer.serialize_some(&(*millis as f64 / 1000.0)),
        None => serializer.serialize_none(),
    }
}

/// What counts as deliverable: what opens within the time for which RFC 5321 §4.5.4.1 asks senders to
/// try ("at least 4-5 days").
const PATIENCE: Millis = days(5);
/// What counts as late.
const LATE: Millis = minutes(30);

pub(crate) fn outcome(
    workload: &str,
    policy: &str,
    seed: u64,
    desk: Desk,
    messages: &[Message],
) -> Outcome {
    let (tally, windows_missed, states) = desk.into_tally();
    let mut times = Vec::new();
    let mut lags = Vec::new();
    let mut notices = Vec::new();
    let (mut met, mut delivered, mut given_up, mut late, mut wrong) = (0, 0, 0, 0, 0);
    let mut wasted_met = 0;
    for (place, message) in messages.iter().enumerate() {
        let (opens, ended) = (tally.opens[place], tally.ended[place]);
        let is_delivered = states[place] == State::Delivered;
        delivered += u32::from(is_delivered);
        given_up += u32::from(states[place] == State::GivenUp);
        let deliverable = opens <= message.arrived + PATIENCE;
        if !is_delivered && deliverable {
            wrong += 1;
        }
        if !is_delivered && !deliverable {
            notices.push(ended - message.arrived);
        }
        if !tally.hit[place] {
            continue;
        }
        met += 1;
        wasted_met += u64::from(tally.failures[place]);
        if !deliverable {
            continue;
        }
        times.push(if is_delivered {
            ended - message.arrived
        } else {
            NEVER
        });
        let lag = if is_delivered {
            ended.saturating_sub(opens)
        } else {
            NEVER
        };
        late += u32::from(lag > LATE);
        lags.push(lag);
    }
    for list in [&mut times, &mut lags, &mut notices] {
        list.sort_unstable();
    }
    let row = Row {
        workload: workload.to_owned(),
        policy: policy.to_owned(),
        seed,
        messages: messages.len() as u32,
        met,
        deliverable: times.len() as u32,
        delivered,
        given_up,
        median: part(&times, 50),
        p95: part(&times, 95),
        p99: part(&times, 99),
        late95: part(&lags, 95),
        late,
        attempts: tally.attempts,
        wasted: tally.failures.iter().map(|n| u64::from(*n)).sum(),
        wasted_each: wasted_met as f64 / f64::from(met.max(1)),
        windows_missed,
        wrong_give_ups: wrong,
        notice: part(&notices, 95),
        peak: tally.peak,
    };
    let times = times
        .into_iter()
        .map(|t| (t != NEVER).then_some(t))
        .collect();
    Outcome {
        row,
        times,
        broken: tally.broken,
    }
}

/// The value that so many of a hundred do not exceed (nearest rank).
fn part(sorted: &[Millis], percent: usize) -> Option<Millis> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted
        .get(rank - 1)
        .copied()
        .filter(|value| *value != NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_nearest_rank_and_what_never_came_is_later_than_all() {
        let values: Vec<Millis> = (1..=100).collect();
        let parts = [50, 95, 99].map(|percent| part(&values, percent));
        assert_eq!(parts, [Some(50), Some(95), Some(99)]);
        assert_eq!(part(&[], 50), None);
        assert_eq!(part(&[1, NEVER], 50), Some(1));
        assert_eq!(part(&[1, NEVER], 95), None);
    }
}
