//! Patterns of addresses and names: `*` stands for anything, letters count without their case.

/// A pattern like `*@full.example` or `127.0.0.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
}

impl Pattern {
    /// Any text is a pattern.
    #[must_use]
    pub fn new(text: &str) -> Pattern {
        Pattern {
            text: text.to_lowercase(),
        }
    }

    /// The pattern as text, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut parts = self.text.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // The leftmost place of each part leaves the most for those after it.
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_case_does_not_count() {
        let table = [
            ("*", "", true),
            ("*@full.example", "Anna@Full.Example", true),
            ("*@full.example", "anna@full.example.org", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abbc", true),
            ("a*bc", "abc", true),
            ("ab*bc", "abc", false),
            ("127.0.0.*", "127.0.0.9", true),
            ("anna@a.example", "anna@a.example", true),
            ("anna@a.example", "hanna@a.example", false),
        ];
        for (pattern, text, fits) in table {
            assert_eq!(Pattern::new(pattern).fits(text), fits, "{pattern} {text}");
        }
    }
}
