//! `name=value; name=value` (RFC 6376 §3.2), as in DKIM keys and DMARC records.

use diagnosis::finding::{Defect, Fact};

/// The tags of a record, in order.
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Tags<'a>, Flaw> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| flaw(Defect::MissingValue, part))?;
            let name = name.trim();
            if tags.iter().any(|(known, _)| *known == name) {
                return Err(flaw(Defect::Twice, part));
            }
            tags.push((name, value.trim()));
        }
        Ok(Tags(tags))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    pub(crate) fn first(&self) -> Option<(&'a str, &'a str)> {
        self.0.first().copied()
    }
}

/// What is wrong with a record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) defect: Defect,
    pub(crate) text: String,
}

pub(crate) fn flaw(defect: Defect, text: &str) -> Flaw {
    Flaw {
        defect,
        text: text.to_owned(),
    }
}

impl From<Flaw> for Fact {
    fn from(flaw: Flaw) -> Fact {
        Fact::Defect {
            defect: flaw.defect,
            text: flaw.text,
        }
    }
}
