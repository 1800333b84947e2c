//! The times that logs begin their lines with: recognised at once, read only where they are wanted.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::line::number;

/// What the lines of a log do not say about their times.
#[derive(Clone, Debug)]
pub struct LogTimes {
    /// The year of the first line, for logs that name none; it is counted on where December ends.
    /// Without it such lines have no time.
    pub year: Option<i16>,
    /// The zone of the server's clock, for times that name none.
    pub zone: TimeZone,
}

impl Default for LogTimes {
    fn default() -> LogTimes {
        LogTimes {
            year: None,
            zone: TimeZone::UTC,
        }
    }
}

/// A time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp<'a> {
    /// There is none.
    None,
    /// `Mar  4 14:02:11`, RFC 3164 §4.1.2; perhaps with fractions.
    Bsd(&'a [u8]),
    /// `2026-03-04T14:02:11.123+01:00` (RFC 3339), also with a space, with or without a zone.
    Iso(&'a [u8]),
    /// `@4000000065a1b2c3075bcd15` (TAI64N).
    Tai(&'a [u8]),
    /// `1772632931.123456`.
    Unix(&'a [u8]),
}

/// Takes the time from the start of a line, and a syslog priority before it.
pub(crate) fn split(line: &[u8]) -> (Stamp<'_>, &[u8]) {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = skip_priority(line);
    match line.first() {
        Some(b'@') => match line.get(1..25) {
            Some(label) if label.iter().all(u8::is_ascii_hexdigit) => {
                (Stamp::Tai(label), &line[25..])
            }
            Some(_) | None => (Stamp::None, line),
        },
        Some(b'0'..=b'9') => match (iso_length(line), unix_length(line)) {
            (Some(end), _) => (Stamp::Iso(&line[..end]), &line[end..]),
            (None, Some(end)) => (Stamp::Unix(&line[..end]), &line[end..]),
            (None, None) => (Stamp::None, line),
        },
        Some(b'A'..=b'Z') => match bsd_length(line) {
            Some(end) => (Stamp::Bsd(&line[..end]), &line[end..]),
            None => full(line).unwrap_or((Stamp::None, line)),
        },
        Some(_) | None => (Stamp::None, line),
    }
}

/// `<22>` (RFC 3164 §4.1.1), and the version after it (RFC 5424 §6.2.2).
fn skip_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else {
        return line;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=3).contains(&digits) || rest.get(digits) != Some(&b'>') {
        return line;
    }
    let rest = &rest[digits + 1..];
    rest.strip_prefix(b"1 ").unwrap_or(rest)
}

/// `Wed 2026-03-04 14:02:11 CET`, as journald writes it; the zone's name is left out.
fn full(line: &[u8]) -> Option<(Stamp<'_>, &[u8])> {
    let rest = line.get(4..).filter(|_| line[3] == b' ')?;
    let end = iso_length(rest)?;
    let after = &rest[end..];
    let zone = after.strip_prefix(b" ")?;
    let letters = zone.iter().take_while(|b| b.is_ascii_uppercase()).count();
    Some((Stamp::Iso(&rest[..end]), &zone[letters..]))
}

fn bsd_length(line: &[u8]) -> Option<usize> {
    month(line.get(..3)?)?;
    let [b' ', tens, ones, b' ', clock @ ..] = line.get(3..15)? else {
        return None;
    };
    let day = (*tens == b' ' || tens.is_ascii_digit()) && ones.is_ascii_digit();
    (day && is_clock(clock)).then(|| 15 + fraction(&line[15..]))
}

fn iso_length(line: &[u8]) -> Option<usize> {
    let head = line.get(..19)?;
    let digits = |range: std::ops::Range<usize>| head[range].iter().all(u8::is_ascii_digit);
    let date = digits(0..4) && head[4] == b'-' && digits(5..7) && head[7] == b'-' && digits(8..10);
    if !date || !matches!(head[10], b'T' | b' ') || !is_clock(&head[11..]) {
        return None;
    }
    let end = 19 + fraction(&line[19..]);
    Some(end + zone_length(&line[end..]))
}

/// `Z`, `+01:00`, `+0100`, ` +0100` (Exim's `log_timezone`).
fn zone_length(rest: &[u8]) -> usize {
    let (space, zone) = match rest.strip_prefix(b" ") {
        Some(zone) => (1, zone),
        None => (0, rest),
    };
    match zone {
        [b'Z', ..] if space == 0 => 1,
        [b'+' | b'-', digits @ ..] => {
            let colon = usize::from(digits.get(2) == Some(&b':'));
            let all = digits.get(..4 + colon).unwrap_or_default();
            let numeric = all
                .iter()
                .enumerate()
                .all(|(at, b)| b.is_ascii_digit() || (at == 2 && *b == b':'));
            if numeric && !all.is_empty() {
                space + 1 + all.len()
            } else {
                0
            }
        }
        _ => 0,
    }
}

fn unix_length(line: &[u8]) -> Option<usize> {
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let end = digits + fraction(&line[digits..]);
    ((9..=11).contains(&digits) && end > digits).then_some(end)
}

/// The length of `.123`.
fn fraction(rest: &[u8]) -> usize {
    let Some(digits) = rest.strip_prefix(b".") else {
        return 0;
    };
    match digits.iter().take_while(|b| b.is_ascii_digit()).count() {
        0 => 0,
        count => count + 1,
    }
}

fn is_clock(text: &[u8]) -> bool {
    matches!(text, [a, b, b':', c, d, b':', e, f]
        if [a, b, c, d, e, f].iter().all(|digit| digit.is_ascii_digit()))
}

fn month(name: &[u8]) -> Option<i8> {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let at = MONTHS.chunks(3).position(|month| month == name)?;
    i8::try_from(at + 1).ok()
}

/// Reads times; remembers in which month the last one was.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    pub(crate) times: LogTimes,
    month: Option<i8>,
    /// Years gone by since the first line.
    years: i16,
}

impl Clock {
    pub(crate) fn new(times: LogTimes) -> Clock {
        Clock {
            times,
            ..Clock::default()
        }
    }

    /// The time that is written there.
    pub(crate) fn read(&mut self, stamp: Stamp<'_>) -> Option<Timestamp> {
        match stamp {
            Stamp::None => None,
            Stamp::Bsd(text) => self.bsd(text),
            Stamp::Iso(text) => self.iso(text),
            Stamp::Tai(label) => tai(label),
            Stamp::Unix(text) => unix(text),
        }
    }

    fn bsd(&mut self, text: &[u8]) -> Option<Timestamp> {
        let month = month(text.get(..3)?)?;
        let day = number(text.get(4..6)?.trim_ascii_start())?;
        let year = self.times.year?.checked_add(self.turn(month))?;
        let date = Date::new(year, month, i8::try_from(day).ok()?).ok()?;
        self.local(date, text.get(7..)?)
    }

    /// How many years after the first line a line of this month is. A line or two of December may
    /// come late, in January.
    fn turn(&mut self, month: i8) -> i16 {
        let last = self.month.unwrap_or(month);
        if last - month >= 6 {
            self.years = self.years.saturating_add(1);
        } else if month - last >= 6 && self.years > 0 {
            return self.years - 1;
        }
        self.month = Some(month);
        self.years
    }

    fn iso(&self, text: &[u8]) -> Option<Timestamp> {
        let field = |from: usize, to: usize| number(text.get(from..to)?);
        let date = Date::new(
            i16::try_from(field(0, 4)?).ok()?,
            i8::try_from(field(5, 7)?).ok()?,
            i8::try_from(field(8, 10)?).ok()?,
        )
        .ok()?;
        let end = 19 + fraction(text.get(19..)?);
        let zone = text[end..].trim_ascii();
        if zone.is_empty() {
            return self.local(date, &text[11..end]);
        }
        let civil = DateTime::from_parts(date, time(&text[11..end])?);
        offset(zone)?.to_timestamp(civil).ok()
    }

    fn local(&self, date: Date, clock: &[u8]) -> Option<Timestamp> {
        let civil = DateTime::from_parts(date, time(clock)?);
        self.times.zone.to_timestamp(civil).ok()
    }
}

/// `14:02:11.123`.
fn time(text: &[u8]) -> Option<Time> {
    let two = |from: usize| i8::try_from(number(text.get(from..from + 2)?)?).ok();
    // A leap second is the second before it.
    let second = two(6)?.min(59);
    Time::new(two(0)?, two(3)?, second, nanos(text.get(8..)?)).ok()
}

/// `.123` as nanoseconds.
fn nanos(fraction: &[u8]) -> i32 {
    let mut nanos = 0;
    let mut unit = 100_000_000;
    for digit in fraction.iter().skip(1).take_while(|b| b.is_ascii_digit()) {
        nanos += i32::from(digit - b'0') * unit;
        unit /= 10;
    }
    nanos
}

fn offset(zone: &[u8]) -> Option<Offset> {
    if zone == b"Z" {
        return Some(Offset::UTC);
    }
    let digits: Vec<u8> = zone.iter().copied().filter(u8::is_ascii_digit).collect();
    let hours = i32::try_from(number(digits.get(..2)?)?).ok()?;
    let minutes = i32::try_from(number(digits.get(2..4)?)?).ok()?;
    let seconds = hours * 3600 + minutes * 60;
    Offset::from_seconds(if zone[0] == b'-' { -seconds } else { seconds }).ok()
}

/// TAI64N: 2^62 and the seconds since 1970 as TAI counts them, then nanoseconds. daemontools' `tai64n`
/// takes TAI as ten seconds ahead of the clock, whatever leap seconds came since.
fn tai(label: &[u8]) -> Option<Timestamp> {
    let label = std::str::from_utf8(label).ok()?;
    let seconds = u64::from_str_radix(label.get(..16)?, 16).ok()?;
    let nanos = i32::from_str_radix(label.get(16..24)?, 16).ok()?;
    let seconds = i64::try_from(seconds.checked_sub(1 << 62)?).ok()?;
    Timestamp::new(seconds.checked_sub(10)?, nanos).ok()
}

fn unix(text: &[u8]) -> Option<Timestamp> {
    let seconds = i64::try_from(number(text)?).ok()?;
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = Timestamp::from_second(seconds).ok()?;
    whole
        .checked_add(SignedDuration::from_nanos(nanos(&text[digits..]).into()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, year: Option<i16>) -> (Option<String>, &str) {
        let mut clock = Clock::default();
        clock.times.year = year;
        let (stamp, rest) = split(line.as_bytes());
        let at = clock.read(stamp).map(|at| at.to_string());
        (at, std::str::from_utf8(rest).unwrap())
    }

    #[test]
    fn every_way_to_write_a_time_is_read() {
        for (line, at) in [
            ("Mar  4 14:02:11 x", "2026-03-04T14:02:11Z"),
            ("Mar 04 14:02:11.5 x", "2026-03-04T14:02:11.5Z"),
            ("<22>Mar  4 14:02:11 x", "2026-03-04T14:02:11Z"),
            (
                "2026-03-04T14:02:11.123456+01:00 x",
                "2026-03-04T13:02:11.123456Z",
            ),
            ("2026-03-04T14:02:11-0500 x", "2026-03-04T19:02:11Z"),
            ("2026-03-04 14:02:11 x", "2026-03-04T14:02:11Z"),
            ("2026-03-04 14:02:11.25 +0100 x", "2026-03-04T13:02:11.25Z"),
            ("<22>1 2026-03-04T14:02:11Z x", "2026-03-04T14:02:11Z"),
            ("Wed 2026-03-04 14:02:11 CET x", "2026-03-04T14:02:11Z"),
            (
                "@4000000065a1b2c30000000a x",
                "2024-01-12T21:44:25.00000001Z",
            ),
            ("1772632931.5 x", "2026-03-04T14:02:11.5Z"),
        ] {
            assert_eq!(
                read(line, Some(2026)),
                (Some(at.to_owned()), " x"),
                "{line}"
            );
        }
    }

    #[test]
    fn a_time_without_a_year_is_none_unless_the_year_is_told() {
        assert_eq!(read("Mar  4 14:02:11 x", None), (None, " x"));
        assert_eq!(read("Feb 30 14:02:11 x", Some(2026)), (None, " x"));
    }

    #[test]
    fn the_year_is_counted_on_after_december() {
        let mut clock = Clock::default();
        clock.times.year = Some(2025);
        let mut year = |text: &str| {
            let at = clock.read(split(text.as_bytes()).0).unwrap();
            at.to_string()[..4].to_owned()
        };
        assert_eq!(year("Dec 31 23:59:59"), "2025");
        assert_eq!(year("Jan  1 00:00:01"), "2026");
        assert_eq!(year("Dec 31 23:59:58"), "2025");
        assert_eq!(year("Jan  1 00:00:02"), "2026");
    }

    #[test]
    fn what_is_no_time_stays() {
        for line in [
            "",
            "<",
            "<22",
            "Mar",
            "Mar  4",
            "2026-03-04",
            "@40",
            "550 5.1.1 no",
            "É",
        ] {
            assert_eq!(
                split(line.as_bytes()),
                (Stamp::None, line.as_bytes()),
                "{line}"
            );
        }
    }
}
