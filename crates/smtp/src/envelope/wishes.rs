//! When a message is to be delivered and how soon: BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865),
//! MT-PRIORITY (RFC 6710).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How urgent a message is: −9 to 9, greater is more urgent, 0 where nothing was said (RFC 6710 §4).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Priority(i8);

impl Priority {
    /// The priority with this number, cut to the range.
    #[must_use]
    pub const fn new(number: i8) -> Priority {
        match number {
            ..=-9 => Priority(-9),
            9.. => Priority(9),
            number => Priority(number),
        }
    }

    /// Reads the value of MT-PRIORITY: one digit, with or without a minus.
    #[must_use]
    pub fn parse(value: &str) -> Option<Priority> {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let one_digit = digits.len() == 1 && digits.bytes().all(|byte| byte.is_ascii_digit());
        // RFC 6710 §5: there is no minus zero.
        let number = value.parse().ok().filter(|_| one_digit && value != "-0")?;
        Some(Priority(number))
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.0
    }

    /// Whether nothing was asked for.
    #[must_use]
    pub const fn is_usual(&self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What follows when the time is over (RFC 2852 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByMode {
    /// The sender is told of the delay; delivery goes on.
    Notify,
    /// The message goes back.
    Return,
}

/// BY: within which time the message is to be delivered (RFC 2852 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    /// Seconds from now; with [`ByMode::Notify`] it may be over already.
    pub seconds: i64,
    /// What follows then.
    pub mode: ByMode,
    /// Whether each relay that passes it on tells the sender.
    pub trace: bool,
}

impl DeliverBy {
    /// Reads the value of BY: `seconds;mode[T]`.
    #[must_use]
    pub fn parse(value: &str) -> Option<DeliverBy> {
        let (seconds, mode) = value.split_once(';')?;
        let digits = seconds.strip_prefix(['-', '+']).unwrap_or(seconds);
        let is_number =
            (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = seconds.parse().ok().filter(|_| is_number)?;
        let (mode, trace) = match mode.to_ascii_uppercase().as_str() {
            "N" => (ByMode::Notify, false),
            "NT" => (ByMode::Notify, true),
            "R" => (ByMode::Return, false),
            "RT" => (ByMode::Return, true),
            _ => return None,
        };
        // RFC 2852 §4: with R the time must be to come.
        if mode == ByMode::Return && seconds <= 0 {
            return None;
        }
        Some(DeliverBy {
            seconds,
            mode,
            trace,
        })
    }
}

impl fmt::Display for DeliverBy {
    /// The value of BY.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            ByMode::Notify => "N",
            ByMode::Return => "R",
        };
        let trace = if self.trace { "T" } else { "" };
        write!(f, "{};{mode}{trace}", self.seconds)
    }
}

/// Until when the message is to be held back (RFC 4865 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// HOLDFOR: so many seconds.
    For(u64),
    /// HOLDUNTIL: until then.
    Until(Timestamp),
}

impl Hold {
    /// Reads the value of HOLDFOR: one to nine digits.
    #[must_use]
    pub fn parse_for(value: &str) -> Option<Hold> {
        let is_number =
            (1..=9).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|_| is_number).map(Hold::For)
    }

    /// Reads the value of HOLDUNTIL: a time of RFC 3339, which RFC 4865 §4.3 wants in UTC.
    ///
    /// Deviation: other offsets are taken too; they say the time no less clearly.
    #[must_use]
    pub fn parse_until(value: &str) -> Option<Hold> {
        let plain = value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-:TtZz+.".contains(&byte));
        let whole = value.len() >= "2026-11-24T02:29:23Z".len();
        value
            .parse()
            .ok()
            .filter(|_| plain && whole)
            .map(Hold::Until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_one_digit() {
        for number in -9..=9 {
            let value = number.to_string();
            assert_eq!(Priority::parse(&value), Some(Priority::new(number)));
            assert_eq!(Priority::new(number).to_string(), value);
        }
        for value in ["10", "-0", "+1", "", "-", "1.0", "01"] {
            assert_eq!(Priority::parse(value), None, "{value}");
        }
        assert_eq!(Priority::new(100), Priority::new(9));
    }

    #[test]
    fn a_time_to_deliver_by_has_a_mode_and_may_be_over_only_for_notices() {
        let table = [
            ("120;R", Some((120, ByMode::Return, false))),
            ("-5;n", Some((-5, ByMode::Notify, false))),
            ("+000000120;NT", Some((120, ByMode::Notify, true))),
            ("120;rt", Some((120, ByMode::Return, true))),
            ("0;R", None),
            ("-1;R", None),
            ("120", None),
            ("120;", None),
            ("120;X", None),
            ("1234567890;R", None),
            (";R", None),
        ];
        for (value, expected) in table {
            let expected = expected.map(|(seconds, mode, trace)| DeliverBy {
                seconds,
                mode,
                trace,
            });
            assert_eq!(DeliverBy::parse(value), expected, "{value}");
            if let Some(by) = expected {
                assert_eq!(DeliverBy::parse(&by.to_string()), expected);
            }
        }
    }

    #[test]
    fn a_message_is_held_for_seconds_or_until_a_time() {
        assert_eq!(Hold::parse_for("3600"), Some(Hold::For(3600)));
        for value in ["", "-1", "1.5", "1234567890"] {
            assert_eq!(Hold::parse_for(value), None, "{value}");
        }
        let at = "2026-11-24T02:29:23Z".parse().unwrap();
        assert_eq!(
            Hold::parse_until("2026-11-24T02:29:23Z"),
            Some(Hold::Until(at))
        );
        assert_eq!(
            Hold::parse_until("2026-11-24T03:29:23+01:00"),
            Some(Hold::Until(at))
        );
        for value in [
            "",
            "2026-11-24",
            "2026-11-24T02:29:23",
            "2026-13-24T02:29:23Z",
            "soon",
        ] {
            assert_eq!(Hold::parse_until(value), None, "{value}");
        }
    }
}
