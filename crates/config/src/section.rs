//! One section of the file, read key by key.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::network::NotANetwork;
use crate::problem::{Problem, ProblemKind};
use crate::{Network, Rate, value};

/// Problems as they are found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) errors: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl Found {
    pub(crate) fn error(&mut self, span: Range<usize>, kind: ProblemKind) {
        self.errors.push(Problem { span, kind });
    }
}

/// A section whose keys are known.
pub(crate) struct Section<'a, 'i> {
    table: Option<&'a DeTable<'i>>,
    pub(crate) found: &'a mut Found,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Opens a section; keys that it does not have are problems.
    pub(crate) fn open(
        root: &'a DeTable<'i>,
        name: &'static str,
        known: &'static [&'static str],
        found: &'a mut Found,
    ) -> Section<'a, 'i> {
        let Some(value) = root.get(name) else {
            return Section { table: None, found };
        };
        let DeValue::Table(table) = value.get_ref() else {
            let wanted = "the section as `[name]` on a line of its own, its keys below";
            wrong_kind(found, value, wanted);
            return Section { table: None, found };
        };
        for key in table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let kind = ProblemKind::UnknownKey {
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

    pub(crate) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table?.get(key)
    }

    /// A text that `read` makes something of.
    pub(crate) fn text<T>(
        &mut self,
        key: &str,
        wanted: &'static str,
        into: &mut T,
        read: impl Fn(&str) -> Result<T, ProblemKind>,
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
    pub(crate) fn texts<T>(
        &mut self,
        key: &str,
        wanted: &'static str,
        into: &mut Vec<T>,
        read: impl Fn(&str) -> Result<T, ProblemKind>,
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

    pub(crate) fn duration(&mut self, key: &str, into: &mut Duration) {
        let wanted = "a number and a unit in quotes, like \"5d\", \"4h\", \"30s\" or \"500ms\"";
        self.text(key, wanted, into, |text| {
            value::duration(text).ok_or(ProblemKind::NotADuration)
        });
    }

    pub(crate) fn rate(&mut self, key: &str, into: &mut Option<Rate>) {
        let wanted = "a number and a time in quotes, like \"60/1m\" (60 in a minute), or \"none\"";
        self.text(key, wanted, into, |text| {
            value::rate(text).ok_or(ProblemKind::NotARate)
        });
    }

    pub(crate) fn networks(&mut self, key: &str, into: &mut Vec<Network>) {
        let wanted = "a list of networks, like [\"127.0.0.0/8\", \"::1/128\"]";
        self.texts(key, wanted, into, |text| {
            Network::read(text).map_err(|error| match error {
                NotANetwork::Address => ProblemKind::NotANetwork,
                NotANetwork::Prefix(most) => ProblemKind::PrefixTooLong { most },
                NotANetwork::HostBits(meant) => ProblemKind::HostBits { meant },
            })
        });
    }

    pub(crate) fn flag(&mut self, key: &str, into: &mut bool) {
        let Some(value) = self.get(key) else { return };
        match value.get_ref().as_bool() {
            Some(flag) => *into = flag,
            None => wrong_kind(self.found, value, "true or false, without quotes"),
        }
    }

    pub(crate) fn size(&mut self, key: &str, into: &mut u64) {
        if self
            .get(key)
            .is_some_and(|value| value.get_ref().is_integer())
        {
            self.number(key, into, 0, i64::MAX as u64);
            return;
        }
        let wanted = "a size in quotes, like \"50 MiB\", or a number of bytes";
        self.text(key, wanted, into, |text| {
            value::size(text).ok_or(ProblemKind::NotASize)
        });
    }

    pub(crate) fn number<T: TryFrom<u64>>(
        &mut self,
        key: &str,
        into: &mut T,
        least: u64,
        most: u64,
    ) {
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
                .error(value.span(), ProblemKind::OutOfRange { least, most }),
        }
    }

    /// One of some names.
    pub(crate) fn choice<T: Copy>(
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
                None => Err(ProblemKind::NotOneOf { allowed }),
            }
        });
        if let Some(value) = chosen.and_then(|place| values.get(place)) {
            *into = *value;
        }
    }
}

pub(crate) fn wrong_kind(found: &mut Found, value: &Spanned<DeValue<'_>>, wanted: &'static str) {
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
        ProblemKind::WrongKind {
            found: kind,
            wanted,
        },
    );
}
