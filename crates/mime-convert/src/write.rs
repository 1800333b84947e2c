//! The second pass: the message in its new form.

use crate::encode::{Encoder, Encoding};
use crate::plan::{BodyPlan, PartPlan, Plan};
use crate::transcode::Transcoder;
use crate::walk::{Part, Visitor, Walker};

/// Writes a message in its new form as the old comes.
#[derive(Debug)]
pub struct Writer {
    walker: Walker,
    pen: Pen,
}

impl Writer {
    /// A writer that follows a plan. It must be given the same message that was scanned.
    #[must_use]
    pub fn new(plan: Plan) -> Writer {
        Writer {
            walker: Walker::new(),
            pen: Pen {
                mask: plan.mask,
                parts: plan.parts,
                body: Body::AsIs,
                out: Vec::new(),
                last_line_end: b"",
            },
        }
    }

    /// The next piece of the message; what has come of it is appended to `out`.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.walker.feed(piece, &mut self.pen);
        out.append(&mut self.pen.out);
    }

    /// Ends the message.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.walker.finish(&mut self.pen);
        self.pen.out.extend_from_slice(self.pen.last_line_end);
        out.append(&mut self.pen.out);
    }
}

#[derive(Debug)]
struct Pen {
    mask: bool,
    parts: Vec<PartPlan>,
    body: Body,
    out: Vec<u8>,
    /// What the last line needs, if the message ends here.
    last_line_end: &'static [u8],
}

#[derive(Debug)]
enum Body {
    AsIs,
    Encode(Encoder),
    Transcode(Box<Transcoder>, Encoder),
}

impl Visitor for Pen {
    fn header(&mut self, part: &Part, header: &[u8]) {
        let plan = self.parts.get(part.index);
        let new = plan.and_then(|plan| plan.header.as_deref());
        self.out.extend_from_slice(new.unwrap_or(header));
        self.body = match plan.map(|plan| &plan.body) {
            None | Some(BodyPlan::AsIs) => Body::AsIs,
            Some(BodyPlan::Encode(encoding)) => Body::Encode(Encoder::new(*encoding)),
            Some(BodyPlan::Transcode { from, encoded }) => Body::Transcode(
                Box::new(Transcoder::new(from, *encoded)),
                Encoder::new(Encoding::QuotedPrintable),
            ),
        };
    }

    fn body(&mut self, bytes: &[u8]) {
        match &mut self.body {
            Body::AsIs => self.out.extend_from_slice(bytes),
            Body::Encode(encoder) => encoder.feed(bytes, &mut self.out),
            Body::Transcode(text, encoder) => {
                encoder.feed(text.feed(bytes, false).as_bytes(), &mut self.out);
            }
        }
    }

    fn body_end(&mut self) {
        self.last_line_end = match std::mem::replace(&mut self.body, Body::AsIs) {
            Body::AsIs => b"",
            Body::Encode(mut encoder) => {
                encoder.finish(&mut self.out);
                encoder.line_end()
            }
            Body::Transcode(mut text, mut encoder) => {
                encoder.feed(text.feed(b"", true).as_bytes(), &mut self.out);
                encoder.finish(&mut self.out);
                encoder.line_end()
            }
        };
    }

    fn between(&mut self, bytes: &[u8]) {
        self.last_line_end = b"";
        if self.mask {
            let plain = |byte: &u8| if byte.is_ascii() { *byte } else { b'?' };
            self.out.extend(bytes.iter().map(plain));
        } else {
            self.out.extend_from_slice(bytes);
        }
    }
}
