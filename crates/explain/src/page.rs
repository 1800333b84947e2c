//! The pages of the handbook: one for each code, in Markdown. They are made of the catalog and of the
//! same texts that `postrider explain` shows; `docs/codes/` holds them, and a test keeps it true.

use std::fmt::Write;

use diagnosis::codes::{self, EnhancedCode, PageCode, ReplyCode};
use diagnosis::{Cause, ReadAs};
use smtp::{Class, EnhancedStatus};

use crate::Lang;
use crate::case::code_key;
use crate::explanation::{headline, meaning, who};
use crate::words::{plain, say};

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of its file, without a directory.
    pub file: String,
    /// The code, as people write it.
    pub code: String,
    /// What it is, in a line.
    pub headline: String,
    /// All of it.
    pub markdown: String,
}

/// All pages of a language: the fifteen first, then the enhanced status codes, then the replies.
#[must_use]
pub fn pages(lang: Lang) -> Vec<Page> {
    let mut pages: Vec<Page> = codes::FIFTEEN
        .iter()
        .map(|row| fifteen(row, lang))
        .collect();
    pages.extend(codes::ENHANCED.iter().map(|row| enhanced(row, lang)));
    pages.extend(codes::REPLIES.iter().map(|row| reply(row, lang)));
    pages
}

/// The list of all pages of a language.
#[must_use]
pub fn index(lang: Lang) -> String {
    let mut out = format!(
        "# {}\n\n{}\n",
        plain(lang, "page-index"),
        plain(lang, "page-index.what")
    );
    let parts = [
        ("page-index-fifteen", codes::FIFTEEN.len()),
        ("page-index-enhanced", codes::ENHANCED.len()),
        ("page-index-replies", codes::REPLIES.len()),
    ];
    let mut pages = pages(lang).into_iter();
    for (title, count) in parts {
        let _ = write!(out, "\n## {}\n\n", plain(lang, title));
        for page in pages.by_ref().take(count) {
            let _ = writeln!(out, "- [{}]({}): {}", page.code, page.file, page.headline);
        }
    }
    out
}

fn transient((_, subject, detail): (u8, u16, u16)) -> EnhancedStatus {
    EnhancedStatus::new(Class::Transient, subject, detail)
}

fn fifteen(row: &PageCode, lang: Lang) -> Page {
    let status = transient(row.dotted);
    let texts = format!("page-4-{}-{}", status.subject, status.detail);
    let mut page = Draft::new(&status.to_string(), &texts, lang);
    page.section("page-sender", &plain(lang, &format!("{texts}.sender")));
    page.causes(row.causes);
    let mut spellings = vec![
        format!("`{status}`"),
        format!("`#{status}`"),
        format!("`SMTP error {status}`"),
    ];
    spellings.extend(row.replies.iter().map(|code| format!("`{code}`")));
    spellings.extend(
        row.replies
            .iter()
            .take(1)
            .filter(|c| real(**c))
            .map(|code| format!("`{code} {status}`")),
    );
    page.section("page-spellings", &spellings.join(", "));
    let digits = 400 + status.subject * 10 + status.detail;
    let mut readings = Vec::new();
    if row.first_is_reply {
        readings.push(reading(
            ReadAs::Status(status),
            &format!("x.{}.{}.md", status.subject, status.detail),
            lang,
        ));
    }
    if real(digits) {
        readings.push(reading(
            ReadAs::Reply(digits),
            &format!("{digits}.md"),
            lang,
        ));
    }
    if !readings.is_empty() {
        page.section(
            "page-other",
            &format!(
                "{}\n\n{}",
                plain(lang, "page-other.what"),
                readings.join("\n")
            ),
        );
    }
    page.end(&format!("{status}.md"), &status.to_string())
}

/// Whether a server really sends these digits.
fn real(code: u16) -> bool {
    codes::reply(code).is_some_and(|row| row.reads_as.is_none())
}

fn reading(read_as: ReadAs, file: &str, lang: Lang) -> String {
    let name = crate::case::reading_name(read_as, lang);
    let title = code_key(read_as)
        .map(|key| plain(lang, &key))
        .unwrap_or_default();
    format!("- {name}: [{title}]({file})")
}

fn enhanced(row: &EnhancedCode, lang: Lang) -> Page {
    let (_, subject, detail) = row.code;
    let mut page = Draft::new(
        &format!("X.{subject}.{detail}"),
        &format!("status-{subject}-{detail}"),
        lang,
    );
    for class in row.classes {
        let label = format!("class-{class}");
        let _ = write!(
            page.text,
            "\n**{class}.{subject}.{detail}**: {}\n",
            plain(lang, &format!("{label}.what"))
        );
    }
    let mut all: Vec<(Cause, u8)> = row.causes.to_vec();
    all.extend(
        row.cases
            .iter()
            .flat_map(|case| case.causes.iter().copied()),
    );
    page.causes(&all);
    if !row.replies.is_empty() {
        let replies: Vec<String> = row
            .replies
            .iter()
            .map(|code| format!("[{code}]({code}.md)"))
            .collect();
        page.section("page-replies", &replies.join(", "));
    }
    page.section(
        "page-standard",
        &format!("{}: “{}”.", row.standard, row.title),
    );
    let example = row.classes.last().copied().unwrap_or(5);
    page.end(
        &format!("x.{subject}.{detail}.md"),
        &format!("{example}.{subject}.{detail}"),
    )
}

fn reply(row: &ReplyCode, lang: Lang) -> Page {
    let mut page = Draft::new(&row.code.to_string(), &format!("reply-{}", row.code), lang);
    if let Some((class, subject, detail)) = row.reads_as {
        let (dotted, file) = match codes::page(transient((class, subject, detail))) {
            Some(_) if class == 4 => (
                format!("4.{subject}.{detail}"),
                format!("4.{subject}.{detail}.md"),
            ),
            _ => (
                format!("{class}.{subject}.{detail}"),
                format!("x.{subject}.{detail}.md"),
            ),
        };
        let link = format!("[{dotted}]({file})");
        page.section(
            "page-reads-as",
            &say(lang, "page-reads-as.what", &[("code", (&link).into())]),
        );
    } else if matches!(row.code / 100, 4 | 5) {
        let class = format!("class-{}.what", row.code / 100);
        let _ = write!(page.text, "\n{}\n", plain(lang, &class));
    }
    let mut all: Vec<(Cause, u8)> = row.causes.to_vec();
    all.extend(
        row.cases
            .iter()
            .flat_map(|case| case.causes.iter().copied()),
    );
    page.causes(&all);
    page.section(
        "page-standard",
        &format!("{}: “{}”.", row.standard, row.title),
    );
    page.end(&format!("{}.md", row.code), &row.code.to_string())
}

/// A page in the making.
struct Draft {
    lang: Lang,
    code: String,
    headline: String,
    text: String,
}

impl Draft {
    fn new(code: &str, texts: &str, lang: Lang) -> Draft {
        let headline = plain(lang, texts);
        let what = plain(lang, &format!("{texts}.what"));
        Draft {
            lang,
            code: code.to_owned(),
            text: format!("# {code}: {headline}\n\n{what}\n"),
            headline,
        }
    }

    fn section(&mut self, title: &str, text: &str) {
        let _ = write!(self.text, "\n## {}\n\n{text}\n", plain(self.lang, title));
    }

    /// What may be behind a code, each cause once, likeliest first.
    fn causes(&mut self, pointers: &[(Cause, u8)]) {
        let lang = self.lang;
        let mut causes: Vec<Cause> = Vec::new();
        for (cause, _) in pointers {
            if !causes.contains(cause) {
                causes.push(*cause);
            }
        }
        let title = if causes.is_empty() {
            "page-no-causes"
        } else {
            "page-causes"
        };
        let _ = write!(self.text, "\n## {}\n", plain(lang, title));
        if causes.is_empty() {
            let _ = write!(self.text, "\n{}\n", plain(lang, "page-no-causes.what"));
        }
        for cause in causes {
            let what = meaning(cause, lang);
            let _ = write!(self.text, "\n### {}\n\n{what}\n\n", headline(cause, lang));
            let _ = writeln!(
                self.text,
                "- {}: {}",
                plain(lang, "story-who"),
                plain(lang, who(cause.responsible()))
            );
            for remedy in cause.remedies() {
                let _ = writeln!(
                    self.text,
                    "- {}",
                    plain(lang, &format!("do-{}", remedy.id()))
                );
            }
            for check in cause.checks() {
                let text = plain(lang, &format!("check-{}", check.id()));
                let _ = writeln!(self.text, "- {}: {text}", plain(lang, "case-check"));
            }
            let _ = writeln!(self.text, "- `{}`{}", cause.id(), standards(cause));
        }
    }

    fn end(mut self, file: &str, example: &str) -> Page {
        let lang = self.lang;
        let command = format!(
            "postrider explain {}{example}",
            if lang == Lang::Nl { "--lang nl " } else { "" }
        );
        self.section("page-try", &format!("    {command}"));
        Page {
            file: file.to_owned(),
            code: self.code,
            headline: self.headline,
            markdown: self.text,
        }
    }
}

fn standards(cause: Cause) -> String {
    let all = cause.standards();
    if all.is_empty() {
        String::new()
    } else {
        format!(" ({})", all.join("; "))
    }
}
