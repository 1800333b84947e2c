//! A code alone, in each way that people write it: `4.2.1`, `421`, `421 4.2.1`, `#4.4.7`,
//! `SMTP Error 4.4.6`, `Foutcode: 4.5.0`.
//!
//! The trap (`docs/codes/`): old pages spell a three-digit reply with dots, so that `4.2.1` is either
//! the reply 421 or the status X.2.1 of RFC 3463. Both readings are given, the likelier first.

use diagnosis::{Diagnosis, codes, interpret_code};
use smtp::{Class, EnhancedStatus};

use crate::scan;
use crate::{Case, Kind, Spanned};

pub use diagnosis::ReadAs;

/// One reading of a bare code.
#[derive(Clone, Debug)]
pub struct BareReading {
    /// What the code is taken for.
    pub read_as: ReadAs,
    /// What it means then.
    pub diagnosis: Diagnosis,
}

/// Reads an input that holds codes and nothing more; false where it holds more.
pub(crate) fn read(input: &[u8], cases: &mut Vec<Case>) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let mut found: Vec<Case> = Vec::new();
    let mut at = 0;
    for word in text.split(|c: char| c.is_whitespace() || ",;".contains(c)) {
        let start = at;
        at += word.len()
            + text[at + word.len()..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
        let bare = word.trim_matches(|c: char| "#()[]<>\"':.!?…".contains(c));
        let from = start + word.find(bare).unwrap_or_default();
        if !add(&mut found, bare, from) && !is_introduction(bare) {
            return false;
        }
    }
    found.iter_mut().for_each(read_as_status);
    let any = !found.is_empty();
    cases.append(&mut found);
    any
}

/// Digits alone that no server sends stand for a status: `422` is 4.2.2, and no reply was given.
fn read_as_status(case: &mut Case) {
    let (Some(reply), None) = (case.reply, case.status) else {
        return;
    };
    if let Some((class, subject, detail)) = codes::reply(reply.value).and_then(|row| row.reads_as) {
        let class = if class == 4 {
            Class::Transient
        } else {
            Class::Permanent
        };
        let value = EnhancedStatus::new(class, subject, detail);
        case.status = Some(Spanned {
            value,
            span: reply.span,
        });
        case.reply = None;
    }
}

/// Takes a word as a code, or as one that belongs to the code before it.
fn add(found: &mut Vec<Case>, word: &str, at: usize) -> bool {
    let pieces: Vec<&str> = match word.split_once(['-', '/', '#']) {
        Some((digits, status)) => vec![digits, status],
        None => vec![word],
    };
    let mut at = at;
    for piece in &pieces {
        let span = (at, at + piece.len());
        at += piece.len() + 1;
        if let Some(status) = dotted(piece) {
            let status = Spanned {
                value: status,
                span,
            };
            match found.last_mut() {
                // `421 4.2.1`: both as they are.
                Some(case) if case.reply.is_some() && case.status.is_none() => {
                    case.status = Some(status);
                    case.span.1 = span.1;
                }
                Some(_) | None => {
                    let mut case = Case::new(Kind::Code, span);
                    case.status = Some(status);
                    found.push(case);
                }
            }
        } else if let Some(code) = digits(piece) {
            let mut case = Case::new(Kind::Code, span);
            case.reply = Some(Spanned { value: code, span });
            found.push(case);
        } else {
            return false;
        }
    }
    true
}

fn dotted(word: &str) -> Option<EnhancedStatus> {
    let all = scan::statuses(word);
    let status = all.first()?;
    (status.span == (0, word.len())).then_some(status.value)
}

fn digits(word: &str) -> Option<u16> {
    let three = word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    word.parse()
        .ok()
        .filter(|code| three && (200..600).contains(code))
}

/// Words that people put before a code.
fn is_introduction(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "",
        "smtp",
        "esmtp",
        "error",
        "errors",
        "code",
        "codes",
        "status",
        "dsn",
        "ndr",
        "reply",
        "response",
        "mail",
        "email",
        "e-mail",
        "general",
        "the",
        "and",
        "or",
        "en",
        "of",
        "fout",
        "foutcode",
        "foutmelding",
        "melding",
        "statuscode",
        "server",
        "enhanced",
        "number",
        "nummer",
        "nr",
        "no",
        "fault",
        "bounce",
        "what",
        "is",
        "wat",
        "betekent",
        "mean",
        "does",
        "means",
        "remote",
        "-",
        "=",
        "–",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

impl Case {
    /// All readings of a bare code, the likeliest first; empty where there is more than a code.
    #[must_use]
    pub fn readings(&self) -> Vec<BareReading> {
        if self.kind != Kind::Code {
            return Vec::new();
        }
        let read_as = match (self.reply, self.status) {
            (Some(reply), Some(status)) => vec![ReadAs::Both(reply.value, status.value)],
            (Some(reply), None) => vec![ReadAs::Reply(reply.value)],
            (None, Some(status)) => of_dotted(status.value),
            (None, None) => Vec::new(),
        };
        let reading = |read_as| {
            let mut diagnosis = interpret_code(read_as);
            self.place(&mut diagnosis);
            BareReading { read_as, diagnosis }
        };
        read_as.into_iter().map(reading).collect()
    }
}

/// The readings of a dotted code without digits before it.
fn of_dotted(status: EnhancedStatus) -> Vec<ReadAs> {
    let as_status = ReadAs::Status(status);
    let code = u16::from(status.class.digit()) * 100 + status.subject * 10 + status.detail;
    let row = codes::reply(code).filter(|_| status.subject < 10 && status.detail < 10);
    let page = codes::page(status);
    match row {
        // X.5.z rarely stands for itself: 4.5.0 is nearly always 450 with dots, 5.5.0 is 550.
        Some(_) if page.map_or(status.subject == 5, |page| page.first_is_reply) => {
            vec![ReadAs::Reply(code), as_status]
        }
        // Digits that no standard knows are the same thing spelled in another way.
        Some(row) if row.reads_as.is_none() && row.standard.starts_with("RFC") => {
            vec![as_status, ReadAs::Reply(code)]
        }
        Some(_) | None => vec![as_status],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(input: &str) -> Option<Vec<Case>> {
        let mut cases = Vec::new();
        read(input.as_bytes(), &mut cases).then_some(cases)
    }

    fn spelled(case: &Case) -> (Option<u16>, Option<String>) {
        (
            case.reply.map(|r| r.value),
            case.status.map(|s| s.value.to_string()),
        )
    }

    #[test]
    fn every_spelling_is_the_code_that_it_holds() {
        for (input, reply, status) in [
            ("4.2.1", None, Some("4.2.1")),
            ("421", Some(421), None),
            ("421 4.2.1", Some(421), Some("4.2.1")),
            ("421-4.2.1", Some(421), Some("4.2.1")),
            ("#4.4.7", None, Some("4.4.7")),
            ("(#5.1.1)", None, Some("5.1.1")),
            ("SMTP Error 4.4.6", None, Some("4.4.6")),
            ("Foutcode: 4.5.0.", None, Some("4.5.0")),
            ("550 #5.1.0", Some(550), Some("5.1.0")),
            (" 5.7.1\n", None, Some("5.7.1")),
        ] {
            let found = cases(input).unwrap_or_else(|| panic!("{input}"));
            assert_eq!(found.len(), 1, "{input}");
            assert_eq!(
                spelled(&found[0]),
                (reply, status.map(str::to_owned)),
                "{input}"
            );
            assert_eq!(
                &input[found[0].span.0..found[0].span.1],
                input.trim_matches(|c: char| !c.is_ascii_digit()),
                "{input}"
            );
        }
    }

    #[test]
    fn several_codes_are_several_cases_and_words_are_none() {
        assert_eq!(cases("4.2.1, 4.4.1").map(|c| c.len()), Some(2));
        assert_eq!(cases("421 422").map(|c| c.len()), Some(2));
        for input in [
            "",
            "mailbox full",
            "4.2.2 mailbox full",
            "192.0.2.1",
            "12",
            "999",
            "4.2",
        ] {
            assert!(cases(input).is_none(), "{input}");
        }
    }
}
