//! What peers say, as data: words in a reply's text, and the cause they point to.
//!
//! A row of `catalog/phrases/` or `catalog/dialects/` is a phrase: parts joined by `…` that occur in
//! this order and near one another, compared without regard to ASCII case, each beginning where a word
//! does. What a longer phrase says in one run outranks a shorter one within it: "sender address
//! rejected: user unknown" is not about the recipient. Of all that remain, the strongest counts for
//! each cause. Each row has an example in the form servers give it, and a test reads every example back.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smtp::{EnhancedStatus, Stage};

use crate::Cause;

/// One row.
#[derive(Debug)]
pub(crate) struct Phrase {
    /// What the text says, in this order; empty where the codes of a dialect alone decide.
    pub(crate) parts: &'static [&'static str],
    /// Only with this status; class 0 stands for any.
    pub(crate) status: Option<(u8, u16, u16)>,
    /// Only with this reply code.
    pub(crate) reply: Option<u16>,
    /// Only at this stage.
    pub(crate) stage: Option<Stage>,
    /// Whose words these are.
    pub(crate) dialect: Option<Dialect>,
    /// Counts only where the dialect has been recognised by something else.
    pub(crate) only: bool,
    pub(crate) cause: Cause,
    /// How sure these words alone make us, in percent.
    pub(crate) strength: u8,
    /// A reply in which they occur.
    #[cfg_attr(not(test), allow(dead_code, reason = "read by the test of the table"))]
    pub(crate) example: &'static str,
}

macro_rules! dialects {
    ($($name:ident = $id:literal, $title:literal, $marks:expr, $peers:expr;)+) => {
        /// Software or a service that has its own way of saying things.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Dialect { $(#[doc = $title] $name,)+ }

        impl Dialect {
            /// All of them.
            pub const ALL: &'static [Dialect] = &[$(Dialect::$name,)+];

            /// The stable id, like `exchange`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Dialect::$name => $id,)+ }
            }

            /// Its name.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Dialect::$name => $title,)+ }
            }

            /// Words (of lower case) that only it writes.
            const fn marks(self) -> &'static [&'static str] {
                match self { $(Dialect::$name => $marks,)+ }
            }

            /// Domains (of lower case) whose mail servers speak so.
            const fn peers(self) -> &'static [&'static str] {
                match self { $(Dialect::$name => $peers,)+ }
            }

            /// The dialect with this id.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Dialect> {
                match id { $($id => Some(Dialect::$name),)+ _ => None }
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/phrases.rs"));

impl Dialect {
    /// The dialect that the mail servers of a domain speak, by the name of one of them.
    #[must_use]
    pub fn of_peer(host: &str) -> Option<Dialect> {
        let host = host.trim_end_matches('.');
        let within = |domain: &&str| {
            let Some(at) = host.len().checked_sub(domain.len()) else {
                return false;
            };
            host.get(at..)
                .is_some_and(|end| end.eq_ignore_ascii_case(domain))
                && (at == 0 || host.as_bytes()[at - 1] == b'.')
        };
        let speaks = |dialect: &&Dialect| dialect.peers().iter().any(within);
        Dialect::ALL.iter().find(speaks).copied()
    }
}

impl Serialize for Dialect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Dialect::from_id(&id)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown dialect `{id}`")))
    }
}

/// A row that fits a text, and where: from the first byte of its first part to the end of its last.
pub(crate) struct Found {
    pub(crate) row: &'static Phrase,
    pub(crate) span: (usize, usize),
}

/// What is looked for: a row by its first part, or the mark of a dialect.
enum Wanted {
    Rows(Vec<&'static Phrase>),
    Mark(Dialect),
}

struct Index {
    matcher: Option<AhoCorasick>,
    wanted: Vec<Wanted>,
    /// Rows without words.
    bare: Vec<&'static Phrase>,
}

static INDEX: LazyLock<Index> = LazyLock::new(Index::new);

impl Index {
    fn new() -> Index {
        let mut patterns: Vec<&'static str> = Vec::new();
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut places: HashMap<&'static str, usize> = HashMap::new();
        let mut bare = Vec::new();
        for row in PHRASES {
            let Some(first) = row.parts.first() else {
                bare.push(row);
                continue;
            };
            let known = places.get(first).and_then(|at| wanted.get_mut(*at));
            match known {
                Some(Wanted::Rows(rows)) => rows.push(row),
                Some(Wanted::Mark(_)) | None => {
                    places.insert(first, patterns.len());
                    patterns.push(first);
                    wanted.push(Wanted::Rows(vec![row]));
                }
            }
        }
        for dialect in Dialect::ALL {
            for mark in dialect.marks() {
                patterns.push(mark);
                wanted.push(Wanted::Mark(*dialect));
            }
        }
        let matcher = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&patterns);
        Index {
            matcher: matcher.ok(),
            wanted,
            bare,
        }
    }
}

/// What a text says, with its codes and the dialect, if that is known from elsewhere.
pub(crate) struct Heard {
    pub(crate) found: Vec<Found>,
    pub(crate) dialect: Option<Dialect>,
}

/// After so many matches a text says nothing more.
const ENOUGH: usize = 4096;

/// Looks for all rows at once.
pub(crate) fn hear(
    text: &str,
    reply: Option<u16>,
    status: Option<EnhancedStatus>,
    stage: Option<Stage>,
    known: &[Option<Dialect>],
) -> Heard {
    let index = &*INDEX;
    let codes_fit = |row: &Phrase| {
        row.reply.is_none_or(|wanted| reply == Some(wanted))
            && row.stage.is_none_or(|wanted| stage == Some(wanted))
            && row
                .status
                .is_none_or(|wanted| status.is_some_and(|s| is(s, wanted)))
    };
    let mut found = Vec::new();
    // A relay's report quotes the receiver: both may be recognised.
    let mut speakers: Vec<Dialect> = known.iter().flatten().copied().collect();
    let bytes = text.as_bytes();
    let mut lower = None;
    let hits = index.matcher.iter();
    for hit in hits.flat_map(|m| m.find_overlapping_iter(bytes)) {
        if !starts_a_word(bytes, hit.start()) {
            continue;
        }
        if found.len() >= ENOUGH {
            break;
        }
        match &index.wanted[hit.pattern().as_usize()] {
            Wanted::Mark(dialect) if speakers.contains(dialect) => {}
            Wanted::Mark(dialect) => speakers.push(*dialect),
            Wanted::Rows(rows) => {
                for row in rows.iter().filter(|row| codes_fit(row)) {
                    // ASCII case does not change lengths: places in the one are places in the other.
                    let lower = lower.get_or_insert_with(|| text.to_ascii_lowercase());
                    if let Some(end) = rest_ends(&row.parts[1..], lower, hit.end()) {
                        let span = (hit.start(), end);
                        found.push(Found { row, span });
                    }
                }
            }
        }
    }
    let bare = index.bare.iter().filter(|row| codes_fit(row));
    found.extend(bare.map(|row| Found { row, span: (0, 0) }));
    found.retain(|f| !f.row.only || f.row.dialect.is_some_and(|d| speakers.contains(&d)));
    let found = outermost(found);
    let strongest = || {
        let rows = found.iter().map(|f| f.row);
        rows.filter(|row| row.dialect.is_some())
            .max_by_key(|row| row.strength)
            .and_then(|row| row.dialect)
    };
    let dialect = speakers.first().copied().or_else(strongest);
    Heard { found, dialect }
}

/// Drops what stands within a longer phrase that points elsewhere, or is less sure of the same.
fn outermost(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|f| (f.span.0, Reverse(f.span.1)));
    let mut cover: Option<((usize, usize), &Phrase)> = None;
    found.retain(|f| {
        if let Some((span, row)) = cover
            && f.span.1 <= span.1
            && f.span != span
            && f.span.0 < f.span.1
        {
            return f.row.cause == row.cause && f.row.strength <= row.strength;
        }
        let said = f.one_run();
        if cover.is_none_or(|(span, _)| span.1 < said.1) {
            cover = Some((said, f.row));
        }
        true
    });
    found
}

impl Found {
    /// What the row says in one run: the whole place where most of it is words of the row, else its first
    /// part; behind that lies what the row does not know.
    fn one_run(&self) -> (usize, usize) {
        let (start, end) = self.span;
        let said: usize = self.row.parts.iter().map(|p| p.len()).sum();
        if said * 3 >= (end - start) * 2 {
            return self.span;
        }
        (start, start + self.row.parts.first().map_or(0, |p| p.len()))
    }
}

fn is(status: EnhancedStatus, wanted: (u8, u16, u16)) -> bool {
    (wanted.0 == 0 || status.class.digit() == wanted.0)
        && (status.subject, status.detail) == (wanted.1, wanted.2)
}

/// So far apart may the parts of a phrase be: an address fits between them, another sentence does not.
const APART: usize = 100;

/// Where the last of the parts ends, which must follow one another.
fn rest_ends(parts: &[&str], lower: &str, mut from: usize) -> Option<usize> {
    let bytes = lower.as_bytes();
    for part in parts {
        let to = lower.len().min(from + APART + part.len());
        let near = bytes.get(from..to)?;
        let found = memchr::memmem::find_iter(near, part.as_bytes());
        from = found
            .map(|at| from + at)
            .find(|at| starts_a_word(bytes, *at))?
            + part.len();
    }
    Some(from)
}

fn starts_a_word(text: &[u8], at: usize) -> bool {
    let here_is_a_word = text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    !(here_is_a_word && at > 0 && text[at - 1].is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &str, text: &str) -> Option<(usize, usize)> {
        let heard = hear(text, None, None, None, &[]);
        let mut found = heard.found.into_iter();
        found
            .find(|f| f.row.parts.join("…") == words)
            .map(|f| f.span)
    }

    #[test]
    fn every_row_is_found_in_its_own_example() {
        let lost: Vec<String> = PHRASES
            .iter()
            .filter(|row| {
                let status = row.status.map(|(class, subject, detail)| {
                    let class = match class {
                        2 => smtp::Class::Success,
                        4 => smtp::Class::Transient,
                        _ => smtp::Class::Permanent,
                    };
                    EnhancedStatus::new(class, subject, detail)
                });
                let dialect = row.dialect.filter(|_| row.only);
                let heard = hear(row.example, row.reply, status, row.stage, &[dialect]);
                !heard.found.iter().any(|f| std::ptr::eq(f.row, *row))
            })
            .map(|row| format!("{:?} is not in `{}`", row.parts.join("…"), row.example))
            .collect();
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    }

    #[test]
    fn a_dialect_is_told_by_the_domain_of_the_server_that_speaks() {
        for (host, expected) in [
            ("mfs1.docomo.ne.jp", Some(Dialect::Docomo)),
            ("MX.Example.GOOGLE.com.", Some(Dialect::Google)),
            ("notgoogle.com", None),
            ("docomo.ne.jp.example.org", None),
            ("mx.example.org", None),
            ("", None),
        ] {
            assert_eq!(Dialect::of_peer(host), expected, "{host}");
        }
    }

    #[test]
    fn parts_must_come_in_order_and_words_count_not_letters() {
        assert_eq!(
            found("mailbox…is full", "the mailbox of b is full now"),
            Some((4, 24))
        );
        assert_eq!(found("mailbox…is full", "is full, that mailbox"), None);
        assert_eq!(found("dns", "the rdns is gone"), None);
        let far = format!("mailbox of b {} is full", "and so on ".repeat(20));
        assert_eq!(found("mailbox…is full", &far), None);
    }

    #[test]
    fn a_longer_phrase_outranks_the_shorter_one_within_it() {
        let text = "550 5.1.0 <a@example.net>: Sender address rejected: User unknown";
        assert!(found("sender address rejected: user unknown", text).is_some());
        assert_eq!(found("user unknown", text), None);
        assert!(found("user unknown", "550 user unknown").is_some());
    }

    #[test]
    fn the_first_part_of_a_phrase_outranks_the_shorter_one_within_it_whatever_lies_behind() {
        let words = "too many connections:…connections in";
        let text = "421 4.7.0 too many connections: a-long-name.of-a-relay.example.org takes 2 connections in 60 seconds";
        assert!(found(words, text).is_some());
        assert_eq!(found("too many connections", text), None);
        assert!(found("too many connections", "too many connections from you").is_some());
    }

    #[test]
    fn a_text_full_of_matches_is_read_in_time_that_grows_with_its_length() {
        let text = "mailbox user account quota rejected spam ".repeat(20_000);
        let heard = hear(&text, Some(550), None, None, &[]);
        assert!(!heard.found.is_empty());
    }

    #[test]
    fn every_dialect_has_rows_or_marks() {
        for dialect in Dialect::ALL {
            let rows = PHRASES
                .iter()
                .filter(|row| row.dialect == Some(*dialect))
                .count();
            assert!(rows + dialect.marks().len() > 0, "{}", dialect.id());
            assert_eq!(Dialect::from_id(dialect.id()), Some(*dialect));
        }
    }
}
