//! Text on a terminal or in a plain-text mail: wrapped, indented, and free of control characters.

/// The widest line.
pub(crate) const WIDTH: usize = 92;

/// Adds a paragraph: the first line after `first`, the others indented by as much.
pub(crate) fn paragraph(out: &mut String, first: &str, text: &str, width: usize) {
    let indent = first.chars().count();
    out.push_str(first);
    let mut column = indent;
    let mut at_start = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !at_start && column + 1 + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
            at_start = true;
        }
        if !at_start {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        at_start = false;
    }
    out.push('\n');
}

/// Words of others, safe to show: control characters become visible.
pub(crate) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// A peer's reply as it stands, line by line.
pub(crate) fn reply_lines(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    text.lines().map(|line| safe(line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_and_indented() {
        let mut out = String::new();
        paragraph(&mut out, "  Next  ", "one two three four", 18);
        assert_eq!(out, "  Next  one two\n        three four\n");
    }

    #[test]
    fn control_characters_of_others_do_nothing() {
        assert_eq!(safe("a\u{1b}[31mb\u{7}"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(
            reply_lines(b"550-a\x00\r\n550 b\r\n"),
            ["550-a\u{fffd}", "550 b"]
        );
    }
}
