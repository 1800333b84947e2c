//! Packets: a length of four bytes, a letter, data.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The version that is spoken.
const VERSION: u32 = 6;
/// Bytes of a packet that we take; libmilter sends 1 MiB at most.
const MOST: usize = (1 << 20) + 1024;
/// Bytes of body in one packet (`MILTER_CHUNK_SIZE`).
pub(super) const CHUNK: usize = 65_535;

/// What a milter may ask for (`SMFIF_…`): header fields added, the body changed, recipients added and
/// removed, header fields changed, quarantine, the sender changed.
pub(super) mod action {
    pub(in super::super) const ADD_HEADER: u32 = 0x01;
    pub(in super::super) const BODY: u32 = 0x02;
    pub(in super::super) const ADD_RCPT: u32 = 0x04;
    pub(in super::super) const DEL_RCPT: u32 = 0x08;
    pub(in super::super) const CHANGE_HEADER: u32 = 0x10;
    pub(in super::super) const QUARANTINE: u32 = 0x20;
    pub(in super::super) const SENDER: u32 = 0x40;
    pub(in super::super) const ADD_RCPT_ARGS: u32 = 0x80;
    pub(super) const ALL: u32 = 0xff;
}

/// Values keep the white space after the colon (`SMFIP_HDR_LEADSPC`).
const LEADING_SPACE: u32 = 0x10_0000;
/// The milter may say that it has seen enough of the body (`SMFIP_SKIP`).
const SKIP: u32 = 0x400;
/// All that a milter may leave out, and answers that it may not give: we know what to do with each.
const OFFERED: u32 = 0x1f_ffff;

/// What a milter is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Helo,
    Mail,
    Rcpt,
    Data,
    Header,
    EndOfHeader,
    Body,
    EndOfMessage,
}

impl Step {
    /// Its letter (`SMFIC_…`).
    pub(super) fn letter(self) -> u8 {
        match self {
            Step::Connect => b'C',
            Step::Helo => b'H',
            Step::Mail => b'M',
            Step::Rcpt => b'R',
            Step::Data => b'T',
            Step::Header => b'L',
            Step::EndOfHeader => b'N',
            Step::Body => b'B',
            Step::EndOfMessage => b'E',
        }
    }

    /// The bits by which a milter says that it does not want it, and that it does not answer it.
    fn bits(self) -> (u32, u32) {
        match self {
            Step::Connect => (0x01, 0x1000),
            Step::Helo => (0x02, 0x2000),
            Step::Mail => (0x04, 0x4000),
            Step::Rcpt => (0x08, 0x8000),
            Step::Body => (0x10, 0x8_0000),
            Step::Header => (0x20, 0x80),
            Step::EndOfHeader => (0x40, 0x4_0000),
            Step::Data => (0x200, 0x1_0000),
            Step::EndOfMessage => (0, 0),
        }
    }
}

/// What was agreed at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    version: u32,
    actions: u32,
    protocol: u32,
}

impl Terms {
    /// Whether the milter wants to hear of it.
    pub(super) fn wants(&self, step: Step) -> bool {
        let old = self.version < 4 && step == Step::Data;
        self.protocol & step.bits().0 == 0 && !old
    }

    /// Whether it answers it.
    pub(super) fn answers(&self, step: Step) -> bool {
        self.protocol & step.bits().1 == 0
    }

    /// Whether it may ask for this.
    pub(super) fn allows(&self, action: u32) -> bool {
        self.actions & action != 0
    }

    /// A value as it wants to see it: lines end with LF alone there.
    pub(super) fn value(&self, value: &[u8]) -> Vec<u8> {
        let mut value: Vec<u8> = value.iter().copied().filter(|b| *b != b'\r').collect();
        if self.protocol & LEADING_SPACE == 0 && value.starts_with(b" ") {
            value.remove(0);
        }
        value
    }
}

/// What a milter answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Terms(Terms),
    Continue,
    Accept,
    Reject,
    TempFail,
    Discard,
    Skip,
    Progress,
    /// The client is to be sent away with 421.
    Shutdown,
    /// A reply in its own words, with the code in front.
    Own(String),
    AddHeader(String, String),
    InsertHeader(u32, String, String),
    ChangeHeader(u32, String, String),
    Body(Bytes),
    AddRecipient(String),
    RemoveRecipient(String),
    Sender(String),
    Quarantine(String),
}

/// A packet that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("a packet of {0} bytes")]
    Size(usize),
    #[error("an answer `{}` that is not known here", char::from(*.0).escape_default())]
    Letter(u8),
    #[error("an answer `{}` that is cut off", char::from(*.0).escape_default())]
    Short(u8),
}

/// The offer with which it begins.
pub(super) fn offer(out: &mut BytesMut) {
    packet(out, b'O', |out| {
        out.put_u32(VERSION);
        out.put_u32(action::ALL);
        out.put_u32(OFFERED);
    });
}

/// Macros for a step: names and values.
pub(super) fn macros(out: &mut BytesMut, step: Step, values: &[(&str, &str)]) {
    packet(out, b'D', |out| {
        out.put_u8(step.letter());
        for (name, value) in values {
            text(out, name.as_bytes());
            text(out, value.as_bytes());
        }
    });
}

/// A step with texts, each ended by a NUL.
pub(super) fn texts(out: &mut BytesMut, step: Step, parts: &[&[u8]]) {
    packet(out, step.letter(), |out| {
        for part in parts {
            text(out, part);
        }
    });
}

/// The client: its name, and its address of a family.
pub(super) fn connect(out: &mut BytesMut, name: &str, client: std::net::SocketAddr) {
    packet(out, b'C', |out| {
        text(out, name.as_bytes());
        out.put_u8(if client.is_ipv4() { b'4' } else { b'6' });
        out.put_u16(client.port());
        text(out, client.ip().to_string().as_bytes());
    });
}

/// A step with bytes, or with none.
pub(super) fn bytes(out: &mut BytesMut, step: Step, data: &[u8]) {
    packet(out, step.letter(), |out| out.extend_from_slice(data));
}

/// The transaction is given up; what comes next is another.
pub(super) fn abort(out: &mut BytesMut) {
    packet(out, b'A', |_| {});
}

fn packet(out: &mut BytesMut, letter: u8, fill: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u32(0);
    out.put_u8(letter);
    fill(out);
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn text(out: &mut BytesMut, text: &[u8]) {
    out.extend(text.iter().copied().filter(|b| *b != 0));
    out.put_u8(0);
}

/// The next answer, once it is whole; it is taken from the input.
pub(super) fn read(input: &mut BytesMut) -> Result<Option<Reply>, WireError> {
    let Some(length) = input
        .first_chunk::<4>()
        .map(|b| u32::from_be_bytes(*b) as usize)
    else {
        return Ok(None);
    };
    if length == 0 || length > MOST {
        return Err(WireError::Size(length));
    }
    if input.len() < 4 + length {
        return Ok(None);
    }
    input.advance(4);
    let mut data = input.split_to(length).freeze();
    let letter = data.get_u8();
    reply(letter, data).map(Some)
}

fn reply(letter: u8, data: Bytes) -> Result<Reply, WireError> {
    let mut parts = Parts { letter, data };
    Ok(match letter {
        b'O' => Reply::Terms(Terms {
            version: parts.number()?,
            actions: parts.number()?,
            protocol: parts.number()?,
        }),
        b'c' => Reply::Continue,
        b'a' => Reply::Accept,
        b'r' => Reply::Reject,
        b't' | b'f' => Reply::TempFail,
        b'd' => Reply::Discard,
        b's' => Reply::Skip,
        b'p' => Reply::Progress,
        b'4' => Reply::Shutdown,
        b'y' => Reply::Own(parts.text()?),
        b'h' => Reply::AddHeader(parts.text()?, parts.text()?),
        b'i' => Reply::InsertHeader(parts.number()?, parts.text()?, parts.text()?),
        b'm' => Reply::ChangeHeader(parts.number()?, parts.text()?, parts.text()?),
        b'b' => Reply::Body(parts.data),
        b'+' | b'2' => Reply::AddRecipient(parts.text()?),
        b'-' => Reply::RemoveRecipient(parts.text()?),
        b'e' => Reply::Sender(parts.text()?),
        b'q' => Reply::Quarantine(parts.text()?),
        other => return Err(WireError::Letter(other)),
    })
}

struct Parts {
    letter: u8,
    data: Bytes,
}

impl Parts {
    fn number(&mut self) -> Result<u32, WireError> {
        self.data
            .try_get_u32()
            .map_err(|_| WireError::Short(self.letter))
    }

    fn text(&mut self) -> Result<String, WireError> {
        let end = self.data.iter().position(|b| *b == 0);
        let end = end.ok_or(WireError::Short(self.letter))?;
        let text = self.data.split_to(end);
        self.data.advance(1);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Whether a milter may say that it has seen enough.
pub(super) fn may_skip(terms: &Terms) -> bool {
    terms.protocol & SKIP != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(bytes: &[u8]) -> Result<Option<Reply>, WireError> {
        read(&mut BytesMut::from(bytes))
    }

    #[test]
    fn packets_are_as_libmilter_writes_them() {
        let mut out = BytesMut::new();
        offer(&mut out);
        assert_eq!(&out[..], b"\0\0\0\x0dO\0\0\0\x06\0\0\0\xff\0\x1f\xff\xff");
        out.clear();
        connect(&mut out, "[192.0.2.1]", "192.0.2.1:2000".parse().unwrap());
        assert_eq!(&out[..], b"\0\0\0\x1aC[192.0.2.1]\x004\x07\xd0192.0.2.1\0");
        out.clear();
        macros(&mut out, Step::Mail, &[("i", "1")]);
        assert_eq!(&out[..], b"\0\0\0\x06DMi\x001\0");
        out.clear();
        texts(&mut out, Step::Header, &[b"A", b"1\0\n"]);
        assert_eq!(&out[..], b"\0\0\0\x06LA\x001\n\0");
    }

    #[test]
    fn answers_are_read_whole_and_one_by_one() {
        let mut input = BytesMut::from(&b"\0\0\0\x01c\0\0\0\x0fi\0\0\0\x02X-A\0 1\n 2"[..]);
        assert_eq!(read(&mut input), Ok(Some(Reply::Continue)));
        assert_eq!(read(&mut input), Ok(None));
        input.extend_from_slice(b"\0");
        let inserted = Reply::InsertHeader(2, "X-A".into(), " 1\n 2".into());
        assert_eq!(read(&mut input), Ok(Some(inserted)));
        assert_eq!(answer(b"\0\0\0\x04y550"), Err(WireError::Short(b'y')));
        assert_eq!(answer(b"\0\0\0\x01Z"), Err(WireError::Letter(b'Z')));
        assert_eq!(answer(b"\xff\0\0\x01c"), Err(WireError::Size(0xff00_0001)));
    }

    #[test]
    fn what_a_milter_leaves_out_is_not_sent_and_not_waited_for() {
        let terms = Terms {
            version: 6,
            actions: action::ADD_HEADER,
            protocol: 0x02 | 0x80,
        };
        assert!(!terms.wants(Step::Helo) && terms.wants(Step::Connect));
        assert!(!terms.answers(Step::Header) && terms.answers(Step::Body));
        assert!(terms.allows(action::ADD_HEADER) && !terms.allows(action::BODY));
        assert_eq!(terms.value(b" a\r\n b"), b"a\n b");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = answer(&bytes);
        }
    }
}
