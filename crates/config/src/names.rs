//! `[dns]`: who is asked about names, and how far an answer is believed.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use toml::de::DeTable;
use toml_read::Section;

use crate::Config;
use crate::problem::ProblemKind;
use crate::read::{Found, address};
use crate::show::{line, list, quoted};

/// Who is asked about names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dns {
    /// Servers; none: those of the system.
    pub servers: Vec<SocketAddr>,
    /// Whose word is taken for it that an answer is authentic.
    pub trust_ad: TrustAd,
}

/// Whose word is taken for it that an answer was validated by DNSSEC (the AD bit, RFC 4035 §3.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustAd {
    /// That of servers on this machine.
    #[default]
    Loopback,
    /// That of all servers: nobody stands between them and us.
    Always,
    /// Nobody's: no DANE.
    Never,
}

impl TrustAd {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            TrustAd::Loopback => "loopback",
            TrustAd::Always => "always",
            TrustAd::Never => "never",
        }
    }
}

const TRUSTS: [TrustAd; 3] = [TrustAd::Loopback, TrustAd::Always, TrustAd::Never];
const TRUST_NAMES: &[&str] = &["loopback", "always", "never"];

pub(crate) fn read(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let mut section: Section<'_, '_, ProblemKind> =
        Section::open(root, "dns", &["servers", "trust_ad"], found);
    let wanted = "a list of addresses with ports, like [\"192.0.2.53:53\"]";
    section.texts("servers", wanted, &mut config.dns.servers, address);
    section.choice("trust_ad", &mut config.dns.trust_ad, TRUST_NAMES, &TRUSTS);
}

pub(crate) fn show(out: &mut String, dns: &Dns) -> fmt::Result {
    writeln!(out, "\n[dns]")?;
    line(
        out,
        "servers",
        &list(&dns.servers),
        "none: those of the system",
    )?;
    line(
        out,
        "trust_ad",
        &quoted(dns.trust_ad.as_str()),
        "whose word on DNSSEC is taken, for DANE: loopback, always or never; docs/tls.md",
    )
}
