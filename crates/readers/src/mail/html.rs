//! HTML as text, with its places.

use crate::Words;

/// The text of HTML: without tags, with lines where the page has them.
pub(super) fn text(html: &Words) -> Words {
    let source = html.text();
    // Plain text under the wrong name: its lines are what is left of its form.
    if ![
        "<br", "<p", "<div", "<td", "<html", "<BR", "<P", "<DIV", "<TD", "<HTML",
    ]
    .iter()
    .any(|tag| source.contains(tag))
    {
        return html.clone();
    }
    let mut made = Words::default();
    let mut at = 0;
    let mut hidden: Option<&str> = None;
    while at < source.len() {
        let rest = &source[at..];
        let next = rest.find(['<', '&', '\r', '\n']).unwrap_or(rest.len());
        if hidden.is_none() && next > 0 {
            made.append_as_is(&html.slice((at, at + next)));
        }
        at += next;
        let rest = &source[at..];
        match rest.as_bytes().first() {
            None => break,
            Some(b'<') => {
                let (name, length) = tag(rest);
                hidden = match hidden {
                    Some(end) if name.eq_ignore_ascii_case(end) => None,
                    Some(end) => Some(end),
                    None if name.eq_ignore_ascii_case("style") => Some("/style"),
                    None if name.eq_ignore_ascii_case("script") => Some("/script"),
                    None if name.eq_ignore_ascii_case("title") => Some("/title"),
                    None => None,
                };
                if length == 1 && hidden.is_none() {
                    made.append_as_is(&html.slice((at, at + 1)));
                }
                if breaks_line(name) {
                    made.line_end();
                }
                at += length;
            }
            Some(b'&') => {
                let (text, length) = entity(rest);
                if hidden.is_none() {
                    let origin = html.origin((at, at + length)).unwrap_or_default();
                    made.push(text.encode_utf8(&mut [0; 4]), origin);
                }
                at += length;
            }
            // A line end within a paragraph is a space.
            Some(_) => {
                made.space();
                at += 1;
            }
        }
    }
    made
}

/// The name of a tag and its length; what is no tag (`<a@b>`) is one `<`.
fn tag(rest: &str) -> (&str, usize) {
    let after = &rest[1..];
    if let Some(comment) = after.strip_prefix("!--") {
        let length = comment.find("-->").map_or(rest.len(), |end| 4 + end + 3);
        return ("", length);
    }
    let name_end = after
        .find(|c: char| !(c.is_ascii_alphanumeric() || "/!?:".contains(c)))
        .unwrap_or(after.len());
    let name = &after[..name_end];
    let follows = after[name_end..].chars().next();
    let like_a_tag = !name.is_empty() && follows.is_some_and(|c| c == '>' || c.is_whitespace());
    let end = rest.find('>');
    match end {
        Some(end) if like_a_tag => (name, end + 1),
        Some(_) | None => ("", 1),
    }
}

fn breaks_line(name: &str) -> bool {
    const BREAKS: &[&str] = &[
        "br",
        "br/",
        "p",
        "/p",
        "div",
        "/div",
        "tr",
        "/tr",
        "li",
        "/li",
        "h1",
        "/h1",
        "h2",
        "/h2",
        "h3",
        "/h3",
        "h4",
        "/h4",
        "td",
        "/td",
        "table",
        "/table",
        "ul",
        "/ul",
        "pre",
        "/pre",
        "hr",
        "blockquote",
        "/blockquote",
    ];
    BREAKS.iter().any(|tag| name.eq_ignore_ascii_case(tag))
}

fn entity(rest: &str) -> (char, usize) {
    let end = rest.bytes().take(12).position(|b| b == b';');
    let Some(end) = end else { return ('&', 1) };
    let name = &rest[1..end];
    let number = name.strip_prefix('#').and_then(|digits| {
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        };
        code.and_then(char::from_u32)
    });
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => match number {
            Some('\u{a0}') => ' ',
            Some(c) => c,
            None => return ('&', 1),
        },
    };
    (c, end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_places_stay() {
        let page = "<html><style>p{}</style><p>Hello <b>you</b>,<br>&lt;a@example.org&gt;: 550\nno</p>5 < 6";
        let mut words = Words::default();
        words.push(page, (10, 10 + page.len()));
        let text = text(&words);
        assert_eq!(text.text(), "\nHello you,\n<a@example.org>: 550 no\n5 < 6");
        let at = text.text().find("550").unwrap();
        let (from, to) = text.origin((at, at + 3)).unwrap();
        assert_eq!(&page[from - 10..to - 10], "550");
    }
}
