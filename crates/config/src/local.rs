//! `[local]`, `[aliases]` and `[domains]`: the domains that are ours, and who is in them.

use std::fmt;
use std::time::Duration;

use queue::CalloutPolicy;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, wrong_kind};

use crate::callout;
use crate::problem::ProblemKind;
use crate::table::TableSpec;

type Found = toml_read::Found<ProblemKind>;

/// `[local]`, and what belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// Who gets mail for postmaster and abuse that nobody else takes.
    pub postmaster: Option<String>,
    /// Characters that part a name from its detail; empty: none.
    pub delimiters: String,
    /// Whether mail with a detail goes into the folder of that name, where there is one.
    pub detail_folders: bool,
    /// Tables of aliases for all domains.
    pub aliases: Vec<TableSpec>,
    /// Recipients that one address may stand for.
    pub max_recipients: usize,
    /// The domain of the senders of forwarded mail; `None`: senders stay as they are.
    pub srs_domain: Option<String>,
    /// How long reports may come back to such a sender.
    pub srs_max_age: Duration,
    /// `[aliases]`: an address or name, and whom it stands for.
    pub inline_aliases: Vec<(String, String)>,
    /// `[domains]`, in order.
    pub domains: Vec<(String, DomainSpec)>,
}

impl Default for Local {
    fn default() -> Local {
        Local {
            postmaster: None,
            delimiters: "+".to_owned(),
            detail_folders: false,
            aliases: Vec::new(),
            max_recipients: 10_000,
            srs_domain: None,
            srs_max_age: Duration::from_secs(21 * 86_400),
            inline_aliases: Vec::new(),
            domains: Vec::new(),
        }
    }
}

impl Local {
    /// Whether the tables, and not the routes, say where mail for a domain goes.
    #[must_use]
    pub fn places(&self, domain: Option<&str>) -> bool {
        let placed = |(name, spec): &(String, DomainSpec)| {
            spec.class != DomainClass::Relay
                && domain.is_some_and(|domain| domain.eq_ignore_ascii_case(name))
        };
        self.domains.iter().any(placed)
    }
}

/// A domain of ours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainSpec {
    /// What it is.
    pub class: DomainClass,
    /// Where its mailboxes are.
    pub mailbox: String,
    /// Who has a mailbox.
    pub mailboxes: Vec<TableSpec>,
    /// Its own aliases.
    pub aliases: Vec<TableSpec>,
    /// Who is at the next hop; none: everybody.
    pub recipients: Vec<TableSpec>,
    /// How the next hop is asked about recipients; none: not at all.
    pub verify: Option<CalloutPolicy>,
}

/// What a domain of ours is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DomainClass {
    /// Its mailboxes are here.
    #[default]
    Local,
    /// It has aliases alone.
    Virtual,
    /// Its mail goes to a next hop.
    Relay,
}

impl DomainClass {
    const NAMES: [&str; 3] = ["local", "virtual", "relay"];
    const ALL: [DomainClass; 3] = [DomainClass::Local, DomainClass::Virtual, DomainClass::Relay];

    fn as_str(self) -> &'static str {
        match self {
            DomainClass::Local => "local",
            DomainClass::Virtual => "virtual",
            DomainClass::Relay => "relay",
        }
    }
}

const LOCAL: &[&str] = &[
    "postmaster",
    "delimiters",
    "detail_folders",
    "aliases",
    "max_recipients",
    "srs_domain",
    "srs_max_age",
];
const DOMAIN: &[&str] = &[
    "class",
    "mailbox",
    "mailboxes",
    "aliases",
    "recipients",
    "verify",
];
const TABLES: &str = "a list of tables, like [\"file:/etc/postrider/aliases\"], [\"sqlite:/path?query=SELECT …\"] or [\"postgresql://user@host/database?query=SELECT …\"]";

pub(crate) fn read(root: &DeTable<'_>, local: &mut Local, found: &mut Found) {
    let mut section = Section::open(root, "local", LOCAL, found);
    let wanted = "an address in quotes, like \"anna@example.org\"";
    section.text(
        "postmaster",
        wanted,
        &mut local.postmaster,
        |text| match text.rsplit_once('@') {
            Some((name, domain)) if !name.is_empty() && is_domain(domain) => {
                Ok(Some(text.to_owned()))
            }
            _ => Err(ProblemKind::NotAMailbox),
        },
    );
    let wanted = "characters in quotes, like \"+\" or \"+-\"; \"\" for none";
    section.text("delimiters", wanted, &mut local.delimiters, |text| {
        let plain = |c: char| c.is_ascii_punctuation() && !matches!(c, '@' | '"' | '\\' | '.');
        let fits = text.chars().all(plain);
        fits.then(|| text.to_owned())
            .ok_or(ProblemKind::NotDelimiters)
    });
    section.flag("detail_folders", &mut local.detail_folders);
    section.texts("aliases", TABLES, &mut local.aliases, TableSpec::read);
    section.number("max_recipients", &mut local.max_recipients, 1, 100_000);
    let wanted = "a domain of ours in quotes, like \"example.org\"";
    section.text("srs_domain", wanted, &mut local.srs_domain, |text| {
        let fits = is_domain(text);
        fits.then(|| Some(text.to_lowercase()))
            .ok_or(ProblemKind::NotADomainName)
    });
    section.duration("srs_max_age", &mut local.srs_max_age);
    inline_aliases(root, local, found);
    domains(root, local, found);
    needs_postmaster(root, local, found);
}

/// `[aliases]`: `"info@a.example" = ["anna@ours.example", "bert"]`, or one text.
fn inline_aliases(root: &DeTable<'_>, local: &mut Local, found: &mut Found) {
    let Some(value) = root.get("aliases") else {
        return;
    };
    let DeValue::Table(table) = value.get_ref() else {
        let wanted = "the section as `[aliases]` on a line of its own, its aliases below";
        return wrong_kind(found, value, wanted);
    };
    let mut lines: Vec<(usize, String, String)> = Vec::new();
    for (key, value) in table {
        let wanted = "an address in quotes, or a list of them";
        let targets = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Array(list) => {
                let texts = list.iter().map(|item| item.get_ref().as_str());
                texts
                    .collect::<Option<Vec<_>>>()
                    .map(|texts| texts.join(", "))
            }
            _ => None,
        };
        match targets {
            Some(targets) => lines.push((key.span().start, key.get_ref().to_string(), targets)),
            None => wrong_kind(found, value, wanted),
        }
    }
    lines.sort_by_key(|line| line.0);
    let plain = lines.into_iter().map(|(_, key, targets)| (key, targets));
    local.inline_aliases = plain.collect();
}

/// `[domains."example.org"]`.
fn domains(root: &DeTable<'_>, local: &mut Local, found: &mut Found) {
    let Some(value) = root.get("domains") else {
        return;
    };
    let DeValue::Table(table) = value.get_ref() else {
        let wanted = "sections like `[domains.\"example.org\"]`";
        return wrong_kind(found, value, wanted);
    };
    let mut read: Vec<(usize, String, DomainSpec)> = Vec::new();
    for (name, value) in table {
        if !is_domain(name.get_ref()) {
            found.error(name.span(), ProblemKind::NotADomainName);
            continue;
        }
        let DeValue::Table(own) = value.get_ref() else {
            let wanted =
                "a section like `[domains.\"example.org\"]`; a name with dots needs quotes";
            wrong_kind(found, value, wanted);
            continue;
        };
        let domain = domain(own, name.span(), found);
        read.push((name.span().start, name.get_ref().to_lowercase(), domain));
    }
    read.sort_by_key(|domain| domain.0);
    local.domains = read
        .into_iter()
        .map(|(_, name, domain)| (name, domain))
        .collect();
}

fn domain(table: &DeTable<'_>, name: std::ops::Range<usize>, found: &mut Found) -> DomainSpec {
    let mut domain = DomainSpec::default();
    let mut section = Section::of(table, "domains", DOMAIN, found);
    section.choice(
        "class",
        &mut domain.class,
        &DomainClass::NAMES,
        &DomainClass::ALL,
    );
    let wanted = "a path in quotes, like \"maildir:/var/mail/{domain}/{user}\"";
    section.text("mailbox", wanted, &mut domain.mailbox, |text| {
        let path = text
            .strip_prefix("maildir:")
            .filter(|path| path.starts_with('/'));
        let rest = text.replace("{user}", "").replace("{domain}", "");
        let fits = path.is_some() && text.contains("{user}") && !rest.contains(['{', '}']);
        let fits = fits && !text.split('/').any(|part| part == "..");
        fits.then(|| text.to_owned())
            .ok_or(ProblemKind::NotAMailboxPath)
    });
    section.texts("mailboxes", TABLES, &mut domain.mailboxes, TableSpec::read);
    section.texts("aliases", TABLES, &mut domain.aliases, TableSpec::read);
    section.texts(
        "recipients",
        TABLES,
        &mut domain.recipients,
        TableSpec::read,
    );
    if let Some(value) = table.get("verify") {
        domain.verify = callout::read(value, found);
    }
    let local = domain.class == DomainClass::Local;
    let relay = domain.class == DomainClass::Relay;
    if local
        && (domain.mailbox.is_empty() || domain.mailboxes.is_empty())
        && found.errors.is_empty()
    {
        found.error(name.clone(), ProblemKind::NoMailboxes);
    }
    for (key, fits) in [
        ("mailbox", local),
        ("mailboxes", local),
        ("recipients", relay),
        ("verify", relay),
    ] {
        if let Some(value) = table.get(key).filter(|_| !fits) {
            found.error(value.span(), ProblemKind::OtherClass { key });
        }
    }
    domain
}

/// RFC 5321 §4.5.1: a domain that takes mail has a postmaster.
fn needs_postmaster(root: &DeTable<'_>, local: &Local, found: &mut Found) {
    let ours = |domain: &DomainSpec| domain.class != DomainClass::Relay;
    let needed = local.domains.iter().any(|(_, domain)| ours(domain));
    if let Some(value) = root
        .get("domains")
        .filter(|_| needed && local.postmaster.is_none())
    {
        found.error(value.span(), ProblemKind::NoPostmaster);
    }
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.len() <= 63 && label.chars().all(plain)
    };
    text.len() <= 255 && text.split('.').all(label)
}

/// As it stands in the file.
pub(crate) fn show(out: &mut String, local: &Local) -> fmt::Result {
    use crate::show::{line, list, quoted, time};
    use fmt::Write as _;
    writeln!(out, "\n[local]  # domains of ours: docs/local.md")?;
    match &local.postmaster {
        Some(address) => line(
            out,
            "postmaster",
            &quoted(address),
            "gets mail for postmaster and abuse of all domains",
        )?,
        None => writeln!(
            out,
            "# postmaster = \"…\"  # not set: needed for local and virtual domains"
        )?,
    }
    line(
        out,
        "delimiters",
        &quoted(&local.delimiters),
        "part a name from its detail (anna+shop); none: \"\"",
    )?;
    line(
        out,
        "detail_folders",
        &local.detail_folders,
        "deliver anna+shop into the folder .shop, where there is one",
    )?;
    line(
        out,
        "aliases",
        &list(&local.aliases),
        "tables for all domains",
    )?;
    line(
        out,
        "max_recipients",
        &local.max_recipients,
        "that one address may stand for",
    )?;
    match &local.srs_domain {
        Some(domain) => line(
            out,
            "srs_domain",
            &quoted(domain),
            "of the senders of forwarded mail (SRS)",
        )?,
        None => writeln!(
            out,
            "# srs_domain = \"…\"  # not set: forwarded mail keeps its sender"
        )?,
    }
    line(
        out,
        "srs_max_age",
        &time(local.srs_max_age),
        "how long reports may come back to such a sender",
    )?;
    if !local.inline_aliases.is_empty() {
        writeln!(
            out,
            "\n[aliases]  # an address or a name, and whom it stands for"
        )?;
        for (key, targets) in &local.inline_aliases {
            writeln!(out, "{} = {}", quoted(key), quoted(targets))?;
        }
    }
    for (name, domain) in &local.domains {
        writeln!(out, "\n[domains.{}]", quoted(name))?;
        line(
            out,
            "class",
            &quoted(domain.class.as_str()),
            "local: mailboxes here; virtual: aliases; relay: to a next hop",
        )?;
        line(
            out,
            "aliases",
            &list(&domain.aliases),
            "its own tables, asked first",
        )?;
        match domain.class {
            DomainClass::Local => {
                line(
                    out,
                    "mailbox",
                    &quoted(&domain.mailbox),
                    "where mailboxes are",
                )?;
                line(out, "mailboxes", &list(&domain.mailboxes), "who has one")?;
            }
            DomainClass::Virtual => {}
            DomainClass::Relay => {
                line(
                    out,
                    "recipients",
                    &list(&domain.recipients),
                    "who is there; none: everybody",
                )?;
                callout::show(out, name, domain.verify.as_ref())?;
            }
        }
    }
    Ok(())
}
