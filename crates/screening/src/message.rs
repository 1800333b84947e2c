//! A message that is staged: its header in memory, its body where it lies.

use bytes::{Bytes, BytesMut};
use queue::{Body, StoreError};

use crate::{Edit, Header};

/// Bytes of a header, at most; the receiving role refuses more before a filter sees it.
pub const MAX_HEADER: usize = 1 << 20;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// A message, which changes without being written anew: the header is in memory, the body is a stretch
/// of what was staged, or another one that a filter gave.
#[derive(Clone, Debug)]
pub struct Message {
    header: Header,
    staged: Body,
    /// Where the body begins in what was staged: its empty line included.
    offset: u64,
    /// Bytes of that empty line: none where the header ends with something that is no field.
    gap: u64,
    /// The body that a filter put in its place.
    replaced: Option<Bytes>,
}

impl Message {
    /// Reads the header of what was staged.
    pub async fn read(staged: Body) -> Result<Message, StoreError> {
        let mut text = BytesMut::new();
        loop {
            let piece = read_at(&staged, text.len() as u64, PIECE).await?;
            let from = text.len().saturating_sub(3);
            text.extend_from_slice(&piece);
            let ended = memchr::memmem::find(&text[from..], b"\r\n\r\n").is_some();
            if piece.is_empty() || ended || text.starts_with(b"\r\n") || text.len() > MAX_HEADER {
                break;
            }
        }
        let text = text.freeze();
        let (header, end) = Header::read(&text);
        Ok(Message {
            header,
            staged,
            offset: end as u64,
            gap: if text[end..].starts_with(b"\r\n") {
                2
            } else {
                0
            },
            replaced: None,
        })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of all of it.
    #[must_use]
    pub fn size(&self) -> u64 {
        let body = match &self.replaced {
            Some(body) => body.len() as u64 + 2,
            None => self.staged.size().saturating_sub(self.offset),
        };
        self.header.size() + body
    }

    /// Makes a change; what concerns the envelope is not done here.
    pub fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Add(field) => self.header.insert(usize::MAX, field.clone()),
            Edit::Insert(at, field) => self.header.insert(*at, field.clone()),
            Edit::Change { name, nth, to } => self.header.change(name, *nth, to.clone()),
            Edit::Body(body) => self.replaced = Some(clean(body)),
            Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_) => {}
        }
    }

    /// All of it, piece by piece.
    #[must_use]
    pub fn pieces(&self) -> Pieces<'_> {
        Pieces {
            message: self,
            next: Next::Field(0),
        }
    }

    /// The body without its empty line, piece by piece.
    #[must_use]
    pub fn body(&self) -> Pieces<'_> {
        let gap = if self.replaced.is_some() { 2 } else { self.gap };
        Pieces {
            message: self,
            next: Next::Body(gap),
        }
    }
}

/// A body as it may be sent on: a filter may give other line ends than CRLF, and what follows a bare
/// one could pass for the end of the message with a laxer server.
fn clean(body: &Bytes) -> Bytes {
    let mut clean = BytesMut::with_capacity(body.len());
    let mut rest = &body[..];
    while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
        clean.extend_from_slice(&rest[..at]);
        let taken = match (rest[at], rest.get(at + 1)) {
            (0, _) => 1,
            (b'\r', Some(b'\n')) => {
                clean.extend_from_slice(b"\r\n");
                2
            }
            _ => {
                clean.extend_from_slice(b"\r\n");
                1
            }
        };
        rest = &rest[at + taken..];
    }
    clean.extend_from_slice(rest);
    if !clean.is_empty() && !clean.ends_with(b"\r\n") {
        clean.extend_from_slice(b"\r\n");
    }
    clean.freeze()
}

/// What is read next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Field(usize),
    /// From this place of the body, its empty line included.
    Body(u64),
}

/// Reads a message in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a> {
    message: &'a Message,
    next: Next,
}

impl Pieces<'_> {
    /// The next piece; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if let Next::Field(at) = self.next {
            if let Some(field) = self.message.header.fields().get(at) {
                self.next = Next::Field(at + 1);
                return Ok(Some(field.raw().clone()));
            }
            self.next = Next::Body(0);
        }
        let Next::Body(at) = self.next else {
            return Ok(None);
        };
        let piece = match &self.message.replaced {
            Some(_) if at < 2 => Bytes::from_static(b"\r\n"),
            Some(body) => {
                let at = usize::try_from(at - 2)
                    .unwrap_or(usize::MAX)
                    .min(body.len());
                body.slice(at..)
            }
            None => read_at(&self.message.staged, self.message.offset + at, PIECE).await?,
        };
        self.next = Next::Body(at + piece.len() as u64);
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

async fn read_at(body: &Body, offset: u64, length: usize) -> Result<Bytes, StoreError> {
    match body {
        Body::Inline(bytes) => {
            let from = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            Ok(bytes.slice(from..bytes.len().min(from.saturating_add(length))))
        }
        Body::File(source) if offset >= source.size() => Ok(Bytes::new()),
        Body::File(source) => source.read(offset, length).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    async fn whole(message: &Message) -> String {
        let mut text = Vec::new();
        let mut pieces = message.pieces();
        while let Some(piece) = pieces.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        assert_eq!(text.len() as u64, message.size());
        String::from_utf8(text).unwrap()
    }

    async fn read(text: &'static str) -> Message {
        Message::read(Body::Inline(Bytes::from_static(text.as_bytes())))
            .await
            .unwrap()
    }

    fn field(name: &str, value: &str) -> Field {
        Field::new(name, value).unwrap()
    }

    #[tokio::test]
    async fn what_is_not_changed_comes_back_byte_for_byte() {
        for text in [
            "A: 1\r\nB: 2\r\n\r\nbody\r\n",
            "A: 1\r\n",
            "\r\nonly a body\r\n",
            "no header\r\n",
            "A: 1\r\nnot a field\r\n\r\nx\r\n",
            "",
        ] {
            assert_eq!(whole(&read(text).await).await, text);
        }
    }

    #[tokio::test]
    async fn changes_to_the_header_are_made_where_the_filter_wants_them() {
        let mut message = read("A: 1\r\nB: 2\r\na: 3\r\n\r\nbody\r\n").await;
        for edit in [
            Edit::Insert(0, field("First", "f")),
            Edit::Add(field("Last", "l")),
            Edit::Change {
                name: "A".into(),
                nth: 2,
                to: None,
            },
            Edit::Change {
                name: "b".into(),
                nth: 1,
                to: Some(field("B", "two")),
            },
            Edit::Change {
                name: "New".into(),
                nth: 1,
                to: Some(field("New", "n")),
            },
        ] {
            message.edit(&edit);
        }
        assert_eq!(
            whole(&message).await,
            "First: f\r\nA: 1\r\nB: two\r\nLast: l\r\nNew: n\r\n\r\nbody\r\n"
        );
    }

    #[tokio::test]
    async fn a_body_that_a_filter_gives_has_no_line_end_but_crlf() {
        let mut message = read("A: 1\r\n\r\nold\r\n").await;
        message.edit(&Edit::Body(Bytes::from_static(
            b"new\n.\nMAIL\r.\r\0\r\n\0last",
        )));
        assert_eq!(
            whole(&message).await,
            "A: 1\r\n\r\nnew\r\n.\r\nMAIL\r\n.\r\n\r\nlast\r\n"
        );
        let mut body = message.body();
        assert!(body.next().await.unwrap().unwrap().starts_with(b"new\r\n"));
        assert_eq!(body.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_body_is_what_follows_the_empty_line() {
        let message = read("A: 1\r\n\r\nbody\r\n").await;
        assert_eq!(message.body().next().await.unwrap().unwrap(), "body\r\n");
    }
}
