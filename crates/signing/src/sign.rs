//! Signing a message as it goes by (RFC 6376 §5).

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::BASE64;
use jiff::Timestamp;
use mime_convert::field::fields;

use crate::canonical::Body;
use crate::fields::{NoAuthor, author_domain, is};
use crate::key::KeyError;
use crate::ring::{Domain, Ring, Signer};

/// Fields that are signed, and once more than they are there, so that nobody adds one (RFC 6376 §8.15):
/// what a reader is shown, and what says how a body is read (§8.2).
const SEALED: [&str; 6] = ["From", "Reply-To", "Subject", "To", "Cc", "Content-Type"];
/// Fields that are signed likewise where they are there. Where they are not, servers on the way add some
/// of them, and lists add others, with good reason.
const SEALED_IF_THERE: [&str; 11] = [
    "Sender",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Auto-Submitted",
    // RFC 8460 §5.3.
    "TLS-Report-Domain",
    "TLS-Report-Submitter",
];
/// Fields that are signed as often as they are there (RFC 6376 §5.4.1).
const SIGNED: [&str; 16] = [
    "Content-ID",
    "Content-Description",
    "Content-Language",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Archive",
];

/// More header than anybody signs.
const LARGEST_HEADER: usize = 1 << 20;

/// A signature that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `a=`.
    pub algorithm: &'static str,
}

/// What goes before a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The fields, with their line ends.
    pub fields: Vec<u8>,
    /// Who signed.
    pub by: Vec<SignedBy>,
}

/// Why a message is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// There is no key for its author's domain, which is a matter of course.
    NoKey,
    /// No key of the domain is published.
    NotPublished {
        /// The domain.
        domain: String,
        /// The selectors whose records are missing or differ.
        selectors: Vec<String>,
    },
    /// It has no author that could be read.
    NoAuthor,
    /// It has several From fields, or authors in several domains.
    SeveralAuthors,
    /// Its header is too large.
    HeaderTooLarge,
    /// The library could not sign.
    Failed(KeyError),
}

/// Takes a message as it is sent.
pub struct Stream {
    ring: Arc<Ring>,
    header: Vec<u8>,
    state: State,
}

enum State {
    Header,
    Body(Box<Body>, Context),
    Nothing(Unsigned),
}

impl Ring {
    /// Begins with a message.
    #[must_use]
    pub fn begin(self: &Arc<Ring>) -> Stream {
        Stream {
            ring: self.clone(),
            header: Vec::new(),
            state: State::Header,
        }
    }
}

impl Stream {
    /// The next piece. Answers whether the rest is of interest.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        match &mut self.state {
            State::Header => {
                let from = self.header.len().saturating_sub(3);
                self.header.extend_from_slice(piece);
                match end_of_header(&self.header, from) {
                    Some((end, body)) => self.end_header(end, body),
                    None if self.header.len() > LARGEST_HEADER => {
                        self.state = State::Nothing(Unsigned::HeaderTooLarge);
                    }
                    None => {}
                }
            }
            State::Body(body, hash) => hash.update(body.piece(piece)),
            State::Nothing(_) => {}
        }
        !matches!(self.state, State::Nothing(_))
    }

    fn end_header(&mut self, end: usize, begin: usize) {
        let rest = self.header.split_off(begin.min(self.header.len()));
        self.header.truncate(end);
        let domain = domain(&self.ring, &fields(&self.header)).map(|_| ());
        self.state = match domain {
            Ok(()) => {
                let (mut body, mut hash) = (Body::new(self.ring.body), Context::new(&SHA256));
                hash.update(body.piece(&rest));
                State::Body(Box::new(body), hash)
            }
            Err(why) => State::Nothing(why),
        };
    }

    /// The end of the message: the fields that sign it.
    pub fn finish(mut self, now: Timestamp) -> Result<Signed, Unsigned> {
        if let State::Header = self.state {
            let end = self.header.len();
            self.end_header(end, end);
        }
        let (mut body, mut hash) = match self.state {
            State::Body(body, hash) => (body, hash),
            State::Nothing(why) => return Err(why),
            State::Header => return Err(Unsigned::NoAuthor),
        };
        hash.update(body.end());
        let body_hash = BASE64.encode(hash.finish().as_ref());
        let fields = fields(&self.header);
        let (name, domain) = domain(&self.ring, &fields)?;
        let mut signed = Signed {
            fields: Vec::new(),
            by: Vec::new(),
        };
        for signer in &domain.signers {
            let about = About {
                ring: &self.ring,
                name,
                domain,
                fields: &fields,
                body_hash: &body_hash,
                now,
            };
            let field = about.field(signer).map_err(Unsigned::Failed)?;
            signed.fields.extend_from_slice(&field);
            signed.by.push(SignedBy {
                domain: name.to_owned(),
                selector: signer.selector.clone(),
                algorithm: signer.key.algorithm().as_str(),
            });
        }
        Ok(signed)
    }
}

/// Where the header ends, and where the body begins.
fn end_of_header(text: &[u8], from: usize) -> Option<(usize, usize)> {
    if text.starts_with(b"\r\n") {
        return Some((0, 2));
    }
    let rest = text.get(from..)?;
    let at = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((from + at + 2, from + at + 4))
}

/// Who signs for the author.
fn domain<'a>(ring: &'a Ring, fields: &[&[u8]]) -> Result<(&'a str, &'a Domain), Unsigned> {
    let author = author_domain(fields).map_err(|why| match why {
        NoAuthor::None => Unsigned::NoAuthor,
        NoAuthor::Several => Unsigned::SeveralAuthors,
    })?;
    let (name, domain) = ring.of(&author).ok_or(Unsigned::NoKey)?;
    match domain.signers.is_empty() {
        true => Err(Unsigned::NotPublished {
            domain: name.to_owned(),
            selectors: domain.waiting.clone(),
        }),
        false => Ok((name, domain)),
    }
}

struct About<'a> {
    ring: &'a Ring,
    name: &'a str,
    domain: &'a Domain,
    fields: &'a [&'a [u8]],
    body_hash: &'a str,
    now: Timestamp,
}

impl About<'_> {
    /// One signature (RFC 6376 §3.5, §3.7).
    fn field(&self, signer: &Signer) -> Result<Vec<u8>, KeyError> {
        let (names, mut signed) = self.signed_fields();
        let mut field = format!(
            "DKIM-Signature: v=1; a={}; c={}/{}; d={};\r\n\ts={}; t={};",
            signer.key.algorithm().as_str(),
            self.ring.header.as_str(),
            self.ring.body.as_str(),
            self.name,
            signer.selector,
            self.now.as_second().max(0),
        );
        if let Some(identity) = &self.domain.identity {
            field.push_str(&format!("\r\n\ti={identity};"));
        }
        field.push_str("\r\n\th=");
        let mut column = 10;
        for (n, name) in names.iter().enumerate() {
            if n > 0 {
                field.push(':');
                column += 1;
                // White space may stand around a colon (§3.5).
                if column + name.len() > 72 {
                    field.push_str("\r\n\t ");
                    column = 9;
                }
            }
            field.push_str(name);
            column += name.len();
        }
        field.push_str(&format!(";\r\n\tbh={};\r\n\tb=", self.body_hash));
        self.ring.header.signature(field.as_bytes(), &mut signed);
        let signature = BASE64.encode(&signer.key.sign(&signed)?);
        let mut rest = signature.as_str();
        let mut first = true;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(68));
            if !std::mem::take(&mut first) {
                field.push_str("\r\n\t ");
            }
            field.push_str(line);
            rest = after;
        }
        field.push_str("\r\n");
        Ok(field.into_bytes())
    }

    /// The names for `h=`, and the fields in the form in which they are signed: of several with one name
    /// the last comes first (§5.4.2).
    fn signed_fields(&self) -> (Vec<&'static str>, Vec<u8>) {
        let (mut names, mut signed) = (Vec::new(), Vec::new());
        let lists = [
            (&SEALED[..], true, true),
            (&SEALED_IF_THERE[..], true, false),
            (&SIGNED[..], false, false),
        ];
        for (list, sealed, absent) in lists {
            for wanted in list {
                let there = self.fields.iter().rev().filter(|field| is(field, wanted));
                let mut count = 0;
                for field in there {
                    self.ring.header.field(field, &mut signed);
                    names.push(*wanted);
                    count += 1;
                }
                // §5.4: what is named and not there must stay away.
                if sealed && (absent || count > 0) {
                    names.push(*wanted);
                }
            }
        }
        (names, signed)
    }
}
