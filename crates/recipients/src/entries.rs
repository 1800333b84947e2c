//! The text of a table's file: lines as in aliases(5).

use std::collections::HashMap;

use crate::table::Entry;

/// An entry, with its key in lower case.
pub type Line = (String, Entry);

/// A line that is no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct EntryProblem {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads the entries of a file: `key: value` or `key value`, one a line. A line that begins with white
/// space goes on with the one before; empty lines and those that begin with `#` say nothing. A key with
/// blanks or a colon stands in double quotes.
pub fn entries(text: &str) -> Result<Vec<Line>, EntryProblem> {
    let mut found: Vec<Line> = Vec::new();
    let mut lines: HashMap<String, u32> = HashMap::new();
    for (number, logical) in logical_lines(text)? {
        let problem = |problem: String| EntryProblem {
            line: number,
            problem,
        };
        let (key, value) = split(&logical).map_err(|p| problem(p.to_owned()))?;
        let key = key.to_lowercase();
        if let Some(first) = lines.insert(key.clone(), number) {
            return Err(problem(format!(
                "`{key}` has an entry already, in line {first}"
            )));
        }
        let entry = Entry {
            value: value.to_owned(),
            line: Some(number),
        };
        found.push((key, entry));
    }
    Ok(found)
}

/// Reads an included list: targets, separated by commas or line ends.
#[must_use]
pub fn include(text: &str) -> String {
    let plain = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let plain = plain.map(|line| line.trim_end_matches(','));
    plain.collect::<Vec<_>>().join(", ")
}

fn logical_lines(text: &str) -> Result<Vec<(u32, String)>, EntryProblem> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            lines.push((number, trimmed.to_owned()));
        } else if let Some((_, before)) = lines.last_mut() {
            before.push(' ');
            before.push_str(trimmed);
        } else {
            return Err(EntryProblem {
                line: number,
                problem: "it goes on with a line that is not there: begin it at the margin".into(),
            });
        }
    }
    Ok(lines)
}

/// The key and the value of a line.
fn split(line: &str) -> Result<(&str, &str), &'static str> {
    if let Some(quoted) = line.strip_prefix('"') {
        let (key, rest) = quoted
            .split_once('"')
            .ok_or("the key's quote is not closed")?;
        let rest = rest.trim_start();
        return Ok((key, rest.strip_prefix(':').unwrap_or(rest).trim()));
    }
    let end = line.find([':', ' ', '\t']).unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    if key.is_empty() {
        return Err("the key is missing: write `name: value`");
    }
    let rest = rest.trim_start();
    Ok((key, rest.strip_prefix(':').unwrap_or(rest).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, u32)> {
        let read = entries(text).unwrap().into_iter();
        read.map(|(key, entry)| (key, entry.value, entry.line.unwrap()))
            .collect()
    }

    #[test]
    fn lines_are_read_as_in_aliases_5() {
        let text = "# who is who\n\nInfo: anna,\n   bert\n\t# not this\n   , carla\npostmaster anna\n\
                    @a.example  :  anna\n\"odd name\": bert\nempty:\n";
        let expected = [
            ("info", "anna, bert , carla", 3),
            ("postmaster", "anna", 7),
            ("@a.example", "anna", 8),
            ("odd name", "bert", 9),
            ("empty", "", 10),
        ];
        let expected = expected.map(|(k, v, n)| (k.to_owned(), v.to_owned(), n));
        assert_eq!(read(text), expected);
        assert!(read("").is_empty());
    }

    #[test]
    fn what_is_no_entry_is_told_with_its_line() {
        for (text, line, says) in [
            ("a: b\n  c\nA: d\n", 3, "in line 1"),
            (" a: b\n", 1, "begin it at the margin"),
            ("a: b\n: c\n", 2, "the key is missing"),
            ("\"a: b\n", 1, "not closed"),
        ] {
            let problem = entries(text).unwrap_err();
            assert_eq!(problem.line, line, "{text}");
            assert!(problem.to_string().contains(says), "{problem}");
        }
    }

    #[test]
    fn an_included_list_has_its_targets_on_lines_or_between_commas() {
        assert_eq!(include("a@x, b@y\n\n# no\nc@z,\n"), "a@x, b@y, c@z");
    }
}
