//! `[tls.reports]`: reports on TLS to the domains to which mail goes.

use std::fmt::{self, Write as _};

use toml::Spanned;
use toml::de::DeValue;
use toml_read::{Section, wrong_kind};

use crate::problem::ProblemKind;
use crate::read::{Found, is_domain};
use crate::show::{line, quoted};

/// Who reports on TLS (RFC 8460).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsReports {
    /// The organization's name.
    pub organization: String,
    /// Whom to ask; its domain hands the reports in.
    pub contact: String,
    /// The address in `From` of the mails.
    pub from: String,
}

const KEYS: &[&str] = &["organization", "contact", "from"];
/// A name that fits a line of a header.
const LONGEST: usize = 200;

pub(crate) fn read(value: &Spanned<DeValue<'_>>, into: &mut Option<TlsReports>, found: &mut Found) {
    let wanted = "a section `[tls.reports]`, its keys below";
    let DeValue::Table(table) = value.get_ref() else {
        return wrong_kind(found, value, wanted);
    };
    let before = found.errors.len();
    let mut section = Section::of(table, "tls.reports", KEYS, found);
    let (mut organization, mut contact, mut from) = (None, None, None);
    let wanted = "a name in quotes, like \"Example Ltd\"";
    section.text("organization", wanted, &mut organization, |text| {
        name(text).map(Some)
    });
    let wanted = "an address in quotes, like \"postmaster@example.org\"";
    section.text("contact", wanted, &mut contact, |text| {
        address(text).map(Some)
    });
    section.text("from", wanted, &mut from, |text| address(text).map(Some));
    let there = [
        ("organization", organization.is_some()),
        ("contact", contact.is_some()),
    ];
    for (key, there) in there {
        if !there && section.get(key).is_none() {
            let problem = ProblemKind::NoReporter { key };
            section.found.error(value.span(), problem);
        }
    }
    if section.found.errors.len() == before
        && let (Some(organization), Some(contact)) = (organization, contact)
    {
        let from = from.unwrap_or_else(|| contact.clone());
        *into = Some(TlsReports {
            organization,
            contact,
            from,
        });
    }
}

fn name(text: &str) -> Result<String, ProblemKind> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
        .ok_or(ProblemKind::NotAnOrganization)
}

/// In ASCII: RFC 8460 §5.1 has the domain in A-labels, and any server must take the mail.
fn address(text: &str) -> Result<String, ProblemKind> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | '"');
    match text.rsplit_once('@') {
        Some((local, domain))
            if !local.is_empty() && is_domain(domain) && text.chars().all(plain) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(ProblemKind::NotAMailbox),
    }
}

pub(crate) fn show(out: &mut String, reports: Option<&TlsReports>) -> fmt::Result {
    let Some(own) = reports else {
        return writeln!(
            out,
            "# [tls.reports]  # none: no reports on TLS to the domains to which mail goes\n\
             # organization = \"Example Ltd\"\n# contact = \"postmaster@example.org\""
        );
    };
    writeln!(out, "[tls.reports]")?;
    let organization = quoted(&own.organization);
    line(out, "organization", &organization, "who reports")?;
    let contact = quoted(&own.contact);
    line(
        out,
        "contact",
        &contact,
        "whom to ask; its domain signs the mails",
    )?;
    line(out, "from", &quoted(&own.from), "who sends the mails")
}
