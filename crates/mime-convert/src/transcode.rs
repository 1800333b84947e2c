//! Text in any character set and encoding, read piece by piece and given out in UTF-8.

use encoding_rs::{Decoder, Encoding as Charset};

use crate::entity::Declared;

/// Reads a body.
pub(crate) struct Transcoder {
    encoded: Declared,
    charset: Decoder,
    /// Quoted-printable: what came of a `=` that is not at its end. Base64: bits that make no byte yet.
    pending: Vec<u8>,
    bits: u32,
    count: u8,
}

impl std::fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcoder").finish_non_exhaustive()
    }
}

impl Transcoder {
    pub(crate) fn new(from: &'static Charset, encoded: Declared) -> Transcoder {
        Transcoder {
            encoded,
            charset: from.new_decoder_without_bom_handling(),
            pending: Vec::new(),
            bits: 0,
            count: 0,
        }
    }

    /// The next piece in UTF-8; `last` ends the text.
    pub(crate) fn feed(&mut self, piece: &[u8], last: bool) -> String {
        let mut bytes = Vec::with_capacity(piece.len());
        match self.encoded {
            Declared::QuotedPrintable => self.unquote(piece, last, &mut bytes),
            Declared::Base64 => self.unbase64(piece, &mut bytes),
            Declared::SevenBit | Declared::EightBit | Declared::Binary | Declared::Other => {
                bytes.extend_from_slice(piece);
            }
        }
        let most = self
            .charset
            .max_utf8_buffer_length(bytes.len())
            .unwrap_or(0);
        let mut text = String::with_capacity(most);
        // The string has room for all that can come, so that one call does it.
        let _ = self.charset.decode_to_string(&bytes, &mut text, last);
        text
    }

    fn unquote(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        for &byte in piece {
            if self.pending.is_empty() && byte != b'=' {
                out.push(byte);
                continue;
            }
            self.pending.push(byte);
            match self.pending[..] {
                [b'='] | [b'=', b'\r'] => {}
                [b'=', b'\r', b'\n'] => self.pending.clear(),
                [b'=', high] if high.is_ascii_hexdigit() => {}
                [b'=', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
                    out.push(digit(high) << 4 | digit(low));
                    self.pending.clear();
                }
                // RFC 2045 §6.7: what is no quoting is left as it is.
                _ => out.append(&mut self.pending),
            }
        }
        if last {
            out.append(&mut self.pending);
        }
    }

    fn unbase64(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => {
                    (self.bits, self.count) = (0, 0);
                    continue;
                }
                _ => continue,
            };
            self.bits = self.bits << 6 | u32::from(six);
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                out.push((self.bits >> self.count & 0xff) as u8);
                self.bits &= (1 << self.count) - 1;
            }
        }
    }
}
