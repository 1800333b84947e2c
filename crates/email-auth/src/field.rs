//! The field `Authentication-Results` (RFC 8601).

/// The field's name.
pub const NAME: &str = "Authentication-Results";

/// Whether the value of such a field claims to be from this server (RFC 8601 §5): one that comes from
/// outside and does is a forgery. A value that cannot be read counts as one where it has our name.
#[must_use]
pub fn claims_to_be_from(value: &[u8], server: &str) -> bool {
    let text = String::from_utf8_lossy(value);
    let plain = without_comments(&text);
    let before = plain.split(';').next().unwrap_or_default();
    let mut words = before.split_ascii_whitespace();
    let first = words.next().unwrap_or_default().trim_matches('"');
    let own = |word: &str| word.trim_end_matches('.').eq_ignore_ascii_case(server);
    own(first) || words.any(|word| own(word.trim_matches('"')))
}

/// RFC 5322 §3.2.2: comments nest, and a backslash takes the next character.
fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    let (mut depth, mut quoted) = (0_u32, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                if let Some(next) = chars.next().filter(|_| depth == 0) {
                    plain.push(next);
                }
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                plain.push(c);
            }
            '(' if !quoted => {
                depth += 1;
                plain.push(' ');
            }
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_field_is_known_however_it_is_written() {
        for (value, forged) in [
            (" mx.example.org; spf=pass", true),
            ("mx.example.org 1; none", true),
            (" MX.Example.ORG.; none", true),
            (
                "\r\n\t(one (two) \\) ;) mx.example.org\r\n\t; dkim=pass",
                true,
            ),
            (" \"mx.example.org\"; none", true),
            (" 1 mx.example.org; none", true),
            (" other.example; spf=pass smtp.helo=mx.example.org", false),
            (" (mx.example.org) other.example; none", false),
            (" xmx.example.org; none", false),
            ("", false),
        ] {
            assert_eq!(
                claims_to_be_from(value.as_bytes(), "mx.example.org"),
                forged,
                "{value:?}"
            );
        }
    }
}
