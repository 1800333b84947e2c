//! `[reports]`: what senders hear of their mail.

use std::fmt;
use std::time::Duration;

use toml::de::DeTable;
use toml_read::{Section, duration_text, size_text};

use crate::problem::ProblemKind;
use crate::show::{line, list, quoted};
use crate::{Config, Language};

/// What senders hear of their mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Reports {
    /// After how long they hear of a delay; zero: never.
    pub delay_after: Duration,
    /// The largest message that is returned whole where its sender asks for that (RET=FULL).
    pub full: u64,
    /// The language for senders in certain domains.
    pub languages: Vec<DomainLanguage>,
}

/// The language of reports to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainLanguage {
    /// The domain; those below it too.
    pub domain: String,
    /// The language.
    pub language: Language,
}

impl fmt::Display for DomainLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let language = match self.language {
            Language::En => "en",
            Language::Nl => "nl",
        };
        write!(f, "{}: {language}", self.domain)
    }
}

impl Default for Reports {
    fn default() -> Reports {
        Reports {
            delay_after: Duration::from_secs(4 * 3_600),
            full: 1 << 20,
            languages: Vec::new(),
        }
    }
}

pub(crate) fn read(
    root: &DeTable<'_>,
    config: &mut Config,
    found: &mut toml_read::Found<ProblemKind>,
) {
    let keys = &["delay_after", "full", "languages"];
    let mut section = Section::open(root, "reports", keys, found);
    let own = &mut config.reports;
    section.duration("delay_after", &mut own.delay_after);
    section.size("full", &mut own.full);
    let wanted = "a list of domains with their language, like [\"example.nl: nl\"]";
    section.texts("languages", wanted, &mut own.languages, language);
}

fn language(text: &str) -> Result<DomainLanguage, ProblemKind> {
    let (domain, language) = text.split_once(':').ok_or(ProblemKind::NotALanguage)?;
    let domain = domain.trim().trim_start_matches('.').to_ascii_lowercase();
    let language = match language.trim() {
        "en" => Language::En,
        "nl" => Language::Nl,
        _ => return Err(ProblemKind::NotALanguage),
    };
    let is_domain = !domain.is_empty() && !domain.contains(char::is_whitespace);
    is_domain
        .then_some(DomainLanguage { domain, language })
        .ok_or(ProblemKind::NotALanguage)
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    use std::fmt::Write as _;
    let own = &config.reports;
    writeln!(out, "\n[reports]")?;
    let delay = "when a sender hears that mail is late; \"0s\": never";
    line(
        out,
        "delay_after",
        &quoted(duration_text(own.delay_after)),
        delay,
    )?;
    let full = "the largest message returned whole, where its sender asks (RET=FULL)";
    line(out, "full", &quoted(size_text(own.full)), full)?;
    let languages =
        "for senders in these domains, like \"example.nl: nl\"; else as the message says";
    line(out, "languages", &list(&own.languages), languages)
}
