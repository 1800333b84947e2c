//! Durations and sizes as people write them.

use std::time::Duration;

const UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// `"5d"`, `"4h"`, `"30s"`, `"500ms"`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*millis).map(Duration::from_millis)
}

/// A duration in the largest unit that shows it whole.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fits = UNITS
        .iter()
        .rev()
        .find(|(_, unit)| millis != 0 && millis.is_multiple_of(*unit));
    match fits {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None => "0s".to_owned(),
    }
}

const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// `"50 MiB"`, `"64KiB"`, `"10 MB"`.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let (_, bytes) = SIZES.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*bytes)
}

/// A size in the largest binary unit that shows it whole.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let binary = SIZES
        .iter()
        .rev()
        .filter(|(name, _)| name.contains('i') || *name == "B");
    let fits = binary
        .into_iter()
        .find(|(_, unit)| bytes != 0 && bytes.is_multiple_of(*unit));
    match fits {
        Some((name, unit)) => format!("{} {name}", bytes / unit),
        None => "0 B".to_owned(),
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_back() {
        for text in ["5d", "4h", "90m", "30s", "500ms", "0s"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
        assert_eq!(duration_text(duration("120s").unwrap()), "2m");
        for text in ["50 MiB", "64 KiB", "1 GiB", "10 B", "0 B"] {
            assert_eq!(size_text(size(text).unwrap()), text);
        }
        assert_eq!(size("10MB"), Some(10_000_000));
        for text in [
            "",
            "5",
            "d",
            "5 days",
            "-5d",
            "1.5h",
            "99999999999999999999d",
            "5 D",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!(size("99999999999999 GiB"), None);
    }
}
