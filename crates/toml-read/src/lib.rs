//! Reading a TOML file key by key: all that is wrong with it is found at once, and each problem has
//! its place and says what is allowed there.
//!
//! This crate does no I/O and knows no file: [`Section`] reads keys into values, [`Found`] gathers the
//! problems, [`Errors::render`] shows them with the line and a caret. What is wrong with one kind of
//! file alone is a type of that file's reader, which is [`Explained`] and made from [`Written`].

mod problem;
mod section;
mod value;

use toml::Spanned;
use toml::de::DeTable;

pub use problem::{Errors, Explained, Problem, Written, suggestion};
pub use section::{Found, Section, wrong_kind};
pub use value::{Rate, duration, duration_text, rate, rate_text, size, size_text};

/// Reads the text as TOML. `Err` has every error of syntax.
pub fn parse<K: Explained>(text: &str) -> Result<Spanned<DeTable<'_>>, Errors<K>> {
    let (root, syntax) = DeTable::parse_recoverable(text);
    if syntax.is_empty() {
        return Ok(root);
    }
    let problem = |error: &toml::de::Error| Problem {
        span: error.span().unwrap_or(0..0),
        kind: Written::Syntax(error.message().to_owned()).into(),
    };
    Err(Errors(syntax.iter().map(problem).collect()))
}

/// Notes the sections that there are not.
pub fn check_sections<K: Explained>(
    root: &DeTable<'_>,
    known: &'static [&'static str],
    found: &mut Found<K>,
) {
    for name in root.keys() {
        if !known.contains(&name.get_ref().as_ref()) {
            let kind = Written::UnknownSection {
                name: name.get_ref().to_string(),
                known,
            };
            found.error(name.span(), kind);
        }
    }
}
