//! What the header of a part says about its body.

use mail_parser::{MessageParser, MimeHeaders};

/// A part as its header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entity {
    /// `text/plain`, in lower case; RFC 2045 §5.2 where nothing is said.
    pub(crate) kind: String,
    /// Whether a Content-Type is there and could be read.
    pub(crate) declared: bool,
    pub(crate) charset: Option<String>,
    pub(crate) boundary: Option<Vec<u8>>,
    pub(crate) encoding: Declared,
    /// A field that signs the whole message.
    pub(crate) signature: Option<String>,
}

/// Content-Transfer-Encoding (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    SevenBit,
    EightBit,
    Binary,
    QuotedPrintable,
    Base64,
    /// None that is known.
    Other,
}

/// Fields that are signatures over the body.
const SIGNATURES: [&str; 3] = [
    "DKIM-Signature",
    "ARC-Message-Signature",
    "DomainKey-Signature",
];

impl Entity {
    /// Reads a header; `whole` for that of the message, `digest` for a part of multipart/digest
    /// (RFC 2046 §5.1.5).
    pub(crate) fn of(header: &[u8], whole: bool, digest: bool) -> Entity {
        let usual = if digest {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let mut entity = Entity {
            kind: usual.to_owned(),
            declared: false,
            charset: None,
            boundary: None,
            encoding: Declared::SevenBit,
            signature: None,
        };
        let Some(parsed) = MessageParser::default().parse_headers(header) else {
            return entity;
        };
        if let Some(content_type) = parsed.content_type() {
            let subtype = content_type.subtype().unwrap_or_default();
            if !subtype.is_empty() {
                entity.declared = true;
                entity.kind = format!("{}/{subtype}", content_type.ctype()).to_ascii_lowercase();
            }
            entity.charset = content_type.attribute("charset").map(str::to_owned);
            entity.boundary = content_type
                .attribute("boundary")
                .map(|text| text.trim_end().as_bytes().to_vec())
                .filter(|boundary| !boundary.is_empty());
        }
        entity.encoding = match parsed.content_transfer_encoding() {
            None => Declared::SevenBit,
            Some(text) => declared(text.trim()),
        };
        if whole {
            let found = SIGNATURES
                .iter()
                .find(|name| parsed.header(**name).is_some());
            entity.signature = found.map(|name| (*name).to_owned());
        }
        entity
    }

    pub(crate) fn is_text(&self) -> bool {
        self.kind.starts_with("text/")
    }

    /// RFC 2046 §5.1: only where it has a boundary and is not encoded.
    pub(crate) fn is_multipart(&self) -> bool {
        self.kind.starts_with("multipart/")
            && self.boundary.is_some()
            && self.encoding.is_identity()
    }

    /// A message within the message, to be looked into.
    pub(crate) fn is_message(&self) -> bool {
        self.kind == "message/rfc822" && self.encoding.is_identity()
    }

    /// For people: `text/plain; charset=iso-8859-1`.
    pub(crate) fn words(&self) -> String {
        match &self.charset {
            Some(charset) => format!("{}; charset={charset}", self.kind),
            None => self.kind.clone(),
        }
    }
}

fn declared(text: &str) -> Declared {
    match text.to_ascii_lowercase().as_str() {
        "7bit" | "" => Declared::SevenBit,
        "8bit" => Declared::EightBit,
        "binary" => Declared::Binary,
        "quoted-printable" => Declared::QuotedPrintable,
        "base64" => Declared::Base64,
        _ => Declared::Other,
    }
}

impl Declared {
    pub(crate) const fn is_identity(self) -> bool {
        matches!(
            self,
            Declared::SevenBit | Declared::EightBit | Declared::Binary
        )
    }
}
