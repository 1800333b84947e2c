//! How ours compares with each peer: p95 and wasted attempts, a line for each workload.

use std::cmp::Ordering;

use super::Row;
use super::table::OURS;
use crate::clock::Millis;

/// Times that differ by less than this part are equal: the draw of one seed moves them by more.
const EQUAL_TIMES: f64 = 0.01;
/// The same for attempts: tables show two decimals.
const EQUAL_ATTEMPTS: f64 = 0.005;

/// How ours compares with another's run of the same workload; `Less` is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The time in which 95 of 100 were delivered; `None` where nothing could be.
    pub p95: Option<Ordering>,
    /// Attempts that came to nothing.
    pub wasted: Ordering,
}

impl Verdict {
    /// Compares; `None` where no failure met a message, or with itself.
    #[must_use]
    pub fn of(ours: &Row, other: &Row) -> Option<Verdict> {
        if other.policy == OURS || other.met == 0 {
            return None;
        }
        Some(Verdict {
            p95: (other.deliverable > 0).then(|| times(ours.p95, other.p95)),
            wasted: near(ours.wasted_each, other.wasted_each, EQUAL_ATTEMPTS),
        })
    }

    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        use Ordering::{Equal, Greater, Less};
        match (self.p95, self.wasted) {
            (Some(Less), Less) => "both",
            (Some(Less), Equal) => "p95, equal wasted",
            (Some(Equal), Less) => "wasted, equal p95",
            (Some(Equal), Equal) => "equal",
            (Some(Less), Greater) => "p95 alone",
            (Some(Greater), Less) => "wasted alone",
            (None, Less) => "wasted",
            (None, Equal) => "equal",
            (Some(Equal | Greater), Greater) | (Some(Greater), Equal) | (None, Greater) => {
                "neither"
            }
        }
    }

    /// Of which kind the pair is.
    #[must_use]
    pub fn class(self) -> Class {
        let marks = [self.p95.unwrap_or(Ordering::Equal), self.wasted];
        let worse = marks.iter().filter(|mark| mark.is_gt()).count();
        let better = marks.iter().filter(|mark| mark.is_lt()).count();
        match (better, worse) {
            (2, _) => Class::Both,
            (_, 0) => Class::NotWorse,
            (0, _) => Class::Worse,
            _ => Class::Trade,
        }
    }
}

/// Kinds of pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Better in both.
    Both,
    /// Better in one or equal in both, and worse in none.
    NotWorse,
    /// Better in one and worse in the other.
    Trade,
    /// Better in none, and worse in one at least.
    Worse,
}

/// A time of never is worse than any.
fn times(ours: Option<Millis>, other: Option<Millis>) -> Ordering {
    match (ours, other) {
        (Some(ours), Some(other)) => near(ours as f64, other as f64, other as f64 * EQUAL_TIMES),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn near(ours: f64, other: f64, within: f64) -> Ordering {
    if (ours - other).abs() <= within {
        Ordering::Equal
    } else {
        ours.total_cmp(&other)
    }
}

/// A line for each workload, a column for each peer; the runs of a workload follow each other, ours among
/// them. Under it how many of the pairs are of which kind.
#[must_use]
pub fn summary(rows: &[Row]) -> String {
    let mut peers: Vec<&str> = Vec::new();
    for row in rows {
        if row.policy != OURS && !peers.contains(&row.policy.as_str()) {
            peers.push(&row.policy);
        }
    }
    let mut out = format!("| ours is better in | {} |\n", peers.join(" | "));
    out.push_str(&format!("|---|{}\n", "---|".repeat(peers.len())));
    let mut verdicts = Vec::new();
    for runs in rows.chunk_by(|one, next| one.workload == next.workload) {
        let Some(ours) = runs.iter().find(|row| row.policy == OURS) else {
            continue;
        };
        let of = |peer: &&str| {
            let other = runs.iter().find(|row| row.policy == **peer);
            other.and_then(|other| Verdict::of(ours, other))
        };
        let line: Vec<Option<Verdict>> = peers.iter().map(of).collect();
        if line.iter().any(Option::is_some) {
            let cells = line.iter().map(|v| v.map_or("–", Verdict::text));
            let cells: Vec<&str> = cells.collect();
            out.push_str(&format!("| {} | {} |\n", ours.workload, cells.join(" | ")));
        }
        verdicts.extend(line.into_iter().flatten());
    }
    let count = |class| verdicts.iter().filter(|v| v.class() == class).count();
    out.push_str(&format!(
        "\nOf {} pairs ours is better in both in {}, better in one or equal in both and worse in none in {}, better in one \
         and worse in the other in {}, and better in none and worse in one at least in {}.\n",
        verdicts.len(),
        count(Class::Both),
        count(Class::NotWorse),
        count(Class::Trade),
        count(Class::Worse)
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(policy: &str, p95: Option<Millis>, wasted_each: f64) -> Row {
        Row {
            workload: "w".to_owned(),
            policy: policy.to_owned(),
            seed: 1,
            messages: 10,
            met: 10,
            deliverable: 10,
            delivered: 10,
            given_up: 0,
            median: p95,
            p95,
            p99: p95,
            late95: p95,
            late: 0,
            attempts: 0,
            wasted: 0,
            wasted_each,
            windows_missed: 0,
            wrong_give_ups: 0,
            notice: None,
            peak: 0,
        }
    }

    #[test]
    fn a_loss_is_called_one_and_what_differs_by_less_than_a_draw_is_equal() {
        let ours = row(OURS, Some(1000), 1.0);
        let text = |p95, wasted| Verdict::of(&ours, &row("p", p95, wasted)).unwrap().text();
        assert_eq!(text(Some(1200), 2.0), "both");
        assert_eq!(text(None, 2.0), "both");
        assert_eq!(text(Some(1009), 2.0), "wasted, equal p95");
        assert_eq!(text(Some(1200), 1.001), "p95, equal wasted");
        assert_eq!(text(Some(900), 2.0), "wasted alone");
        assert_eq!(text(Some(1200), 0.9), "p95 alone");
        assert_eq!(text(Some(900), 0.9), "neither");
        assert_eq!(text(Some(1000), 0.9), "neither");
        let text = summary(&[
            ours.clone(),
            row("p", Some(900), 2.0),
            row("q", Some(1200), 2.0),
        ]);
        assert!(text.contains("| w | wasted alone | both |"), "{text}");
        assert!(
            text.contains("Of 2 pairs ours is better in both in 1,"),
            "{text}"
        );
    }
}
