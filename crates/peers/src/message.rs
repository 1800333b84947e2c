//! Messages to send, and comparing what arrived.

const HEADER: &[u8] = b"From: Anna <anna@client.example>\r\nTo: someone@dest.example\r\n\
    Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <large@client.example>\r\n\
    Subject: large\r\n\r\n";

/// A message of about this many bytes with CRLF lines: text that does not repeat, with lines that
/// begin with dots here and there. The same for the same size.
#[must_use]
pub fn generated(bytes: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut message = HEADER.to_vec();
    message.reserve(bytes);
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut line = 0_u32;
    while message.len() < bytes {
        if line.is_multiple_of(97) {
            message.extend_from_slice(b"..");
        }
        for _ in 0..76 {
            // xorshift64 (Marsaglia 2003): no library is needed for bytes that differ.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            message.push(LETTERS[(state >> 58) as usize]);
        }
        message.extend_from_slice(b"\r\n");
        line += 1;
    }
    message
}

/// Lines that end with LF, as files on Unix have them.
#[must_use]
pub fn with_lf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for (n, &byte) in message.iter().enumerate() {
        if byte != b'\r' || message.get(n + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    out
}

/// Lines that end with CRLF, as they travel.
#[must_use]
pub fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 40);
    let mut before = 0;
    for &byte in message {
        if byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        before = byte;
    }
    out
}

/// What a relay or a final delivery puts before a message (RFC 5321 §4.4, and what servers add).
const TRACE: [&str; 6] = [
    "received",
    "return-path",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "delivery-date",
];

/// The message without the trace fields at its beginning.
#[must_use]
pub fn without_trace(message: &[u8]) -> &[u8] {
    let mut at = 0;
    let mut in_trace = false;
    while let Some(line) = message.get(at..) {
        let end = line
            .iter()
            .position(|b| *b == b'\n')
            .map_or(line.len(), |n| n + 1);
        let line = &line[..end];
        let folded = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        let known = TRACE
            .iter()
            .any(|t| name.eq_ignore_ascii_case(t.as_bytes()));
        if line.is_empty() || !(known || folded && in_trace) {
            break;
        }
        in_trace = true;
        at += end;
    }
    &message[at..]
}

/// What follows the header.
#[must_use]
pub fn body_of(message: &[u8]) -> &[u8] {
    let lf = message.windows(2).position(|w| w == b"\n\n").map(|n| n + 2);
    let crlf = message
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map(|n| n + 4);
    let at = lf
        .unwrap_or(message.len())
        .min(crlf.unwrap_or(message.len()));
    &message[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trace_at_the_beginning_goes() {
        let message = b"Return-Path: <a>\nReceived: from x\n\tby y\nFrom: b\nReceived: kept\n\nReceived: body\n";
        assert_eq!(
            without_trace(message),
            b"From: b\nReceived: kept\n\nReceived: body\n"
        );
        assert_eq!(without_trace(b"From: b\n"), b"From: b\n");
        assert_eq!(body_of(message), b"Received: body\n");
    }

    #[test]
    fn line_ends_go_both_ways() {
        assert_eq!(with_crlf(b"a\nb\r\n\n"), b"a\r\nb\r\n\r\n");
        assert_eq!(with_lf(b"a\r\nb\n\r\n"), b"a\nb\n\n");
        let message = generated(10_000);
        assert_eq!(with_crlf(&with_lf(&message)), message);
    }
}
