//! The `Received` fields that a message brings, counted as its header streams by.

use std::collections::BTreeSet;

use memchr::memchr;

/// Bytes kept of one header line, and of one `Received` field, to find the host in it.
const KEPT: usize = 1_000;

/// Watches content go by until the header ends: counts the `Received` fields (RFC 5321 §6.3) and
/// remembers which hosts wrote them. Holds at most one line and one field at a time.
#[derive(Debug, Default)]
pub struct Trail {
    ended: bool,
    line: Vec<u8>,
    field: Option<Vec<u8>>,
    hops: u32,
    hosts: Vec<String>,
}

/// Hosts remembered: more than any sensible `max_hops`.
const HOSTS: usize = 200;

impl Trail {
    /// The next piece of the content, cut anywhere.
    pub fn watch(&mut self, mut piece: &[u8]) {
        while !self.ended && !piece.is_empty() {
            let Some(end) = memchr(b'\n', piece) else {
                keep(&mut self.line, piece);
                return;
            };
            let (head, tail) = piece.split_at(end + 1);
            if self.line.is_empty() {
                self.header_line(head);
            } else {
                keep(&mut self.line, head);
                let line = std::mem::take(&mut self.line);
                self.header_line(&line);
            }
            piece = tail;
        }
    }

    /// The content is over; what remains is a last line.
    pub fn end(&mut self) {
        if !self.ended {
            let line = std::mem::take(&mut self.line);
            self.header_line(&line);
            self.close_field();
            self.ended = true;
        }
    }

    /// Whether the header has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The hosts that wrote them, newest first.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// How many `Received` fields there are.
    #[must_use]
    pub fn hops(&self) -> u32 {
        self.hops
    }

    /// The hosts that wrote more than one of them, in order of first occurrence from the top.
    #[must_use]
    pub fn repeated(&self) -> Vec<String> {
        let mut named = BTreeSet::new();
        let again = |host: &&String| self.hosts.iter().filter(|h| h == host).count() > 1;
        self.hosts
            .iter()
            .filter(again)
            .filter(|host| named.insert(host.as_str()))
            .cloned()
            .collect()
    }

    /// How many of them a host wrote.
    pub fn by(&self, host: &str) -> u32 {
        let own = self.hosts.iter().filter(|h| h.eq_ignore_ascii_case(host));
        u32::try_from(own.count()).unwrap_or(u32::MAX)
    }

    fn header_line(&mut self, line: &[u8]) {
        match line.first() {
            // RFC 5322 §2.2.3: a line that begins with white space continues the field.
            Some(b' ' | b'\t') => {
                if let Some(field) = &mut self.field {
                    keep(field, line);
                }
            }
            _ => {
                self.close_field();
                if is_received(line) {
                    self.hops = self.hops.saturating_add(1);
                    if self.hosts.len() < HOSTS {
                        let mut field = Vec::with_capacity(256);
                        keep(&mut field, line);
                        self.field = Some(field);
                    }
                } else if memchr(b':', line).is_none() && !line.starts_with(b"From ") {
                    // The empty line, or a body without a header.
                    self.ended = true;
                }
            }
        }
    }

    fn close_field(&mut self) {
        if let Some(field) = self.field.take()
            && let Some(host) = host_of(&String::from_utf8_lossy(&field))
        {
            self.hosts.push(host);
        }
    }
}

fn keep(buffer: &mut Vec<u8>, piece: &[u8]) {
    // A line's end is always kept, so that an over-long line still ends.
    let room = KEPT.saturating_sub(buffer.len()).min(piece.len());
    buffer.extend_from_slice(&piece[..room]);
}

fn is_received(line: &[u8]) -> bool {
    const NAME: &[u8] = b"received";
    line.get(..NAME.len())
        .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        && line[NAME.len()..].trim_ascii_start().first() == Some(&b':')
}

/// The host that wrote a `Received` field: the word after `by`, outside comments (RFC 5321 §4.4).
fn host_of(field: &str) -> Option<String> {
    let mut depth = 0_u32;
    let mut plain = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => break,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let mut words = plain.split_ascii_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("by"))?;
    words.next().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPING: &[u8] = b"Received: from a (by [192.0.2.1]) by Relay.Example (x by y)\r\n\
        \twith ESMTP; Tue, 24 Nov 2026 02:29:23 +0000\r\n\
        RECEIVED: from relay.example\r\n by b.example; date\r\n\
        Received : by relay.example; date\r\n\
        Received-SPF: pass by c.example\r\n\
        Subject: Received: by d.example\r\n\
        \r\n\
        Received: by body.example; date\r\n";

    fn watched(pieces: &[&[u8]]) -> Trail {
        let mut trail = Trail::default();
        for piece in pieces {
            trail.watch(piece);
        }
        trail.end();
        trail
    }

    #[test]
    fn received_fields_of_the_header_count_and_those_of_the_body_do_not() {
        let trail = watched(&[LOOPING]);
        assert_eq!(trail.hops(), 3);
        assert_eq!(trail.repeated(), ["relay.example"]);
        assert_eq!((trail.by("Relay.example"), trail.by("a")), (2, 0));
    }

    #[test]
    fn any_cut_of_the_content_counts_the_same() {
        for cut in 0..LOOPING.len() {
            let (a, b) = LOOPING.split_at(cut);
            let trail = watched(&[a, b]);
            assert_eq!(
                (trail.hops(), trail.repeated()),
                (3, vec!["relay.example".to_owned()])
            );
        }
        let single: Vec<&[u8]> = LOOPING.chunks(1).collect();
        assert_eq!(watched(&single).hops(), 3);
    }

    #[test]
    fn a_message_without_a_header_has_no_hops() {
        assert_eq!(watched(&[b"\r\nReceived: by a; d\r\n"]).hops(), 0);
        assert_eq!(watched(&[b"hello\r\nReceived: by a; d\r\n"]).hops(), 0);
        assert_eq!(watched(&[b""]).hops(), 0);
    }

    #[test]
    fn a_header_that_never_ends_is_not_kept() {
        let mut trail = Trail::default();
        for _ in 0..10_000 {
            trail.watch(b"Received: by a.example; ");
            trail.watch(&[b'x'; 5_000]);
            trail.watch(b"\r\n");
        }
        trail.end();
        assert_eq!(trail.hops(), 10_000);
        assert!(trail.line.capacity() <= 2 * KEPT && trail.hosts.len() <= HOSTS);
    }
}
