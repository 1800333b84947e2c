//! What single destinations and providers are allowed: `[limits.destination."example.org"]` and
//! `[limits.provider."google.com"]`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use toml::de::{DeTable, DeValue};
use toml_read::{Rate, Section, rate_text, wrong_kind};

use crate::problem::ProblemKind;

/// Limits by name, whatever the destinations would bear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pacing {
    /// By domain, or by next hop as in the routes.
    pub destinations: BTreeMap<String, PaceLimit>,
    /// By the domain of the mail servers.
    pub providers: BTreeMap<String, PaceLimit>,
}

/// What one of them is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PaceLimit {
    /// Connections at one time; `None`: as for all.
    pub sessions: Option<usize>,
    /// Messages in a period; `None`: any number.
    pub rate: Option<Rate>,
}

type Found = toml_read::Found<ProblemKind>;

const DESTINATION: &str = "limits.destination";
const PROVIDER: &str = "limits.provider";
const SECTIONS: &str =
    "sections like [limits.destination.\"example.org\"], each with its keys below";

pub(crate) fn read(root: &DeTable<'_>, into: &mut Pacing, found: &mut Found) {
    let Some(DeValue::Table(limits)) = root.get("limits").map(|value| value.get_ref()) else {
        return;
    };
    named(
        limits,
        "destination",
        DESTINATION,
        &mut into.destinations,
        found,
    );
    named(limits, "provider", PROVIDER, &mut into.providers, found);
}

fn named(
    limits: &DeTable<'_>,
    key: &str,
    section: &'static str,
    into: &mut BTreeMap<String, PaceLimit>,
    found: &mut Found,
) {
    let Some(value) = limits.get(key) else {
        return;
    };
    let DeValue::Table(all) = value.get_ref() else {
        wrong_kind(found, value, SECTIONS);
        return;
    };
    for (name, value) in all {
        let DeValue::Table(table) = value.get_ref() else {
            wrong_kind(found, value, SECTIONS);
            continue;
        };
        let mut keys = Section::of(table, section, &["sessions", "rate"], found);
        let mut limit = PaceLimit::default();
        if keys.get("sessions").is_some() {
            let mut sessions = 1;
            keys.number("sessions", &mut sessions, 1, 10_000);
            limit.sessions = Some(sessions);
        }
        keys.rate("rate", &mut limit.rate);
        into.insert(name.get_ref().to_ascii_lowercase(), limit);
    }
}

pub(crate) fn show(out: &mut String, pacing: &Pacing) -> fmt::Result {
    let all = [
        (DESTINATION, &pacing.destinations),
        (PROVIDER, &pacing.providers),
    ];
    for (section, limits) in all {
        for (name, limit) in limits {
            writeln!(out, "\n[{section}.{}]", toml::Value::String(name.clone()))?;
            if let Some(sessions) = limit.sessions {
                writeln!(out, "sessions = {sessions}")?;
            }
            writeln!(out, "rate = \"{}\"", rate_text(limit.rate))?;
        }
    }
    if pacing.destinations.is_empty() && pacing.providers.is_empty() {
        writeln!(
            out,
            "\n# [{DESTINATION}.\"example.org\"]     # what one destination is allowed; likewise [{PROVIDER}.\"google.com\"]\n\
             # sessions = 3                          # connections at one time\n\
             # rate = \"60/1m\"                       # messages in a time, evenly spread"
        )?;
    }
    Ok(())
}
