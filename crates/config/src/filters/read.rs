//! Reads the sections about filters.

use std::net::Ipv4Addr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, wrong_kind};

use super::{
    Asking, Authentication, BlockList, Filter, FilterKind, FilterPlace, FilterProblem, KIND_VALUES,
    KINDS, ListOf, STAGES,
};
use crate::Config;
use crate::problem::ProblemKind;
use crate::read::{Found, networks};

pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let own = &mut config.filtering;
    authentication(root, &mut own.authentication, found);
    let keys = &["refuse_at", "at", "patience", "exempt"];
    let mut section = Section::open(root, "block_lists", keys, found);
    let lists = &mut own.block_lists;
    section.number("refuse_at", &mut lists.refuse_at, 1, 1_000_000);
    section.choice(
        "at",
        &mut lists.at_rcpt,
        &["connect", "rcpt"],
        &[false, true],
    );
    section.duration("patience", &mut lists.patience);
    networks(&mut section, "exempt", &mut lists.exempt);
    each(root, "block_list", found, |item, table, found| {
        if let Some(list) = block_list(item, table, found) {
            lists.lists.push(list);
        }
    });
    let filters = &mut own.filters;
    each(root, "filter", found, |item, table, found| {
        if let Some(filter) = filter(item, table, found) {
            if filters.iter().any(|other| other.name == filter.name) {
                found.error(item.span(), ProblemKind::Filter(FilterProblem::Twice));
            }
            filters.push(filter);
        }
    });
}

fn each(
    root: &DeTable<'_>,
    name: &str,
    found: &mut Found,
    mut take: impl FnMut(&Spanned<DeValue<'_>>, &DeTable<'_>, &mut Found),
) {
    let Some(value) = root.get(name) else { return };
    let wanted = "a list of sections, each begun with its name in double brackets";
    let Some(list) = value.get_ref().as_array() else {
        return wrong_kind(found, value, wanted);
    };
    for item in list.iter() {
        match item.get_ref() {
            DeValue::Table(table) => take(item, table, found),
            _ => wrong_kind(found, item, wanted),
        }
    }
}

fn asking(section: &mut Section<'_, '_, ProblemKind>, asking: &mut Asking) {
    section.duration("timeout", &mut asking.timeout);
    let pass = &mut asking.pass_on_failure;
    section.choice("on_failure", pass, &["tempfail", "accept"], &[false, true]);
    networks(section, "exempt", &mut asking.exempt);
}

fn authentication(root: &DeTable<'_>, own: &mut Authentication, found: &mut Found) {
    let keys = &[
        "enabled",
        "name",
        "enforce",
        "hold_quarantine",
        "refuse_spf_fail",
        "trusted_sealers",
        "timeout",
        "on_failure",
        "exempt",
    ];
    let mut section = Section::open(root, "authentication", keys, found);
    section.flag("enabled", &mut own.enabled);
    section.text("name", "a name in quotes", &mut own.name, |text| {
        domain(text).map(Some)
    });
    let enforce = &mut own.enforce_dmarc;
    section.choice("enforce", enforce, &["none", "dmarc"], &[false, true]);
    section.flag("hold_quarantine", &mut own.hold_quarantine);
    section.flag("refuse_spf_fail", &mut own.refuse_spf_fail);
    let wanted = "a list of domains, like [\"lists.example.org\"]";
    section.texts("trusted_sealers", wanted, &mut own.trusted_sealers, domain);
    asking(&mut section, &mut own.asking);
}

fn domain(text: &str) -> Result<String, ProblemKind> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_domain = !text.is_empty() && text.len() < 254 && text.chars().all(plain);
    is_domain
        .then(|| text.to_ascii_lowercase())
        .ok_or(ProblemKind::NotAHostname)
}

fn missing(
    section: &mut Section<'_, '_, ProblemKind>,
    item: &Spanned<DeValue<'_>>,
    keys: &[&'static str],
) -> bool {
    let absent: Vec<_> = keys
        .iter()
        .filter(|key| section.get(key).is_none())
        .collect();
    for key in &absent {
        let problem = ProblemKind::Filter(FilterProblem::Missing(key));
        section.found.error(item.span(), problem);
    }
    !absent.is_empty()
}

fn block_list(
    item: &Spanned<DeValue<'_>>,
    table: &DeTable<'_>,
    found: &mut Found,
) -> Option<BlockList> {
    let keys = &["zone", "of", "weight", "codes"];
    let mut section = Section::of(table, "block_list", keys, found);
    let mut list = BlockList {
        weight: 1,
        ..BlockList::default()
    };
    section.text("zone", "a zone in quotes", &mut list.zone, domain);
    let of = [ListOf::Client, ListOf::Sender, ListOf::Helo];
    section.choice("of", &mut list.of, &["client", "sender", "helo"], &of);
    section.number("weight", &mut list.weight, 1, 1_000_000);
    let weight = list.weight;
    let mut codes = Vec::new();
    let wanted = "a list of answers, like [\"127.0.0.2\", \"127.0.0.4=3\"]";
    section.texts("codes", wanted, &mut codes, |text| {
        let (code, own) = match text.split_once('=') {
            Some((code, own)) => (code, own.trim().parse().ok()),
            None => (text, Some(weight)),
        };
        let code = code
            .trim()
            .parse::<Ipv4Addr>()
            .ok()
            .filter(Ipv4Addr::is_loopback);
        code.zip(own)
            .ok_or(ProblemKind::Filter(FilterProblem::NotACode))
    });
    list.codes = codes.into_iter().collect();
    (!missing(&mut section, item, &["zone"])).then_some(list)
}

fn filter(item: &Spanned<DeValue<'_>>, table: &DeTable<'_>, found: &mut Found) -> Option<Filter> {
    let keys = &[
        "name",
        "kind",
        "address",
        "timeout",
        "on_failure",
        "exempt",
        "max_size",
        "larger",
        "stages",
    ];
    let mut section = Section::of(table, "filter", keys, found);
    let mut kind = FilterKind::ClamAv;
    section.choice("kind", &mut kind, KINDS, &KIND_VALUES);
    let mut filter = Filter::new(kind);
    section.text("name", "a name in quotes", &mut filter.name, |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_name = !text.is_empty() && text.len() <= 40 && text.chars().all(plain);
        let wrong = ProblemKind::Filter(FilterProblem::NotAName);
        is_name.then(|| text.to_owned()).ok_or(wrong)
    });
    let wanted = "a place in quotes, like \"127.0.0.1:3310\" or \"unix:/path\"";
    section.text("address", wanted, &mut filter.place, |text| {
        place(text, kind).map_err(ProblemKind::Filter)
    });
    asking(&mut section, &mut filter.asking);
    section.size("max_size", &mut filter.max_size);
    let larger = &mut filter.refuse_larger;
    section.choice("larger", larger, &["accept", "reject"], &[false, true]);
    let wanted = "a list of stages, like [\"rcpt\", \"content\"]";
    section.texts("stages", wanted, &mut filter.stages, |text| {
        let wrong = ProblemKind::Filter(FilterProblem::NotAStage);
        STAGES.contains(&text).then(|| text.to_owned()).ok_or(wrong)
    });
    (!missing(&mut section, item, &["name", "kind", "address"])).then_some(filter)
}

fn place(text: &str, kind: FilterKind) -> Result<FilterPlace, FilterProblem> {
    if kind == FilterKind::Http {
        let rest = text.strip_prefix("http://").ok_or(FilterProblem::NotAUrl)?;
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let address = host.parse().map_err(|_| FilterProblem::NotAUrl)?;
        let visible = path.bytes().all(|b| (0x21..=0x7e).contains(&b));
        return match visible {
            true => Ok(FilterPlace::Url(address, path.to_owned())),
            false => Err(FilterProblem::NotAUrl),
        };
    }
    match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => Ok(FilterPlace::Unix(path.into())),
        Some(_) => Err(FilterProblem::NotAPlace),
        None => text
            .parse()
            .map(FilterPlace::Tcp)
            .map_err(|_| FilterProblem::NotAPlace),
    }
}
