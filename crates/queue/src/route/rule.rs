//! Rules: which mail a route is for.

use std::fmt;

use smtp::Address;

use super::Line;

/// Whose mail it is, to whom: what routes go by.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The recipient.
    pub recipient: &'a Address,
    /// The reverse-path, where it is known.
    pub sender: Option<&'a Address>,
    /// Those fields of the header that [`Routes::header_names`] asks for: name and unfolded value.
    pub header: &'a [(String, String)],
}

impl<'a> Asked<'a> {
    /// About an address, of mail of which nothing else is known.
    #[must_use]
    pub fn to(recipient: &'a Address) -> Asked<'a> {
        Asked {
            recipient,
            sender: None,
            header: &[],
        }
    }

    /// The same from this sender.
    #[must_use]
    pub fn from(self, sender: &'a Address) -> Asked<'a> {
        Asked {
            sender: Some(sender),
            ..self
        }
    }
}

/// Which addresses a rule means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every one.
    Any,
    /// The null reverse-path.
    Null,
    /// One address; the domain without regard to case.
    Address {
        /// The local part.
        local: String,
        /// The domain in lower case.
        domain: String,
    },
    /// All of a domain.
    Domain(String),
    /// All below a domain, which is written `.example.org`.
    Below(String),
}

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address and no domain")]
pub struct NotAPattern(pub String);

impl std::str::FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Pattern, NotAPattern> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_domain = |d: &str| !d.is_empty() && d.chars().all(plain) && !d.contains("..");
        let wrong = || NotAPattern(text.to_owned());
        match text {
            "*" => return Ok(Pattern::Any),
            "<>" => return Ok(Pattern::Null),
            _ => {}
        }
        if text.contains('@') {
            let address = Address::parse(text, true).map_err(|_| wrong())?;
            let domain = address.domain().ok_or_else(wrong)?.to_lowercase();
            let local = address.local().to_owned();
            return Ok(Pattern::Address { local, domain });
        }
        let lower = text.to_lowercase();
        match lower.strip_prefix('.') {
            Some(domain) if is_domain(domain) => Ok(Pattern::Below(domain.to_owned())),
            None if is_domain(&lower) => Ok(Pattern::Domain(lower)),
            Some(_) | None => Err(wrong()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Any => f.write_str("*"),
            Pattern::Null => f.write_str("<>"),
            Pattern::Address { local, domain } => write!(f, "{local}@{domain}"),
            Pattern::Domain(domain) => f.write_str(domain),
            Pattern::Below(domain) => write!(f, ".{domain}"),
        }
    }
}

impl Pattern {
    /// Whether it means this address.
    #[must_use]
    pub fn matches(&self, address: &Address) -> bool {
        // RFC 5321 §2.4: domains are compared without regard to case, local parts are not.
        let of = address.domain().map(str::to_lowercase);
        match (self, of.as_deref()) {
            (Pattern::Any, _) => true,
            (Pattern::Null, _) => address.is_null(),
            (Pattern::Address { local, domain }, Some(of)) => {
                of == domain && address.local() == local
            }
            (Pattern::Domain(domain), Some(of)) => of == domain,
            (Pattern::Below(domain), Some(of)) => {
                let above = of.strip_suffix(domain.as_str());
                above.is_some_and(|above| above.ends_with('.'))
            }
            (Pattern::Address { .. } | Pattern::Domain(_) | Pattern::Below(_), None) => false,
        }
    }
}

/// A route for some mail (`[[route]]`): all that it names must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whose mail.
    pub sender: Option<Pattern>,
    /// To whom.
    pub recipient: Option<Pattern>,
    /// With which header field: its name, and its value; both without regard to case.
    pub header: Option<(String, String)>,
    /// What it says.
    pub line: Line,
}

impl Rule {
    pub(super) fn matches(&self, asked: &Asked<'_>) -> bool {
        let sender = self
            .sender
            .as_ref()
            .is_none_or(|pattern| asked.sender.is_some_and(|sender| pattern.matches(sender)));
        let recipient = self.recipient.as_ref();
        let recipient = recipient.is_none_or(|pattern| pattern.matches(asked.recipient));
        let header = self.header.as_ref().is_none_or(|(name, value)| {
            let mut fields = asked.header.iter();
            fields.any(|(n, v)| n.eq_ignore_ascii_case(name) && v.eq_ignore_ascii_case(value))
        });
        sender && recipient && header
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(sender) = &self.sender {
            parts.push(format!("sender {sender}"));
        }
        if let Some(recipient) = &self.recipient {
            parts.push(format!("recipient {recipient}"));
        }
        if let Some((name, value)) = &self.header {
            parts.push(format!("{name}: {value}"));
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_pattern_is_refused() {
        for text in ["", ".", "@", "a@", "a b", "example..org", "<a@b>"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
        for text in ["*", "<>", "a@b.example", "b.example", ".b.example"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
    }
}
