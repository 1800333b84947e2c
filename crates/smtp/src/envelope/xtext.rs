//! `xtext` (RFC 3461 §4) and its relative for addresses beyond ASCII (RFC 6533 §3).

use std::fmt::Write as _;

/// Writes text as xtext: `+` and two digits for what cannot stand as it is.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'+' && byte != b'=' => out.push(char::from(byte)),
            // Writing to a String does not fail.
            _ => _ = write!(out, "+{byte:02X}"),
        }
    }
    out
}

/// Reads xtext. Nothing where it is none, or what it hides is no UTF-8 or has control characters.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let digits = [bytes.next()?, bytes.next()?];
                out.push(16 * hex(digits[0])? + hex(digits[1])?);
            }
            b'=' => return None,
            b'!'..=b'~' => out.push(byte),
            _ => return None,
        }
    }
    let text = String::from_utf8(out).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// RFC 3461 §4: hexadecimal digits in upper case.
///
/// Deviation: lower case is taken too; nothing else can be meant.
fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Writes an address as `utf-8-addr-xtext` (RFC 6533 §3): `\x{HEX}` for what is not plain ASCII.
#[must_use]
pub fn encode_utf8(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        if c.is_ascii_graphic() && !matches!(c, '\\' | '+' | '=') {
            out.push(c);
        } else {
            _ = write!(out, "\\x{{{:02X}}}", u32::from(c));
        }
    }
    out
}

/// Reads `utf-8-addr-xtext` or `utf-8-addr-unitext` (RFC 6533 §3).
#[must_use]
pub fn decode_utf8(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            let inner = rest.strip_prefix("\\x{")?;
            let (digits, after) = inner.split_once('}')?;
            let fits = (2..=6).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let decoded = u32::from_str_radix(digits, 16)
                .ok()
                .and_then(char::from_u32)?;
            if !fits || decoded.is_control() {
                return None;
            }
            out.push(decoded);
            rest = after;
        } else {
            if c == '+' || c == '=' || c == ' ' || c.is_control() {
                return None;
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_hides_what_cannot_stand_in_a_parameter_and_gives_it_back() {
        let table = [
            ("plain@example.org", "plain@example.org"),
            ("a+b=c@example.org", "a+2Bb+3Dc@example.org"),
            ("with space", "with+20space"),
            ("", ""),
        ];
        for (text, written) in table {
            assert_eq!(encode(text), written);
            assert_eq!(decode(written).as_deref(), Some(text));
        }
        assert_eq!(decode("a+2bb").as_deref(), Some("a+b"));
    }

    #[test]
    fn what_is_no_xtext_is_nothing() {
        for text in [
            "a+",
            "a+2",
            "a+2G",
            "a=b",
            "a b",
            "+0D+0A",
            "+FF",
            "caf\u{e9}",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_beyond_ascii_is_written_in_ascii_and_read_in_both_forms() {
        let address = "d\u{f6}rte+x@example.org";
        let written = "d\\x{F6}rte\\x{2B}x@example.org";
        assert_eq!(encode_utf8(address), written);
        assert_eq!(decode_utf8(written).as_deref(), Some(address));
        assert_eq!(
            decode_utf8("d\u{f6}rte@x.org").as_deref(),
            Some("d\u{f6}rte@x.org")
        );
        for text in [
            "a\\b",
            "\\x{D800}",
            "\\x{0A}",
            "\\x{}",
            "\\x{41",
            "a+b",
            "a=b",
        ] {
            assert_eq!(decode_utf8(text), None, "{text}");
        }
    }
}
