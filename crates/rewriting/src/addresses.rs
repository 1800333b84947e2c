//! Addresses within the value of a field, found without touching anything else.

use std::ops::Range;

/// Where the addresses are in the value of a field: `local@domain`, without the brackets around it. What
/// stands in quotes, in comments and in encoded words is for people, and no address.
pub(crate) fn find(value: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut depth = 0_u32;
    // Where a local part may begin: a quoted string or a run of atoms.
    let mut local: Option<usize> = None;
    while let Some(byte) = value.get(at) {
        match byte {
            b'\\' if depth > 0 => at += 1,
            b'(' => (depth, local) = (depth + 1, None),
            b')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b'"' => {
                let begin = at;
                at = end_of_quotes(value, at);
                // RFC 5322 §4.4: `"a".b@example.org`, which nobody writes, is left as it is.
                local = Some(begin);
            }
            b'@' => {
                let end = end_of_domain(value, at + 1);
                if let Some(begin) = local.take()
                    && begin < at
                    && end > at + 1
                    && !is_encoded_word(value.get(begin..at).unwrap_or_default())
                {
                    found.push(begin..end);
                }
                at = end.saturating_sub(1).max(at);
            }
            byte if is_atom(*byte) => {
                local.get_or_insert(at);
            }
            // RFC 5322 §3.4.1: nothing stands between a local part and its @ but what is obsolete.
            _ => local = None,
        }
        at += 1;
    }
    found
}

fn is_encoded_word(text: &[u8]) -> bool {
    text.starts_with(b"=?")
}

/// RFC 5322 §3.2.3, dots with it, and what is beyond ASCII (RFC 6532 §3.2).
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte) || byte >= 0x80
}

fn end_of_quotes(value: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(byte) = value.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return at,
            _ => {}
        }
        at += 1;
    }
    value.len().saturating_sub(1)
}

fn end_of_domain(value: &[u8], begin: usize) -> usize {
    if value.get(begin) == Some(&b'[') {
        let rest = value.get(begin..).unwrap_or_default();
        let close = rest.iter().position(|byte| *byte == b']');
        return close.map_or(begin, |close| begin + close + 1);
    }
    let rest = value.get(begin..).unwrap_or_default();
    let inside =
        |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte) || **byte >= 0x80;
    begin + rest.iter().take_while(inside).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Vec<&str> {
        let places = find(value.as_bytes()).into_iter();
        places.map(|place| &value[place]).collect()
    }

    #[test]
    fn addresses_are_found_and_what_looks_like_one_is_not() {
        let table: [(&str, &[&str]); 14] = [
            (" anna@example.org\r\n", &["anna@example.org"]),
            (" Anna <anna@example.org>", &["anna@example.org"]),
            (
                " \"b@x.example, \\\" c@y.example\" <anna@example.org>",
                &["anna@example.org"],
            ),
            (
                " (see b@x.example \\) (c@y)) anna@example.org (d@z)",
                &["anna@example.org"],
            ),
            (
                " a@x.example, B <b@y.example>,\r\n\tc@z.example",
                &["a@x.example", "b@y.example", "c@z.example"],
            ),
            (
                " Team: a@x.example, b@y.example;",
                &["a@x.example", "b@y.example"],
            ),
            (
                " \"anna maria\"@example.org",
                &["\"anna maria\"@example.org"],
            ),
            (" <@relay.example:anna@example.org>", &["anna@example.org"]),
            (
                " =?utf-8?q?a@b.example?= <anna@example.org>",
                &["anna@example.org"],
            ),
            (
                " d\u{f6}rte@b\u{fc}cher.example",
                &["d\u{f6}rte@b\u{fc}cher.example"],
            ),
            (" anna@[192.0.2.1]", &["anna@[192.0.2.1]"]),
            (" undisclosed-recipients:;", &[]),
            (" @example.org, anna@, anna @ example.org", &[]),
            (" \"open", &[]),
        ];
        for (value, expected) in table {
            assert_eq!(found(value), expected, "{value}");
        }
    }
}
