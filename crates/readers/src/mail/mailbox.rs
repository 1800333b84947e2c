//! Mailboxes (RFC 4155): where one mail ends and the next begins.

use memchr::memmem::Finder;

/// Where the first message of a mailbox ends, if its end is there. `seen` is how far the buffer has
/// been searched already, and is moved on, so that each byte is searched once.
pub(crate) fn message_end(buffer: &[u8], seen: &mut usize, last: bool) -> Option<usize> {
    let finder = Finder::new(b"\nFrom ");
    // The first line is the `From ` line of this message.
    let mut at = (*seen).min(buffer.len());
    while let Some(found) = finder.find(&buffer[at..]) {
        let start = at + found + 1;
        let line = &buffer[start..];
        match memchr::memchr(b'\n', line) {
            Some(end) if is_from_line(&line[..end]) => {
                *seen = 0;
                return Some(start);
            }
            Some(_) => at = start,
            // The line is not complete yet.
            None if !last => {
                *seen = at + found;
                return None;
            }
            None => at = start,
        }
    }
    if last && !buffer.is_empty() {
        *seen = 0;
        return Some(buffer.len());
    }
    // A match may begin in the last bytes.
    *seen = buffer.len().saturating_sub(5).max(at);
    None
}

/// RFC 4155 Appendix A: `From `, an address, and a date with a year of four digits at its end. A line
/// of a text that begins with `From ` has none.
fn is_from_line(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let rest = line.get(5..).unwrap_or_default();
    let colons = rest.iter().filter(|b| **b == b':').count();
    let year = rest.windows(4).rev().take(12).any(|four| {
        four.iter().all(u8::is_ascii_digit) && (four.starts_with(b"19") || four.starts_with(b"20"))
    });
    let sender = rest.iter().position(|b| *b == b' ').unwrap_or(0);
    sender > 0 && colons >= 1 && year && rest.len() < 400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_end_where_the_next_begins() {
        let mailbox = b"From a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\nFrom here on, 10:00, it is text\n>From c\n\nFrom c@d Tue Jan  2 00:00:00 2024\nSubject: y\n\n";
        let mut seen = 0;
        let end = message_end(mailbox, &mut seen, false).unwrap();
        assert!(mailbox[end..].starts_with(b"From c@d"));
        assert_eq!(seen, 0);
        let rest = &mailbox[end..];
        assert_eq!(message_end(rest, &mut seen, false), None);
        assert!(seen > 0);
        assert_eq!(message_end(rest, &mut seen, true), Some(rest.len()));
        assert_eq!(message_end(b"", &mut seen, true), None);
    }

    #[test]
    fn a_mailbox_in_pieces_is_split_like_a_whole_one() {
        let mailbox =
            b"From a@b Mon Jan  1 00:00:00 2024\nx\n\nFrom c@d Tue Jan  2 00:00:00 2024\ny\n";
        for cut in 1..mailbox.len() {
            let mut seen = 0;
            let early = message_end(&mailbox[..cut], &mut seen, false);
            let end = early.or_else(|| message_end(mailbox, &mut seen, false));
            assert!(mailbox[end.unwrap()..].starts_with(b"From c@d"), "{cut}");
        }
    }
}
