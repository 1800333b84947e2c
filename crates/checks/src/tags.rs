//! `name=value; name=value` (RFC 6376 §3.2), as in DKIM keys and DMARC records.

use diagnosis::finding::{Defect, Fact};

/// The tags of a record, in order.
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    pub(crate) fn read(text: &'a str) -> Result<Tags<'a>, Fact> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| defect(Defect::MissingValue, part))?;
            let name = name.trim();
            if tags.iter().any(|(known, _)| *known == name) {
                return Err(defect(Defect::Twice, part));
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

pub(crate) fn defect(defect: Defect, text: &str) -> Fact {
    Fact::Defect {
        defect,
        text: text.to_owned(),
    }
}
