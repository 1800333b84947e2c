//! `[bounces]`: return addresses, and what becomes of what comes back.

use std::fmt;
use std::time::Duration;

use toml::de::DeTable;
use toml_read::Section;

use crate::Config;
use crate::problem::ProblemKind;
use crate::show::{line, list, quoted, time};

/// Return addresses, and what becomes of what comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounces {
    /// The domain of return addresses; `None`: no mail gets one.
    pub domain: Option<String>,
    /// What they begin with.
    pub prefix: String,
    /// Whose mail gets one: `*`, domains, addresses.
    pub senders: Vec<String>,
    /// For whom one is.
    pub per: Per,
    /// How long reports may come back to one.
    pub max_age: Duration,
    /// Addresses to which reports and complaints come, too.
    pub addresses: Vec<String>,
    /// Who gets what is about no known message; `None`: the postmaster.
    pub others_to: Option<String>,
    /// What a sender gets of a report of failure.
    pub to_sender: ToSender,
    /// Whether reports count for the suppression list that came without a return address of ours.
    pub suppress_unsigned: bool,
}

/// For whom a return address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// One recipient.
    #[default]
    Recipient,
    /// All recipients of a message.
    Message,
}

/// What a sender gets of a report of failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToSender {
    /// A report of ours that explains it, with the one that came back.
    #[default]
    Explained,
    /// The one that came back, byte for byte.
    AsItCame,
}

impl Default for Bounces {
    fn default() -> Bounces {
        Bounces {
            domain: None,
            prefix: "b".to_owned(),
            senders: Vec::new(),
            per: Per::default(),
            max_age: Duration::from_secs(14 * 86_400),
            addresses: Vec::new(),
            others_to: None,
            to_sender: ToSender::default(),
            suppress_unsigned: false,
        }
    }
}

impl Bounces {
    /// Whether anything is read that comes back.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.domain.is_some() || !self.addresses.is_empty()
    }
}

const KEYS: &[&str] = &[
    "domain",
    "prefix",
    "senders",
    "per",
    "max_age",
    "addresses",
    "others_to",
    "to_sender",
    "suppress_unsigned",
];

pub(crate) fn read(
    root: &DeTable<'_>,
    config: &mut Config,
    found: &mut toml_read::Found<ProblemKind>,
) {
    let postmaster = config.local.postmaster.is_some();
    let own = &mut config.bounces;
    let mut section = Section::open(root, "bounces", KEYS, found);
    let wanted = "a domain in quotes whose mail comes here, like \"bounces.example.org\"";
    section.text("domain", wanted, &mut own.domain, |text| {
        match crate::read::is_domain(text) && text.contains('.') {
            true => Ok(Some(text.to_lowercase())),
            false => Err(ProblemKind::NotADomainName),
        }
    });
    let wanted = "letters and digits in quotes, like \"b\"";
    section.text("prefix", wanted, &mut own.prefix, |text| {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric());
        let fits = plain && (1..=12).contains(&text.len());
        fits.then(|| text.to_ascii_lowercase())
            .ok_or(ProblemKind::NotAPrefix)
    });
    let wanted =
        "a list of domains and addresses, like [\"example.org\", \"news@example.com\"] or [\"*\"]";
    section.texts("senders", wanted, &mut own.senders, sender);
    let pers = [Per::Recipient, Per::Message];
    section.choice("per", &mut own.per, &["recipient", "message"], &pers);
    section.duration("max_age", &mut own.max_age);
    let wanted = "a list of addresses, like [\"bounces@example.org\"]";
    section.texts("addresses", wanted, &mut own.addresses, mailbox);
    let wanted = "an address in quotes, like \"postmaster@example.org\"";
    section.text("others_to", wanted, &mut own.others_to, |text| {
        mailbox(text).map(Some)
    });
    let forms = [ToSender::Explained, ToSender::AsItCame];
    section.choice(
        "to_sender",
        &mut own.to_sender,
        &["explained", "as-it-came"],
        &forms,
    );
    section.flag("suppress_unsigned", &mut own.suppress_unsigned);

    let read_here = |address: &String| {
        own.addresses
            .iter()
            .any(|a| a.eq_ignore_ascii_case(address))
    };
    if let Some(value) = section.get("others_to")
        && own.others_to.as_ref().is_some_and(read_here)
    {
        section
            .found
            .error(value.span(), ProblemKind::ReadHereItself);
    }
    let first = section.get("domain").or_else(|| section.get("addresses"));
    if let Some(value) = first
        && own.is_on()
        && own.others_to.is_none()
        && !postmaster
    {
        section
            .found
            .error(value.span(), ProblemKind::NobodyForOthers);
    }
    if let Some(value) = section.get("senders")
        && own.domain.is_none()
        && !own.senders.is_empty()
    {
        section
            .found
            .error(value.span(), ProblemKind::NoBounceDomain);
    }
}

fn sender(text: &str) -> Result<String, ProblemKind> {
    let domain = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
    let fits = text == "*" || crate::read::is_domain(domain) && !text.starts_with('@');
    fits.then(|| text.to_lowercase())
        .ok_or(ProblemKind::NotASenderOfMail)
}

fn mailbox(text: &str) -> Result<String, ProblemKind> {
    match text.rsplit_once('@') {
        Some((name, domain)) if !name.is_empty() && crate::read::is_domain(domain) => {
            Ok(text.to_owned())
        }
        _ => Err(ProblemKind::NotAMailbox),
    }
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    use std::fmt::Write as _;
    let own = &config.bounces;
    writeln!(out, "\n[bounces]  # what comes back: docs/bounces.md")?;
    match &own.domain {
        Some(domain) => {
            let domain_of = "of return addresses; its mail must come here (MX)";
            line(out, "domain", &quoted(domain), domain_of)?;
        }
        None => writeln!(
            out,
            "# domain = \"…\"  # not set: mail goes out with its own reverse-path"
        )?,
    }
    line(out, "prefix", &quoted(&own.prefix), "what they begin with")?;
    let senders = "whose mail gets one: \"*\", domains, addresses";
    line(out, "senders", &list(&own.senders), senders)?;
    let per = match own.per {
        Per::Recipient => "recipient",
        Per::Message => "message",
    };
    let comment = "one for each recipient, or for each message";
    line(out, "per", &quoted(per), comment)?;
    let max_age = "how long reports may come back; history is kept as long";
    line(out, "max_age", &time(own.max_age), max_age)?;
    let addresses = "where reports and complaints are read, too";
    line(out, "addresses", &list(&own.addresses), addresses)?;
    match &own.others_to {
        Some(to) => line(
            out,
            "others_to",
            &quoted(to),
            "gets what is about no known message",
        )?,
        None => writeln!(
            out,
            "# others_to = \"…\"  # not set: the postmaster gets what is about no known message"
        )?,
    }
    let to_sender = match own.to_sender {
        ToSender::Explained => "explained",
        ToSender::AsItCame => "as-it-came",
    };
    let comment = "what senders get of a failure: explained, or as-it-came";
    line(out, "to_sender", &quoted(to_sender), comment)?;
    let unsigned = "believe reports without a return address, which anybody can write";
    line(out, "suppress_unsigned", &own.suppress_unsigned, unsigned)
}
