//! The limits that a text names: how large, how many, how often.

use serde::{Deserialize, Serialize};

/// A limit of the peer's, as its words give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The largest message, in bytes.
    MessageBytes(u64),
    /// Recipients in one transaction.
    Recipients(u64),
    /// Connections at a time.
    Connections(u64),
    /// Messages in a time.
    Messages {
        /// How many.
        count: u64,
        /// In so many seconds.
        seconds: u64,
    },
    /// Recipients in a time, over all messages.
    RecipientsInTime {
        /// How many.
        count: u64,
        /// In so many seconds.
        seconds: u64,
    },
}

/// Reads the limits that a text names, each with its place. One of a kind: the first.
pub(crate) fn read(text: &str) -> Vec<(Limit, (usize, usize))> {
    let lower = text.to_ascii_lowercase();
    // What is no limit must not be read as one: only texts that speak of one are looked into.
    if !SPEAKS_OF_ONE.iter().any(|word| lower.contains(word)) {
        return Vec::new();
    }
    let mut limits: Vec<(Limit, (usize, usize))> = Vec::new();
    let mut from = 0;
    while let Some(number) = next_number(&lower, from) {
        from = number.end;
        let Some(limit) = number.means(&lower) else {
            continue;
        };
        let new = |(known, _): &(Limit, _)| {
            std::mem::discriminant(known) != std::mem::discriminant(&limit)
        };
        if limits.iter().all(new) {
            limits.push((limit, (number.start, number.end)));
        }
        if limits.len() == 5 {
            break;
        }
    }
    limits
}

const SPEAKS_OF_ONE: &[&str] = &[
    "limit",
    "exceed",
    "maximum",
    "max ",
    "max.",
    "allowed",
    "permit",
    "too many",
    "too large",
    "too big",
    "at most",
    "no more than",
    "more than",
    "larger than",
];

struct Number {
    value: u64,
    start: usize,
    end: usize,
}

/// The next number that stands by itself: not a part of an address, a version, a code or a word.
fn next_number(text: &str, mut from: usize) -> Option<Number> {
    let bytes = text.as_bytes();
    loop {
        let start = from + bytes.get(from..)?.iter().position(u8::is_ascii_digit)?;
        let digits = bytes[start..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let end = start + digits;
        from = end;
        let before = start.checked_sub(1).map(|at| bytes[at]);
        let alone = before.is_none_or(|b| matches!(b, b' ' | b'(' | b'[' | b'=' | b':'));
        let after = bytes.get(end).copied().unwrap_or(b' ');
        let open = !matches!(after, b'.' | b'-' | b':' | b'@' | b'_')
            || (after == b'.' && !bytes.get(end + 1).is_some_and(u8::is_ascii_digit));
        if alone
            && open
            && let Ok(value) = text[start..end].parse()
        {
            return Some(Number { value, start, end });
        }
    }
}

impl Number {
    /// What the words around it make of it.
    fn means(&self, text: &str) -> Option<Limit> {
        let after = text.get(self.end..)?.trim_start_matches([' ', ')', ']']);
        let before = text
            .get(..self.start)?
            .trim_end_matches([' ', '(', '[', '=', ':']);
        let words = |n: usize| after.split_ascii_whitespace().nth(n).unwrap_or_default();
        let unit = words(0).trim_end_matches(['.', ',', ';', ')']);
        let scale = match unit {
            "bytes" | "byte" | "octets" | "b" => Some(1),
            "kb" | "kib" | "kilobytes" | "k" => Some(1 << 10),
            "mb" | "mib" | "megabytes" | "m" => Some(1 << 20),
            "gb" | "gib" => Some(1 << 30),
            _ => None,
        };
        if let Some(scale) = scale {
            return is_about_size(before)
                .then(|| self.value.checked_mul(scale).map(Limit::MessageBytes))?;
        }
        let things = after
            .trim_start_matches("concurrent ")
            .trim_start_matches("simultaneous ");
        let count = self.value;
        if let Some(rest) = after_thing(things, &["messages", "message", "emails", "mails"]) {
            return period(rest).map(|seconds| Limit::Messages { count, seconds });
        }
        if let Some(rest) = after_thing(things, &["recipients", "rcpts"]) {
            return Some(match period(rest) {
                Some(seconds) => Limit::RecipientsInTime { count, seconds },
                None => Limit::Recipients(count),
            });
        }
        if after_thing(things, &["connections", "connection", "sessions"]).is_some() {
            return Some(Limit::Connections(count));
        }
        // `exceeds fixed maximum message size (10485760)`, `size limit 10240000 of server`.
        let bare = count >= 1024
            && ends_in(
                before,
                &[
                    "maximum message size",
                    "size limit",
                    "maximum size",
                    "fixed limit",
                ],
            );
        bare.then_some(Limit::MessageBytes(count))
    }
}

fn is_about_size(before: &str) -> bool {
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(60))..];
    ["size", "large", "big", "longer", "length", "exceed"]
        .iter()
        .any(|word| near.contains(word))
        && [
            "limit",
            "maximum",
            "max",
            "exceeds",
            "larger",
            "longer",
            "more than",
            "allowed",
        ]
        .iter()
        .any(|word| near.contains(word))
}

fn ends_in(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.ends_with(word))
}

fn after_thing<'a>(text: &'a str, things: &[&str]) -> Option<&'a str> {
    things.iter().find_map(|thing| text.strip_prefix(thing))
}

/// `per hour`, `in 60 minutes`, `/day`: in seconds.
fn period(text: &str) -> Option<u64> {
    let text = text.trim_start_matches([' ', '/']);
    let text = text
        .strip_prefix("per ")
        .or(text.strip_prefix("an "))
        .or(text.strip_prefix("a "))
        .unwrap_or(text);
    let word: &str = text.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    match word {
        "second" => Some(1),
        "minute" => Some(60),
        "hour" => Some(3600),
        "day" => Some(86_400),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_the_ways_servers_write_them() {
        for (text, limit) in [
            (
                "552 5.2.3 Message size exceeds fixed maximum message size (10485760)",
                Limit::MessageBytes(10_485_760),
            ),
            (
                "message size 22222222 exceeds size limit 10240000 of server mx.example.org",
                Limit::MessageBytes(10_240_000),
            ),
            (
                "552 message too large, the limit is a size of 25 MB",
                Limit::MessageBytes(25 << 20),
            ),
            (
                "552 Message length is more than 10485760 bytes long",
                Limit::MessageBytes(10_485_760),
            ),
            (
                "452 4.5.3 too many recipients, at most 100 recipients per message",
                Limit::Recipients(100),
            ),
            (
                "421 you may not have more than 10 concurrent connections",
                Limit::Connections(10),
            ),
            (
                "450 limit of 300 messages per hour",
                Limit::Messages {
                    count: 300,
                    seconds: 3600,
                },
            ),
            (
                "452 exceeded 500 recipients per day",
                Limit::RecipientsInTime {
                    count: 500,
                    seconds: 86_400,
                },
            ),
        ] {
            let found: Vec<Limit> = read(text).into_iter().map(|(limit, _)| limit).collect();
            assert_eq!(found, [limit], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_limits() {
        for text in [
            "550 5.1.1 user unknown",
            "552 message of 2222222 bytes refused by 192.0.2.1",
            "too many connections from 192.0.2.1",
            "exceeded 99999999999999999999999 recipients",
            "maximum hop count exceeded: 25 hops",
            "",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }
}
