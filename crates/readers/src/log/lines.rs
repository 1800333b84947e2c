//! An input cut into lines, however it comes.

use super::LONGEST_LINE;

/// Holds the line that is not complete yet; of a very long one only as much as is read.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    /// The length of the line so far.
    length: usize,
    /// Where it begins in the input.
    at: usize,
}

impl Lines {
    /// Takes the next bytes; gives each line that they complete, and where it begins.
    pub(crate) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8], usize)) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let at = self.at;
            if self.length == 0 {
                line(&rest[..end], at);
                self.at += end + 1;
            } else {
                self.hold(&rest[..end]);
                line(&self.held, at);
                self.at += self.length + 1;
                self.held.clear();
                self.length = 0;
            }
            rest = &rest[end + 1..];
        }
        self.hold(rest);
    }

    /// There is no more: the last line may have no end.
    pub(crate) fn finish(&mut self, mut line: impl FnMut(&[u8], usize)) {
        if self.length > 0 {
            line(&self.held, self.at);
            self.at += self.length;
            self.held.clear();
            self.length = 0;
        }
    }

    fn hold(&mut self, part: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.held.len());
        self.held.extend_from_slice(&part[..part.len().min(room)]);
        self.length += part.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<(usize, Vec<u8>)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece, |line, at| found.push((at, line.to_vec())));
        }
        lines.finish(|line, at| found.push((at, line.to_vec())));
        found
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let whole = cut(&[b"one\n\ntwo\nthree"]);
        let starts: Vec<usize> = whole.iter().map(|(at, _)| *at).collect();
        assert_eq!(starts, [0, 4, 5, 9]);
        assert_eq!(cut(&[b"on", b"e\n", b"\ntw", b"", b"o\nthree"]), whole);
    }

    #[test]
    fn a_line_without_an_end_takes_bounded_memory() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.push(&[b'x'; 4096], |_, _| panic!("no line yet"));
        }
        assert_eq!(lines.held.len(), LONGEST_LINE);
        let mut starts = Vec::new();
        lines.push(b"\nnext\n", |line, at| starts.push((at, line.len())));
        assert_eq!(starts, [(0, LONGEST_LINE), (409_601, 4)]);
    }
}
