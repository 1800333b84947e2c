//! `[dkim]`, `[[dkim.domain]]`: what is signed, and with which keys.

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use toml::de::{DeTable, DeValue};
use toml_read::{Section, duration_text, wrong_kind};

use crate::Config;
use crate::problem::ProblemKind;
use crate::read::{Found, is_domain};
use crate::show::{line, list, quoted};

/// Which mail is signed, and with which keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Dkim {
    /// The directory of keys; `None`: `dkim` in the data directory.
    pub keys: Option<PathBuf>,
    /// Whose mail is signed.
    pub sign: Vec<Signs>,
    /// Whether the key of a domain signs for authors below it.
    pub subdomains: bool,
    /// How white space may change on the way, in the header and in the body.
    pub canonicalization: (Canonical, Canonical),
    /// How often the published records are looked at.
    pub check_every: Duration,
    /// How long the record of a key that was replaced stays published.
    pub keep: Duration,
    /// `[[dkim.domain]]`, in order.
    pub domains: Vec<DkimDomain>,
}

/// Whose mail is signed, beside our own reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// Of those who have logged in.
    Users,
    /// Of clients in networks that may relay.
    Networks,
}

/// How white space may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canonical {
    /// Not at all.
    Simple,
    /// As it usually does.
    Relaxed,
}

/// What holds for one domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DkimDomain {
    /// The domain, in lower case.
    pub name: String,
    /// Whether its mail is signed.
    pub off: bool,
    /// Whether its key signs for authors below it.
    pub subdomains: Option<bool>,
    /// `i=`.
    pub identity: Option<String>,
}

impl fmt::Display for Signs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signs::Users => "users",
            Signs::Networks => "networks",
        })
    }
}

impl Canonical {
    const fn as_str(self) -> &'static str {
        match self {
            Canonical::Simple => "simple",
            Canonical::Relaxed => "relaxed",
        }
    }
}

impl Default for Dkim {
    fn default() -> Dkim {
        Dkim {
            keys: None,
            sign: vec![Signs::Users, Signs::Networks],
            subdomains: false,
            canonicalization: (Canonical::Relaxed, Canonical::Relaxed),
            check_every: Duration::from_secs(900),
            keep: Duration::from_secs(14 * 86_400),
            domains: Vec::new(),
        }
    }
}

const KEYS: &[&str] = &[
    "keys",
    "sign",
    "subdomains",
    "canonicalization",
    "check_every",
    "keep",
    "domain",
];

pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let mut section = Section::open(root, "dkim", KEYS, found);
    let own = &mut config.dkim;
    let wanted = "a directory in quotes, like \"/var/lib/postrider/dkim\"";
    section.text("keys", wanted, &mut own.keys, |text| {
        match text.starts_with('/') {
            true => Ok(Some(text.into())),
            false => Err(ProblemKind::NotAbsolute),
        }
    });
    let wanted = "a list of whose mail is signed, like [\"users\", \"networks\"]";
    section.texts("sign", wanted, &mut own.sign, |text| match text {
        "users" => Ok(Signs::Users),
        "networks" => Ok(Signs::Networks),
        _ => Err(ProblemKind::NotSigned),
    });
    section.flag("subdomains", &mut own.subdomains);
    use Canonical::{Relaxed, Simple};
    section.choice(
        "canonicalization",
        &mut own.canonicalization,
        &[
            "relaxed/relaxed",
            "relaxed/simple",
            "simple/relaxed",
            "simple/simple",
        ],
        &[
            (Relaxed, Relaxed),
            (Relaxed, Simple),
            (Simple, Relaxed),
            (Simple, Simple),
        ],
    );
    section.duration("check_every", &mut own.check_every);
    section.duration("keep", &mut own.keep);
    if let Some(value) = section.get("check_every")
        && own.check_every < Duration::from_secs(1)
    {
        section.found.error(value.span(), ProblemKind::TooOften);
    }
    let Some(value) = section.get("domain") else {
        return;
    };
    let wanted = "sections like [[dkim.domain]], each with its keys below";
    let DeValue::Array(all) = value.get_ref() else {
        wrong_kind(section.found, value, wanted);
        return;
    };
    for value in all.iter() {
        match value.get_ref() {
            DeValue::Table(table) => {
                let domain = domain(table, value.span(), section.found);
                own.domains.extend(domain);
            }
            _ => wrong_kind(section.found, value, wanted),
        }
    }
}

fn domain(
    table: &DeTable<'_>,
    place: std::ops::Range<usize>,
    found: &mut Found,
) -> Option<DkimDomain> {
    let keys = &["name", "sign", "subdomains", "identity"];
    let mut section = Section::of(table, "dkim.domain", keys, found);
    let mut own = DkimDomain::default();
    let wanted = "a domain in quotes, like \"example.org\"";
    section.text("name", wanted, &mut own.name, |text| {
        match is_domain(text) && text.is_ascii() {
            true => Ok(text.to_ascii_lowercase()),
            false => Err(ProblemKind::NotADomainName),
        }
    });
    let mut signs = true;
    section.flag("sign", &mut signs);
    own.off = !signs;
    if section.get("subdomains").is_some() {
        let mut flag = false;
        section.flag("subdomains", &mut flag);
        own.subdomains = Some(flag);
    }
    let wanted = "an address or @domain in quotes, like \"@news.example.org\"";
    let name = own.name.clone();
    section.text("identity", wanted, &mut own.identity, |text| {
        is_identity(text, &name)
            .then(|| Some(text.to_owned()))
            .ok_or(ProblemKind::NotAnIdentity)
    });
    if section.get("name").is_none() {
        section.found.error(place, ProblemKind::NoDkimName);
        return None;
    }
    Some(own)
}

/// RFC 6376 §3.5: the domain of `i=` is that of `d=`, or below it.
fn is_identity(text: &str, name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/?^_`{|}~.".contains(c);
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let domain = domain.to_ascii_lowercase();
        let above = domain.strip_suffix(name);
        let within = above.is_some_and(|above| above.is_empty() || above.ends_with('.'));
        is_domain(&domain) && within && local.chars().all(plain)
    })
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    let own = &config.dkim;
    writeln!(
        out,
        "\n[dkim]  # docs/signing.md; `postrider dkim` makes keys"
    )?;
    match &own.keys {
        Some(path) => line(
            out,
            "keys",
            &quoted(path.display()),
            "the directory of keys",
        )?,
        None => writeln!(
            out,
            "# keys = \"/var/lib/postrider/dkim\"  # the directory of keys; not set: `dkim` in the data directory"
        )?,
    }
    let sign =
        "whose mail: of users who log in, of clients in [relay] networks; our reports always";
    line(out, "sign", &list(&own.sign), sign)?;
    let below = "a domain's key signs for authors in domains below it";
    line(out, "subdomains", &own.subdomains, below)?;
    let (header, body) = own.canonicalization;
    let form = quoted(format!("{}/{}", header.as_str(), body.as_str()));
    let comment = "how white space may change on the way: header/body";
    line(out, "canonicalization", &form, comment)?;
    let every = "a key signs only while its record is published; it is looked at this often";
    line(
        out,
        "check_every",
        &quoted(duration_text(own.check_every)),
        every,
    )?;
    let keep = "how long the record of a replaced key stays published";
    line(out, "keep", &quoted(duration_text(own.keep)), keep)?;
    for domain in &own.domains {
        writeln!(out, "\n[[dkim.domain]]")?;
        writeln!(out, "name = {}", quoted(&domain.name))?;
        writeln!(out, "sign = {}", !domain.off)?;
        if let Some(subdomains) = domain.subdomains {
            writeln!(out, "subdomains = {subdomains}")?;
        }
        if let Some(identity) = &domain.identity {
            writeln!(out, "identity = {}", quoted(identity))?;
        }
    }
    if own.domains.is_empty() {
        writeln!(
            out,
            "\n# [[dkim.domain]]                    # what differs for one domain\n\
             # name = \"example.org\"\n\
             # sign = false                       # not at all\n\
             # subdomains = true\n\
             # identity = \"@news.example.org\"     # i=, in the domain or below it"
        )?;
    }
    Ok(())
}
