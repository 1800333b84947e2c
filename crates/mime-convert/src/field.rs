//! A header in its fields (RFC 5322 §2.2), byte for byte.

/// The fields of a header, each with its folded lines and line end.
#[must_use]
pub fn fields(header: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let (mut from, mut at) = (0, 0);
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if at > from && !folded {
            fields.extend(header.get(from..at));
            from = at;
        }
        at += line.len();
    }
    fields.extend(header.get(from..at).filter(|field| !field.is_empty()));
    fields
}

/// The name of a field; RFC 5322 §4.5.8 has space before the colon.
#[must_use]
pub fn name(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == b':').unwrap_or(0);
    field.get(..end).unwrap_or_default().trim_ascii_end()
}

/// What follows the colon, with its line ends.
#[must_use]
pub fn value(field: &[u8]) -> &[u8] {
    let colon = field.iter().position(|byte| *byte == b':');
    let start = colon.map_or(0, |at| at + 1);
    field.get(start..).unwrap_or_default()
}
