//! `key=value key="a \"quoted\" value"`, and rows of comma-separated values.

/// The value of a key, without its quotes.
pub(crate) fn value<'a>(text: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let key = key.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(&text[from..], key)?;
        let after = at + key.len();
        let begins = at == 0 || matches!(text[at - 1], b' ' | b',' | b'\t');
        if begins && text.get(after) == Some(&b'=') {
            return Some(one(&text[after + 1..]));
        }
        from = after;
    }
}

/// A value at the start of a text: in quotes, or as far as a space or a comma.
fn one(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b"\"") {
        Some(inner) => &inner[..quoted(inner)],
        None => {
            let end = text.iter().position(|b| matches!(b, b' ' | b','));
            &text[..end.unwrap_or(text.len())]
        }
    }
}

/// Where a quoted text ends: at the first quote without a backslash before it.
pub(crate) fn quoted(inner: &[u8]) -> usize {
    let mut at = 0;
    while at < inner.len() {
        match inner[at] {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    inner.len()
}

/// The columns of a row (RFC 4180); a quoted one keeps what is between its quotes as it is.
pub(crate) fn columns(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(row);
    std::iter::from_fn(move || {
        let row = rest?;
        if let Some(inner) = row.strip_prefix(b"\"") {
            let mut at = 0;
            // A quote inside is written twice.
            while let Some(quote) = memchr::memchr(b'"', &inner[at..]) {
                at += quote;
                if inner.get(at + 1) != Some(&b'"') {
                    break;
                }
                at += 2;
            }
            let end = match memchr::memchr(b'"', &inner[at..]) {
                Some(quote) => at + quote,
                None => inner.len(),
            };
            let after = inner.get(end + 1..).unwrap_or_default();
            rest = memchr::memchr(b',', after).map(|comma| &after[comma + 1..]);
            return Some(&inner[..end]);
        }
        match memchr::memchr(b',', row) {
            Some(comma) => {
                rest = Some(&row[comma + 1..]);
                Some(&row[..comma])
            }
            None => {
                rest = None;
                Some(row)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_keys() {
        let text = br#"to=<a@b> rcpt=- stat="550 \"no\", sorry" to_x=1, delay=2s, z="open"#;
        for (key, wanted) in [
            ("to", Some("<a@b>")),
            ("stat", Some(r#"550 \"no\", sorry"#)),
            ("delay", Some("2s")),
            ("z", Some("open")),
            ("elay", None),
            ("x", None),
        ] {
            assert_eq!(value(text, key), wanted.map(str::as_bytes), "{key}");
        }
    }

    #[test]
    fn a_row_has_its_columns() {
        let row = b"a,,\"b, \"\"c\"\"\",d";
        let all: Vec<&[u8]> = columns(row).collect();
        assert_eq!(all, [&b"a"[..], b"", b"b, \"\"c\"\"", b"d"]);
        assert_eq!(columns(b"\"open,").count(), 1);
        assert_eq!(columns(b"a,").count(), 2);
    }
}
