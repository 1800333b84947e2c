//! The words of each dialect, as data: `dialects/*.toml`.
//!
//! A dialect's file has its greeting, its ways of saying yes, and its refusals. What a dialect has no
//! words for is said in the sink's own (`dialects/postrider.toml`), and what that has none for by the
//! title that the code has in its registry.

use diagnosis::{Dialect, codes};
use serde::Deserialize;
use smtp::{Class, EnhancedStatus};

use crate::stage::Stage;
use crate::verdict::{Answer, Codes};

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        const FILES: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../dialects/", $id, ".toml"))),)+
        ];
    };
}

files! {
    "postrider", "apple", "barracuda", "cisco", "courier", "domino", "exchange", "exim", "gmx", "google", "groupwise",
    "haraka", "microsoft-365", "mimecast", "opensmtpd", "postfix", "proofpoint", "qmail", "sendmail", "yahoo", "zimbra",
}

/// The dialects that the sink speaks.
#[must_use]
pub fn spoken() -> Vec<Dialect> {
    let ids = FILES.iter();
    ids.filter_map(|(id, _)| Dialect::from_id(id)).collect()
}

/// What is in a dialect's file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Book {
    /// The greeting; `{name}` and `{date}` are filled in.
    greeting: Option<String>,
    #[serde(default)]
    yes: Yes,
    #[serde(default, rename = "row")]
    pub(crate) rows: Vec<Row>,
}

/// Ways of saying yes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Yes {
    mail: Option<String>,
    rcpt: Option<String>,
    data: Option<String>,
    end: Option<String>,
    quit: Option<String>,
}

/// A refusal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The whole reply; `{name}`, `{recipient}`, `{sender}` and `{client}` are filled in.
    pub(crate) says: String,
    /// Where it is said.
    pub(crate) at: String,
    /// The codes of the page of fifteen that it stands for.
    #[serde(default)]
    pub(crate) page: Vec<String>,
    /// What it means, as the diagnosis reads it.
    #[cfg_attr(not(test), allow(dead_code, reason = "read by the test of the files"))]
    pub(crate) cause: Option<String>,
}

/// What is known of a session when a reply is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blanks<'a> {
    /// The sink's name.
    pub name: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// The sender.
    pub sender: &'a str,
    /// The recipient.
    pub recipient: &'a str,
    /// The date, as mail writes it.
    pub date: &'a str,
}

impl Blanks<'_> {
    /// Fills in what stands in braces; characters that a reply cannot have become `?`.
    fn fill(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (blank, value) in [
            ("{name}", self.name),
            ("{client}", self.client),
            ("{sender}", self.sender),
            ("{recipient}", self.recipient),
            ("{date}", self.date),
        ] {
            if out.contains(blank) {
                out = out.replace(blank, value);
            }
        }
        let plain = |c: char| {
            if matches!(c, ' '..='~' | '\n') {
                c
            } else {
                '?'
            }
        };
        out.chars().map(plain).collect()
    }

    /// Fills in a reply.
    #[must_use]
    pub fn answer(&self, answer: &Answer) -> Answer {
        Answer {
            code: answer.code,
            lines: answer.lines.iter().map(|line| self.fill(line)).collect(),
        }
    }
}

/// The words of one dialect.
#[derive(Clone, Debug, Default)]
pub struct Words {
    own: Book,
    fallback: Book,
}

impl Words {
    /// Reads the dialect's file.
    #[must_use]
    pub fn of(dialect: Dialect) -> Words {
        Words {
            own: book(dialect.id()),
            fallback: book(Dialect::Postrider.id()),
        }
    }

    /// The greeting.
    #[must_use]
    pub fn greeting(&self, blanks: &Blanks<'_>) -> Option<Answer> {
        let text = self
            .own
            .greeting
            .as_ref()
            .or(self.fallback.greeting.as_ref());
        Answer::read(&blanks.fill(text?)).ok()
    }

    /// How it says yes at a stage, if it has words of its own for it.
    #[must_use]
    pub fn yes(&self, at: Stage, blanks: &Blanks<'_>) -> Option<Answer> {
        let yes = &self.own.yes;
        let text = match at {
            Stage::Mail => yes.mail.as_ref(),
            Stage::Rcpt => yes.rcpt.as_ref(),
            Stage::Data => yes.data.as_ref(),
            Stage::EndOfData => yes.end.as_ref(),
            Stage::Quit => yes.quit.as_ref(),
            Stage::Connect
            | Stage::Greeting
            | Stage::Ehlo
            | Stage::Helo
            | Stage::Starttls
            | Stage::Handshake
            | Stage::Auth
            | Stage::Content
            | Stage::Rset => None,
        };
        Answer::read(&blanks.fill(text?)).ok()
    }

    /// The reply that says these codes, and where such is said.
    #[must_use]
    pub fn refusal(&self, codes: Codes) -> (Answer, Stage) {
        let row = find(&self.own.rows, codes).or_else(|| find(&self.fallback.rows, codes));
        let said = row.and_then(|row| {
            let answer = Answer::read(&row.says).ok()?;
            Some((answer, Stage::from_name(&row.at)?))
        });
        let (answer, at) = said.unwrap_or_else(|| (registered(codes), Stage::Rcpt));
        (with_codes(answer, codes), at)
    }
}

fn book(id: &str) -> Book {
    let file = FILES.iter().find(|(known, _)| *known == id);
    // A test reads every file.
    file.and_then(|(_, text)| toml::from_str(text).ok())
        .unwrap_or_default()
}

/// The row for these codes: by the page of fifteen, where the code may be a reply spelled with dots;
/// then by what it says.
fn find(rows: &[Row], codes: Codes) -> Option<&Row> {
    let dotted = codes.status.map(|status| status.to_string());
    if let (Some(dotted), None) = (&dotted, codes.reply)
        && let Some(row) = rows.iter().find(|row| row.page.contains(dotted))
    {
        return Some(row);
    }
    rows.iter().find(|row| {
        let Ok(answer) = Answer::read(&row.says) else {
            return false;
        };
        codes.reply.is_none_or(|code| code == answer.code)
            && codes
                .status
                .is_none_or(|status| Some(status) == answer.status())
    })
}

/// What was asked for outranks what the row has, so that both codes are always those asked for.
fn with_codes(answer: Answer, codes: Codes) -> Answer {
    Answer {
        code: codes.reply.unwrap_or(answer.code),
        ..answer
    }
}

/// A reply by the code's title in its registry.
fn registered(codes: Codes) -> Answer {
    let page = codes
        .status
        .filter(|_| codes.reply.is_none())
        .and_then(of_page);
    let code = codes.reply.or(page).or_else(|| usual_reply(codes.status));
    let code = code.unwrap_or(451);
    let title = match codes.status {
        Some(status) => codes::enhanced(status).map(|row| row.title),
        None => codes::reply(code).map(|row| row.title),
    };
    let title = title.unwrap_or("the sink was told to say so");
    let text = match codes.status {
        Some(status) if page.is_none() => format!("{status} {title}"),
        _ => title.to_owned(),
    };
    Answer {
        code,
        lines: vec![text.chars().filter(|c| matches!(c, ' '..='~')).collect()],
    }
}

/// The reply that the page of fifteen spells with dots.
fn of_page(status: EnhancedStatus) -> Option<u16> {
    let row = codes::page(status).filter(|row| row.first_is_reply)?;
    row.replies.first().copied()
}

/// The reply code that goes with a status: one that the registry names, else the plain one.
fn usual_reply(status: Option<EnhancedStatus>) -> Option<u16> {
    let status = status?;
    let (hundreds, plain) = match status.class {
        Class::Success => (2, 250),
        Class::Transient => (4, 451),
        Class::Permanent => (5, 550),
    };
    let named = codes::enhanced(status).and_then(|row| {
        let mut replies = row.replies.iter().copied();
        replies.find(|code| code / 100 == hundreds)
    });
    Some(named.unwrap_or(plain))
}

#[cfg(test)]
mod tests {
    use diagnosis::{Statement, interpret};

    use super::*;

    fn filled(row: &Row) -> Answer {
        let blanks = Blanks {
            name: "mx.example.org",
            client: "192.0.2.1",
            sender: "anna@client.example",
            recipient: "bert@dest.example",
            date: "Thu, 1 Jan 2026 00:00:00 +0000",
        };
        Answer::read(&blanks.fill(&row.says)).unwrap()
    }

    #[test]
    fn every_file_is_a_dialect_that_the_diagnosis_knows() {
        for (id, text) in FILES {
            assert!(Dialect::from_id(id).is_some(), "{id}");
            let book: Book = toml::from_str(text).unwrap_or_else(|e| panic!("{id}: {e}"));
            assert!(!book.rows.is_empty() && book.greeting.is_some(), "{id}");
            let words = Words::of(Dialect::from_id(id).unwrap());
            let greeting = words.greeting(&Blanks::default()).unwrap();
            assert_eq!(greeting.code, 220, "{id}");
            for (at, code) in [
                (Stage::Mail, 250),
                (Stage::Rcpt, 250),
                (Stage::Data, 354),
                (Stage::EndOfData, 250),
                (Stage::Quit, 221),
            ] {
                let said = words.yes(at, &Blanks::default());
                assert!(said.is_none_or(|said| said.code == code), "{id}");
            }
        }
    }

    #[test]
    fn every_row_is_a_refusal_that_the_diagnosis_reads_as_what_it_means() {
        let mut wrong = Vec::new();
        for (id, _) in FILES {
            for row in book(id).rows {
                let answer = filled(&row);
                assert!(answer.code >= 400, "{}", row.says);
                let at = Stage::from_name(&row.at).unwrap();
                let text = answer.lines.join("\n");
                let found = interpret(&Statement {
                    reply: Some(answer.code),
                    status: answer.status(),
                    stage: Some(at.as_smtp()),
                    dialect: Dialect::from_id(id),
                    ..Statement::new(&text)
                });
                let meant = row.cause.as_deref();
                if meant.is_some_and(|meant| meant != found.cause.id()) {
                    wrong.push(format!("{id}: {} → {}", row.says, found.cause.id()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_fifteen_are_said_in_every_dialect() {
        for dialect in spoken() {
            let words = Words::of(dialect);
            for row in codes::FIFTEEN {
                let (class, subject, detail) = row.dotted;
                let text = format!("{class}.{subject}.{detail}");
                let codes = Codes::read(&text).unwrap().unwrap();
                let (answer, at) = words.refusal(codes);
                assert!(answer.code >= 400, "{} {text}", dialect.id());
                assert!(at != Stage::Content, "{} {text}", dialect.id());
            }
        }
    }

    #[test]
    fn any_code_can_be_said() {
        let words = Words::of(Dialect::Exchange);
        for (asked, said) in [
            ("4.2.2", "452 4.2.2"),
            ("452 4.2.2", "452 4.2.2"),
            ("5.2.2", "552 5.2.2"),
            ("4.7.28", "450 4.7.28"),
            ("5.7.28", "550 5.7.28"),
            ("499", "499"),
            ("421", "421"),
            ("5.99.99", "550 5.99.99"),
        ] {
            let codes = Codes::read(asked).unwrap().unwrap();
            let (answer, _) = words.refusal(codes);
            let text = format!("{} {}", answer.code, answer.lines[0]);
            assert!(text.starts_with(said), "{asked}: {text}");
        }
    }
}
