//! Text in lines, each with its place.

use std::ops::Range;

use crate::{Span, Words};

/// Words, cut into lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    words: Words,
    lines: Vec<Span>,
}

impl Text {
    /// Cuts words into lines. What ends a line belongs to none.
    pub(crate) fn new(words: Words) -> Text {
        let mut lines = Vec::new();
        let mut at = 0;
        for line in words.text().split_inclusive('\n') {
            lines.push((at, at + line.trim_end().len()));
            at += line.len();
        }
        Text { words, lines }
    }

    /// How many lines.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// All the text.
    pub(crate) fn as_str(&self) -> &str {
        self.words.text()
    }

    /// A line, without white space at its end; empty where there is none.
    pub(crate) fn line(&self, number: usize) -> &str {
        let (start, end) = self.lines.get(number).copied().unwrap_or_default();
        &self.words.text()[start..end]
    }

    /// Where a line begins in the text.
    pub(crate) fn start(&self, number: usize) -> usize {
        self.lines
            .get(number)
            .map_or(self.words.text().len(), |line| line.0)
    }

    /// A stretch of a line, with its place.
    pub(crate) fn words(&self, line: usize, within: Range<usize>) -> Words {
        let start = self.start(line);
        self.words.slice((start + within.start, start + within.end))
    }

    /// A stretch of the whole text.
    pub(crate) fn slice(&self, range: Range<usize>) -> Words {
        self.words.slice((range.start, range.end))
    }
}
