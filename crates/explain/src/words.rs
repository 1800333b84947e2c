//! Fetching texts from the Fluent files, which are part of the program.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use crate::Lang;

type Bundle = FluentBundle<FluentResource>;

const ENGLISH: &[&str] = &[
    include_str!("../locales/en/case.ftl"),
    include_str!("../locales/en/incident.ftl"),
    include_str!("../locales/en/page.ftl"),
    include_str!("../locales/en/causes.ftl"),
    include_str!("../locales/en/codes.ftl"),
    include_str!("../locales/en/advice.ftl"),
    include_str!("../locales/en/story.ftl"),
    include_str!("../locales/en/checks.ftl"),
    include_str!("../locales/en/local.ftl"),
    include_str!("../locales/en/tls.ftl"),
    include_str!("../locales/en/bounces.ftl"),
    include_str!("../locales/en/secure.ftl"),
    include_str!("../locales/en/certificates.ftl"),
    include_str!("../locales/en/tls_report.ftl"),
];
const DUTCH: &[&str] = &[
    include_str!("../locales/nl/case.ftl"),
    include_str!("../locales/nl/incident.ftl"),
    include_str!("../locales/nl/page.ftl"),
    include_str!("../locales/nl/causes.ftl"),
    include_str!("../locales/nl/codes.ftl"),
    include_str!("../locales/nl/advice.ftl"),
    include_str!("../locales/nl/story.ftl"),
    include_str!("../locales/nl/checks.ftl"),
    include_str!("../locales/nl/local.ftl"),
    include_str!("../locales/nl/tls.ftl"),
    include_str!("../locales/nl/bounces.ftl"),
    include_str!("../locales/nl/secure.ftl"),
    include_str!("../locales/nl/certificates.ftl"),
    include_str!("../locales/nl/tls_report.ftl"),
];

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::En, ENGLISH));
static NL: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::Nl, DUTCH));

fn bundle(lang: Lang, texts: &[&str]) -> Bundle {
    // The tag decides how numbers are read ("one", "other"); without one, as in English.
    let tag = LanguageIdentifier::from_bytes(lang.as_str().as_bytes()).unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // The texts mix nothing that is written from right to left.
    bundle.set_use_isolating(false);
    for text in texts {
        // What is wrong with a line is found by the tests; the other lines are used.
        let resource = match FluentResource::try_new((*text).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

fn of(lang: Lang) -> &'static Bundle {
    match lang {
        Lang::En => &EN,
        Lang::Nl => &NL,
    }
}

/// A value that goes into a text.
pub(crate) enum Arg<'a> {
    Text(&'a str),
    Number(u64),
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Arg<'a> {
        Arg::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Arg<'a> {
        Arg::Text(text)
    }
}

impl From<u64> for Arg<'_> {
    fn from(number: u64) -> Self {
        Arg::Number(number)
    }
}

impl From<u32> for Arg<'_> {
    fn from(number: u32) -> Self {
        Arg::Number(number.into())
    }
}

/// The text with this key. A key that has none stands for itself; the tests see to it that there is
/// none such.
pub(crate) fn say(lang: Lang, key: &str, args: &[(&str, Arg<'_>)]) -> String {
    let (message, attribute) = match key.split_once('.') {
        Some((message, attribute)) => (message, Some(attribute)),
        None => (key, None),
    };
    let bundle = of(lang);
    let pattern = bundle
        .get_message(message)
        .and_then(|message| match attribute {
            Some(name) => message.get_attribute(name).map(|a| a.value()),
            None => message.value(),
        });
    let Some(pattern) = pattern else {
        return key.to_owned();
    };
    let mut values = FluentArgs::new();
    for (name, value) in args {
        match value {
            Arg::Text(text) => values.set(*name, FluentValue::from(*text)),
            Arg::Number(number) => values.set(*name, FluentValue::from(*number)),
        }
    }
    let mut errors = Vec::new();
    bundle
        .format_pattern(pattern, Some(&values), &mut errors)
        .into_owned()
}

/// The text with this key, which takes no values.
pub(crate) fn plain(lang: Lang, key: &str) -> String {
    say(lang, key, &[])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Keys with the variables that their texts use.
    fn keys(texts: &[&str]) -> BTreeMap<String, Vec<String>> {
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in texts.iter().flat_map(|t| t.lines()) {
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                current = line.split_once(" =").unwrap().0.to_owned();
                assert!(!keys.contains_key(&current), "{current} twice");
            } else if let Some(attribute) = line.trim_start().strip_prefix('.') {
                current = format!(
                    "{}.{}",
                    current.split('.').next().unwrap(),
                    attribute.split(' ').next().unwrap()
                );
            } else if line.starts_with('#') || current.is_empty() {
                continue;
            }
            let used = keys.entry(current.clone()).or_default();
            for piece in line.split('$').skip(1) {
                used.push(
                    piece
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .collect(),
                );
            }
            used.sort();
            used.dedup();
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_texts_with_the_same_values() {
        let (en, nl) = (keys(ENGLISH), keys(DUTCH));
        assert!(en.len() > 150);
        for (key, values) in &en {
            assert_eq!(nl.get(key), Some(values), "{key}");
        }
        assert_eq!(en.len(), nl.len());
    }

    #[test]
    fn every_text_is_valid_fluent_and_shows_its_values() {
        for texts in [ENGLISH, DUTCH] {
            for text in texts {
                assert!(FluentResource::try_new((*text).to_owned()).is_ok());
            }
        }
        for lang in Lang::ALL {
            for (key, values) in keys(ENGLISH) {
                let args: Vec<(&str, Arg<'_>)> = values
                    .iter()
                    .map(|v| (v.as_str(), Arg::Number(7)))
                    .collect();
                let text = say(lang, &key, &args);
                assert!(
                    !text.is_empty() && text != key && !text.contains(['{', '}', '$']),
                    "{key}: {text}"
                );
            }
        }
    }
}
