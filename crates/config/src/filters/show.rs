//! Shows them.

use std::fmt::{self, Write as _};

use toml_read::size_text;

use super::{Asking, Authentication, Filter, FilterKind, KIND_VALUES, KINDS, ListOf};
use crate::Config;
use crate::show::{line, list, quoted, time};

const ASKING: &str = "\"tempfail\" or \"accept\"";

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
