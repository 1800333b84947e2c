//! A program that takes mail: what it is given.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::ParseNextHopError;

/// A program and its arguments, split at spaces once and for all: no shell ever sees them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<Vec<Word>>,
}

/// A piece of an argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// As it is written.
    Text(String),
    /// The recipient's address.
    Recipient,
    /// Its local part.
    Local,
    /// Its domain.
    Domain,
    /// The reverse-path; empty for a report.
    Sender,
    /// The message's name in the queue.
    Id,
}

const PLACEHOLDERS: [(&str, Word); 5] = [
    ("recipient", Word::Recipient),
    ("local", Word::Local),
    ("domain", Word::Domain),
    ("sender", Word::Sender),
    ("id", Word::Id),
];

impl Command {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The arguments, with what `value` gives in place of each placeholder.
    #[must_use]
    pub fn arguments(&self, value: impl Fn(&Word) -> String) -> Vec<String> {
        let one = |words: &Vec<Word>| -> String {
            words
                .iter()
                .map(|word| match word {
                    Word::Text(text) => text.clone(),
                    asked => value(asked),
                })
                .collect()
        };
        self.arguments.iter().map(one).collect()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Text(text) => f.write_str(text),
            asked => {
                let name = PLACEHOLDERS.iter().find(|(_, word)| word == asked);
                write!(f, "{{{}}}", name.map_or("", |(name, _)| name))
            }
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        for argument in &self.arguments {
            f.write_str(" ")?;
            argument.iter().try_for_each(|word| write!(f, "{word}"))?;
        }
        Ok(())
    }
}

impl FromStr for Command {
    type Err = ParseNextHopError;

    fn from_str(text: &str) -> Result<Command, ParseNextHopError> {
        let mut words = text.split_ascii_whitespace();
        let program = PathBuf::from(words.next().unwrap_or_default());
        if !program.is_absolute() {
            return Err(ParseNextHopError::Path(format!("pipe:{text}")));
        }
        let arguments = words.map(argument).collect::<Result<_, _>>()?;
        Ok(Command { program, arguments })
    }
}

fn argument(text: &str) -> Result<Vec<Word>, ParseNextHopError> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let wrong = || ParseNextHopError::Placeholder(text.to_owned());
        let (name, after) = after.split_once('}').ok_or_else(wrong)?;
        let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
        if !before.is_empty() {
            words.push(Word::Text(before.to_owned()));
        }
        words.push(known.ok_or_else(wrong)?.1.clone());
        rest = after;
    }
    if !rest.is_empty() {
        words.push(Word::Text(rest.to_owned()));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_an_address_never_makes_another_argument() {
        let command: Command = "/bin/deliver  -d {recipient} --from=<{sender}>"
            .parse()
            .unwrap();
        let given = command.arguments(|word| match word {
            Word::Recipient => "\"a b; rm -rf\"@example.org".to_owned(),
            _ => String::new(),
        });
        assert_eq!(given, ["-d", "\"a b; rm -rf\"@example.org", "--from=<>"]);
        assert_eq!(
            command.to_string(),
            "/bin/deliver -d {recipient} --from=<{sender}>"
        );
    }
}
