//! The structure of a message, met piece by piece (RFC 2046 §5.1): headers, bodies, and what lies
//! between. Both passes walk the same way, so that they number the parts alike.

use crate::entity::Entity;

/// What is met on the way. The bytes of all calls together are the message.
pub(crate) trait Visitor {
    /// The header of a part, with the line end of its last field.
    fn header(&mut self, part: &Part, header: &[u8]);
    /// A piece of the body of a part that has no parts.
    fn body(&mut self, bytes: &[u8]);
    /// The end of such a body.
    fn body_end(&mut self);
    /// What belongs to no part: an empty line after a header, a boundary, what stands before the first
    /// and after the last.
    fn between(&mut self, bytes: &[u8]);
}

/// A part at its header.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its number among all parts, from 0.
    pub(crate) index: usize,
    /// Where it is: `2.1`; empty for the message itself.
    pub(crate) place: String,
    pub(crate) entity: Entity,
    /// The kind of multipart around it that forbids a change.
    pub(crate) sealed_by: Option<&'static str>,
    /// Whether the header is that of a message: the whole, or one within it.
    pub(crate) is_message: bool,
}

/// More than anybody needs; a message beyond is not converted.
const MOST_PARTS: usize = 2_000;
const MOST_DEPTH: usize = 60;
const LARGEST_HEADER: usize = 256 * 1024;
/// RFC 2046 §5.1.1: a boundary has 70 characters, white space may follow.
const LONGEST_BOUNDARY: usize = 300;

#[derive(Debug)]
struct Level {
    boundary: Vec<u8>,
    place: String,
    children: usize,
    digest: bool,
    sealed_by: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Header,
    Body,
    /// Before the first boundary of a multipart, or after its last.
    Between,
}

/// Walks through a message.
#[derive(Debug)]
pub(crate) struct Walker {
    input: Vec<u8>,
    header: Vec<u8>,
    mode: Mode,
    at_line_start: bool,
    /// The CRLF before what comes: it belongs to the boundary, if one comes (RFC 2046 §5.1.1).
    crlf: bool,
    levels: Vec<Level>,
    parts: usize,
    place: String,
    digest: bool,
    is_message: bool,
    sealed_by: Option<&'static str>,
    too_complex: bool,
}

impl Walker {
    pub(crate) fn new() -> Walker {
        Walker {
            input: Vec::new(),
            header: Vec::new(),
            mode: Mode::Header,
            at_line_start: true,
            crlf: false,
            levels: Vec::new(),
            parts: 0,
            place: String::new(),
            digest: false,
            is_message: true,
            sealed_by: None,
            too_complex: false,
        }
    }

    /// Whether the message is beyond what is looked at.
    pub(crate) fn is_too_complex(&self) -> bool {
        self.too_complex
    }

    pub(crate) fn feed(&mut self, bytes: &[u8], visitor: &mut impl Visitor) {
        if self.too_complex {
            return;
        }
        self.input.extend_from_slice(bytes);
        let input = std::mem::take(&mut self.input);
        let mut rest = &input[..];
        while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
            let (line, after) = rest.split_at(at + 2);
            self.line(line, visitor);
            rest = after;
        }
        // A long line goes on in pieces, unless it may yet be a field or a boundary.
        let may_be_boundary =
            self.at_line_start && rest.starts_with(b"--") && rest.len() < LONGEST_BOUNDARY;
        let keep = match self.mode {
            Mode::Header => rest.len(),
            Mode::Body | Mode::Between if may_be_boundary || rest.len() < 2 => rest.len(),
            // A CR may be the first half of a line end.
            Mode::Body | Mode::Between => usize::from(rest.ends_with(b"\r")),
        };
        let (now, later) = rest.split_at(rest.len() - keep);
        if !now.is_empty() {
            self.piece(now, visitor);
            self.at_line_start = false;
        }
        self.input = later.to_vec();
        if self.header.len() + self.input.len() > LARGEST_HEADER && self.mode == Mode::Header {
            self.too_complex = true;
        }
    }

    pub(crate) fn finish(&mut self, visitor: &mut impl Visitor) {
        let rest = std::mem::take(&mut self.input);
        if !rest.is_empty() {
            let boundary =
                self.at_line_start && self.mode != Mode::Header && self.is_boundary(&rest);
            match (self.mode, boundary) {
                (Mode::Header, _) | (_, true) => self.line(&rest, visitor),
                _ => self.piece(&rest, visitor),
            }
        }
        match self.mode {
            Mode::Header => self.end_header(visitor),
            Mode::Body | Mode::Between => {}
        }
        self.flush_crlf(visitor);
        if self.mode == Mode::Body {
            visitor.body_end();
        }
    }

    fn is_boundary(&self, line: &[u8]) -> bool {
        self.level_of(line).is_some()
    }

    /// A whole line, its CRLF included where it has one.
    fn line(&mut self, line: &[u8], visitor: &mut impl Visitor) {
        let starts = std::mem::replace(&mut self.at_line_start, true);
        if starts && let Some((level, closes)) = self.level_of(line) {
            return self.boundary(level, closes, line, visitor);
        }
        match self.mode {
            Mode::Header if starts && line == b"\r\n" => {
                self.end_header(visitor);
                visitor.between(line);
            }
            Mode::Header => self.header.extend_from_slice(line),
            Mode::Body | Mode::Between => {
                let content = line.strip_suffix(b"\r\n");
                self.piece(content.unwrap_or(line), visitor);
                self.crlf = content.is_some();
            }
        }
    }

    fn piece(&mut self, bytes: &[u8], visitor: &mut impl Visitor) {
        self.flush_crlf(visitor);
        if bytes.is_empty() {
            return;
        }
        match self.mode {
            Mode::Body => visitor.body(bytes),
            Mode::Between | Mode::Header => visitor.between(bytes),
        }
    }

    fn flush_crlf(&mut self, visitor: &mut impl Visitor) {
        if std::mem::take(&mut self.crlf) {
            match self.mode {
                Mode::Body => visitor.body(b"\r\n"),
                Mode::Between | Mode::Header => visitor.between(b"\r\n"),
            }
        }
    }

    /// Which multipart a line is a boundary of, innermost first, and whether it is the last.
    fn level_of(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?;
        let text = text.trim_ascii_end();
        for (at, level) in self.levels.iter().enumerate().rev() {
            match text.strip_prefix(&level.boundary[..]) {
                Some(b"") => return Some((at, false)),
                Some(b"--") => return Some((at, true)),
                Some(_) | None => {}
            }
        }
        None
    }

    fn boundary(&mut self, level: usize, closes: bool, line: &[u8], visitor: &mut impl Visitor) {
        if self.mode == Mode::Header {
            self.end_header(visitor);
        }
        if self.mode == Mode::Body {
            visitor.body_end();
        }
        if std::mem::take(&mut self.crlf) {
            visitor.between(b"\r\n");
        }
        self.levels.truncate(level + 1);
        let content = line.strip_suffix(b"\r\n");
        if closes {
            visitor.between(content.unwrap_or(line));
            self.crlf = content.is_some();
            // RFC 2046 §5.1.1: what follows belongs to nobody, up to a boundary further out.
            self.levels.truncate(level);
            self.mode = Mode::Between;
            return;
        }
        visitor.between(line);
        if let Some(level) = self.levels.last_mut() {
            level.children += 1;
            self.place = format!("{}{}", level.place, level.children);
            self.digest = level.digest;
            self.sealed_by = level.sealed_by;
        }
        self.is_message = false;
        self.mode = Mode::Header;
    }

    fn end_header(&mut self, visitor: &mut impl Visitor) {
        let header = std::mem::take(&mut self.header);
        let whole = self.parts == 0;
        let entity = Entity::of(&header, whole, self.digest && !self.is_message);
        let part = Part {
            index: self.parts,
            place: self.place.clone(),
            entity,
            sealed_by: self.sealed_by,
            is_message: self.is_message,
        };
        self.parts += 1;
        visitor.header(&part, &header);
        let deep = self.levels.len() >= MOST_DEPTH || self.place.len() > 1_000;
        self.too_complex |= self.parts > MOST_PARTS || deep;
        let below = match self.place.as_str() {
            "" => String::new(),
            place => format!("{place}."),
        };
        if part.entity.is_multipart() {
            self.levels.push(Level {
                sealed_by: seal(&part.entity.kind).or(part.sealed_by),
                digest: part.entity.kind == "multipart/digest",
                boundary: part.entity.boundary.unwrap_or_default(),
                place: below,
                children: 0,
            });
            self.mode = Mode::Between;
        } else if part.entity.is_message() {
            self.place = format!("{below}message");
            self.is_message = true;
            self.digest = false;
            self.mode = Mode::Header;
        } else {
            self.mode = Mode::Body;
        }
    }
}

/// RFC 1847: what must not be changed.
fn seal(kind: &str) -> Option<&'static str> {
    match kind {
        "multipart/signed" => Some("multipart/signed"),
        "multipart/encrypted" => Some("multipart/encrypted"),
        _ => None,
    }
}
