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
    /// Appends the stuffed form of `piece` to `out`.
    pub fn stuff(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(last) = piece.last() else { return };
        out.reserve(piece.len() + 16);
        if self.at_line_start && piece[0] == b'.' {
            out.push(b'.');
        }
        // A line begins after CRLF only; bare LFs never get this far.
        if self.after_cr && piece.starts_with(b"\n.") {
            out.extend_from_slice(b"\n.");
            self.copy(&piece[1..], out);
        } else {
            self.copy(piece, out);
        }
        self.at_line_start = if piece.len() == 1 {
            *last == b'\n' && self.after_cr
        } else {
            piece.ends_with(b"\r\n")
        };
        self.after_cr = *last == b'\r';
    }

    fn copy(&self, piece: &[u8], out: &mut Vec<u8>) {
        let mut done = 0;
        for at in memchr::memmem::find_iter(piece, b"\r\n.") {
            out.extend_from_slice(&piece[done..at + 3]);
            out.push(b'.');
            done = at + 3;
        }
        out.extend_from_slice(&piece[done..]);
    }

    /// Appends the end of the content: the final dot on a line of its own, after a CRLF where the
    /// content did not end in one.
    pub fn end(&self, out: &mut Vec<u8>) {
        if !self.at_line_start {
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

    proptest! {
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
