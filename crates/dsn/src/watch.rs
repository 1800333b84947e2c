//! Some fields of a header, read as the content streams by.

use memchr::memchr;

/// Bytes kept of one field: more than any value that one compares with.
const KEPT: usize = 2_000;

/// Watches content go by until the header ends, and keeps the fields of some names. Holds at most one
/// line and one field besides them.
#[derive(Debug, Default)]
pub struct FieldWatch {
    names: Vec<String>,
    found: Vec<(String, String)>,
    line: Vec<u8>,
    field: Option<Vec<u8>>,
    ended: bool,
}

/// Fields that are kept, at most.
const MOST: usize = 100;

impl FieldWatch {
    /// Watches for fields of these names, whatever their case.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>) -> FieldWatch {
        let names: Vec<String> = names.into_iter().collect();
        FieldWatch {
            ended: names.is_empty(),
            names,
            ..FieldWatch::default()
        }
    }

    /// The next piece of the content, cut anywhere.
    pub fn watch(&mut self, mut piece: &[u8]) {
        while !self.ended && !piece.is_empty() {
            let end = memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (head, tail) = piece.split_at(end);
            keep(&mut self.line, head);
            if head.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.line(&line);
            }
            piece = tail;
        }
    }

    /// The fields that were found: each name as written, its value unfolded and without white space
    /// around it.
    #[must_use]
    pub fn end(mut self) -> Vec<(String, String)> {
        if !self.ended {
            let line = std::mem::take(&mut self.line);
            self.line(&line);
            self.close();
        }
        self.found
    }

    fn line(&mut self, line: &[u8]) {
        match line.first() {
            // RFC 5322 §2.2.3: a line that begins with white space continues the field.
            Some(b' ' | b'\t') => {
                if let Some(field) = &mut self.field {
                    keep(field, line);
                }
            }
            _ => {
                self.close();
                match memchr(b':', line) {
                    Some(colon) if self.is_wanted(&line[..colon]) => {
                        self.field = Some(line.to_vec());
                    }
                    Some(_) => {}
                    // The empty line, or a body without a header.
                    None => self.ended = !line.starts_with(b"From "),
                }
            }
        }
    }

    fn is_wanted(&self, name: &[u8]) -> bool {
        let name = name.trim_ascii_end();
        let mut names = self.names.iter();
        self.found.len() < MOST && names.any(|n| n.as_bytes().eq_ignore_ascii_case(name))
    }

    fn close(&mut self) {
        let Some(field) = self.field.take() else {
            return;
        };
        let text = String::from_utf8_lossy(&field);
        if let Some((name, value)) = text.split_once(':') {
            // RFC 5322 §2.2.3: unfolding takes out the line ends alone.
            let value = value.replace(['\r', '\n'], "");
            let (name, value) = (name.trim_end().to_owned(), value.trim().to_owned());
            self.found.push((name, value));
        }
    }
}

fn keep(into: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT.saturating_sub(into.len());
    into.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], content: &[u8], step: usize) -> Vec<(String, String)> {
        let mut watch = FieldWatch::new(names.iter().map(|n| (*n).to_owned()));
        content.chunks(step).for_each(|piece| watch.watch(piece));
        watch.end()
    }

    #[test]
    fn fields_are_found_however_the_content_is_cut_and_only_in_the_header() {
        let content =
            b"From: a\r\nX-STREAM:\r\n  bulk\r\n\tmail \r\nX-Streams: no\r\n\r\nX-Stream: body\r\n";
        for step in [1, 2, 7, 1000] {
            let found = found(&["x-stream"], content, step);
            let [(name, value)] = &found[..] else {
                panic!("{found:?}")
            };
            assert_eq!((name.as_str(), value.as_str()), ("X-STREAM", "bulk\tmail"));
        }
        let cut = found(&["x"], b"X: without an end", 5);
        assert_eq!(cut, [("X".to_owned(), "without an end".to_owned())]);
        assert!(found(&[], content, 9).is_empty());
    }
}
