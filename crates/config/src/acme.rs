//! `[tls.acme]`: a certificate by ACME.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use toml::Spanned;
use toml::de::DeValue;
use toml_read::{Section, wrong_kind};

use crate::problem::ProblemKind;
use crate::read::{Found, hostname};
use crate::show::{line, list, quoted};

/// Where certificates come from, and for what names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    /// The directory of the authority.
    pub directory: String,
    /// Addresses that the authority may write to.
    pub contact: Vec<String>,
    /// The names that the certificate is for.
    pub names: Vec<String>,
    /// Where the authority's questions are answered (HTTP-01).
    pub http: Vec<SocketAddr>,
}

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

impl Default for Acme {
    fn default() -> Acme {
        Acme {
            directory: LETS_ENCRYPT.to_owned(),
            contact: Vec::new(),
            names: Vec::new(),
            http: vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80))],
        }
    }
}

const KEYS: &[&str] = &["directory", "agree_terms", "contact", "names", "http"];

pub(crate) fn read(value: &Spanned<DeValue<'_>>, into: &mut Option<Acme>, found: &mut Found) {
    let wanted = "a section `[tls.acme]`, its keys below";
    let DeValue::Table(table) = value.get_ref() else {
        return wrong_kind(found, value, wanted);
    };
    let before = found.errors.len();
    let mut section = Section::of(table, "tls.acme", KEYS, found);
    let mut acme = Acme::default();
    let wanted = "the address of a directory in quotes, like \"https://acme.example/directory\"";
    section.text("directory", wanted, &mut acme.directory, |text| {
        let is_one = text.starts_with("https://") && text.len() > 8 && text.is_ascii();
        is_one
            .then(|| text.to_owned())
            .ok_or(ProblemKind::NotADirectory)
    });
    let mut agreed = false;
    section.flag("agree_terms", &mut agreed);
    let wanted = "a list of addresses in quotes, like [\"postmaster@example.org\"]";
    section.texts("contact", wanted, &mut acme.contact, |text| {
        Ok(text.to_owned())
    });
    let wanted = "a list of names in quotes, like [\"mx.example.org\"]";
    section.texts("names", wanted, &mut acme.names, |text| {
        let name = hostname(text)?.to_ascii_lowercase();
        let whole = name.contains('.') && name.parse::<std::net::IpAddr>().is_err();
        whole.then_some(name).ok_or(ProblemKind::NotAHostname)
    });
    let wanted = "a list of addresses with a port, like [\"0.0.0.0:80\"]";
    section.texts("http", wanted, &mut acme.http, |text| {
        text.parse().map_err(|_| ProblemKind::NotAnAddress)
    });
    if acme.names.is_empty() && section.get("names").is_none() {
        section.found.error(value.span(), ProblemKind::NoAcmeNames);
    }
    if !agreed {
        let span = section
            .get("agree_terms")
            .map_or(value.span(), Spanned::span);
        section.found.error(span, ProblemKind::TermsNotAgreed);
    }
    if section.found.errors.len() == before {
        *into = Some(acme);
    }
}

pub(crate) fn show(out: &mut String, acme: &Acme) -> fmt::Result {
    writeln!(out, "[tls.acme]")?;
    let directory = quoted(&acme.directory);
    line(out, "directory", &directory, "the authority that is asked")?;
    line(
        out,
        "agree_terms",
        &"true",
        "its terms of service are agreed to",
    )?;
    line(out, "contact", &list(&acme.contact), "whom it may write to")?;
    line(
        out,
        "names",
        &list(&acme.names),
        "what the certificate is for",
    )?;
    line(
        out,
        "http",
        &list(&acme.http),
        "where its questions are answered; it asks on port 80",
    )
}
