//! The first pass: what each part needs, and whether that can be done.

use encoding_rs::{Encoding as Charset, UTF_8};

use crate::encode::Encoding;
use crate::entity::{Declared, Entity};
use crate::plan::{BodyPlan, PartPlan, Plan};
use crate::walk::{Part, Visitor, Walker};
use crate::{Blocked, Obstacle, Target, header};

/// RFC 5322 §2.1.1.
const LONGEST_LINE: usize = 998;
/// Header fields that are kept in their new form.
const MOST_HEADERS: usize = 4 << 20;

/// Looks at a message as it comes.
#[derive(Debug)]
pub struct Scanner {
    walker: Walker,
    look: Look,
}

impl Scanner {
    /// A scanner for what goes to such a next hop.
    #[must_use]
    pub fn new(target: Target) -> Scanner {
        Scanner {
            walker: Walker::new(),
            look: Look {
                target,
                plan: Plan::default(),
                part: None,
                header: Vec::new(),
                signature: None,
                seen: Seen::default(),
                headers: 0,
                blocked: None,
            },
        }
    }

    /// The next piece of the message.
    pub fn feed(&mut self, piece: &[u8]) {
        self.walker.feed(piece, &mut self.look);
    }

    /// What is to be done, now that all was seen.
    pub fn finish(mut self) -> Result<Plan, Blocked> {
        self.walker.finish(&mut self.look);
        if self.walker.is_too_complex() || self.look.headers > MOST_HEADERS {
            return Err(Blocked {
                part: "the message".to_owned(),
                charset: None,
                why: Obstacle::TooComplex,
            });
        }
        match self.look.blocked {
            Some(blocked) => Err(blocked),
            None => Ok(self.look.plan),
        }
    }
}

#[derive(Debug)]
struct Look {
    target: Target,
    plan: Plan,
    part: Option<Part>,
    /// Its header as it will be.
    header: Vec<u8>,
    /// The field that signs the whole message.
    signature: Option<String>,
    seen: Seen,
    headers: usize,
    blocked: Option<Blocked>,
}

/// What a body has in it.
#[derive(Debug, Default)]
struct Seen {
    high: bool,
    /// NUL, or CR or LF that end no line.
    binary: bool,
    line: usize,
    long: bool,
    text: Utf8,
}

impl Visitor for Look {
    fn header(&mut self, part: &Part, header: &[u8]) {
        if part.index == 0 {
            self.signature.clone_from(&part.entity.signature);
        }
        let mut changed = None;
        if has_bare(header) {
            // What one server takes for the end of a field is text to the next.
            let what = "its header has a CR, LF or NUL that ends no line".to_owned();
            self.block(part, Obstacle::Malformed { what });
        }
        match self.new_header(part, header) {
            Ok(new) => changed = new,
            Err(why) => self.block(part, why),
        }
        let entity = &part.entity;
        let container = entity.is_multipart() || entity.is_message();
        if container && self.seal(part).is_none() {
            // RFC 2045 §6.4: what holds the parts says what the worst of them is.
            let label = match entity.encoding {
                Declared::EightBit | Declared::Binary if !self.target.eight_bit => Some("7bit"),
                Declared::Binary => Some("8bit"),
                _ => None,
            };
            if let Some(label) = label {
                let now = changed.as_deref().unwrap_or(header);
                changed = Some(header::set(now, "Content-Transfer-Encoding", label));
            }
        }
        self.headers += changed.as_ref().map_or(0, Vec::len);
        self.plan.parts.push(PartPlan {
            header: changed.clone(),
            body: BodyPlan::AsIs,
        });
        self.seen = Seen::default();
        self.header = changed.unwrap_or_else(|| header.to_vec());
        self.part = Some(part.clone());
    }

    fn body(&mut self, bytes: &[u8]) {
        self.seen.look(bytes);
    }

    fn body_end(&mut self) {
        let Some(part) = self.part.take() else { return };
        let header = std::mem::take(&mut self.header);
        match self.body_plan(&part, &header) {
            Ok((new, body)) => {
                self.headers += new.as_ref().map_or(0, Vec::len);
                // A part that has a body of its own was the last to have its header.
                if let Some(plan) = self.plan.parts.last_mut() {
                    plan.header = new.or_else(|| plan.header.take());
                    plan.body = body;
                }
            }
            Err(why) => self.block(&part, why),
        }
    }

    fn between(&mut self, bytes: &[u8]) {
        self.plan.mask |= !self.target.eight_bit && !bytes.is_ascii() && self.signature.is_none();
    }
}

impl Look {
    fn block(&mut self, part: &Part, why: Obstacle) {
        let entity = &part.entity;
        let name = match part.place.as_str() {
            "" => format!("the message ({})", entity.words()),
            place => format!("part {place} ({})", entity.words()),
        };
        self.blocked.get_or_insert(Blocked {
            part: name,
            charset: entity.charset.clone(),
            why,
        });
    }

    /// What forbids a change of this part.
    fn seal(&self, part: &Part) -> Option<Obstacle> {
        if let Some(by) = &self.signature {
            return Some(Obstacle::Signed { by: by.clone() });
        }
        match part.sealed_by? {
            "multipart/encrypted" => Some(Obstacle::Encrypted),
            by => Some(Obstacle::Signed { by: by.to_owned() }),
        }
    }

    /// The header in a form that the next hop takes, where it is not in one.
    fn new_header(&self, part: &Part, header: &[u8]) -> Result<Option<Vec<u8>>, Obstacle> {
        let beyond = !header.is_ascii() && !self.target.utf8_headers;
        let other = !self.target.any_charset && header::has_other_words(header);
        if !beyond && !other {
            return Ok(None);
        }
        match self.seal(part) {
            Some(why) => Err(why),
            None => header::to_ascii(header, other).map(Some),
        }
    }

    /// What becomes of a body, and its header where that has to say so.
    fn body_plan(
        &self,
        part: &Part,
        header: &[u8],
    ) -> Result<(Option<Vec<u8>>, BodyPlan), Obstacle> {
        let (entity, seen) = (&part.entity, &self.seen);
        let cannot = seen.binary || seen.long || seen.high && !self.target.eight_bit;
        if let Some(from) = self.other_charset(entity)? {
            if let Some(why) = self.seal(part) {
                return Err(why);
            }
            let charset = "text/plain; charset=utf-8";
            let header = match entity.declared {
                true => header::set_charset(header, "utf-8"),
                false => header::set(header, "Content-Type", charset),
            };
            let label = Encoding::QuotedPrintable.as_str();
            let header = header::set(&header, "Content-Transfer-Encoding", label);
            let encoded = entity.encoding;
            return Ok((Some(header), BodyPlan::Transcode { from, encoded }));
        }
        if !cannot {
            let relabel = match entity.encoding {
                Declared::Binary if self.target.eight_bit => Some("8bit"),
                Declared::EightBit | Declared::Binary if !self.target.eight_bit => Some("7bit"),
                _ => None,
            };
            let header = relabel
                .filter(|_| self.seal(part).is_none())
                .map(|label| header::set(header, "Content-Transfer-Encoding", label));
            return Ok((header, BodyPlan::AsIs));
        }
        if let Some(why) = self.seal(part) {
            return Err(why);
        }
        self.encoded(part, header)
    }

    fn encoded(&self, part: &Part, header: &[u8]) -> Result<(Option<Vec<u8>>, BodyPlan), Obstacle> {
        let entity = &part.entity;
        if !entity.encoding.is_identity() {
            let what = "it is encoded and has bytes that no encoding gives".to_owned();
            return Err(Obstacle::Malformed { what });
        }
        // RFC 2045 §6.4: these have no encoding of their own.
        let composite = entity.kind.starts_with("multipart/")
            || entity.kind.starts_with("message/") && !entity.kind.starts_with("message/global");
        if composite {
            let what = format!("{} must be 7-bit, or have parts", entity.kind);
            return Err(Obstacle::Malformed { what });
        }
        let encoding = match entity.is_text() {
            true => Encoding::QuotedPrintable,
            false => Encoding::Base64,
        };
        let mut header = header::set(header, "Content-Transfer-Encoding", encoding.as_str());
        if !entity.declared && self.seen.high {
            // RFC 1428 §3: what nobody has named.
            let charset = if self.seen.text.is_valid() {
                "utf-8"
            } else {
                "unknown-8bit"
            };
            let kind = format!("text/plain; charset={charset}");
            header = header::set(&header, "Content-Type", &kind);
        }
        if part.is_message && !header::has(&header, "MIME-Version") {
            header = header::set(&header, "MIME-Version", "1.0");
        }
        Ok((Some(header), BodyPlan::Encode(encoding)))
    }

    /// The character set of text that is to become UTF-8.
    fn other_charset(&self, entity: &Entity) -> Result<Option<&'static Charset>, Obstacle> {
        let Some(name) = entity.charset.as_deref().filter(|_| entity.is_text()) else {
            return Ok(None);
        };
        let known = Charset::for_label(name.as_bytes());
        let plain = known == Some(UTF_8) || name.eq_ignore_ascii_case("us-ascii");
        if self.target.any_charset || plain {
            return Ok(None);
        }
        let charset = name.to_owned();
        known.map(Some).ok_or(Obstacle::Charset { charset })
    }
}

impl Seen {
    fn look(&mut self, bytes: &[u8]) {
        if bytes == b"\r\n" {
            self.line = 0;
        } else {
            self.line += bytes.len();
            self.long |= self.line > LONGEST_LINE;
            let odd = |byte: &u8| matches!(byte, 0 | b'\r' | b'\n');
            self.binary |= bytes.iter().any(odd);
        }
        self.high |= !bytes.is_ascii();
        self.text.look(bytes);
    }
}

fn has_bare(header: &[u8]) -> bool {
    let at = |n: usize| header.get(n);
    (0..header.len()).any(|n| match header[n] {
        b'\r' => at(n + 1) != Some(&b'\n'),
        b'\n' => n == 0 || at(n - 1) != Some(&b'\r'),
        0 => true,
        _ => false,
    })
}

/// Whether bytes that come in pieces are UTF-8.
#[derive(Debug, Default)]
struct Utf8 {
    rest: Vec<u8>,
    broken: bool,
}

impl Utf8 {
    fn look(&mut self, bytes: &[u8]) {
        if self.broken || self.rest.is_empty() && bytes.is_ascii() {
            return;
        }
        self.rest.extend_from_slice(bytes);
        match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.clear(),
            Err(error) if error.error_len().is_some() => self.broken = true,
            Err(error) => {
                self.rest.drain(..error.valid_up_to());
            }
        }
    }

    fn is_valid(&self) -> bool {
        !self.broken && self.rest.is_empty()
    }
}
