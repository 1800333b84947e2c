//! `[tls]`: our certificates.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_read::{Section, wrong_kind};

use crate::Config;
use crate::problem::ProblemKind;
use crate::read::Found;
use crate::show::{line, list, quoted, time};

/// TLS.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// Our certificates; the first is for clients that ask for no name of ours. None: no TLS for
    /// those who send to us.
    pub certificates: Vec<CertificateFiles>,
    /// How long a handshake with a client may take.
    pub handshake_timeout: Duration,
    /// Files with authorities that are trusted beside those of the system.
    pub authorities: Vec<PathBuf>,
    /// Whether servers are held to what the signed DNS says of them (RFC 7672).
    pub dane: bool,
    /// Whether they are held to the policies of their domains (MTA-STS, RFC 8461).
    pub mta_sts: bool,
    /// What encryption is wanted of all servers (`[delivery] tls`).
    pub sending: TlsLevel,
    /// What is wanted of some: by domain, in the order of their names.
    pub policies: BTreeMap<String, TlsPolicy>,
    /// A certificate by ACME, beside those in files.
    pub acme: Option<crate::Acme>,
    /// Reports to the domains to which mail goes; none: they get none.
    pub reports: Option<crate::TlsReports>,
}

/// What encryption is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsLevel {
    /// None.
    Off,
    /// Where it can be had.
    #[default]
    Opportunistic,
    /// Encryption, with whomever.
    Required,
    /// And a certificate by an authority.
    Verify,
    /// And a certificate or key that is given.
    Fingerprint,
}

/// What encryption is wanted of a domain or next hop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsPolicy {
    /// How much.
    pub level: TlsLevel,
    /// For `Verify`: names of which one must be in the certificate; none: the usual ones.
    pub names: Vec<String>,
    /// For `Fingerprint`: SHA-256 in hex.
    pub fingerprints: Vec<String>,
}

const LEVELS: [TlsLevel; 5] = [
    TlsLevel::Off,
    TlsLevel::Opportunistic,
    TlsLevel::Required,
    TlsLevel::Verify,
    TlsLevel::Fingerprint,
];
const LEVEL_NAMES: &[&str] = &["off", "opportunistic", "required", "verify", "fingerprint"];
/// For everybody there is no one fingerprint.
const LEVELS_FOR_ALL: &[&str] = &["off", "opportunistic", "required", "verify"];

impl TlsLevel {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            TlsLevel::Off => "off",
            TlsLevel::Opportunistic => "opportunistic",
            TlsLevel::Required => "required",
            TlsLevel::Verify => "verify",
            TlsLevel::Fingerprint => "fingerprint",
        }
    }
}

/// `[delivery] tls`.
pub(crate) fn level_for_all(section: &mut Section<'_, '_, ProblemKind>, into: &mut TlsLevel) {
    section.choice("tls", into, LEVELS_FOR_ALL, &LEVELS[..LEVELS_FOR_ALL.len()]);
}

/// Where a certificate and its key are, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and those between it and an authority.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Default for Tls {
    fn default() -> Tls {
        Tls {
            certificates: Vec::new(),
            handshake_timeout: Duration::from_secs(30),
            authorities: Vec::new(),
            dane: true,
            mta_sts: true,
            sending: TlsLevel::default(),
            policies: BTreeMap::new(),
            acme: None,
            reports: None,
        }
    }
}

const KEYS: &[&str] = &[
    "certificate",
    "handshake_timeout",
    "authorities",
    "dane",
    "mta_sts",
    "policy",
    "acme",
    "reports",
];

pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let mut section = Section::open(root, "tls", KEYS, found);
    let own = &mut config.tls;
    section.duration("handshake_timeout", &mut own.handshake_timeout);
    let files = "a list of files in quotes, like [\"/etc/ssl/our-authority.pem\"]";
    section.texts("authorities", files, &mut own.authorities, |text| {
        Ok(PathBuf::from(text))
    });
    section.flag("dane", &mut own.dane);
    section.flag("mta_sts", &mut own.mta_sts);
    if let Some(list) = section.get("certificate") {
        certificates(list, own, section.found);
    }
    if let Some(value) = section.get("acme") {
        crate::acme::read(value, &mut own.acme, section.found);
    }
    if let Some(value) = section.get("reports") {
        crate::tls_reports::read(value, &mut own.reports, section.found);
    }
    if let Some(by_domain) = section.get("policy") {
        policies(by_domain, own, section.found);
    }
    let listen = root.get("listen").and_then(|v| v.get_ref().as_table());
    let (smtps, submissions) = (&config.listen.smtps, &config.listen.submissions);
    for (key, addresses) in [("smtps", smtps), ("submissions", submissions)] {
        if let Some(value) = listen.and_then(|table| table.get(key))
            && !addresses.is_empty()
            && config.tls.certificates.is_empty()
            && config.tls.acme.is_none()
        {
            found.error(value.span(), ProblemKind::NoCertificate);
        }
    }
}

fn certificates(list: &Spanned<DeValue<'_>>, tls: &mut Tls, found: &mut Found) {
    let wanted = "each certificate as a section `[[tls.certificate]]`, its keys below";
    let Some(list) = list.get_ref().as_array() else {
        return wrong_kind(found, list, wanted);
    };
    for item in list.iter() {
        let DeValue::Table(table) = item.get_ref() else {
            wrong_kind(found, item, wanted);
            continue;
        };
        let mut section = Section::of(table, "tls.certificate", &["chain", "key"], found);
        let path = |text: &str| Ok(Some(PathBuf::from(text)));
        let (mut chain, mut key) = (None, None);
        let file = "a path in quotes, like \"/etc/ssl/mail/fullchain.pem\"";
        section.text("chain", file, &mut chain, path);
        section.text("key", file, &mut key, path);
        match chain {
            // One file may hold both.
            Some(chain) => tls.certificates.push(CertificateFiles {
                key: key.unwrap_or_else(|| chain.clone()),
                chain,
            }),
            None if section.get("chain").is_none() => {
                section.found.error(item.span(), ProblemKind::NoChain);
            }
            None => {}
        }
    }
}

fn policies(by_domain: &Spanned<DeValue<'_>>, tls: &mut Tls, found: &mut Found) {
    let wanted = "each policy as a section `[tls.policy.\"example.org\"]`, its keys below";
    let DeValue::Table(by_domain) = by_domain.get_ref() else {
        return wrong_kind(found, by_domain, wanted);
    };
    for (domain, value) in by_domain {
        let DeValue::Table(table) = value.get_ref() else {
            wrong_kind(found, value, wanted);
            continue;
        };
        let keys = &["level", "names", "fingerprints"];
        let mut section = Section::of(table, "tls.policy", keys, found);
        let mut policy = TlsPolicy::default();
        section.choice("level", &mut policy.level, LEVEL_NAMES, &LEVELS);
        let names = "a list of names in quotes, like [\"mx.example.net\"]";
        section.texts("names", names, &mut policy.names, |text| {
            Ok(text.to_ascii_lowercase())
        });
        let fingerprints = "a list of SHA-256 fingerprints in quotes";
        section.texts(
            "fingerprints",
            fingerprints,
            &mut policy.fingerprints,
            fingerprint,
        );
        if policy.level == TlsLevel::Fingerprint && policy.fingerprints.is_empty() {
            section
                .found
                .error(domain.span(), ProblemKind::NoFingerprint);
        }
        tls.policies
            .insert(domain.get_ref().to_ascii_lowercase(), policy);
    }
}

/// 32 bytes in hex, with or without colons.
fn fingerprint(text: &str) -> Result<String, ProblemKind> {
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let is_one = plain.len() == 64 && plain.chars().all(|c| c.is_ascii_hexdigit());
    is_one
        .then(|| plain.to_ascii_lowercase())
        .ok_or(ProblemKind::NotAFingerprint)
}

pub(crate) fn show(out: &mut String, config: &Config) -> fmt::Result {
    writeln!(out, "\n[tls]  # docs/tls.md")?;
    let own = &config.tls;
    let handshake = "how long a client may take to begin TLS";
    line(
        out,
        "handshake_timeout",
        &time(own.handshake_timeout),
        handshake,
    )?;
    let authorities: Vec<_> = own.authorities.iter().map(|p| p.display()).collect();
    line(
        out,
        "authorities",
        &list(&authorities),
        "files with authorities to trust beside the system's",
    )?;
    line(
        out,
        "dane",
        &own.dane,
        "hold servers to their TLSA records; needs a validating resolver, see [dns]",
    )?;
    line(
        out,
        "mta_sts",
        &own.mta_sts,
        "hold servers to their domains' policies, which are fetched over HTTPS",
    )?;
    if own.certificates.is_empty() && own.acme.is_none() {
        writeln!(
            out,
            "# [[tls.certificate]]  # none: no TLS for those who send to us\n\
             # chain = \"/path/fullchain.pem\"\n# key = \"/path/privkey.pem\""
        )?;
    }
    for files in &own.certificates {
        writeln!(out, "[[tls.certificate]]")?;
        line(
            out,
            "chain",
            &quoted(files.chain.display()),
            "ours first, then those up to an authority",
        )?;
        line(out, "key", &quoted(files.key.display()), "of the first")?;
    }
    if let Some(acme) = &own.acme {
        crate::acme::show(out, acme)?;
    }
    crate::tls_reports::show(out, own.reports.as_ref())?;
    for (domain, policy) in &own.policies {
        writeln!(out, "[tls.policy.{}]", quoted(domain))?;
        let level = quoted(policy.level.as_str());
        line(out, "level", &level, "what encryption this one must have")?;
        if !policy.names.is_empty() {
            line(
                out,
                "names",
                &list(&policy.names),
                "one must be in the certificate",
            )?;
        }
        if !policy.fingerprints.is_empty() {
            let fingerprints = list(&policy.fingerprints);
            line(
                out,
                "fingerprints",
                &fingerprints,
                "SHA-256 of certificate or key",
            )?;
        }
    }
    Ok(())
}
