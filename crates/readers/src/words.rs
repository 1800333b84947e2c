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

    /// The stretches: where each begins and ends in the text, and its place in the input.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (usize, usize, Span)> + '_ {
        self.pieces.iter().map(|p| (p.start, p.end, p.origin))
    }

    /// Adds text that came from these bytes.
    pub fn push(&mut self, text: &str, origin: Span) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        let piece = Piece {
            start,
            end: self.text.len(),
            origin,
        };
        match self.pieces.last_mut() {
            // What goes on where the last stretch ended is one stretch with it.
            Some(last) if last.goes_on_in(&piece) => {
                last.end = piece.end;
                last.origin.1 = piece.origin.1;
            }
            Some(_) | None => self.pieces.push(piece),
        }
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

    /// Begins a new line, unless one begins here; its end came from nowhere.
    pub(crate) fn line_end(&mut self) {
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        self.cut();
        self.text.push('\n');
    }

    /// Forgets the places of text that was taken away.
    fn cut(&mut self) {
        let length = self.text.len();
        while let Some(last) = self.pieces.last_mut() {
            if last.end <= length {
                return;
            }
            if last.start >= length {
                self.pieces.pop();
                continue;
            }
            if last.is_exact() {
                last.origin.1 -= last.end - length;
            }
            last.end = length;
        }
    }

    /// Adds other words after a space.
    pub fn append(&mut self, other: &Words) {
        self.space();
        self.append_as_is(other);
    }

    /// Adds other words directly.
    pub(crate) fn append_as_is(&mut self, other: &Words) {
        let by = self.text.len();
        self.text.push_str(&other.text);
        self.pieces.extend(other.pieces.iter().map(|piece| Piece {
            start: piece.start + by,
            end: piece.end + by,
            origin: piece.origin,
        }));
    }

    /// A stretch of the words, which knows its places too. Ends that are not between characters are
    /// moved back to where one begins.
    #[must_use]
    pub fn slice(&self, (start, end): Span) -> Words {
        let (start, end) = (self.floor(start), self.floor(end));
        let mut slice = Words::default();
        if start >= end {
            return slice;
        }
        slice.text.push_str(&self.text[start..end]);
        let first = self.pieces.partition_point(|piece| piece.end <= start);
        for piece in &self.pieces[first..] {
            if piece.start >= end {
                break;
            }
            let (from, to) = (piece.start.max(start), piece.end.min(end));
            let origin = match piece.is_exact() {
                true => (
                    piece.origin.0 + from - piece.start,
                    piece.origin.0 + to - piece.start,
                ),
                false => piece.origin,
            };
            slice.pieces.push(Piece {
                start: from - start,
                end: to - start,
                origin,
            });
        }
        slice
    }

    /// The place of the first character at or before `at`.
    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// Where a stretch of the text stands in the input: from the origin of its first byte to that of
    /// its last.
    #[must_use]
    pub fn origin(&self, (start, end): Span) -> Option<Span> {
        let from = self.pieces.partition_point(|piece| piece.end <= start);
        let to = self.pieces.partition_point(|piece| piece.start < end);
        let touched = self.pieces.get(from..to)?;
        let (first, last) = (touched.first()?, touched.last()?);
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
    /// Whether another stands directly behind this one, both in the text and in the input.
    const fn goes_on_in(&self, next: &Piece) -> bool {
        self.is_exact()
            && next.is_exact()
            && self.end == next.start
            && self.origin.1 == next.origin.0
    }

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
    fn a_slice_keeps_its_places() {
        let mut words = Words::default();
        words.push("host said: ", (100, 111));
        words.push("é", (111, 117));
        words.push("550 full", (117, 125));
        let slice = words.slice((5, words.text().len() - 5));
        assert_eq!(slice.text(), "said: é550");
        assert_eq!(slice.origin((0, 4)), Some((105, 109)));
        assert_eq!(slice.origin((8, 11)), Some((117, 120)));
        assert_eq!(words.slice((9, 4)), Words::default());
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
