//! The parts of a mail (RFC 2046), found without decoding them. The structure is walked here and not
//! by mail-parser, which decodes all parts, loses their places, and reads on into the returned message;
//! its reading of a field's value is used.

use std::ops::Range;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use memchr::memmem::Finder;

use super::fields::Header;
use super::source::{Encoding, Source};

/// What a part is to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Words for people.
    Text,
    /// The same, as HTML (RFC 1866).
    Html,
    /// The fields of a delivery status (RFC 3464 §2, RFC 6533 §4).
    Status,
    /// The fields of a complaint (RFC 5965 §3).
    Complaint,
    /// A receipt (RFC 8098): it reports no failure.
    Receipt,
    /// A message: the one that was returned, or one that is forwarded.
    Message,
    /// The header of a message (RFC 6522 §4).
    Headers,
    /// Anything else.
    Other,
}

/// A part that holds no other parts.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) form: Form,
    pub(super) encoding: Encoding,
    pub(super) charset: Option<String>,
    pub(super) body: Range<usize>,
}

/// So deep do parts hold parts; what is deeper is no report.
const DEEPEST: usize = 8;
/// So many parts are looked at.
const MOST: usize = 256;

/// Whether a message ends in the middle: a multipart without the line that ends it, and without the
/// returned message that a report ends with.
pub(super) fn is_cut_off(source: &Source<'_>, header: &Header, end: usize, parts: &[Part]) -> bool {
    let kind = ContentType::of(source, header);
    let Some(boundary) = kind.boundary.filter(|_| kind.main == "multipart") else {
        return false;
    };
    let tail = source.get(end.saturating_sub(4096).max(header.body)..end);
    let closing = format!("--{boundary}--");
    let closed = memchr::memmem::rfind(tail, closing.as_bytes()).is_some();
    !closed
        && !parts
            .iter()
            .any(|part| matches!(part.form, Form::Message | Form::Headers))
}

/// The parts of a message, in order; the end of one that a multipart lacks is where its parent ends.
pub(super) fn parts(source: &Source<'_>, header: &Header, end: usize) -> Vec<Part> {
    let mut found = Vec::new();
    walk(source, header, end, DEEPEST, &mut found);
    found
}

fn walk(source: &Source<'_>, header: &Header, end: usize, depth: usize, found: &mut Vec<Part>) {
    let body = header.body.min(end)..end;
    let kind = ContentType::of(source, header);
    if kind.main == "multipart" && depth > 0 {
        let boundary = kind
            .boundary
            .clone()
            .filter(|boundary| has_boundary(source.get(body.clone()), boundary))
            .or_else(|| guess_boundary(source.get(body.clone())));
        if let Some(boundary) = boundary {
            for part in split(source.get(body.clone()), boundary.as_bytes()) {
                if found.len() >= MOST {
                    return;
                }
                let range = body.start + part.start..body.start + part.end;
                let inner = Header::read(source, range.clone());
                walk(source, &inner, range.end, depth - 1, found);
            }
            return;
        }
    }
    let encoding = encoding(source, header);
    let form = match kind.form() {
        Form::Other if is_status(source.get(body.clone())) => Form::Status,
        form => form,
    };
    found.push(Part {
        form,
        encoding,
        charset: kind.charset,
        body,
    });
}

struct ContentType {
    main: String,
    sub: String,
    boundary: Option<String>,
    charset: Option<String>,
    name: Option<String>,
}

impl ContentType {
    /// RFC 2045 §5.2: without the field it is plain text.
    fn of(source: &Source<'_>, header: &Header) -> ContentType {
        let mut kind = ContentType {
            main: "text".to_owned(),
            sub: "plain".to_owned(),
            boundary: None,
            charset: None,
            name: None,
        };
        let Some(value) = header.raw(source, "content-type") else {
            return kind;
        };
        let mut line = value.to_vec();
        line.push(b'\n');
        let parsed = MessageStream::new(&line).parse_content_type();
        if let HeaderValue::ContentType(parsed) = parsed {
            kind.main = parsed.c_type.to_ascii_lowercase();
            kind.sub = parsed
                .c_subtype
                .as_deref()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let attribute = |name: &str| parsed.attribute(name).map(str::to_owned);
            kind.boundary = attribute("boundary").filter(|b| !b.trim().is_empty());
            kind.charset = attribute("charset");
            kind.name = attribute("name");
        }
        kind
    }

    fn form(&self) -> Form {
        let eml = |name: &String| name.to_ascii_lowercase().ends_with(".eml");
        match (self.main.as_str(), self.sub.as_str()) {
            ("text", "html") => Form::Html,
            ("text" | "message", "rfc822-headers" | "rfc822-header") => Form::Headers,
            // RFC 6533 §4.
            ("message", "global-headers") => Form::Headers,
            ("message" | "text", "delivery-status" | "global-delivery-status") => Form::Status,
            ("message", "feedback-report") => Form::Complaint,
            ("message", "disposition-notification") => Form::Receipt,
            ("message", _) => Form::Message,
            ("application", _) if self.name.as_ref().is_some_and(eml) => Form::Message,
            ("text", "calendar" | "css" | "x-vcard" | "vcard" | "csv") => Form::Other,
            // A multipart without any boundary is read as what it looks like.
            ("text" | "multipart", _) => Form::Text,
            _ => Form::Other,
        }
    }
}

fn encoding(source: &Source<'_>, header: &Header) -> Encoding {
    let value = header
        .raw(source, "content-transfer-encoding")
        .unwrap_or_default()
        .trim_ascii();
    if value.eq_ignore_ascii_case(b"quoted-printable") {
        Encoding::QuotedPrintable
    } else if value.eq_ignore_ascii_case(b"base64") {
        Encoding::Base64
    } else {
        Encoding::Plain
    }
}

/// Whether a part of another type holds the fields of a delivery status.
fn is_status(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let begins = |name: &[u8]| {
        start
            .get(..name.len())
            .is_some_and(|first| first.eq_ignore_ascii_case(name))
    };
    begins(b"Reporting-MTA:") || begins(b"Final-Recipient:") || begins(b"Original-Envelope-Id:")
}

fn has_boundary(body: &[u8], boundary: &str) -> bool {
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary.as_bytes());
    memchr::memmem::find(body, &delimiter).is_some()
}

/// The boundary of a multipart that names none, or another: the first line that begins with two
/// dashes and has a field after it.
fn guess_boundary(body: &[u8]) -> Option<String> {
    let start = &body[..body.len().min(8 * 1024)];
    let mut lines = start.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    let mut before: &[u8] = &[];
    lines.find_map(|line| {
        let field = line
            .get(..8)
            .is_some_and(|f| f.eq_ignore_ascii_case(b"content-"));
        let boundary = before.strip_prefix(b"--").filter(|b| !b.is_empty());
        before = line;
        let boundary = std::str::from_utf8(boundary?).ok()?;
        field.then(|| boundary.to_owned())
    })
}

/// RFC 2046 §5.1.1: the parts between the lines that begin with the boundary. A last part without an
/// end is one too, as long as there is a first.
fn split(body: &[u8], boundary: &[u8]) -> Vec<Range<usize>> {
    let mut delimiter = b"--".to_vec();
    delimiter.extend_from_slice(boundary);
    let finder = Finder::new(&delimiter);
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(found) = finder.find(&body[at..]) {
        let start = at + found;
        at = start + delimiter.len();
        if start > 0 && body[start - 1] != b'\n' {
            continue;
        }
        let rest = &body[at..];
        let line_end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let last = rest.starts_with(b"--");
        // Another boundary that begins with this one.
        if !last && !rest[..line_end].trim_ascii().is_empty() {
            continue;
        }
        if let Some(from) = open.take() {
            parts.push(from..before_line_end(body, start).max(from));
        }
        at += (line_end + 1).min(rest.len());
        if last || parts.len() >= MOST {
            return parts;
        }
        open = Some(at);
    }
    if let Some(from) = open {
        parts.push(from..body.len());
    }
    parts
}

/// The line end before a boundary belongs to the boundary.
fn before_line_end(body: &[u8], at: usize) -> usize {
    let without = body[..at].strip_suffix(b"\n").unwrap_or(&body[..at]);
    without.strip_suffix(b"\r").unwrap_or(without).len()
}
