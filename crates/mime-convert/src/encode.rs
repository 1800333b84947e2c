//! Quoted-printable and base64 (RFC 2045 §6.7, §6.8), written piece by piece.

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    QuotedPrintable,
    Base64,
}

impl Encoding {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Encoding::QuotedPrintable => "quoted-printable",
            Encoding::Base64 => "base64",
        }
    }
}

/// Writes a body in one of the encodings.
#[derive(Debug)]
pub(crate) enum Encoder {
    QuotedPrintable(QuotedPrintable),
    Base64(Base64),
}

impl Encoder {
    pub(crate) fn new(encoding: Encoding) -> Encoder {
        match encoding {
            Encoding::QuotedPrintable => Encoder::QuotedPrintable(QuotedPrintable::default()),
            Encoding::Base64 => Encoder::Base64(Base64::default()),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Encoder::QuotedPrintable(encoder) => encoder.feed(bytes, out),
            Encoder::Base64(encoder) => encoder.feed(bytes, out),
        }
    }

    /// Ends the body. Nothing more comes in this line.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Encoder::QuotedPrintable(encoder) => encoder.finish(out),
            Encoder::Base64(encoder) => encoder.finish(out),
        }
    }

    /// What ends the last line of the message, where its content ended in none.
    pub(crate) fn line_end(&self) -> &'static [u8] {
        match self {
            Encoder::QuotedPrintable(encoder) if encoder.column > 0 => b"=\r\n",
            Encoder::QuotedPrintable(_) => b"",
            Encoder::Base64(_) => b"\r\n",
        }
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// RFC 2045 §6.7: lines of 76 characters at most, a `=` at the end of those that go on.
#[derive(Debug, Default)]
pub(crate) struct QuotedPrintable {
    column: usize,
    /// White space that is written as it is unless the line ends after it.
    space: Option<u8>,
    cr: bool,
}

impl QuotedPrintable {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if std::mem::take(&mut self.cr) {
                if byte == b'\n' {
                    self.flush_space(true, out);
                    out.extend_from_slice(b"\r\n");
                    self.column = 0;
                    continue;
                }
                self.flush_space(false, out);
                self.escaped(b'\r', out);
            }
            match byte {
                b'\r' => self.cr = true,
                b' ' | b'\t' => {
                    self.flush_space(false, out);
                    self.space = Some(byte);
                }
                b'!'..=b'~' if byte != b'=' => {
                    self.flush_space(false, out);
                    self.put(&[byte], out);
                }
                _ => {
                    self.flush_space(false, out);
                    self.escaped(byte, out);
                }
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let cr = std::mem::take(&mut self.cr);
        self.flush_space(!cr, out);
        if cr {
            self.escaped(b'\r', out);
        }
    }

    fn flush_space(&mut self, at_end: bool, out: &mut Vec<u8>) {
        match self.space.take() {
            Some(space) if at_end => self.escaped(space, out),
            Some(space) => self.put(&[space], out),
            None => {}
        }
    }

    fn escaped(&mut self, byte: u8, out: &mut Vec<u8>) {
        let (high, low) = (byte >> 4, byte & 15);
        self.put(&[b'=', HEX[high as usize], HEX[low as usize]], out);
    }

    fn put(&mut self, token: &[u8], out: &mut Vec<u8>) {
        if self.column + token.len() > 75 {
            out.extend_from_slice(b"=\r\n");
            self.column = 0;
        }
        out.extend_from_slice(token);
        self.column += token.len();
    }
}

/// RFC 2045 §6.8: lines of 76 characters.
#[derive(Debug, Default)]
pub(crate) struct Base64 {
    rest: Vec<u8>,
    column: usize,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Base64 {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() - self.rest.len() % 3;
        let rest = self.rest.split_off(whole);
        let whole = std::mem::replace(&mut self.rest, rest);
        for three in whole.chunks(3) {
            self.group(three, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.group(&rest, out);
        }
    }

    fn group(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.column == 76 {
            out.extend_from_slice(b"\r\n");
            self.column = 0;
        }
        let at = |n: usize| u32::from(bytes.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n > bytes.len() { b'=' } else { digit });
        }
        self.column += 4;
    }
}
