//! Who is asked before mail is taken: `[authentication]`, `[block_lists]`, `[[block_list]]`, `[[filter]]`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, size_text, wrong_kind};

use crate::problem::ProblemKind;
use crate::read::{Found, networks};
use crate::show::{line, list, quoted, time};
use crate::{Config, Network};

/// Everybody who is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filtering {
    /// `[authentication]`
    pub authentication: Authentication,
    /// `[block_lists]` and `[[block_list]]`
    pub block_lists: BlockLists,
    /// `[[filter]]`, in order.
    pub filters: Vec<Filter>,
}

/// Whether mail is from whom it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Authentication {
    /// Whether it is looked at.
    pub enabled: bool,
    /// Our name in `Authentication-Results`; `None`: the relay's.
    pub name: Option<String>,
    /// Whether mail is refused where DMARC asks for it.
    pub enforce_dmarc: bool,
    /// Whether mail is held where DMARC asks for quarantine.
    pub hold_quarantine: bool,
    /// Whether mail is refused when SPF alone says so.
    pub refuse_spf_fail: bool,
    /// Domains whose ARC seals are believed.
    pub trusted_sealers: Vec<String>,
    /// What is common to all filters.
    pub asking: Asking,
}

/// Lists of clients and domains.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockLists {
    /// The lists.
    pub lists: Vec<BlockList>,
    /// From which sum of weights on mail is refused.
    pub refuse_at: u32,
    /// Whether clients are told at RCPT, and not in place of the greeting.
    pub at_rcpt: bool,
    /// How long a list may take.
    pub patience: Duration,
    /// Clients that are not looked up.
    pub exempt: Vec<Network>,
}

/// One list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockList {
    /// Its zone.
    pub zone: String,
    /// What it is asked about.
    pub of: ListOf,
    /// What an entry weighs.
    pub weight: u32,
    /// The answers that count, with their weight; none: every answer.
    pub codes: BTreeMap<Ipv4Addr, u32>,
}

/// What a list is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListOf {
    /// The client's address.
    #[default]
    Client,
    /// The sender's domain.
    Sender,
    /// The name given at EHLO.
    Helo,
}

/// What is common to all filters.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// How long each stage may take.
    pub timeout: Duration,
    /// Whether mail passes when the filter fails.
    pub pass_on_failure: bool,
    /// Clients that are not asked about.
    pub exempt: Vec<Network>,
}

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FilterKind,
    /// Where it is.
    pub place: FilterPlace,
    /// What is common to all.
    pub asking: Asking,
    /// Bytes of a message that it is asked about, at most.
    pub max_size: u64,
    /// Whether larger messages are refused, and not let through.
    pub refuse_larger: bool,
    /// For a hook: when it is asked.
    pub stages: Vec<String>,
}

/// Kinds of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterKind {
    /// clamd.
    ClamAv,
    /// rspamd.
    Rspamd,
    /// A milter.
    Milter,
    /// A hook of the administrator's own.
    Http,
}

const KINDS: &[&str] = &["clamav", "rspamd", "milter", "http"];
const KIND_VALUES: [FilterKind; 4] = [
    FilterKind::ClamAv,
    FilterKind::Rspamd,
    FilterKind::Milter,
    FilterKind::Http,
];
const STAGES: [&str; 5] = ["connect", "helo", "mail", "rcpt", "content"];

/// Where a filter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterPlace {
    /// An address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
    /// A URL: an address and port, and a path.
    Url(SocketAddr, String),
}

impl fmt::Display for FilterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilterPlace::Tcp(address) => address.fmt(f),
            FilterPlace::Unix(path) => write!(f, "unix:{}", path.display()),
            FilterPlace::Url(address, path) => write!(f, "http://{address}{path}"),
        }
    }
}

impl Default for Authentication {
    fn default() -> Authentication {
        Authentication {
            enabled: false,
            name: None,
            enforce_dmarc: false,
            hold_quarantine: false,
            refuse_spf_fail: false,
            trusted_sealers: Vec::new(),
            asking: Asking {
                timeout: Duration::from_secs(20),
                pass_on_failure: true,
                exempt: Network::loopback(),
            },
        }
    }
}

impl Default for BlockLists {
    fn default() -> BlockLists {
        BlockLists {
            lists: Vec::new(),
            refuse_at: 1,
            at_rcpt: false,
            patience: Duration::from_secs(5),
            exempt: Network::loopback(),
        }
    }
}

impl Filter {
    fn new(kind: FilterKind) -> Filter {
        Filter {
            name: String::new(),
            kind,
            place: FilterPlace::Unix(PathBuf::new()),
            asking: Asking {
                timeout: Duration::from_secs(60),
                pass_on_failure: false,
                exempt: Vec::new(),
            },
            max_size: 25 << 20,
            refuse_larger: false,
            stages: vec!["rcpt".to_owned()],
        }
    }
}

/// What can be wrong here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterProblem {
    /// A key is missing.
    Missing(&'static str),
    /// The text is no place.
    NotAPlace,
    /// The text is no URL.
    NotAUrl,
    /// The text is no answer of a list.
    NotACode,
    /// The text is no stage.
    NotAStage,
    /// The text is no name of a filter.
    NotAName,
    /// The name is taken.
    Twice,
}

impl FilterProblem {
    /// What is allowed.
    pub(crate) fn help(self) -> String {
        match self {
            FilterProblem::Missing("name") => "write `name = \"…\"`: logs and replies call it so".into(),
            FilterProblem::Missing("zone") => "write `zone = \"…\"`, like \"zen.spamhaus.org\"".into(),
            FilterProblem::Missing("kind") => format!("write `kind = …`, one of {}", KINDS.join(", ")),
            FilterProblem::Missing(_) => "write `address = \"127.0.0.1:3310\"` or `\"unix:/path\"`; for kind \"http\", \"http://127.0.0.1:8080/path\"".into(),
            FilterProblem::NotAPlace => "write an address and port, \"127.0.0.1:3310\", or \"unix:/path\"; names are not looked up here".into(),
            FilterProblem::NotAUrl => "write \"http://127.0.0.1:8080/path\", with an address and a port; names are not looked up here".into(),
            FilterProblem::NotACode => "write the answer, and its weight if it has its own: \"127.0.0.4\" or \"127.0.0.4=3\"".into(),
            FilterProblem::NotAStage => format!("write one of {}", STAGES.join(", ")),
            FilterProblem::NotAName => "use letters, digits and hyphens".into(),
            FilterProblem::Twice => "give each filter a name of its own".into(),
        }
    }
}

impl fmt::Display for FilterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilterProblem::Missing(key) => write!(f, "`{key}` is missing here"),
            FilterProblem::NotAPlace => f.write_str("this is no place where a filter can be"),
            FilterProblem::NotAUrl => f.write_str("this is no URL that can be asked"),
            FilterProblem::NotACode => f.write_str("this is no answer of a block list"),
            FilterProblem::NotAStage => f.write_str("this is no stage"),
            FilterProblem::NotAName => f.write_str("this is no name for a filter"),
            FilterProblem::Twice => f.write_str("two filters have this name"),
        }
    }
}

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

const ASKING: &str = "\"tempfail\" or \"accept\"";

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

pub(crate) fn write(out: &mut String, config: &Config) -> fmt::Result {
    let own = &config.filtering;
    show_authentication(out, &own.authentication)?;
    let lists = &own.block_lists;
    writeln!(
        out,
        "\n[block_lists]  # each is a [[block_list]] with its zone"
    )?;
    line(
        out,
        "refuse_at",
        &lists.refuse_at,
        "sum of weights from which on mail is refused",
    )?;
    let at = if lists.at_rcpt { "rcpt" } else { "connect" };
    line(
        out,
        "at",
        &quoted(at),
        "when clients are told: connect or rcpt",
    )?;
    line(
        out,
        "patience",
        &time(lists.patience),
        "how long a list may take; then it is passed over",
    )?;
    line(
        out,
        "exempt",
        &list(&lists.exempt),
        "clients that are not looked up",
    )?;
    for one in &lists.lists {
        writeln!(out, "\n[[block_list]]")?;
        line(out, "zone", &quoted(&one.zone), "of the list")?;
        let of = match one.of {
            ListOf::Client => "client",
            ListOf::Sender => "sender",
            ListOf::Helo => "helo",
        };
        line(
            out,
            "of",
            &quoted(of),
            "client (its address), sender or helo (a domain)",
        )?;
        line(out, "weight", &one.weight, "of an entry")?;
        let codes = one
            .codes
            .iter()
            .map(|(code, weight)| format!("{code}={weight}"));
        let codes: Vec<String> = codes.collect();
        line(out, "codes", &list(&codes), "answers that count; none: all")?;
    }
    for filter in &own.filters {
        show_filter(out, filter)?;
    }
    Ok(())
}

fn show_authentication(out: &mut String, own: &Authentication) -> fmt::Result {
    writeln!(
        out,
        "\n[authentication]  # SPF, DKIM, DMARC, ARC: docs/filtering.md"
    )?;
    line(
        out,
        "enabled",
        &own.enabled,
        "verify, and add Authentication-Results",
    )?;
    match &own.name {
        Some(name) => line(out, "name", &quoted(name), "ours in that field")?,
        None => writeln!(out, "# name = \"…\"  # not set: that of the server")?,
    }
    let enforce = if own.enforce_dmarc { "dmarc" } else { "none" };
    line(
        out,
        "enforce",
        &quoted(enforce),
        "dmarc: refuse what p=reject asks to refuse",
    )?;
    line(
        out,
        "hold_quarantine",
        &own.hold_quarantine,
        "hold what p=quarantine asks to suspect",
    )?;
    line(
        out,
        "refuse_spf_fail",
        &own.refuse_spf_fail,
        "refuse when SPF says -all and there is no DMARC",
    )?;
    let sealers = list(&own.trusted_sealers);
    line(
        out,
        "trusted_sealers",
        &sealers,
        "domains whose ARC seals are believed",
    )?;
    show_asking(out, &own.asking)
}

fn show_asking(out: &mut String, asking: &Asking) -> fmt::Result {
    line(out, "timeout", &time(asking.timeout), "for each stage")?;
    let failure = if asking.pass_on_failure {
        "accept"
    } else {
        "tempfail"
    };
    line(out, "on_failure", &quoted(failure), ASKING)?;
    line(
        out,
        "exempt",
        &list(&asking.exempt),
        "clients that are not asked about",
    )
}

fn show_filter(out: &mut String, filter: &Filter) -> fmt::Result {
    writeln!(out, "\n[[filter]]")?;
    line(out, "name", &quoted(&filter.name), "in logs and replies")?;
    let kind = KIND_VALUES.iter().position(|kind| *kind == filter.kind);
    let kind = kind.and_then(|at| KINDS.get(at)).unwrap_or(&"clamav");
    line(out, "kind", &quoted(kind), "clamav, rspamd, milter or http")?;
    line(out, "address", &quoted(&filter.place), "where it is")?;
    show_asking(out, &filter.asking)?;
    match filter.kind {
        FilterKind::ClamAv | FilterKind::Rspamd => {
            let size = quoted(size_text(filter.max_size));
            line(
                out,
                "max_size",
                &size,
                "of a message that it is asked about",
            )?;
        }
        FilterKind::Http => {
            line(out, "stages", &list(&filter.stages), "when it is asked")?;
        }
        FilterKind::Milter => {}
    }
    if filter.kind == FilterKind::ClamAv {
        let larger = if filter.refuse_larger {
            "reject"
        } else {
            "accept"
        };
        line(
            out,
            "larger",
            &quoted(larger),
            "larger messages: accept or reject",
        )?;
    }
    Ok(())
}
