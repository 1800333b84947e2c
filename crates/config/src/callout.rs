//! `verify` of a relayed domain: whether and how its next hop is asked about recipients.

use std::fmt;

use queue::route::NextHop;
use queue::{CalloutPolicy, Unsure};
use toml::Spanned;
use toml::de::DeValue;
use toml_read::{Section, wrong_kind};

use crate::problem::ProblemKind;

type Found = toml_read::Found<ProblemKind>;

const KEYS: &[&str] = &[
    "server",
    "wait",
    "timeout",
    "positive",
    "negative",
    "connections",
    "unanswered",
];
const UNSURE: [&str; 2] = ["refuse", "accept"];

/// `verify = true`, or a table; `false` is as nothing.
pub(crate) fn read(value: &Spanned<DeValue<'_>>, found: &mut Found) -> Option<CalloutPolicy> {
    let mut policy = CalloutPolicy::default();
    match value.get_ref() {
        DeValue::Boolean(true) => return Some(policy),
        DeValue::Boolean(false) => return None,
        DeValue::Table(table) => {
            let mut section = Section::of(table, "domains.….verify", KEYS, found);
            let wanted = "a server in quotes, like \"smtp://10.0.0.5:25\"";
            section.text("server", wanted, &mut policy.server, |text| {
                let hop = text.parse::<NextHop>().map_err(ProblemKind::NextHop)?;
                match hop {
                    NextHop::Mx
                    | NextHop::Smtp(_)
                    | NextHop::Smtps(_)
                    | NextHop::Lmtp(_)
                    | NextHop::LmtpUnix(_) => Ok(Some(hop)),
                    NextHop::Maildir(_) | NextHop::Pipe(_) | NextHop::Nowhere => {
                        Err(ProblemKind::NotAServer)
                    }
                }
            });
            section.duration("wait", &mut policy.wait);
            section.duration("timeout", &mut policy.timeout);
            section.duration("positive", &mut policy.positive);
            section.duration("negative", &mut policy.negative);
            section.number("connections", &mut policy.connections, 1, 100);
            section.choice(
                "unanswered",
                &mut policy.unanswered,
                &UNSURE,
                &[Unsure::Refuse, Unsure::Accept],
            );
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_) => {
            wrong_kind(found, value, "true, false, or a table of what differs");
            return None;
        }
    }
    Some(policy)
}

/// As it stands in the file.
pub(crate) fn show(out: &mut String, domain: &str, verify: Option<&CalloutPolicy>) -> fmt::Result {
    use crate::show::{line, quoted, time};
    use fmt::Write as _;
    let Some(policy) = verify else {
        return line(
            out,
            "verify",
            &false,
            "true: the next hop is asked about each recipient, docs/local.md",
        );
    };
    writeln!(out, "\n[domains.{}.verify]", quoted(domain))?;
    match &policy.server {
        Some(server) => line(out, "server", &quoted(server), "asked about recipients")?,
        None => writeln!(
            out,
            "# server = \"…\"  # not set: the next hop of the route is asked"
        )?,
    }
    let unanswered = match policy.unanswered {
        Unsure::Refuse => UNSURE[0],
        Unsure::Accept => UNSURE[1],
    };
    line(
        out,
        "wait",
        &time(policy.wait),
        "so long a client waits for the answer",
    )?;
    line(out, "timeout", &time(policy.timeout), "of one question")?;
    line(
        out,
        "positive",
        &time(policy.positive),
        "so long a recipient is known to be there",
    )?;
    line(
        out,
        "negative",
        &time(policy.negative),
        "so long it is known not to be",
    )?;
    line(
        out,
        "connections",
        &policy.connections,
        "at one time to one server",
    )?;
    line(
        out,
        "unanswered",
        &quoted(unanswered),
        "refuse: 450 while nobody can tell; or accept",
    )
}
