//! `[routes]` and `[[route]]`: reading and showing.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use queue::route::{Identity, Line, Login, NextHop, Pattern, Rule, Ways};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, wrong_kind};

use crate::problem::ProblemKind;
use crate::show::quoted;
use crate::{Config, RouteLine};

type Found = toml_read::Found<ProblemKind>;

/// What a route in `[routes]` may say.
const LINE_KEYS: &[&str] = &[
    "to",
    "name",
    "user",
    "password_file",
    "unencrypted",
    "source",
    "helo",
];
/// What a `[[route]]` may say.
const RULE_KEYS: &[&str] = &[
    "sender",
    "recipient",
    "header",
    "to",
    "name",
    "user",
    "password_file",
    "unencrypted",
    "source",
    "helo",
];

pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let mut lines = lines(root, found);
    lines.sort_by_key(|(span, ..)| span.start);
    for (span, domain, line) in lines {
        match config.routes.insert_line(&domain, line.clone()) {
            Ok(()) => config.route_lines.push(RouteLine { domain, line }),
            Err(twice) => found.error(span, ProblemKind::RouteTwice(twice)),
        }
    }
    rules(root, config, found);
}

type Place = std::ops::Range<usize>;

/// `[routes]`: any domain may be a key.
fn lines(root: &DeTable<'_>, found: &mut Found) -> Vec<(Place, String, Line)> {
    let mut lines = Vec::new();
    let Some(value) = root.get("routes") else {
        return lines;
    };
    let DeValue::Table(table) = value.get_ref() else {
        let wanted = "the section as `[routes]` on a line of its own, its routes below";
        wrong_kind(found, value, wanted);
        return lines;
    };
    for (domain, said) in table {
        let name = domain.get_ref().as_ref();
        if !is_domain_pattern(name) {
            found.error(domain.span(), ProblemKind::NotADomain);
            continue;
        }
        let line = match said.get_ref() {
            DeValue::String(text) => hop(text, said, found).map(Line::from),
            DeValue::Table(table) if table.get("to").is_some() || is_inline(table) => {
                let mut section = Section::of(table, "routes", LINE_KEYS, found);
                line(&mut section, said)
            }
            _ => {
                let wanted = "a next hop in quotes, like \"smtp://mail.example.org:25\", or a table with `to`; a domain with dots needs quotes too: \"example.org\" = …";
                wrong_kind(found, said, wanted);
                None
            }
        };
        lines.extend(line.map(|line| (said.span(), name.to_owned(), line)));
    }
    lines
}

/// Whether a table is meant as a route: `example.org = …` without quotes makes one too.
fn is_inline(table: &DeTable<'_>) -> bool {
    table
        .keys()
        .any(|key| LINE_KEYS.contains(&key.get_ref().as_ref()))
}

fn hop(text: &str, at: &Spanned<DeValue<'_>>, found: &mut Found) -> Option<NextHop> {
    match text.parse::<NextHop>() {
        Ok(hop) => Some(hop),
        Err(error) => {
            found.error(at.span(), ProblemKind::NextHop(error));
            None
        }
    }
}

/// `[[route]]`, in order.
fn rules(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let Some(value) = root.get("route") else {
        return;
    };
    let wanted = "each as `[[route]]` on a line of its own, its keys below";
    let Some(list) = value.get_ref().as_array() else {
        wrong_kind(found, value, wanted);
        return;
    };
    for item in list.iter() {
        let DeValue::Table(table) = item.get_ref() else {
            wrong_kind(found, item, wanted);
            continue;
        };
        let Some(rule) = rule(table, item, found) else {
            continue;
        };
        match config.routes.push(rule.clone()) {
            Ok(()) => config.rules.push(rule),
            Err(twice) => found.error(item.span(), ProblemKind::RouteTwice(twice)),
        }
    }
}

fn rule(table: &DeTable<'_>, item: &Spanned<DeValue<'_>>, found: &mut Found) -> Option<Rule> {
    let mut section = Section::of(table, "route", RULE_KEYS, found);
    let wanted = "an address or a domain in quotes: \"anna@example.org\", \"example.org\", \".example.org\" (all below it), \"<>\" (reports) or \"*\"";
    let pattern = |text: &str| -> Result<Option<Pattern>, ProblemKind> {
        let pattern = text.parse().map_err(ProblemKind::NotAPattern)?;
        Ok(Some(pattern))
    };
    let (mut sender, mut recipient) = (None, None);
    section.text("sender", wanted, &mut sender, pattern);
    section.text("recipient", wanted, &mut recipient, pattern);
    let header = header(&mut section);
    let line = line(&mut section, item)?;
    Some(Rule {
        sender,
        recipient,
        header,
        line,
    })
}

fn header(section: &mut Section<'_, '_, ProblemKind>) -> Option<(String, String)> {
    let value = section.get("header")?;
    let DeValue::Table(table) = value.get_ref() else {
        let wanted = "a table, like { name = \"X-Stream\", value = \"bulk\" }";
        wrong_kind(section.found, value, wanted);
        return None;
    };
    let mut inner = Section::of(table, "route.header", &["name", "value"], section.found);
    let (mut name, mut text) = (String::new(), String::new());
    inner.text("name", "the field's name in quotes", &mut name, |text| {
        // RFC 5322 §2.2: printable, without a colon.
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        plain
            .then(|| text.to_owned())
            .ok_or(ProblemKind::NotAFieldName)
    });
    inner.text("value", "the field's value in quotes", &mut text, |text| {
        Ok(text.trim().to_owned())
    });
    if name.is_empty() {
        inner.found.error(value.span(), ProblemKind::NotAFieldName);
        return None;
    }
    Some((name, text))
}

fn line(section: &mut Section<'_, '_, ProblemKind>, at: &Spanned<DeValue<'_>>) -> Option<Line> {
    let Some(to) = section.get("to") else {
        section.found.error(at.span(), ProblemKind::RouteWithoutTo);
        return None;
    };
    let Some(text) = to.get_ref().as_str() else {
        let wanted = "a next hop in quotes, like \"smtp://mail.example.org:25\"";
        wrong_kind(section.found, to, wanted);
        return None;
    };
    let to = hop(text, to, section.found)?;
    let mut name = None;
    section.text("name", "a name in quotes", &mut name, |text| {
        Line::is_name(text)
            .then(|| Some(text.to_owned()))
            .ok_or(ProblemKind::NotARouteName)
    });
    let identity = identity(section);
    let login = login(section, at);
    let goes_out = matches!(
        to,
        NextHop::Mx | NextHop::Smtp(_) | NextHop::Smtps(_) | NextHop::Lmtp(_)
    );
    let line = Line {
        to,
        name,
        ways: Ways { login, identity },
    };
    let says_more = line.ways != Ways::default() || line.name.is_some();
    if says_more && !goes_out || line.ways.login.is_some() && line.to == NextHop::Mx {
        section.found.error(at.span(), ProblemKind::NoServerThere);
        return None;
    }
    Some(line)
}

/// `source` and `helo`.
pub(crate) fn identity(section: &mut Section<'_, '_, ProblemKind>) -> Identity {
    let mut identity = Identity::default();
    let wanted = "a list of addresses, like [\"192.0.2.25\", \"2001:db8::25\"]";
    section.texts("source", wanted, &mut identity.source, |text| {
        text.parse().map_err(|_| ProblemKind::NotAnAddressAlone)
    });
    let wanted = "a name in quotes, like \"mail.example.org\"";
    section.text("helo", wanted, &mut identity.helo, |text| {
        crate::read::hostname(text).map(Some)
    });
    identity
}

fn login(section: &mut Section<'_, '_, ProblemKind>, at: &Spanned<DeValue<'_>>) -> Option<Login> {
    let (mut user, mut password_file, mut unencrypted) = (None, None, false);
    section.text("user", "a name in quotes", &mut user, |text| {
        Ok(Some(text.to_owned()))
    });
    let wanted = "the path of a file in quotes; its first line is the password";
    section.text("password_file", wanted, &mut password_file, |text| {
        let path = PathBuf::from(text);
        match path.is_absolute() {
            true => Ok(Some(path)),
            false => Err(ProblemKind::NotAbsolute),
        }
    });
    section.flag("unencrypted", &mut unencrypted);
    match (user, password_file) {
        (Some(user), Some(password_file)) => Some(Login {
            user,
            password_file,
            unencrypted,
        }),
        (None, None) if !unencrypted => None,
        (Some(_), None) if section.get("password_file").is_some() => None,
        _ => {
            section.found.error(at.span(), ProblemKind::HalfALogin);
            None
        }
    }
}

fn is_domain_pattern(text: &str) -> bool {
    text == "*" || crate::read::is_domain(text.strip_prefix('.').unwrap_or(text))
}

/// Both sections, as they read back.
pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    for rule in &config.rules {
        writeln!(
            out,
            "\n[[route]]  # the first that holds wins, before [routes]"
        )?;
        if let Some(sender) = &rule.sender {
            writeln!(out, "sender = {}", quoted(sender))?;
        }
        if let Some(recipient) = &rule.recipient {
            writeln!(out, "recipient = {}", quoted(recipient))?;
        }
        if let Some((name, value)) = &rule.header {
            let (name, value) = (quoted(name), quoted(value));
            writeln!(out, "header = {{ name = {name}, value = {value} }}")?;
        }
        for (key, value) in said(&rule.line) {
            writeln!(out, "{key} = {value}")?;
        }
    }
    writeln!(
        out,
        "\n[routes]  # the most specific domain wins; \"*\" comes last; without one, \"mx\""
    )?;
    for RouteLine { domain, line } in &config.route_lines {
        let said = said(line);
        let value = match &said[..] {
            [(_, to)] => to.clone(),
            more => {
                let pairs: Vec<String> = more.iter().map(|(k, v)| format!("{k} = {v}")).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
        };
        writeln!(out, "{} = {value}", quoted(domain))?;
    }
    Ok(())
}

fn said(line: &Line) -> Vec<(&'static str, String)> {
    let mut said = vec![("to", quoted(&line.to))];
    said.extend(line.name.iter().map(|name| ("name", quoted(name))));
    if let Some(login) = &line.ways.login {
        said.push(("user", quoted(&login.user)));
        said.push(("password_file", quoted(login.password_file.display())));
        if login.unencrypted {
            said.push(("unencrypted", "true".to_owned()));
        }
    }
    let identity = &line.ways.identity;
    if !identity.source.is_empty() {
        said.push(("source", crate::show::list(&identity.source)));
    }
    said.extend(identity.helo.iter().map(|helo| ("helo", quoted(helo))));
    said
}
