//! The forms in which header and body are signed (RFC 6376 §3.4).

/// How much a change on the way matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Canonicalization {
    /// None may happen (§3.4.1, §3.4.3).
    Simple,
    /// White space may change (§3.4.2, §3.4.4).
    #[default]
    Relaxed,
}

impl Canonicalization {
    /// The name, as in `c=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Canonicalization::Simple => "simple",
            Canonicalization::Relaxed => "relaxed",
        }
    }

    /// A header field with the CRLF at its end.
    pub(crate) fn field(self, field: &[u8], out: &mut Vec<u8>) {
        match self {
            Canonicalization::Simple => out.extend_from_slice(field),
            Canonicalization::Relaxed => {
                relaxed_field(field, out);
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// The field that signs, whose `b=` is empty and which has no CRLF at its end (§3.7).
    pub(crate) fn signature(self, field: &[u8], out: &mut Vec<u8>) {
        match self {
            Canonicalization::Simple => out.extend_from_slice(field),
            Canonicalization::Relaxed => relaxed_field(field, out),
        }
    }
}

/// RFC 6376 §3.4.2.
fn relaxed_field(field: &[u8], out: &mut Vec<u8>) {
    let colon = field.iter().position(|byte| *byte == b':');
    let (name, value) = field.split_at(colon.unwrap_or(field.len()));
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let mut space = false;
    let mut begun = false;
    for byte in value.get(1..).unwrap_or_default() {
        match byte {
            b'\r' | b'\n' => {}
            b' ' | b'\t' => space = true,
            byte => {
                if std::mem::take(&mut space) && begun {
                    out.push(b' ');
                }
                begun = true;
                out.push(*byte);
            }
        }
    }
}

/// A body on its way into a hash.
#[derive(Debug)]
pub(crate) struct Body {
    relaxed: bool,
    /// Empty lines, and the end of the line before them, that count only if something follows.
    line_ends: usize,
    space: bool,
    carriage_return: bool,
    begun: bool,
    /// What has come of the piece in hand.
    out: Vec<u8>,
}

impl Body {
    pub(crate) fn new(form: Canonicalization) -> Body {
        Body {
            relaxed: form == Canonicalization::Relaxed,
            line_ends: 0,
            space: false,
            carriage_return: false,
            begun: false,
            out: Vec::new(),
        }
    }

    /// The next piece in its form.
    pub(crate) fn piece(&mut self, piece: &[u8]) -> &[u8] {
        self.out.clear();
        for byte in piece {
            if std::mem::take(&mut self.carriage_return) {
                if *byte == b'\n' {
                    // §3.4.4: white space at the end of a line is ignored.
                    self.space = false;
                    self.line_ends += 1;
                    continue;
                }
                self.content(b'\r');
            }
            match byte {
                b'\r' => self.carriage_return = true,
                b' ' | b'\t' if self.relaxed => self.space = true,
                byte => self.content(*byte),
            }
        }
        &self.out
    }

    fn content(&mut self, byte: u8) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.out.extend_from_slice(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.out.push(b' ');
        }
        self.begun = true;
        self.out.push(byte);
    }

    /// The end: empty lines there count for nothing, and the last line has an end.
    pub(crate) fn end(&mut self) -> &[u8] {
        self.out.clear();
        if std::mem::take(&mut self.carriage_return) {
            self.content(b'\r');
        }
        // §3.4.3: an empty body is one CRLF; §3.4.4: it is nothing.
        if self.begun || !self.relaxed {
            self.out.extend_from_slice(b"\r\n");
        }
        &self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(form: Canonicalization, pieces: &[&[u8]]) -> String {
        let mut body = Body::new(form);
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(body.piece(piece));
        }
        out.extend_from_slice(body.end());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc_come_out_as_there() {
        // RFC 6376 §3.4.5.
        let header = [&b"A: X\r\n"[..], b"B : Y\t\r\n\tZ  \r\n"];
        let mut out = Vec::new();
        for field in header {
            Canonicalization::Relaxed.field(field, &mut out);
        }
        assert_eq!(out, b"a:X\r\nb:Y Z\r\n");
        let lines: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(body(Canonicalization::Relaxed, &[lines]), " C\r\nD E\r\n");
        assert_eq!(
            body(Canonicalization::Simple, &[lines]),
            " C \r\nD \t E\r\n"
        );
    }

    #[test]
    fn an_empty_body_is_nothing_or_one_line_end() {
        for empty in [&b""[..], b"\r\n", b"\r\n\r\n\r\n"] {
            assert_eq!(body(Canonicalization::Relaxed, &[empty]), "");
            assert_eq!(body(Canonicalization::Simple, &[empty]), "\r\n");
        }
        assert_eq!(body(Canonicalization::Relaxed, &[b" \t\r\n \r\n"]), "");
    }

    #[test]
    fn it_does_not_matter_where_the_pieces_are_cut() {
        let text = b"a \t b\r\n\r\n \t\r\nc \rd\r\n e\r\n\r\n";
        for form in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let whole = body(form, &[text]);
            for at in 0..text.len() {
                let (one, two) = text.split_at(at);
                assert_eq!(body(form, &[one, two]), whole, "{at}");
            }
        }
    }
}
