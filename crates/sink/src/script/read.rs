//! From the text to the script.

use std::time::Duration;

use diagnosis::Dialect;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Written, wrong_kind};

use super::{Errors, Extension, Per, ProblemKind, Rate, Rule, Script};
use crate::pattern::Pattern;
use crate::stage::Stage;
use crate::verdict::Verdict;

type Found = toml_read::Found<ProblemKind>;
type Section<'a, 'i> = toml_read::Section<'a, 'i, ProblemKind>;

const SECTIONS: &[&str] = &["about", "server", "rule"];

pub(super) fn read(text: &str) -> Result<Script, Errors> {
    let root = toml_read::parse(text)?;
    let root = root.get_ref();
    let mut found = Found::default();
    toml_read::check_sections(root, SECTIONS, &mut found);
    let mut script = Script::default();
    script.server.conventions = false;
    about(root, &mut script, &mut found);
    server(root, &mut script, &mut found);
    rules(root, &mut script, &mut found);
    if found.errors.is_empty() {
        return Ok(script);
    }
    found.errors.sort_by_key(|problem| problem.span.start);
    Err(toml_read::Errors(found.errors))
}

fn about(root: &DeTable<'_>, script: &mut Script, found: &mut Found) {
    let mut section = Section::open(root, "about", &["title", "code", "expect"], found);
    let own = &mut script.about;
    section.text("title", "text in quotes", &mut own.title, |t| {
        Ok(t.to_owned())
    });
    section.text("code", "text in quotes", &mut own.code, |t| {
        Ok(Some(t.to_owned()))
    });
    section.text("expect", "text in quotes", &mut own.expect, |t| {
        Ok(t.to_owned())
    });
}

fn server(root: &DeTable<'_>, script: &mut Script, found: &mut Found) {
    let keys = &[
        "name",
        "names",
        "protocol",
        "users",
        "auth",
        "dialect",
        "extensions",
        "size",
        "conventions",
        "closed",
        "seed",
    ];
    let mut section = Section::open(root, "server", keys, found);
    let own = &mut script.server;
    let wanted = "a name in quotes, like \"mx.example.org\"";
    section.text("name", wanted, &mut own.name, |text| Ok(text.to_owned()));
    let wanted = "a list of names, like [\"mx.example.org\"]";
    section.texts("names", wanted, &mut own.names, |text| {
        let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_name
            .then(|| text.to_owned())
            .ok_or(ProblemKind::NotAName)
    });
    section.text("dialect", DIALECT, &mut own.dialect, dialect);
    let names: &'static [&'static str] = &EXTENSIONS;
    let wanted = "a list of extensions, like [\"SIZE\", \"8BITMIME\"]";
    section.texts("extensions", wanted, &mut own.extensions, |text| {
        let known = Extension::ALL
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        known
            .map(|(_, extension)| *extension)
            .ok_or_else(|| Written::NotOneOf { allowed: names }.into())
    });
    section.choice("protocol", &mut own.lmtp, &["smtp", "lmtp"], &[false, true]);
    let clear = &["always", "tls"];
    section.choice("auth", &mut own.auth_needs_tls, clear, &[false, true]);
    let wanted = "a list of users, like [\"anna:secret\"]";
    section.texts("users", wanted, &mut own.users, |text| {
        let (name, password) = text.split_once(':').ok_or(ProblemKind::NotAUser)?;
        Ok((name.to_owned(), password.to_owned()))
    });
    section.size("size", &mut own.size);
    section.flag("conventions", &mut own.conventions);
    section.flag("closed", &mut own.closed);
    let mut seed = own.seed.unwrap_or(0);
    section.number("seed", &mut seed, 0, i64::MAX as u64);
    if section.get("seed").is_some() {
        own.seed = Some(seed);
    }
}

const EXTENSIONS: [&str; 13] = [
    "PIPELINING",
    "SIZE",
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "STARTTLS",
    "AUTH",
    "DSN",
    "BINARYMIME",
    "REQUIRETLS",
    "DELIVERBY",
    "MT-PRIORITY",
];

const DIALECT: &str = "the name of a dialect in quotes, like \"exchange\"";

fn dialect(text: &str) -> Result<Dialect, ProblemKind> {
    let spoken = crate::words::spoken();
    let known = spoken.into_iter().find(|dialect| dialect.id() == text);
    known.ok_or_else(|| ProblemKind::UnknownDialect(text.to_owned()))
}

fn rules(root: &DeTable<'_>, script: &mut Script, found: &mut Found) {
    let Some(value) = root.get("rule") else {
        return;
    };
    let wanted = "rules as `[[rule]]` on a line of its own, the keys of each below";
    let DeValue::Array(list) = value.get_ref() else {
        wrong_kind(found, value, wanted);
        return;
    };
    for item in list.iter() {
        match item.get_ref() {
            DeValue::Table(table) => rule(item, table, script, found),
            _ => wrong_kind(found, item, wanted),
        }
    }
}

const KEYS: &[&str] = &[
    "at",
    "do",
    "recipient",
    "sender",
    "client",
    "hello",
    "secure",
    "authenticated",
    "per",
    "after",
    "times",
    "lasts",
    "chance",
    "rate",
    "quota",
    "open",
    "hops",
    "larger",
    "bytes",
    "repeat",
    "dialect",
    "delay",
    "tarpit",
    "keep",
];

fn rule(item: &Spanned<DeValue<'_>>, table: &DeTable<'_>, script: &mut Script, found: &mut Found) {
    let before = found.errors.len();
    let mut section = Section::of(table, "rule", KEYS, found);
    let mut rule = Rule::always(Stage::Rcpt, Verdict::Accept);
    section.choice("at", &mut rule.at, Stage::NAMES, Stage::ALL);
    if section.get("at").is_none() {
        section.found.error(item.span(), ProblemKind::NoStage);
    }
    rule.verdicts = verdicts(&mut section);
    who(&mut section, &mut rule);
    when(&mut section, &mut rule);
    how(&mut section, &mut rule);
    let paces = rule.delay.is_some() || rule.tarpit.is_some();
    if section.get("do").is_none() && !paces {
        section.found.error(item.span(), ProblemKind::NothingToDo);
    }
    misplaced(&mut section, &rule);
    if section.found.errors.len() == before {
        script.rules.push(rule);
    }
}

/// `do`: one text, or a list of them.
fn verdicts(section: &mut Section<'_, '_>) -> Vec<Verdict> {
    let read = |text: &str| Verdict::read(text).map_err(ProblemKind::Verdict);
    let wanted = "what to do in quotes, like \"4.2.2\", or a list of such";
    let is_list = |value: &&Spanned<DeValue<'_>>| value.get_ref().as_array().is_some();
    let mut verdicts = Vec::new();
    match section.get("do") {
        None => {}
        Some(list) if is_list(&list) => {
            section.texts("do", wanted, &mut verdicts, read);
            if list.get_ref().as_array().is_some_and(|a| a.is_empty()) {
                section.found.error(list.span(), Written::Empty);
            }
        }
        Some(_) => {
            let mut one = None;
            section.text("do", wanted, &mut one, |text| read(text).map(Some));
            verdicts.extend(one);
        }
    }
    verdicts
}

/// For whom the rule is.
fn who(section: &mut Section<'_, '_>, rule: &mut Rule) {
    let wanted = "a pattern in quotes, like \"*@full.example\"";
    for (key, into) in [
        ("recipient", &mut rule.recipient),
        ("sender", &mut rule.sender),
        ("client", &mut rule.client),
        ("hello", &mut rule.hello),
    ] {
        section.text(key, wanted, into, |text| Ok(Some(Pattern::new(text))));
    }
    rule.secure = flag(section, "secure");
    rule.authenticated = flag(section, "authenticated");
    section.choice(
        "per",
        &mut rule.per,
        &[
            "server",
            "session",
            "transaction",
            "client",
            "sender",
            "recipient",
            "triplet",
        ],
        &[
            Per::Server,
            Per::Session,
            Per::Transaction,
            Per::Client,
            Per::Sender,
            Per::Recipient,
            Per::Triplet,
        ],
    );
}

/// When it acts.
fn when(section: &mut Section<'_, '_>, rule: &mut Rule) {
    const MANY: u64 = 1_000_000_000;
    section.number("after", &mut rule.after, 0, MANY);
    rule.times = number(section, "times", MANY);
    rule.lasts = duration(section, "lasts");
    rule.open = number(section, "open", MANY);
    rule.hops = number(section, "hops", MANY);
    rule.quota = size(section, "quota");
    rule.larger = size(section, "larger");
    section.size("bytes", &mut rule.bytes);
    let wanted = "a rate in quotes, like \"10/1m\"";
    section.text("rate", wanted, &mut rule.rate, |text| {
        rate(text).map(Some).ok_or(ProblemKind::NotARate)
    });
    if let Some(value) = section.get("chance") {
        rule.chance = chance(value.get_ref());
        if rule.chance.is_none() {
            section.found.error(value.span(), ProblemKind::NotAChance);
        }
    }
}

fn rate(text: &str) -> Option<Rate> {
    let (count, period) = text.split_once('/')?;
    let period = period.trim();
    // "10/m" is ten a minute.
    let period = if period.starts_with(|c: char| c.is_ascii_digit()) {
        toml_read::duration(period)
    } else {
        toml_read::duration(&format!("1{period}"))
    };
    Some(Rate {
        count: count.trim().parse().ok().filter(|n| *n <= 100_000)?,
        period: period.filter(|period| !period.is_zero())?,
    })
}

fn chance(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Float(float) => float.as_str(),
        DeValue::Integer(integer) => integer.as_str(),
        _ => return None,
    };
    let chance: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&chance).then_some(chance)
}

fn flag(section: &mut Section<'_, '_>, key: &'static str) -> Option<bool> {
    section.get(key)?;
    let mut flag = false;
    section.flag(key, &mut flag);
    Some(flag)
}

fn number<T: TryFrom<u64> + Default>(
    section: &mut Section<'_, '_>,
    key: &'static str,
    most: u64,
) -> Option<T> {
    section.get(key)?;
    let mut number = T::default();
    section.number(key, &mut number, 0, most);
    Some(number)
}

fn duration(section: &mut Section<'_, '_>, key: &'static str) -> Option<Duration> {
    section.get(key)?;
    let mut duration = Duration::ZERO;
    section.duration(key, &mut duration);
    Some(duration)
}

fn size(section: &mut Section<'_, '_>, key: &'static str) -> Option<u64> {
    section.get(key)?;
    let mut size = 0;
    section.size(key, &mut size);
    Some(size)
}

/// How it is done.
fn how(section: &mut Section<'_, '_>, rule: &mut Rule) {
    section.flag("repeat", &mut rule.repeat);
    section.flag("keep", &mut rule.keep);
    rule.delay = duration(section, "delay");
    rule.tarpit = duration(section, "tarpit");
    section.text("dialect", DIALECT, &mut rule.dialect, |text| {
        dialect(text).map(Some)
    });
}

/// Keys that mean nothing at the rule's stage.
fn misplaced(section: &mut Section<'_, '_>, rule: &Rule) {
    use Stage::{Connect, Content, Data, EndOfData, Greeting, Handshake, Mail, Rcpt};
    let table: [(&'static str, &'static str, &[Stage]); 6] = [
        (
            "bytes",
            "\"content\" or \"handshake\"",
            &[Content, Handshake],
        ),
        ("keep", "\"end-of-data\"", &[EndOfData]),
        ("hops", "\"end-of-data\"", &[EndOfData]),
        ("quota", "\"rcpt\" or \"end-of-data\"", &[Rcpt, EndOfData]),
        (
            "larger",
            "\"mail\", \"rcpt\", \"data\" or \"end-of-data\"",
            &[Mail, Rcpt, Data, EndOfData],
        ),
        ("open", "\"connect\" or \"greeting\"", &[Connect, Greeting]),
    ];
    for (key, stages, allowed) in table {
        if let Some(value) = section.get(key)
            && !allowed.contains(&rule.at)
        {
            let kind = ProblemKind::NotHere { key, stages };
            section.found.error(value.span(), kind);
        }
    }
    let plays = |verdict: &Verdict| matches!(verdict, Verdict::Handshake(_));
    if rule.at != Handshake
        && rule.verdicts.iter().any(plays)
        && let Some(value) = section.get("do")
    {
        let span = value.span();
        section.found.error(span, ProblemKind::OnlyHandshake);
    }
    let early = matches!(rule.at, Connect | Greeting);
    for key in ["recipient", "sender", "hello"] {
        if let Some(value) = section.get(key)
            && early
        {
            let kind = ProblemKind::NotHere {
                key,
                stages: "\"mail\" or a later step: nothing of the kind is known before",
            };
            section.found.error(value.span(), kind);
        }
    }
}
