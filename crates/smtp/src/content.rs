//! The content of a message on its way: dots added for the transport and taken out again (RFC 5321
//! §4.5.2), chunks (RFC 3030), and what content must not have in it.

mod receive;

pub use receive::{ChunkReader, ContentProblem, DataReader, Received};

/// Puts content into the form that DATA carries: a dot is added before each line that begins with
/// one. Works on pieces cut anywhere.
#[derive(Clone, Copy, Debug)]
pub struct DotStuffer {
    /// The last bytes that were seen: whether the next byte begins a line.
    at_line_start: bool,
    after_cr: bool,
}

impl Default for DotStuffer {
    fn default() -> DotStuffer {
        DotStuffer {
            at_line_start: true,
            after_cr: false,
        }
    }
}

impl DotStuffer {
    /// Appends the stuffed form of `piece` to `out`. A bare CR or LF becomes CRLF: what follows it could
    /// pass for the end of the content with a laxer server.
    pub fn stuff(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        out.reserve(piece.len() + 16);
        let mut rest = piece;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            self.at_line_start = true;
            out.extend_from_slice(b"\r\n");
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        // What is neither written nor changed begins here.
        let mut from = 0;
        let mut at = 0;
        loop {
            if self.at_line_start && rest.get(at) == Some(&b'.') {
                out.extend_from_slice(&rest[from..at]);
                out.push(b'.');
                from = at;
            }
            self.at_line_start &= at >= rest.len();
            let Some(found) = memchr::memchr2(b'\r', b'\n', &rest[at..]) else {
                out.extend_from_slice(&rest[from..]);
                return;
            };
            let end = at + found;
            match (rest[end], rest.get(end + 1)) {
                (b'\r', Some(b'\n')) => at = end + 2,
                (b'\r', None) => {
                    out.extend_from_slice(&rest[from..end]);
                    self.after_cr = true;
                    return;
                }
                _ => {
                    out.extend_from_slice(&rest[from..end]);
                    out.extend_from_slice(b"\r\n");
                    at = end + 1;
                    from = at;
                }
            }
            self.at_line_start = true;
        }
    }

    /// Appends the end of the content: the final dot on a line of its own, after a CRLF where the
    /// content did not end in one.
    pub fn end(&self, out: &mut Vec<u8>) {
        if !self.at_line_start || self.after_cr {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut stuffer, mut out) = (DotStuffer::default(), Vec::new());
        for piece in pieces {
            stuffer.stuff(piece, &mut out);
        }
        stuffer.end(&mut out);
        out
    }

    #[test]
    fn lines_that_begin_with_a_dot_get_another() {
        assert_eq!(
            stuffed(&[b".\r\n..a\r\nb.\r\n.\r\n"]),
            b"..\r\n...a\r\nb.\r\n..\r\n.\r\n"
        );
        assert_eq!(stuffed(&[b"no end"]), b"no end\r\n.\r\n");
        assert_eq!(stuffed(&[]), b".\r\n");
    }

    #[test]
    fn a_bare_newline_goes_out_as_crlf_and_a_dot_behind_it_is_doubled() {
        for (content, sent) in [
            (&b"a\n.\nb\r\n"[..], &b"a\r\n..\r\nb\r\n.\r\n"[..]),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n.\r", b"a\r\n..\r\n.\r\n"),
            (b"a\r\r\n.\r\r\n", b"a\r\n\r\n..\r\n\r\n.\r\n"),
            (b"\n.\r\n", b"\r\n..\r\n.\r\n"),
        ] {
            assert_eq!(
                stuffed(&[content]),
                sent,
                "{:?}",
                content.escape_ascii().to_string()
            );
        }
    }

    proptest! {
        #[test]
        fn what_goes_out_ends_once_and_has_no_line_end_but_crlf(content in "[a.\r\n]{0,16}") {
            let sent = stuffed(&[content.as_bytes()]);
            let text = String::from_utf8(sent).unwrap();
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
            let framed = format!("\r\n{text}");
            prop_assert_eq!(framed.find("\r\n.\r\n"), Some(framed.len() - 5));
        }

        #[test]
        fn a_cut_anywhere_changes_nothing(content in "[a.\r\n]{0,12}", cuts in prop::collection::vec(0..12usize, 0..4)) {
            let content = content.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(content.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&content[from..cut]);
                from = cut;
            }
            pieces.push(&content[from..]);
            prop_assert_eq!(stuffed(&pieces), stuffed(&[content]));
        }
    }
}
