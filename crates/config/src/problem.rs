//! What is wrong with a file, where, and what is allowed there.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use queue::route::ParseNextHopError;

use crate::Network;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What.
    pub kind: ProblemKind,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum ProblemKind {
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
    /// The text is no address with a port.
    NotAnAddress,
    /// The text is no network.
    NotANetwork,
    /// The prefix length is wrong.
    PrefixTooLong {
        /// The largest for this kind of address.
        most: u8,
    },
    /// Bits beyond the prefix are set.
    HostBits {
        /// The network that contains the address.
        meant: Network,
    },
    /// The text is no next hop.
    NextHop(ParseNextHopError),
    /// The key of a route is no domain.
    NotADomain,
    /// The text is no host name.
    NotAHostname,
    /// The text is no address, or has a port.
    NotAnAddressAlone,
    /// The text is no block list.
    NotABlockList,
    /// The text is not one of those allowed.
    NotOneOf {
        /// Those allowed.
        allowed: &'static [&'static str],
    },
    /// At least one is needed.
    Empty,
    /// Allowed, and without effect in this version.
    NotYet {
        /// What is not there.
        what: &'static str,
    },
}

impl ProblemKind {
    fn is_warning(&self) -> bool {
        matches!(self, ProblemKind::NotYet { .. })
    }

    /// What to do.
    fn help(&self) -> Option<String> {
        match self {
            ProblemKind::Syntax(_) => None,
            ProblemKind::UnknownSection { name, known } => Some(suggestion(name, known, "sections")),
            ProblemKind::UnknownKey { key, known, .. } => Some(suggestion(key, known, "keys")),
            ProblemKind::WrongKind { wanted, .. } => Some(format!("write {wanted}")),
            ProblemKind::OutOfRange { least, most } => Some(format!("write a number from {least} to {most}")),
            ProblemKind::NotADuration => Some("write a number and a unit in quotes: \"500ms\", \"30s\", \"5m\", \"4h\" or \"5d\"".into()),
            ProblemKind::NotASize => Some("write a number and a unit in quotes: \"64 KiB\", \"50 MiB\", \"1 GiB\" or \"10 MB\"; or bytes as a plain number".into()),
            ProblemKind::NotAnAddress => Some("write an address and a port in quotes: \"127.0.0.1:2525\" or \"[::1]:2525\"; names are not looked up here".into()),
            ProblemKind::NotANetwork => Some("write an address and a prefix length in quotes: \"192.0.2.0/24\" or \"2001:db8::/32\"".into()),
            ProblemKind::PrefixTooLong { most } => Some(format!("write a prefix length from 0 to {most}")),
            ProblemKind::HostBits { meant } => Some(format!("the network is \"{meant}\"; one address alone is written without a prefix length")),
            ProblemKind::NextHop(_) => None,
            ProblemKind::NotADomain => Some("write \"example.org\" (that domain), \".example.org\" (all below it) or \"*\" (all others)".into()),
            ProblemKind::NotAHostname => Some("write a full name like \"mail.example.org\"".into()),
            ProblemKind::NotAnAddressAlone => Some("write an address in quotes, without a port: \"192.0.2.25\" or \"2001:db8::25\"".into()),
            ProblemKind::NotABlockList => Some("write its zone in quotes: \"zen.spamhaus.org\"; before one that lists domains, \"domain:\"".into()),
            ProblemKind::NotOneOf { allowed } => Some(format!("write one of: {}", quoted(allowed))),
            ProblemKind::Empty => Some("name at least one, or leave the key out for the default".into()),
            ProblemKind::NotYet { .. } => None,
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::Syntax(message) => f.write_str(message),
            ProblemKind::UnknownSection { name, .. } => write!(f, "there is no section [{name}]"),
            ProblemKind::UnknownKey { section, key, .. } => {
                write!(f, "[{section}] has no key `{key}`")
            }
            ProblemKind::WrongKind { found, .. } => write!(f, "this is {found}"),
            ProblemKind::OutOfRange { .. } => f.write_str("the number is out of range"),
            ProblemKind::NotADuration => f.write_str("this is no duration"),
            ProblemKind::NotASize => f.write_str("this is no size"),
            ProblemKind::NotAnAddress => f.write_str("this is no address with a port"),
            ProblemKind::NotANetwork => f.write_str("this is no network"),
            ProblemKind::PrefixTooLong { .. } => f.write_str("the prefix length is wrong"),
            ProblemKind::HostBits { .. } => {
                f.write_str("this is an address within a network, not a network")
            }
            ProblemKind::NextHop(error) => write!(f, "{error}"),
            ProblemKind::NotADomain => f.write_str("this is no domain"),
            ProblemKind::NotAHostname => f.write_str("this is no host name"),
            ProblemKind::NotAnAddressAlone => f.write_str("this is no address"),
            ProblemKind::NotABlockList => f.write_str("this is no block list"),
            ProblemKind::NotOneOf { .. } => f.write_str("this is not one of the values"),
            ProblemKind::Empty => f.write_str("the list is empty"),
            ProblemKind::NotYet { what } => {
                write!(f, "{what} is not there yet: this has no effect")
            }
        }
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// The name that was probably meant, and all there are.
fn suggestion(written: &str, known: &[&str], what: &str) -> String {
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
pub struct Errors(pub Vec<Problem>);

impl Errors {
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

fn render_one(problem: &Problem, name: &str, text: &str, renderer: &Renderer) -> String {
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
