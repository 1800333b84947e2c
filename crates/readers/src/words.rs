//! Text gathered from an input, which knows where each of its bytes came from.

use crate::Span;

/// A stretch of text and the bytes of the input that it came from. Where both are of the same length,
/// byte stands for byte; else (a decoded stretch) all of it stands for all of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    start: usize,
    end: usize,
    origin: Span,
}

/// Text with origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
    pieces: Vec<Piece>,
}

impl Words {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds text that came from these bytes.
    pub fn push(&mut self, text: &str, origin: Span) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece {
            start,
            end: self.text.len(),
            origin,
        });
    }

    /// Adds what stands at `at` in the input as UTF-8, with anything else replaced.
    pub fn push_bytes(&mut self, bytes: &[u8], at: usize) {
        for chunk in bytes.utf8_chunks() {
            let offset = at + chunk.valid().as_ptr().addr() - bytes.as_ptr().addr();
            let end = offset + chunk.valid().len();
            self.push(chunk.valid(), (offset, end));
            if !chunk.invalid().is_empty() {
                self.push("\u{fffd}", (end, end + chunk.invalid().len()));
            }
        }
    }

    /// Adds a space between two stretches, unless there is one already; it came from nowhere.
    pub fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }

    /// Adds other words after a space.
    pub fn append(&mut self, other: &Words) {
        self.space();
        let by = self.text.len();
        self.text.push_str(&other.text);
        self.pieces.extend(other.pieces.iter().map(|piece| Piece {
            start: piece.start + by,
            end: piece.end + by,
            origin: piece.origin,
        }));
    }

    /// Where a stretch of the text stands in the input: from the origin of its first byte to that of
    /// its last.
    #[must_use]
    pub fn origin(&self, (start, end): Span) -> Option<Span> {
        let touched = |piece: &&Piece| piece.start < end && start < piece.end;
        let mut pieces = self.pieces.iter().filter(touched);
        let first = pieces.next()?;
        let last = pieces.next_back().unwrap_or(first);
        let from = match first.is_exact() {
            true => first.origin.0 + start.saturating_sub(first.start),
            false => first.origin.0,
        };
        let to = match last.is_exact() {
            true => last.origin.0 + end.min(last.end) - last.start,
            false => last.origin.1,
        };
        Some((from, to.max(from)))
    }
}

impl Piece {
    const fn is_exact(&self) -> bool {
        self.end - self.start == self.origin.1 - self.origin.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_gathered_text_leads_back_to_the_input() {
        let input = "550 5.1.1 no such\r\n user here";
        let mut words = Words::default();
        words.push("no such", (10, 17));
        words.space();
        words.push("user here", (20, 29));
        assert_eq!(words.text(), "no such user here");
        let at = words.text().find("such user").unwrap();
        let (from, to) = words.origin((at, at + "such user".len())).unwrap();
        assert_eq!(&input[from..to], "such\r\n user");
    }

    #[test]
    fn a_decoded_stretch_stands_for_all_of_its_bytes() {
        let mut words = Words::default();
        words.push("café", (0, 7));
        words.push(" full", (7, 12));
        assert_eq!(words.origin((0, 2)), Some((0, 7)));
        assert_eq!(words.origin((6, 8)), Some((8, 10)));
        assert_eq!(words.origin((50, 60)), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_keep_their_place() {
        let mut words = Words::default();
        words.push_bytes(b"full\xffbox", 100);
        assert_eq!(words.text(), "full\u{fffd}box");
        let at = words.text().find("box").unwrap();
        assert_eq!(words.origin((at, at + 3)), Some((105, 108)));
    }
}
