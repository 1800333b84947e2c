//! `[[rewrite]]`: what is changed in mail on its way out.

use std::fmt::{self, Write as _};

use queue::route::Pattern;
use rewriting::{Field, Mapping, Place, Rule};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, wrong_kind};

use crate::Config;
use crate::problem::ProblemKind;
use crate::read::Found;
use crate::show::{list, quoted};

const KEYS: &[&str] = &[
    "name",
    "sender",
    "recipient",
    "route",
    "remove",
    "set",
    "add",
    "map",
    "in",
    "signed",
];

pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let Some(value) = root.get("rewrite") else {
        return;
    };
    let wanted = "each as `[[rewrite]]` on a line of its own, its keys below";
    let Some(all) = value.get_ref().as_array() else {
        wrong_kind(found, value, wanted);
        return;
    };
    for (number, item) in (1..).zip(all.iter()) {
        match item.get_ref() {
            DeValue::Table(table) => config.rewrite.0.push(rule(table, item, number, found)),
            _ => wrong_kind(found, item, wanted),
        }
    }
}

fn rule(
    table: &DeTable<'_>,
    item: &Spanned<DeValue<'_>>,
    number: usize,
    found: &mut Found,
) -> Rule {
    let mut section = Section::of(table, "rewrite", KEYS, found);
    let mut rule = Rule {
        name: format!("rewrite {number}"),
        places: Place::ALL.to_vec(),
        ..Rule::default()
    };
    section.text("name", "a name in quotes", &mut rule.name, |text| {
        let plain = !text.is_empty() && !text.chars().any(char::is_control);
        let named = plain.then(|| text.to_owned());
        named.ok_or(ProblemKind::NotARewrite(NotARewrite::Name))
    });
    let wanted = "a list of addresses and domains, like [\"anna@example.org\", \"example.org\", \".example.org\", \"<>\"]";
    let pattern = |text: &str| -> Result<Pattern, ProblemKind> {
        text.parse().map_err(ProblemKind::NotAPattern)
    };
    section.texts("sender", wanted, &mut rule.senders, pattern);
    section.texts("recipient", wanted, &mut rule.recipients, pattern);
    let wanted =
        "a list of next hops as in [routes], like [\"mx\", \"smtp://mail.example.org:25\"]";
    section.texts("route", wanted, &mut rule.routes, |text| {
        // Written another way, it would be a route that mail never takes.
        let hop: queue::route::NextHop = text.parse().map_err(ProblemKind::NextHop)?;
        Ok(hop.to_string())
    });
    let wanted = "a list of names of header fields, like [\"X-Internal\"]";
    section.texts("remove", wanted, &mut rule.remove, field_name);
    rule.set = fields(&mut section, "set");
    rule.add = fields(&mut section, "add");
    rule.map = map(&mut section);
    let wanted = "a list like [\"From\", \"Sender\", \"Reply-To\", \"To\", \"Cc\", \"envelope\"]";
    section.texts("in", wanted, &mut rule.places, |text| {
        let place = Place::ALL
            .into_iter()
            .find(|place| place.as_str().eq_ignore_ascii_case(text));
        place.ok_or(ProblemKind::NotARewrite(NotARewrite::Place))
    });
    let signed = &mut rule.break_signatures;
    section.choice("signed", signed, &["keep", "break"], &[false, true]);
    let idle = rule.remove.is_empty() && rule.set.is_empty() && rule.add.is_empty();
    let unread = ["remove", "set", "add", "map"].iter();
    if idle && rule.map.is_empty() && unread.into_iter().all(|key| section.get(key).is_none()) {
        let kind = ProblemKind::NotARewrite(NotARewrite::Idle);
        section.found.error(item.span(), kind);
    }
    if let Some(value) = section.get("in").filter(|_| section.get("map").is_none()) {
        let kind = ProblemKind::NotARewrite(NotARewrite::NoMap);
        section.found.error(value.span(), kind);
    }
    rule
}

/// RFC 5322 §2.2: printable, without a colon. What traces the way and what signs is not for rules.
fn field_name(text: &str) -> Result<String, ProblemKind> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    let kept = ["received", "return-path", "from"];
    if !plain || text.len() > 70 {
        return Err(ProblemKind::NotAFieldName);
    }
    match kept.contains(&text.to_ascii_lowercase().as_str()) {
        true => Err(ProblemKind::NotARewrite(NotARewrite::Kept)),
        false => Ok(text.to_owned()),
    }
}

/// `{ "Organization" = "Example" }`.
fn fields(section: &mut Section<'_, '_, ProblemKind>, key: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let Some(value) = section.get(key) else {
        return fields;
    };
    let wanted = "a table of fields and values, like { \"Organization\" = \"Example\" }";
    let DeValue::Table(table) = value.get_ref() else {
        wrong_kind(section.found, value, wanted);
        return fields;
    };
    for (name, value) in in_order(table) {
        let read = field_name(name.get_ref());
        let text = value.get_ref().as_str();
        // RFC 5322 §2.1.1: 998 bytes in a line.
        let fits = |text: &&str| {
            text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
                && text.len() <= 900
                && !text.trim().is_empty()
        };
        match (read, text) {
            (Err(kind), _) => section.found.error(name.span(), kind),
            (Ok(_), None) => wrong_kind(section.found, value, wanted),
            (Ok(name), Some(text)) => match Some(text).filter(fits) {
                Some(text) => fields.push(Field {
                    name,
                    value: text.trim().to_owned(),
                }),
                None => {
                    let kind = ProblemKind::NotARewrite(NotARewrite::Value);
                    section.found.error(value.span(), kind);
                }
            },
        }
    }
    fields
}

/// `{ "@host.example.org" = "@example.org", "root@example.org" = "admin@example.org" }`.
fn map(section: &mut Section<'_, '_, ProblemKind>) -> Vec<Mapping> {
    let mut map = Vec::new();
    let Some(value) = section.get("map") else {
        return map;
    };
    let wanted = "a table, like { \"@host.example.org\" = \"@example.org\" }";
    let DeValue::Table(table) = value.get_ref() else {
        wrong_kind(section.found, value, wanted);
        return map;
    };
    for (from, to) in in_order(table) {
        let Some(text) = to.get_ref().as_str() else {
            wrong_kind(section.found, to, wanted);
            continue;
        };
        // Which of the two is wrong: mapped to itself, a good side is good.
        let place = match Mapping::read(from.get_ref(), from.get_ref()) {
            Err(rewriting::NotAMapping::Side) => from.span(),
            _ => to.span(),
        };
        match Mapping::read(from.get_ref(), text) {
            Ok(mapping) => map.push(mapping),
            Err(why) => {
                let kind = ProblemKind::NotARewrite(NotARewrite::Mapping(why));
                section.found.error(place, kind);
            }
        }
    }
    map
}

type Pair<'a, 'i> = (
    &'a Spanned<std::borrow::Cow<'i, str>>,
    &'a Spanned<DeValue<'i>>,
);

/// As they stand in the file.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Pair<'a, 'i>> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(name, _)| name.span().start);
    pairs
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum NotARewrite {
    /// It does nothing.
    Idle,
    /// `in` without `map`.
    NoMap,
    /// Its name.
    Name,
    /// A field that no rule removes or sets.
    Kept,
    /// The value of a field.
    Value,
    /// No place where addresses are mapped.
    Place,
    /// A line of the map.
    Mapping(rewriting::NotAMapping),
}

impl NotARewrite {
    pub(crate) fn help(&self) -> String {
        match self {
            NotARewrite::Idle => "add what it does: remove = [\"X-Internal\"], set = { \"Organization\" = \"Example\" }, add = {…} or map = { \"@old.example\" = \"@new.example\" }",
            NotARewrite::NoMap => "add map = { \"@old.example\" = \"@new.example\" }, or leave `in` out",
            NotARewrite::Name => "write a name like \"masquerade\"",
            NotARewrite::Kept => "Received and Return-Path tell the way of a message, and every message has one From; addresses in From are changed by `map`",
            NotARewrite::Value => "write printable ASCII on one line, 900 characters at most; other letters as encoded words (RFC 2047)",
            NotARewrite::Place => "write From, Sender, Reply-To, To, Cc or envelope (the reverse-path)",
            NotARewrite::Mapping(_) => "write \"anna@old.example\" = \"anna@new.example\" or \"@old.example\" = \"@new.example\"",
        }
        .to_owned()
    }
}

impl fmt::Display for NotARewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotARewrite::Idle => f.write_str("this rule does nothing"),
            NotARewrite::NoMap => {
                f.write_str("this says where addresses are mapped, and nothing says to what")
            }
            NotARewrite::Name => f.write_str("this is no name"),
            NotARewrite::Kept => f.write_str("rules do not remove or set this field"),
            NotARewrite::Value => f.write_str("this cannot be the value of a field"),
            NotARewrite::Place => f.write_str("addresses are not mapped there"),
            NotARewrite::Mapping(why) => why.fmt(f),
        }
    }
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    for (number, rule) in (1..).zip(&config.rewrite.0) {
        writeln!(
            out,
            "\n[[rewrite]]  # docs/rewriting.md; done once, in order, before signing"
        )?;
        if rule.name != format!("rewrite {number}") {
            writeln!(out, "name = {}", quoted(&rule.name))?;
        }
        let lists = [("sender", &rule.senders), ("recipient", &rule.recipients)];
        for (key, patterns) in lists.iter().filter(|(_, patterns)| !patterns.is_empty()) {
            writeln!(out, "{key} = {}", list(patterns))?;
        }
        for (key, texts) in [("route", &rule.routes), ("remove", &rule.remove)] {
            if !texts.is_empty() {
                writeln!(out, "{key} = {}", list(texts))?;
            }
        }
        let table = |pairs: Vec<(String, String)>| {
            let pairs = pairs
                .iter()
                .map(|(k, v)| format!("{} = {}", quoted(k), quoted(v)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        };
        for (key, fields) in [("set", &rule.set), ("add", &rule.add)] {
            if !fields.is_empty() {
                let pairs = fields.iter().map(|f| (f.name.clone(), f.value.clone()));
                writeln!(out, "{key} = {}", table(pairs.collect()))?;
            }
        }
        if !rule.map.is_empty() {
            writeln!(
                out,
                "map = {}",
                table(rule.map.iter().map(Mapping::sides).collect())
            )?;
            let places: Vec<&str> = rule.places.iter().map(|place| place.as_str()).collect();
            writeln!(out, "in = {}", list(&places))?;
        }
        let signed = if rule.break_signatures {
            "break"
        } else {
            "keep"
        };
        writeln!(out, "signed = {}", quoted(signed))?;
    }
    if config.rewrite.0.is_empty() {
        writeln!(
            out,
            "\n# [[rewrite]]                                  # what is changed in mail on its way out; docs/rewriting.md\n\
             # sender = [\".internal.example.org\"]           # whose; also recipient = […], route = [\"mx\"]\n\
             # map = {{ \"@host.internal.example.org\" = \"@example.org\" }}\n\
             # in = [\"From\", \"Sender\", \"Reply-To\", \"To\", \"Cc\", \"envelope\"]\n\
             # remove = [\"X-Internal\"]                      # also set = {{ \"Organization\" = \"Example\" }}, add = {{…}}\n\
             # signed = \"keep\"                              # \"break\": even what others have signed"
        )?;
    }
    Ok(())
}
