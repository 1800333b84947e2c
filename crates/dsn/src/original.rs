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
