//! One section of the file, read key by key.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Explained, Problem, Written};
use crate::value;

/// Problems as they are found.
pub struct Found<K> {
    /// What keeps the file from being used.
    pub errors: Vec<Problem<K>>,
    /// What does not.
    pub warnings: Vec<Problem<K>>,
}

impl<K> Default for Found<K> {
    fn default() -> Found<K> {
        Found {
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl<K: Explained> Found<K> {
    /// Notes an error.
    pub fn error(&mut self, span: Range<usize>, kind: impl Into<K>) {
        self.errors.push(Problem {
            span,
            kind: kind.into(),
        });
    }
}

/// A section whose keys are known.
pub struct Section<'a, 'i, K> {
    table: Option<&'a DeTable<'i>>,
    /// Where problems go.
    pub found: &'a mut Found<K>,
}

impl<'a, 'i, K: Explained> Section<'a, 'i, K> {
    /// Opens a section; keys that it does not have are problems.
    pub fn open(
        root: &'a DeTable<'i>,
        name: &'static str,
        known: &'static [&'static str],
        found: &'a mut Found<K>,
    ) -> Section<'a, 'i, K> {
        let Some(value) = root.get(name) else {
            return Section { table: None, found };
        };
        let DeValue::Table(table) = value.get_ref() else {
            let wanted = "the section as `[name]` on a line of its own, its keys below";
            wrong_kind(found, value, wanted);
            return Section { table: None, found };
        };
        Section::of(table, name, known, found)
    }

    /// The section that this table is: one of a list `[[name]]`, say.
    pub fn of(
        table: &'a DeTable<'i>,
        name: &'static str,
        known: &'static [&'static str],
        found: &'a mut Found<K>,
    ) -> Section<'a, 'i, K> {
        for key in table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let kind = Written::UnknownKey {
                    section: name,
                    key: key.get_ref().to_string(),
                    known,
                };
                found.error(key.span(), kind);
            }
        }
        Section {
            table: Some(table),
            found,
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table?.get(key)
    }

    /// A text that `read` makes something of.
    pub fn text<T>(
        &mut self,
        key: &str,
        wanted: &'static str,
        into: &mut T,
        read: impl Fn(&str) -> Result<T, K>,
    ) {
        let Some(value) = self.get(key) else { return };
        let Some(text) = value.get_ref().as_str() else {
            wrong_kind(self.found, value, wanted);
            return;
        };
        match read(text) {
            Ok(made) => *into = made,
            Err(kind) => self.found.error(value.span(), kind),
        }
    }

    /// A list of texts.
    pub fn texts<T>(
        &mut self,
        key: &str,
        wanted: &'static str,
        into: &mut Vec<T>,
        read: impl Fn(&str) -> Result<T, K>,
    ) {
        let Some(value) = self.get(key) else { return };
        let Some(list) = value.get_ref().as_array() else {
            wrong_kind(self.found, value, wanted);
            return;
        };
        into.clear();
        for item in list.iter() {
            match item.get_ref().as_str().map(&read) {
                Some(Ok(made)) => into.push(made),
                Some(Err(kind)) => self.found.error(item.span(), kind),
                None => wrong_kind(self.found, item, wanted),
            }
        }
    }

    /// A duration.
    pub fn duration(&mut self, key: &str, into: &mut Duration) {
        let wanted = "a number and a unit in quotes, like \"5d\", \"4h\", \"30s\" or \"500ms\"";
        self.text(key, wanted, into, |text| {
            value::duration(text).ok_or_else(|| Written::NotADuration.into())
        });
    }

    /// A size in bytes.
    pub fn size(&mut self, key: &str, into: &mut u64) {
        if self
            .get(key)
            .is_some_and(|value| value.get_ref().is_integer())
        {
            self.number(key, into, 0, i64::MAX as u64);
            return;
        }
        let wanted = "a size in quotes, like \"50 MiB\", or a number of bytes";
        self.text(key, wanted, into, |text| {
            value::size(text).ok_or_else(|| Written::NotASize.into())
        });
    }

    /// A whole number.
    pub fn number<T: TryFrom<u64>>(&mut self, key: &str, into: &mut T, least: u64, most: u64) {
        let Some(value) = self.get(key) else { return };
        let Some(number) = value.get_ref().as_integer() else {
            wrong_kind(self.found, value, "a whole number, without quotes");
            return;
        };
        let read = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let fits = read
            .filter(|n| (least..=most).contains(n))
            .and_then(|n| T::try_from(n).ok());
        match fits {
            Some(made) => *into = made,
            None => self
                .found
                .error(value.span(), Written::OutOfRange { least, most }),
        }
    }

    /// True or false.
    pub fn flag(&mut self, key: &str, into: &mut bool) {
        let Some(value) = self.get(key) else { return };
        match value.get_ref().as_bool() {
            Some(flag) => *into = flag,
            None => wrong_kind(self.found, value, "true or false, without quotes"),
        }
    }

    /// One of some names.
    pub fn choice<T: Copy>(
        &mut self,
        key: &str,
        into: &mut T,
        allowed: &'static [&'static str],
        values: &[T],
    ) {
        let wanted = "one of the names, in quotes";
        let mut chosen = None;
        self.text(key, wanted, &mut chosen, |text| {
            match allowed.iter().position(|name| *name == text) {
                Some(place) => Ok(Some(place)),
                None => Err(Written::NotOneOf { allowed }.into()),
            }
        });
        if let Some(value) = chosen.and_then(|place| values.get(place)) {
            *into = *value;
        }
    }
}

/// Notes that a value is of the wrong kind.
pub fn wrong_kind<K: Explained>(
    found: &mut Found<K>,
    value: &Spanned<DeValue<'_>>,
    wanted: &'static str,
) {
    let kind = match value.get_ref() {
        DeValue::String(_) => "text in quotes",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    found.error(
        value.span(),
        Written::WrongKind {
            found: kind,
            wanted,
        },
    );
}
