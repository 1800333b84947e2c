//! The plot: how long it took to deliver, by workload and policy, as SVG.

use std::fmt::Write;

use super::Outcome;
use super::table::{OURS, percent};
use crate::clock::{Millis, days, hours, minutes, seconds, text};

const WIDTH: f64 = 900.0;
/// Where the axis begins and ends.
const LEFT: f64 = 120.0;
const RIGHT: f64 = 770.0;
const ROW: f64 = 20.0;
const TITLE: f64 = 34.0;
const AXIS: f64 = 34.0;

const TICKS: [Millis; 10] = [
    seconds(1),
    seconds(10),
    minutes(1),
    minutes(5),
    minutes(30),
    hours(2),
    hours(8),
    days(1),
    days(3),
    days(7),
];

/// A panel for each workload, with its title; in it a line for each policy: from the 5th to the 95th of a
/// hundred a thin bar, from the 25th to the 75th a thick one, the median a mark, the 99th a dot.
#[must_use]
pub fn plot(panels: &[(String, Vec<&Outcome>)]) -> String {
    let heights: Vec<f64> = panels
        .iter()
        .map(|(_, outcomes)| TITLE + ROW * outcomes.len() as f64 + AXIS)
        .collect();
    let height: f64 = heights.iter().sum::<f64>() + 44.0;
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">"
    );
    let _ = writeln!(
        svg,
        "<title>Time to deliver, by workload and policy</title>"
    );
    let _ = writeln!(
        svg,
        "<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>"
    );
    let mut top = 0.0;
    for ((title, outcomes), height) in panels.iter().zip(&heights) {
        panel(&mut svg, title, outcomes, top);
        top += height;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.0}\" fill=\"#555555\">thin bar: 5 to 95 of 100 messages; thick: 25 to 75; \
         mark: median; dot: 99; at the right: never delivered</text>",
        top + 20.0
    );
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, title: &str, outcomes: &[&Outcome], top: f64) {
    let rows = top + TITLE;
    let bottom = rows + ROW * outcomes.len() as f64;
    let _ = writeln!(
        svg,
        "<text x=\"12\" y=\"{:.1}\" font-weight=\"bold\" font-size=\"13\" fill=\"#222222\">{}</text>",
        top + 22.0,
        escaped(title)
    );
    for tick in TICKS {
        let x = place(tick);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{rows:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#e2e2e2\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#555555\">{}</text>",
            bottom + 14.0,
            label(tick)
        );
    }
    if outcomes.iter().all(|outcome| outcome.times.is_empty()) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555555\">no message was met by a failure and could be delivered</text>",
            LEFT + 40.0,
            (rows + bottom) / 2.0 + 4.0
        );
    }
    for (number, outcome) in outcomes.iter().enumerate() {
        line(svg, outcome, rows + ROW * (number as f64 + 0.5));
    }
}

fn line(svg: &mut String, outcome: &Outcome, y: f64) {
    let ours = outcome.row.policy == OURS;
    let (color, weight) = if ours {
        ("#b3401f", "bold")
    } else {
        ("#3b5f86", "normal")
    };
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-weight=\"{weight}\" fill=\"{color}\">{}</text>",
        LEFT - 10.0,
        y + 4.0,
        escaped(&outcome.row.policy)
    );
    let at = |percent: usize| {
        let rank = (outcome.times.len() * percent).div_ceil(100).max(1);
        let time = outcome.times.get(rank - 1).copied().flatten();
        time.map_or(RIGHT, place)
    };
    let never = outcome.times.iter().filter(|time| time.is_none()).count();
    if never < outcome.times.len() {
        for (from, to, thickness) in [(5, 95, 2.0), (25, 75, 9.0)] {
            let (from, to) = (at(from), at(to));
            let _ = writeln!(
                svg,
                "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{thickness}\" fill=\"{color}\" opacity=\"0.75\"/>",
                y - thickness / 2.0,
                (to - from).max(1.0)
            );
        }
        let median = at(50);
        let _ = writeln!(
            svg,
            "<line x1=\"{median:.1}\" y1=\"{:.1}\" x2=\"{median:.1}\" y2=\"{:.1}\" stroke=\"#111111\" stroke-width=\"2\"/>\
             <circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>",
            y - 7.0,
            y + 7.0,
            at(99)
        );
    }
    if never > 0 {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"{color}\">never: {}</text>",
            RIGHT + 14.0,
            y + 4.0,
            percent(never, outcome.times.len())
        );
    }
}

/// Where a time is on the axis, which is logarithmic.
fn place(time: Millis) -> f64 {
    let (least, most) = ((TICKS[0] as f64 / 4.0).ln(), (TICKS[9] as f64).ln());
    let value = (time.max(1) as f64).ln().clamp(least, most);
    LEFT + (RIGHT - LEFT) * (value - least) / (most - least)
}

fn label(tick: Millis) -> String {
    text(tick).replace(".0", "").replace("60s", "1m")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_place_on_the_axis_and_none_is_outside() {
        let mut last = LEFT - 1.0;
        for time in [0, 500, seconds(1), minutes(1), hours(1), days(7), days(70)] {
            let x = place(time);
            assert!((LEFT..=RIGHT).contains(&x) && x >= last);
            last = x;
        }
    }

    #[test]
    fn labels_of_the_axis_do_not_overlap() {
        let places: Vec<f64> = TICKS.iter().map(|tick| place(*tick)).collect();
        assert!(
            places.windows(2).all(|pair| pair[1] - pair[0] > 30.0),
            "{places:?}"
        );
    }
}
