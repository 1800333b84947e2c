//! What is wrong with a file, where, and what is allowed there.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem<K> {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What.
    pub kind: K,
}

/// What can be wrong with some kind of file: displayed as a title, and with what to do.
pub trait Explained: fmt::Display + From<Written> {
    /// Whether the file can be used all the same.
    fn is_warning(&self) -> bool {
        false
    }

    /// What to do.
    fn help(&self) -> Option<String>;
}

/// What can be wrong with any file.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// The text is no TOML.
    Syntax(String),
    /// There is no such section.
    UnknownSection {
        /// The name as written.
        name: String,
        /// The names there are.
        known: &'static [&'static str],
    },
    /// The section has no such key.
    UnknownKey {
        /// The section.
        section: &'static str,
        /// The key as written.
        key: String,
        /// The keys there are.
        known: &'static [&'static str],
    },
    /// The value is of the wrong kind.
    WrongKind {
        /// What was written.
        found: &'static str,
        /// What is wanted, with an example.
        wanted: &'static str,
    },
    /// The number is too small or too large.
    OutOfRange {
        /// The smallest allowed.
        least: u64,
        /// The largest allowed.
        most: u64,
    },
    /// The text is no duration.
    NotADuration,
    /// The text is no size.
    NotASize,
    /// The text is no rate.
    NotARate,
    /// The text is not one of those allowed.
    NotOneOf {
        /// Those allowed.
        allowed: &'static [&'static str],
    },
    /// At least one is needed.
    Empty,
}

impl Explained for Written {
    fn help(&self) -> Option<String> {
        match self {
            Written::Syntax(_) => None,
            Written::UnknownSection { name, known } => Some(suggestion(name, known, "sections")),
            Written::UnknownKey { key, known, .. } => Some(suggestion(key, known, "keys")),
            Written::WrongKind { wanted, .. } => Some(format!("write {wanted}")),
            Written::OutOfRange { least, most } => Some(format!("write a number from {least} to {most}")),
            Written::NotADuration => Some("write a number and a unit in quotes: \"500ms\", \"30s\", \"5m\", \"4h\" or \"5d\"".into()),
            Written::NotASize => Some("write a number and a unit in quotes: \"64 KiB\", \"50 MiB\", \"1 GiB\" or \"10 MB\"; or bytes as a plain number".into()),
            Written::NotARate => Some("write how many in which time, in quotes: \"60/1m\" is 60 in a minute, \"5000/1d\" 5000 in a day; \"none\" is no limit".into()),
            Written::NotOneOf { allowed } => Some(format!("write one of: {}", quoted(allowed))),
            Written::Empty => Some("name at least one, or leave the key out for the default".into()),
        }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Syntax(message) => f.write_str(message),
            Written::UnknownSection { name, .. } => write!(f, "there is no section [{name}]"),
            Written::UnknownKey { section, key, .. } => {
                write!(f, "[{section}] has no key `{key}`")
            }
            Written::WrongKind { found, .. } => write!(f, "this is {found}"),
            Written::OutOfRange { .. } => f.write_str("the number is out of range"),
            Written::NotADuration => f.write_str("this is no duration"),
            Written::NotASize => f.write_str("this is no size"),
            Written::NotARate => f.write_str("this is no rate"),
            Written::NotOneOf { .. } => f.write_str("this is not one of the values"),
            Written::Empty => f.write_str("the list is empty"),
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// The name that was probably meant, and all there are.
#[must_use]
pub fn suggestion(written: &str, known: &[&str], what: &str) -> String {
    let near = known
        .iter()
        .map(|name| (distance(written, name), name))
        .min();
    let all = known.join(", ");
    match near {
        Some((distance, name)) if distance <= 2.max(written.len() / 3) => {
            format!("did you mean `{name}`? The {what} are: {all}")
        }
        _ => format!("the {what} are: {all}"),
    }
}

/// How many letters must be changed, added or left out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Errors<K>(pub Vec<Problem<K>>);

impl<K: Explained> Errors<K> {
    /// These.
    #[must_use]
    pub fn new(problems: Vec<Problem<K>>) -> Errors<K> {
        Errors(problems)
    }

    /// The problems for people: for each the line, a caret under the place, and what is allowed.
    #[must_use]
    pub fn render(&self, name: &str, text: &str, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let rendered = self
            .0
            .iter()
            .map(|problem| render_one(problem, name, text, &renderer));
        rendered.collect::<Vec<_>>().join("\n\n")
    }
}

fn render_one<K: Explained>(
    problem: &Problem<K>,
    name: &str,
    text: &str,
    renderer: &Renderer,
) -> String {
    let level = if problem.kind.is_warning() {
        Level::WARNING
    } else {
        Level::ERROR
    };
    let span = within(text, &problem.span);
    let place = Snippet::source(text)
        .path(name)
        .annotation(AnnotationKind::Primary.span(span));
    let mut group = level.primary_title(problem.kind.to_string()).element(place);
    if let Some(help) = problem.kind.help() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// A range that lies in the text, on the borders of characters.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}
