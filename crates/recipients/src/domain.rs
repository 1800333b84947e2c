//! A domain of ours.

use std::sync::Arc;

use queue::CalloutPolicy;

use crate::table::Table;
use crate::template::Template;

/// What a domain of ours is.
#[derive(Clone, Debug)]
pub enum Class {
    /// Its mailboxes are here.
    Local {
        /// Where they are.
        mailbox: Template,
        /// Who has one, and with what.
        mailboxes: Vec<Arc<dyn Table>>,
    },
    /// It has aliases alone.
    Virtual,
    /// Its mail goes on to a next hop.
    Relay {
        /// Who is there; none: the next hop knows.
        recipients: Vec<Arc<dyn Table>>,
        /// How the next hop is asked before mail is taken; none: not at all.
        verify: Option<Arc<CalloutPolicy>>,
    },
}

/// A domain of ours.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name, in lower case.
    pub name: String,
    /// What it is.
    pub class: Class,
    /// Its own aliases, asked before those of all domains.
    pub aliases: Vec<Arc<dyn Table>>,
}

/// An address as tables know it: folded, and taken apart at the delimiter.
///
/// RFC 5321 §2.4: the local part is the receiver's to interpret, which here are we: `Anna` and `anna` are
/// one. §4.1.2: `"anna"` with quotes is the same as without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// All of the local part.
    pub(crate) whole: String,
    /// What is before the delimiter, where there is something on both sides.
    pub(crate) base: Option<String>,
    /// What is after it, as written.
    pub(crate) detail: Option<String>,
}

impl Name {
    pub(crate) fn of(local: &str, delimiters: &str) -> Name {
        let plain = unquoted(local);
        let at = plain
            .char_indices()
            .find(|(at, c)| *at > 0 && delimiters.contains(*c))
            .map(|(at, c)| (at, at + c.len_utf8()));
        let parts = at.map(|(end, start)| (plain[..end].to_lowercase(), plain[start..].to_owned()));
        let (base, detail) = parts.filter(|(_, detail)| !detail.is_empty()).unzip();
        Name {
            whole: plain.to_lowercase(),
            base,
            detail,
        }
    }

    /// Whose mailbox it is.
    pub(crate) fn user(&self) -> &str {
        self.base.as_deref().unwrap_or(&self.whole)
    }
}

fn unquoted(local: &str) -> String {
    let Some(inner) = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) else {
        return local.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_taken_apart_at_the_first_delimiter() {
        for (local, whole, base, detail) in [
            ("Anna", "anna", None, None),
            ("Anna+Shop+x", "anna+shop+x", Some("anna"), Some("Shop+x")),
            ("anna-x", "anna-x", Some("anna"), Some("x")),
            ("anna+", "anna+", None, None),
            ("+anna", "+anna", None, None),
            ("\"An\\na\"", "anna", None, None),
        ] {
            let name = Name::of(local, "+-");
            let expected = Name {
                whole: whole.into(),
                base: base.map(Into::into),
                detail: detail.map(Into::into),
            };
            assert_eq!(name, expected, "{local}");
        }
        assert_eq!(Name::of("anna+x", "").base, None);
    }
}
