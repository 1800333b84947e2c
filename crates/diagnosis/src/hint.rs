//! What a reply's text asks of the next attempt: how long to wait, or not to come back.

use std::time::Duration;

use crate::Hint;

/// Reads the wait that a text asks for, with its place in the text.
///
/// A number with a unit (`300 seconds`, `5 min`, `1h`), or a time like `00:04:37`, counts where
/// one of the words of asking stands before it in the same sentence: "timeout after 300 seconds"
/// asks for nothing.
pub(crate) fn read(text: &str) -> Option<(Hint, (usize, usize))> {
    let lower = text.to_ascii_lowercase();
    for words in NEVER {
        if let Some(at) = lower.find(words) {
            return Some((Hint::DoNotRetry, (at, at + words.len())));
        }
    }
    let mut begin = 0;
    for sentence in sentences(&lower) {
        if let Some(ask) = ASKING.iter().filter_map(|word| asks(sentence, word)).min()
            && let Some((wait, start, end)) = wait_in(&sentence[ask..])
        {
            let at = begin + ask;
            return Some((Hint::RetryAfter(wait), (at + start, at + end)));
        }
        begin += sentence.len();
    }
    None
}

/// Times in words.
const SPELLED: &[(&str, u64)] = &[
    ("in an hour", 3600),
    ("in one hour", 3600),
    ("after an hour", 3600),
    ("in a minute", 60),
    ("in one minute", 60),
    ("in one day", 86_400),
    ("in 24h", 86_400),
];

const NEVER: &[&str] = &[
    "do not retry",
    "don't retry",
    "do not try again",
    "don't try again",
    "will not be retried",
    "retrying will not succeed",
    "no further delivery attempts",
    "no further attempts",
    "permanently deferred",
];

const ASKING: &[&str] = &[
    "try again",
    "retry",
    "later",
    "wait",
    "come back",
    "again in",
    "again after",
    "greylist",
    "graylist",
    "grey-list",
    "delay",
    "resend",
    "accepted after",
    "accepted in",
    "reconnect",
    "resubmit",
    "not before",
    "seconds remaining",
];

/// Where a sentence asks with this word. "Delayed" and "waited" tell of the past.
fn asks(sentence: &str, word: &str) -> Option<usize> {
    let mut found = sentence.match_indices(word).map(|(at, _)| at);
    found.find(|at| {
        let rest = &sentence[at + word.len()..];
        !matches!(word, "wait" | "delay") || !rest.starts_with("ed")
    })
}

/// Pieces that end after `. `, `; ` or at the end, separators included, so that lengths add up.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(". ")
        .flat_map(|s| s.split_inclusive("; "))
}

fn wait_in(text: &str) -> Option<(Duration, usize, usize)> {
    for (words, seconds) in SPELLED {
        if let Some(at) = text.find(words) {
            return Some((Duration::from_secs(*seconds), at, at + words.len()));
        }
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let number_starts = bytes[at].is_ascii_digit()
            && (at == 0
                || !(bytes[at - 1].is_ascii_alphanumeric() || b".-:/[".contains(&bytes[at - 1])));
        if !number_starts {
            at += 1;
            continue;
        }
        let digits = bytes[at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let end = at + digits;
        if let Some((wait, length)) = clock_time(&text[at..]) {
            return Some((wait, at, at + length));
        }
        if let Some((unit, unit_end)) = unit(text, end) {
            let count: u64 = text[at..end].parse().ok()?;
            return Some((Duration::from_secs(count.checked_mul(unit)?), at, unit_end));
        }
        at = end.max(at + 1);
    }
    None
}

/// `hh:mm:ss` or `mm:ss` at the start.
fn clock_time(text: &str) -> Option<(Duration, usize)> {
    let length = text
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b':')
        .count();
    let numbers: Vec<u64> = text[..length]
        .split(':')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let seconds = match numbers[..] {
        [minutes, seconds] if seconds < 60 => minutes.checked_mul(60)? + seconds,
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => {
            hours.checked_mul(3600)? + minutes * 60 + seconds
        }
        _ => return None,
    };
    Some((Duration::from_secs(seconds), length))
}

/// The unit of time after a number, in seconds, and where it ends.
fn unit(text: &str, from: usize) -> Option<(u64, usize)> {
    let rest = &text[from..];
    let gap = rest.len() - rest.trim_start_matches([' ', '-']).len();
    if gap > 1 {
        return None;
    }
    let word: &str = &rest[gap..];
    let length = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let seconds = match &word[..length] {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some((seconds, from + gap + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        match read(text) {
            Some((Hint::RetryAfter(wait), _)) => Some(wait.as_secs()),
            Some((Hint::DoNotRetry, _)) | None => None,
        }
    }

    #[test]
    fn waits_are_read_in_the_ways_servers_write_them() {
        for (text, expected) in [
            ("Greylisted, please try again in 300 seconds", 300),
            ("try again in 5 minutes", 300),
            ("Greylisted for 00:04:37", 277),
            ("Please try again after 10 min", 600),
            ("retry in 1h", 3600),
            ("Recipient address rejected: Greylisted for 5 minutes", 300),
            ("Greylisting in effect, please come back in 04:59", 299),
            ("You will be accepted after 240 secs", 240),
            ("Too many connections. Please wait 60s", 60),
            ("451 4.7.1 please try again in an hour", 3600),
            (
                "Temporary. Retry after 2 hours; see http://example.org/300seconds",
                7200,
            ),
            (
                "First-time connection, please retry in 60-second intervals",
                60,
            ),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_ask_for_nothing_are_no_waits() {
        for text in [
            "timeout exceeded after 300 seconds",
            "try again later",
            "delivery has been delayed for 4 hours",
            "the message waited 5 days",
            "",
            "error 451 at 10.0.0.1 5 recipients",
            "retry 192.0.2.1:25 seconds",
            "try again in 99999999999999999999 hours",
            "later, in 9999999999999999 hours",
        ] {
            assert!(seconds(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_text_may_ask_never_to_come_back() {
        assert_eq!(
            read("550 Rejected. Do not retry").map(|h| h.0),
            Some(Hint::DoNotRetry)
        );
    }

    #[test]
    fn the_place_of_the_wait_is_that_of_its_words() {
        let text = "Sorry. Greylisted; retry in 300 seconds, please";
        let (_, (start, end)) = read(text).unwrap();
        assert_eq!(&text[start..end], "300 seconds");
    }
}
