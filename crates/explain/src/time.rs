//! Times and spans of time, for people.

use std::time::Duration;

use jiff::Timestamp;

use crate::Lang;
use crate::words::{plain, say};

/// A moment, always in UTC: the reader may be anywhere.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A span, rounded to the largest unit of which there are at least two.
pub(crate) fn span(seconds: u64, lang: Lang) -> String {
    let rounded = |unit: u64| (seconds + unit / 2) / unit;
    let (key, n) = match seconds {
        0..120 => ("span-seconds", seconds),
        120..7_200 => ("span-minutes", rounded(60)),
        7_200..172_800 => ("span-hours", rounded(3_600)),
        _ => ("span-days", rounded(86_400)),
    };
    say(lang, key, &[("n", n.into())])
}

/// How far a moment lies ahead, if it does.
pub(crate) fn ahead(at: Timestamp, now: Timestamp) -> Option<u64> {
    u64::try_from(at.duration_since(now).as_secs())
        .ok()
        .filter(|seconds| *seconds > 0)
}

/// How long ago a moment was.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(at).as_secs()).unwrap_or(0)
}

/// A moment to come: when exactly, and in how long.
pub(crate) fn when(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    let time = moment(at);
    match ahead(at, now) {
        Some(seconds) => {
            let span = span(seconds, lang);
            say(
                lang,
                "when-at",
                &[("time", (&time).into()), ("span", (&span).into())],
            )
        }
        None if ago(at, now) < 2 => plain(lang, "when-now"),
        None => say(lang, "when-past", &[("time", (&time).into())]),
    }
}

/// Seconds since an attempt began, to the millisecond.
pub(crate) fn offset(millis: u64) -> String {
    let duration = Duration::from_millis(millis);
    format!("+{}.{:03} s", duration.as_secs(), duration.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_in_units_that_people_use() {
        for (seconds, en, nl) in [
            (0, "0 seconds", "0 seconden"),
            (1, "1 second", "1 seconde"),
            (119, "119 seconds", "119 seconden"),
            (300, "5 minutes", "5 minuten"),
            (7_200, "2 hours", "2 uur"),
            (431_999, "5 days", "5 dagen"),
        ] {
            assert_eq!(
                (
                    span(seconds, Lang::En).as_str(),
                    span(seconds, Lang::Nl).as_str()
                ),
                (en, nl)
            );
        }
    }
}
