//! The header of a message, field by field, every byte kept.

use bytes::Bytes;
use memchr::memchr;

/// A field with its line end, as it stands in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    raw: Bytes,
    colon: usize,
}

impl Field {
    /// A field that cannot be more than one: a name of other than visible ASCII is none (RFC 5322
    /// §2.2); NUL and bare CR go; line ends become CRLF, and a line that does not begin with white
    /// space gets a tab, so that it continues the field (§2.2.3); empty lines go.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Option<Field> {
        let visible = |b: u8| (33..=126).contains(&b) && b != b':';
        if name.is_empty() || !name.bytes().all(visible) {
            return None;
        }
        let mut raw = format!("{name}:");
        let value = value.replace("\r\n", "\n").replace(['\0', '\r'], "");
        let mut lines = value.split('\n').filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        if !first.starts_with([' ', '\t']) {
            raw.push(' ');
        }
        raw.push_str(first);
        for line in lines {
            raw.push_str("\r\n");
            if !line.starts_with([' ', '\t']) {
                raw.push('\t');
            }
            raw.push_str(line);
        }
        raw.push_str("\r\n");
        Some(Field {
            colon: name.len(),
            raw: raw.into(),
        })
    }

    /// Its name, as written.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.raw[..self.colon].trim_ascii_end()
    }

    /// Its value: all after the colon, folded as it is, without the last line end.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        let value = self.raw.get(self.colon + 1..).unwrap_or_default();
        value.strip_suffix(b"\r\n").unwrap_or(value)
    }

    /// All of it.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Whether it has this name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields in their order, from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    fields: Vec<Field>,
}

impl Header {
    /// Reads fields from the beginning of `bytes`; answers where they end. A line that is neither a
    /// field nor the continuation of one ends the header, as does the empty line, which is not counted.
    #[must_use]
    pub fn read(bytes: &Bytes) -> (Header, usize) {
        let mut fields = Vec::new();
        let mut start = 0;
        let mut colon = None;
        let mut at = 0;
        while let Some(end) = memchr(b'\n', &bytes[at..]).map(|found| at + found + 1) {
            let line = &bytes[at..end];
            let continues = colon.is_some() && matches!(line.first(), Some(b' ' | b'\t'));
            if !continues {
                let next = field_name(line);
                if let Some(colon) = colon {
                    let raw = bytes.slice(start..at);
                    fields.push(Field { raw, colon });
                }
                colon = next;
                start = at;
                if next.is_none() {
                    break;
                }
            }
            at = end;
        }
        if let Some(colon) = colon {
            let raw = bytes.slice(start..at);
            fields.push(Field { raw, colon });
            start = at;
        }
        (Header { fields }, start)
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.fields.iter().map(|field| field.raw.len() as u64).sum()
    }

    pub(crate) fn insert(&mut self, at: usize, field: Field) {
        self.fields.insert(at.min(self.fields.len()), field);
    }

    pub(crate) fn change(&mut self, name: &str, nth: usize, to: Option<Field>) {
        let place = self
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is(name))
            .nth(nth.saturating_sub(1))
            .map(|(place, _)| place);
        match (place, to) {
            (Some(place), Some(field)) => self.fields[place] = field,
            (Some(place), None) => {
                self.fields.remove(place);
            }
            (None, Some(field)) => self.fields.push(field),
            (None, None) => {}
        }
    }
}

/// Where the colon of a field is, if the line begins one.
fn field_name(line: &[u8]) -> Option<usize> {
    let colon = memchr(b':', line)?;
    // RFC 5322 §4.5: obsolete syntax has white space before the colon.
    let name = line[..colon].trim_ascii_end();
    let visible = |b: &u8| (33..=126).contains(b);
    (!name.is_empty() && name.iter().all(visible)).then_some(colon)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_keeps_every_byte_and_knows_its_fields() {
        let text = Bytes::from_static(b"A: 1\r\nB :\r\n two\r\n\tthree\r\nC:\r\n\r\nD: body\r\n");
        let (header, end) = Header::read(&text);
        let names: Vec<_> = header.fields().iter().map(Field::name).collect();
        assert_eq!(names, [b"A", b"B", b"C"]);
        assert_eq!(header.fields()[1].value(), b"\r\n two\r\n\tthree");
        assert_eq!(&text[end..], b"\r\nD: body\r\n");
    }

    #[test]
    fn a_message_without_a_header_has_none() {
        for text in ["\r\nbody\r\n", "no header here\r\n", " x: y\r\n", ""] {
            let (header, end) = Header::read(&Bytes::copy_from_slice(text.as_bytes()));
            assert_eq!((header.fields().len(), end), (0, 0), "{text:?}");
        }
    }

    #[test]
    fn a_value_with_line_ends_stays_one_field() {
        let field = Field::new(
            "X-Spam",
            "yes\r\nBcc: evil@example.org\r\n\r\nbody\n\n.\r\n",
        )
        .unwrap();
        assert_eq!(
            field.raw(),
            &Bytes::from_static(b"X-Spam: yes\r\n\tBcc: evil@example.org\r\n\tbody\r\n\t.\r\n")
        );
        for name in ["", "Sub ject", "A:B", "A\r\nB", "\u{e9}"] {
            assert_eq!(Field::new(name, "x"), None, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_filter_adds_is_one_field(value in "(?s).{0,80}") {
            let field = Field::new("X-Filter", &value).unwrap();
            let mut text = field.raw().to_vec();
            text.extend_from_slice(b"\r\nrest");
            let (header, end) = Header::read(&Bytes::from(text.clone()));
            prop_assert_eq!(header.fields(), &[field]);
            prop_assert_eq!(&text[end..], b"\r\nrest");
        }
    }
}
