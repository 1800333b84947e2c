//! What a report needs of the message that it is about.

use mail_parser::MessageParser;

/// The header of a message, with the line end of its last field; cut at a line's end where it is
/// longer than `limit`.
#[must_use]
pub fn original_headers(message: &[u8], limit: usize) -> &[u8] {
    let mut end = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let is_empty = matches!(line, b"\r\n" | b"\n");
        if is_empty || end + line.len() > limit {
            break;
        }
        end += line.len();
    }
    &message[..end]
}

/// The values of the fields of this name in the header of a message, without the white space around
/// them. A value over several lines comes as it is written.
pub fn field_values<'a>(message: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = original_headers(message, usize::MAX);
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let mut end = 0;
            for line in rest.split_inclusive(|byte| *byte == b'\n') {
                if end > 0 && !matches!(line.first(), Some(b' ' | b'\t')) {
                    break;
                }
                end += line.len();
            }
            let (field, after) = rest.split_at(end);
            rest = after;
            let colon = field.iter().position(|byte| *byte == b':');
            if let Some(colon) = colon
                && field[..colon]
                    .trim_ascii_end()
                    .eq_ignore_ascii_case(name.as_bytes())
            {
                return Some(field[colon + 1..].trim_ascii());
            }
        }
        None
    })
}

/// The Message-ID in a header, without its brackets.
#[must_use]
pub fn message_id(header: &[u8]) -> Option<String> {
    let parsed = MessageParser::default().parse_headers(header)?;
    let id = parsed.message_id()?;
    let plain = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'>');
    plain.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_field_are_found_in_the_header_alone() {
        let message = b"To: a\r\nX-To: b\r\nto:\r\n c\r\n\td\r\nTO : e\r\n\r\nTo: f\r\n";
        let found: Vec<&[u8]> = field_values(message, "To").collect();
        assert_eq!(found, [&b"a"[..], b"c\r\n\td", b"e"]);
        assert_eq!(field_values(b"", "To").count(), 0);
    }
}
