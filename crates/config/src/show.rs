//! The configuration in force, as a file.

use std::fmt::{self, Write as _};

use crate::users;
use crate::{Config, Language, LogFormat, duration_text, rate_text, size_text};

pub(crate) fn to_toml(config: &Config) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut text, config);
    text
}

fn write(out: &mut String, config: &Config) -> fmt::Result {
    writeln!(out, "[server]")?;
    match &config.server.hostname {
        Some(name) => line(
            out,
            "hostname",
            &quoted(name),
            "our name in greetings, trace headers and reports",
        )?,
        None => writeln!(out, "# hostname = \"…\"  # not set: the system's host name")?,
    }

    writeln!(out, "\n[listen]")?;
    line(
        out,
        "smtp",
        &list(&config.listen.smtp),
        "where mail is taken; port 0: any free one",
    )?;
    line(
        out,
        "smtps",
        &list(&config.listen.smtps),
        "likewise, under TLS from the first byte",
    )?;
    line(
        out,
        "submissions",
        &list(&config.listen.submissions),
        "where users hand in mail, likewise (port 465)",
    )?;
    line(
        out,
        "greeting_delay",
        &time(config.listen.greeting_delay),
        "clients that speak meanwhile are sent away",
    )?;
    if let Some(console) = &config.listen.console {
        line(out, "console", &quoted(console), "not there yet")?;
    }

    users::show_listen(out, &config.listen.doors)?;

    writeln!(out, "\n[relay]")?;
    line(
        out,
        "networks",
        &list(&config.relay.networks),
        "clients here may send to anybody, others to nobody",
    )?;

    crate::routing::show(out, config)?;

    crate::local::show(out, &config.local)?;
    users::show(out, config)?;

    writeln!(out, "\n[queue]")?;
    let queue = &config.queue;
    line(
        out,
        "lifetime",
        &time(queue.lifetime),
        "how long delivery is tried",
    )?;
    line(
        out,
        "report_lifetime",
        &time(queue.report_lifetime),
        "the same for our own reports",
    )?;
    line(
        out,
        "retention",
        &time(queue.retention),
        "how long the history of a finished message is kept",
    )?;

    crate::reports::show(out, config)?;
    crate::bounces::show(out, config)?;
    crate::suppression::show(out, config)?;
    limits(out, config)?;
    crate::pacing::show(out, &config.pacing)?;
    crate::waits::show(out, &config.retry)?;
    strangers(out, config)?;
    crate::filters::write(out, config)?;

    delivery(out, config)?;

    crate::rewrite::show(out, config)?;
    crate::dkim::show(out, config)?;
    crate::tls::show(out, config)?;

    crate::names::show(out, &config.dns)?;

    writeln!(out, "\n[checks]")?;
    let comment =
        "the relay looks at the causes of failures itself: DNS, servers, our own standing";
    line(out, "live", &config.checks.live, comment)?;
    line(
        out,
        "block_lists",
        &list(&config.checks.block_lists),
        "that `postrider check` asks; \"domain:\" before those that list domains",
    )?;
    line(
        out,
        "our_addresses",
        &list(&config.checks.our_addresses),
        "as the world sees them; none: as this machine does",
    )?;

    writeln!(out, "\n[log]")?;
    let format = match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    line(out, "format", &quoted(format), "text or json")?;
    line(
        out,
        "level",
        &quoted(config.log.level.as_str()),
        "error, warn, info, debug or trace",
    )?;

    writeln!(out, "\n[explain]")?;
    let language = match config.explain.language {
        Language::En => "en",
        Language::Nl => "nl",
    };
    line(
        out,
        "language",
        &quoted(language),
        "of reports to senders: en or nl",
    )
}

/// `[delivery]`.
fn delivery(out: &mut String, config: &Config) -> fmt::Result {
    writeln!(out, "\n[delivery]")?;
    let delivery = &config.delivery;
    let identity = &delivery.identity;
    let comment = "our addresses to send from; of each family always the same for a destination";
    line(out, "source", &list(&identity.source), comment)?;
    match &identity.helo {
        Some(helo) => line(out, "helo", &quoted(helo), "our name at EHLO")?,
        None => writeln!(
            out,
            "# helo = \"…\"  # our name at EHLO; not set: [server] hostname"
        )?,
    }
    line(out, "smtp_port", &delivery.smtp_port, "of mail exchangers")?;
    line(
        out,
        "tls",
        &quoted(config.tls.sending.as_str()),
        "off, opportunistic, required or verify; for single domains: [tls.policy]",
    )?;
    line(
        out,
        "connect_timeout",
        &time(delivery.connect_timeout),
        "for each address",
    )?;
    let comment = "the longest wait for an answer; RFC 5321 asks for 10 minutes";
    line(out, "reply_timeout", &time(delivery.reply_timeout), comment)?;
    let comment = "how long the program of a pipe: route may take";
    line(
        out,
        "program_timeout",
        &time(delivery.program_timeout),
        comment,
    )?;
    line(
        out,
        "sessions",
        &delivery.sessions,
        "connections at one time",
    )?;
    line(
        out,
        "sessions_per_destination",
        &delivery.sessions_per_destination,
        "at most; fewer while a server has trouble",
    )?;
    line(
        out,
        "sessions_per_provider",
        &delivery.sessions_per_provider,
        "to all destinations with the same mail servers",
    )?;
    line(
        out,
        "recipients_per_transaction",
        &delivery.recipients_per_transaction,
        "at most; less where the server says so",
    )?;
    line(
        out,
        "messages_per_connection",
        &delivery.messages_per_connection,
        "before it is closed",
    )?;
    line(
        out,
        "idle",
        &time(delivery.idle),
        "how long a connection waits for the next message",
    )
}

/// `[limits]`.
fn limits(out: &mut String, config: &Config) -> fmt::Result {
    writeln!(
        out,
        "\n[limits]  # what each is answered with: docs/receiving.md"
    )?;
    let limits = &config.limits;
    let message_size = quoted(size_text(limits.message_size));
    line(out, "message_size", &message_size, "announced as SIZE")?;
    let recipients = "of one transaction; announced as LIMITS RCPTMAX";
    line(out, "recipients", &limits.recipients, recipients)?;
    let messages = "0: any number; announced as LIMITS MAILMAX";
    let per_connection = &limits.messages_per_connection;
    line(out, "messages_per_connection", per_connection, messages)?;
    let hold =
        "the longest that mail is held at its sender's wish (FUTURERELEASE); \"0s\": not at all";
    line(out, "hold", &time(limits.hold), hold)?;
    line(out, "connections", &limits.connections, "at one time")?;
    let per = "at one time, from one address (IPv6: one /64)";
    line(
        out,
        "connections_per_client",
        &limits.connections_per_client,
        per,
    )?;
    let per = "at one time, from one /24 (IPv6: one /48)";
    line(
        out,
        "connections_per_network",
        &limits.connections_per_network,
        per,
    )?;
    let rates = [
        (
            "connection_rate",
            limits.connection_rate,
            "of one client, like \"60/1m\": 60 in a minute",
        ),
        ("message_rate", limits.message_rate, "of one client"),
        ("recipient_rate", limits.recipient_rate, "of one client"),
        (
            "network_connection_rate",
            limits.network_connection_rate,
            "of one /24 or /48",
        ),
        (
            "network_message_rate",
            limits.network_message_rate,
            "of one /24 or /48",
        ),
        (
            "network_recipient_rate",
            limits.network_recipient_rate,
            "of one /24 or /48",
        ),
    ];
    for (key, rate, comment) in rates {
        line(out, key, &quoted(rate_text(rate)), comment)?;
    }
    let uncounted = "clients without these limits per client and network";
    line(out, "uncounted", &list(&limits.uncounted), uncounted)?;
    line(
        out,
        "hops",
        &limits.hops,
        "Received fields; more are a loop",
    )?;
    line(
        out,
        "own_hops",
        &limits.own_hops,
        "Received fields of ours; more are a loop",
    )?;
    let min_free = quoted(size_text(limits.min_free));
    line(
        out,
        "min_free",
        &min_free,
        "stays free on the disk: below it, mail is put off",
    )?;
    line(
        out,
        "min_inodes",
        &limits.min_inodes,
        "files that stay free there; 0: no such mark",
    )?;
    let min_memory = quoted(size_text(limits.min_memory));
    line(
        out,
        "min_memory",
        &min_memory,
        "available to the machine or control group; 0: no such mark",
    )?;
    let resident = quoted(size_text(limits.max_resident));
    line(
        out,
        "max_resident",
        &resident,
        "memory of the relay itself; 0: any",
    )?;
    line(
        out,
        "margin",
        &limits.margin,
        "percent beyond those four until mail is taken again",
    )
}

/// `[greylisting]`, `[maildir]`.
fn strangers(out: &mut String, config: &Config) -> fmt::Result {
    writeln!(out, "\n[greylisting]")?;
    let own = &config.greylisting;
    line(
        out,
        "enabled",
        &own.enabled,
        "put off mail whose sender, recipient and network are new",
    )?;
    line(out, "delay", &time(own.delay), "for so long")?;
    line(
        out,
        "window",
        &time(own.window),
        "how long a stranger may take to come back",
    )?;
    line(
        out,
        "keep",
        &time(own.keep),
        "how long one who did is known",
    )?;
    let auto = "after so many that came back, their network passes; 0: never";
    line(out, "auto_allow", &own.auto_allow, auto)?;
    line(
        out,
        "exempt",
        &list(&own.exempt),
        "clients that are never put off",
    )?;

    writeln!(out, "\n[maildir]  # for maildir: routes (Maildir++)")?;
    let own = &config.maildir;
    line(
        out,
        "quota",
        &quoted(size_text(own.quota)),
        "of each; 0: as its own maildirsize says, if it has one",
    )?;
    line(out, "quota_messages", &own.quota_messages, "likewise")
}

pub(crate) fn line(
    out: &mut String,
    key: &str,
    value: &dyn fmt::Display,
    comment: &str,
) -> fmt::Result {
    let setting = format!("{key} = {value}");
    writeln!(out, "{setting:<40}  # {comment}")
}

pub(crate) fn time(duration: std::time::Duration) -> String {
    quoted(duration_text(duration))
}

/// A TOML string.
pub(crate) fn quoted(value: impl fmt::Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}

pub(crate) fn list<T: fmt::Display>(values: &[T]) -> String {
    let quoted: Vec<String> = values.iter().map(quoted).collect();
    format!("[{}]", quoted.join(", "))
}
