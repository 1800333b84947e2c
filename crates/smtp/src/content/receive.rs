//! Content as a server receives it: the dots taken out, the end found, bare newlines refused.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr3;

/// Why content is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentProblem {
    /// An LF without a CR before it (RFC 5321 §2.3.8).
    #[error("line {line} has an LF without CR")]
    BareLf {
        /// Number of the line, from 1.
        line: u64,
    },
    /// A CR without an LF after it (RFC 5321 §2.3.8).
    #[error("line {line} has a CR without LF")]
    BareCr {
        /// Number of the line, from 1.
        line: u64,
    },
    /// A NUL: neither 7-bit nor 8-bit text has one (RFC 2045 §2.7, §2.8).
    #[error("line {line} has a NUL byte")]
    Nul {
        /// Number of the line, from 1.
        line: u64,
    },
    /// More bytes than are taken (RFC 1870 §6.3).
    #[error("the content is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

/// What came out of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A piece of content, without the dots that were added for the transport.
    Piece(Bytes),
    /// The content is not taken; what follows is read and dropped until the end.
    Problem(ContentProblem),
    /// The end, `<CRLF>.<CRLF>`, has been read.
    End,
    /// More input is needed.
    More,
}

/// Reads the content after DATA (RFC 5321 §4.5.2). Only `<CRLF>.<CRLF>` ends it.
#[derive(Clone, Debug)]
pub struct DataReader {
    limit: u64,
    size: u64,
    line: u64,
    at_line_start: bool,
    dropping: Option<Dropping>,
}

impl DataReader {
    /// A reader for content of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> DataReader {
        DataReader {
            limit,
            size: 0,
            line: 1,
            at_line_start: true,
            dropping: None,
        }
    }

    /// Size of the content so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether something in content that is not taken could pass for its end with a laxer server:
    /// a line with nothing but a dot, between newlines of any kind. A client that means it as the
    /// end has other commands after it than we see.
    #[must_use]
    pub fn has_false_end(&self) -> bool {
        self.dropping
            .as_ref()
            .is_some_and(|dropping| dropping.false_end)
    }

    /// Takes the next piece from the input. Bytes that mean nothing yet stay there (three at most).
    pub fn receive(&mut self, input: &mut BytesMut) -> Received {
        if let Some(dropping) = &mut self.dropping {
            return dropping.receive(input);
        }
        let mut line = Line::Other;
        if self.at_line_start {
            line = Line::Start;
            match &input[..] {
                [] | [b'.'] | [b'.', b'\r'] => return Received::More,
                [b'.', b'\r', b'\n', ..] => {
                    input.advance(3);
                    return Received::End;
                }
                // RFC 5321 §4.5.2: a leading dot with more after it on the line is taken out.
                [b'.', ..] => {
                    input.advance(1);
                    line = Line::Dot;
                }
                _ => {}
            }
        }
        self.piece(input, line)
    }

    fn piece(&mut self, input: &mut BytesMut, line: Line) -> Received {
        let scan = self.scan(input);
        // Which problem comes first must not depend on how the bytes were cut into pieces.
        let problem = if self.size + scan.end as u64 > self.limit {
            Some(ContentProblem::TooLarge { limit: self.limit })
        } else {
            scan.problem
        };
        if let Some(problem) = problem {
            // The input is read again from here, now only for the end.
            self.dropping = Some(Dropping::after(line));
            return Received::Problem(problem);
        }
        if scan.end == 0 {
            self.at_line_start &= line == Line::Start;
            return Received::More;
        }
        self.at_line_start = scan.ends_line;
        self.size += scan.end as u64;
        Received::Piece(input.split_to(scan.end).freeze())
    }

    /// How much of the input is content: up to the next line that begins with a dot, or all.
    fn scan(&mut self, input: &[u8]) -> Scan {
        let mut from = 0;
        loop {
            let Some(found) = memchr3(b'\r', b'\n', 0, &input[from..]) else {
                return Scan {
                    end: input.len(),
                    ends_line: false,
                    problem: None,
                };
            };
            let end = from + found;
            let problem = match (input[end], input.get(end + 1)) {
                (b'\r', None) => None,
                (b'\r', Some(b'\n')) => {
                    self.line += 1;
                    from = end + 2;
                    match input.get(from) {
                        None | Some(b'.') => {
                            return Scan {
                                end: from,
                                ends_line: true,
                                problem: None,
                            };
                        }
                        Some(_) => continue,
                    }
                }
                (b'\r', Some(_)) => Some(ContentProblem::BareCr { line: self.line }),
                (b'\n', _) => Some(ContentProblem::BareLf { line: self.line }),
                _ => Some(ContentProblem::Nul { line: self.line }),
            };
            return Scan {
                end,
                ends_line: false,
                problem,
            };
        }
    }
}

struct Scan {
    end: usize,
    ends_line: bool,
    problem: Option<ContentProblem>,
}

/// What the present line consists of so far, with any newline counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Start,
    Dot,
    Other,
}

/// Reads content that is not taken up to its real end.
#[derive(Clone, Debug)]
struct Dropping {
    /// The last eight bytes.
    window: u64,
    line: Line,
    /// The line that ended with the last newline had nothing but a dot.
    dot_line: bool,
    false_end: bool,
}

const END: u64 = u64::from_be_bytes(*b"\0\0\0\r\n.\r\n");
const END_MASK: u64 = 0xff_ffff_ffff;

impl Dropping {
    fn after(line: Line) -> Dropping {
        let window = match line {
            Line::Start => u64::from_be_bytes(*b"\0\0\0\0\0\0\r\n"),
            Line::Dot => u64::from_be_bytes(*b"\0\0\0\0\0\r\n."),
            Line::Other => 0,
        };
        Dropping {
            window,
            line,
            dot_line: false,
            false_end: false,
        }
    }

    fn receive(&mut self, input: &mut BytesMut) -> Received {
        for (at, byte) in input.iter().enumerate() {
            self.window = self.window << 8 | u64::from(*byte);
            if self.window & END_MASK == END {
                input.advance(at + 1);
                return Received::End;
            }
            self.look(*byte);
        }
        input.clear();
        Received::More
    }

    /// A dot alone between newlines is a false end as soon as it is clear that it is not the real
    /// one, which has CRLF on both sides.
    fn look(&mut self, byte: u8) {
        let newline = byte == b'\r' || byte == b'\n';
        // The CR of a CRLF that ends a line with only a dot: the byte after it decides.
        if self.dot_line {
            self.false_end = true;
            self.dot_line = false;
        }
        self.line = match (self.line, byte) {
            (Line::Dot, _) if newline => {
                let may_be_real = byte == b'\r' && self.window >> 8 & 0xff_ffff == 0x0d_0a2e;
                self.dot_line = may_be_real;
                self.false_end |= !may_be_real;
                Line::Start
            }
            (_, _) if newline => Line::Start,
            // A NUL is what some servers drop, so that the dot after it begins the line.
            (Line::Start, 0) => Line::Start,
            (Line::Start, b'.') => Line::Dot,
            _ => Line::Other,
        };
    }
}

/// Looks through the content of BDAT (RFC 3030): it has no dots added and no mark at its end, and
/// is text with CRLF line ends all the same, since BINARYMIME is not announced.
#[derive(Clone, Debug)]
pub struct ChunkReader {
    size: u64,
    line: u64,
    after_cr: bool,
    /// Any byte may stand anywhere (RFC 3030 §3).
    binary: bool,
}

impl Default for ChunkReader {
    fn default() -> ChunkReader {
        ChunkReader {
            size: 0,
            line: 1,
            after_cr: false,
            binary: false,
        }
    }
}

impl ChunkReader {
    /// A reader of BODY=BINARYMIME (RFC 3030 §3), which has no lines to look through.
    #[must_use]
    pub fn binary() -> ChunkReader {
        ChunkReader {
            binary: true,
            ..ChunkReader::default()
        }
    }

    /// Size of the content so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Looks through a piece of the content.
    pub fn receive(&mut self, piece: &[u8]) -> Result<(), ContentProblem> {
        if self.binary {
            self.size += piece.len() as u64;
            return Ok(());
        }
        let mut from = 0;
        if self.after_cr && !piece.is_empty() {
            if piece[0] != b'\n' {
                return Err(ContentProblem::BareCr { line: self.line });
            }
            self.line += 1;
            from = 1;
            self.after_cr = false;
        }
        while let Some(found) = memchr3(b'\r', b'\n', 0, &piece[from..]) {
            let at = from + found;
            match (piece[at], piece.get(at + 1)) {
                (b'\r', Some(b'\n')) => {
                    self.line += 1;
                    from = at + 2;
                }
                (b'\r', None) => {
                    self.after_cr = true;
                    break;
                }
                (b'\r', Some(_)) => return Err(ContentProblem::BareCr { line: self.line }),
                (b'\n', _) => return Err(ContentProblem::BareLf { line: self.line }),
                _ => return Err(ContentProblem::Nul { line: self.line }),
            }
        }
        self.size += piece.len() as u64;
        Ok(())
    }

    /// The last chunk has been read.
    pub fn end(&self) -> Result<(), ContentProblem> {
        if self.after_cr {
            return Err(ContentProblem::BareCr { line: self.line });
        }
        Ok(())
    }
}
