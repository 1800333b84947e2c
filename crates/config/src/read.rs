//! From the text to the configuration.

use std::net::SocketAddr;

use toml::de::DeTable;
use toml_read::{Section, Written};

use crate::local;
use crate::network::NotANetwork;
use crate::problem::{Errors, Problem, ProblemKind};
use crate::{BlockList, Config, Language, LogFormat, LogLevel, Network, Parsed};
use crate::{pacing, routing, users};

const SECTIONS: &[&str] = &[
    "server",
    "listen",
    "relay",
    "auth",
    "submission",
    "route",
    "routes",
    "local",
    "aliases",
    "domains",
    "queue",
    "reports",
    "bounces",
    "suppression",
    "limits",
    "retry",
    "greylisting",
    "maildir",
    "authentication",
    "block_lists",
    "block_list",
    "filter",
    "delivery",
    "dkim",
    "rewrite",
    "tls",
    "dns",
    "checks",
    "log",
    "explain",
];

pub(crate) type Found = toml_read::Found<ProblemKind>;

pub(crate) fn read(text: &str) -> Result<Parsed, Errors> {
    let root = toml_read::parse(text)?;
    let mut found = Found::default();
    let root = root.get_ref();
    toml_read::check_sections(root, SECTIONS, &mut found);
    let mut config = Config::default();
    places(root, &mut config, &mut found);
    users::read(root, &mut config, &mut found);
    routing::read(root, &mut config, &mut found);
    local::read(root, &mut config.local, &mut found);
    crate::reports::read(root, &mut config, &mut found);
    crate::bounces::read(root, &mut config, &mut found);
    crate::suppression::read(root, &mut config, &mut found);
    amounts(root, &mut config, &mut found);
    crate::filters::read(root, &mut config, &mut found);
    crate::rewrite::read(root, &mut config, &mut found);
    crate::dkim::read(root, &mut config, &mut found);
    crate::tls::read(root, &mut config, &mut found);
    words(root, &mut config, &mut found);
    if found.errors.is_empty() {
        Ok(Parsed {
            config,
            warnings: found.warnings,
        })
    } else {
        found.errors.sort_by_key(|problem| problem.span.start);
        Err(Errors::new(found.errors))
    }
}

const ADDRESS: &str = "an address and a port in quotes, like \"127.0.0.1:2525\"";
pub(crate) const ADDRESSES: &str = "a list of addresses with ports, like [\"127.0.0.1:2525\"]";

pub(crate) fn address(text: &str) -> Result<SocketAddr, ProblemKind> {
    text.parse().map_err(|_| ProblemKind::NotAnAddress)
}

pub(crate) fn networks(
    section: &mut Section<'_, '_, ProblemKind>,
    key: &str,
    into: &mut Vec<Network>,
) {
    let wanted = "a list of networks, like [\"127.0.0.0/8\", \"::1/128\"]";
    section.texts(key, wanted, into, |text| {
        Network::read(text).map_err(|error| match error {
            NotANetwork::Address => ProblemKind::NotANetwork,
            NotANetwork::Prefix(most) => ProblemKind::PrefixTooLong { most },
            NotANetwork::HostBits(meant) => ProblemKind::HostBits { meant },
        })
    });
}

/// `[server]`, `[listen]`, `[relay]`, `[dns]`, `[checks]`.
fn places(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let mut server = Section::open(root, "server", &["hostname"], found);
    server.text(
        "hostname",
        "a name in quotes, like \"mail.example.org\"",
        &mut config.server.hostname,
        |text| hostname(text).map(Some),
    );

    const LISTEN: &[&str] = &[
        "smtp",
        "smtps",
        "submissions",
        users::LISTEN[0],
        users::LISTEN[1],
        users::LISTEN[2],
        "greeting_delay",
        "console",
    ];
    let mut listen = Section::open(root, "listen", LISTEN, found);
    users::listen(&mut listen, &mut config.listen.doors);
    listen.duration("greeting_delay", &mut config.listen.greeting_delay);
    listen.texts("smtp", ADDRESSES, &mut config.listen.smtp, address);
    listen.texts("smtps", ADDRESSES, &mut config.listen.smtps, address);
    let submissions = &mut config.listen.submissions;
    listen.texts("submissions", ADDRESSES, submissions, address);
    let empty = listen.get("smtp").filter(|v| {
        v.get_ref()
            .as_array()
            .is_some_and(|a| a.iter().next().is_none())
    });
    if let Some(empty) = empty {
        listen.found.error(empty.span(), Written::Empty);
    }
    listen.text("console", ADDRESS, &mut config.listen.console, |text| {
        address(text).map(Some)
    });
    if let Some(console) = listen.get("console") {
        listen.found.warnings.push(Problem {
            span: console.span(),
            kind: ProblemKind::NotYet {
                what: "the console",
            },
        });
    }

    let mut relay = Section::open(root, "relay", &["networks"], found);
    networks(&mut relay, "networks", &mut config.relay.networks);

    crate::names::read(root, config, found);

    let mut checks = Section::open(
        root,
        "checks",
        &["live", "block_lists", "our_addresses"],
        found,
    );
    checks.flag("live", &mut config.checks.live);
    let own = &mut config.checks;
    let wanted = "a list of zones, like [\"zen.spamhaus.org\", \"domain:dbl.spamhaus.org\"]";
    checks.texts("block_lists", wanted, &mut own.block_lists, block_list);
    let wanted = "a list of addresses, like [\"192.0.2.25\", \"2001:db8::25\"]";
    checks.texts("our_addresses", wanted, &mut own.our_addresses, |text| {
        text.parse().map_err(|_| ProblemKind::NotAnAddressAlone)
    });
}

/// `zone` or `domain:zone`.
fn block_list(text: &str) -> Result<BlockList, ProblemKind> {
    let of_domains = text.starts_with("domain:");
    let zone = text.strip_prefix("domain:").unwrap_or(text);
    let is_zone = zone.contains('.') && !zone.starts_with('.') && is_domain(zone);
    is_zone
        .then(|| BlockList {
            zone: zone.to_ascii_lowercase(),
            of_domains,
        })
        .ok_or(ProblemKind::NotABlockList)
}

/// Whether it is a domain, or labels of one.
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    text.split('.').all(label)
}

/// A host name in full.
pub(crate) fn hostname(text: &str) -> Result<String, ProblemKind> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_name = !text.is_empty()
        && text.len() <= 255
        && text.chars().all(plain)
        && !text.starts_with(['.', '-']);
    is_name
        .then(|| text.to_owned())
        .ok_or(ProblemKind::NotAHostname)
}

/// `[queue]`, `[limits]`, `[greylisting]`, `[maildir]`, `[delivery]`.
fn amounts(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let keys = &["lifetime", "report_lifetime", "retention"];
    let mut queue = Section::open(root, "queue", keys, found);
    queue.duration("lifetime", &mut config.queue.lifetime);
    queue.duration("report_lifetime", &mut config.queue.report_lifetime);
    queue.duration("retention", &mut config.queue.retention);

    limits(root, config, found);
    pacing::read(root, &mut config.pacing, found);
    crate::waits::read(root, &mut config.retry, found);
    strangers(root, config, found);

    let keys = &[
        "source",
        "helo",
        "smtp_port",
        "tls",
        "connect_timeout",
        "reply_timeout",
        "program_timeout",
        "sessions",
        "sessions_per_destination",
        "sessions_per_provider",
        "recipients_per_transaction",
        "messages_per_connection",
        "idle",
    ];
    let mut delivery = Section::open(root, "delivery", keys, found);
    let own = &mut config.delivery;
    own.identity = routing::identity(&mut delivery);
    crate::tls::level_for_all(&mut delivery, &mut config.tls.sending);
    delivery.number("smtp_port", &mut own.smtp_port, 1, 65_535);
    delivery.duration("connect_timeout", &mut own.connect_timeout);
    delivery.duration("reply_timeout", &mut own.reply_timeout);
    delivery.duration("program_timeout", &mut own.program_timeout);
    delivery.number("sessions", &mut own.sessions, 1, 100_000);
    delivery.number(
        "sessions_per_destination",
        &mut own.sessions_per_destination,
        1,
        10_000,
    );
    let per_provider = &mut own.sessions_per_provider;
    delivery.number("sessions_per_provider", per_provider, 1, 10_000);
    delivery.number(
        "recipients_per_transaction",
        &mut own.recipients_per_transaction,
        1,
        10_000,
    );
    delivery.number(
        "messages_per_connection",
        &mut own.messages_per_connection,
        1,
        1_000_000,
    );
    delivery.duration("idle", &mut own.idle);
}

/// `[limits]`.
fn limits(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let keys = &[
        "message_size",
        "recipients",
        "messages_per_connection",
        "hold",
        "connections",
        "connections_per_client",
        "connections_per_network",
        "connection_rate",
        "message_rate",
        "recipient_rate",
        "network_connection_rate",
        "network_message_rate",
        "network_recipient_rate",
        "uncounted",
        "hops",
        "own_hops",
        "min_free",
        "min_inodes",
        "min_memory",
        "max_resident",
        "margin",
        "destination",
        "provider",
    ];
    let mut limits = Section::open(root, "limits", keys, found);
    let own = &mut config.limits;
    limits.size("message_size", &mut own.message_size);
    // RFC 5321 §4.5.3.1.8: at least 100.
    limits.number("recipients", &mut own.recipients, 100, 100_000);
    let per_connection = &mut own.messages_per_connection;
    limits.number("messages_per_connection", per_connection, 0, 1_000_000);
    limits.duration("hold", &mut own.hold);
    limits.number("connections", &mut own.connections, 1, 100_000);
    let per_client = &mut own.connections_per_client;
    limits.number("connections_per_client", per_client, 1, 100_000);
    let per_network = &mut own.connections_per_network;
    limits.number("connections_per_network", per_network, 1, 100_000);
    limits.rate("connection_rate", &mut own.connection_rate);
    limits.rate("message_rate", &mut own.message_rate);
    limits.rate("recipient_rate", &mut own.recipient_rate);
    let network = &mut own.network_connection_rate;
    limits.rate("network_connection_rate", network);
    limits.rate("network_message_rate", &mut own.network_message_rate);
    limits.rate("network_recipient_rate", &mut own.network_recipient_rate);
    networks(&mut limits, "uncounted", &mut own.uncounted);
    limits.number("hops", &mut own.hops, 5, 1_000);
    limits.number("own_hops", &mut own.own_hops, 1, 1_000);
    limits.size("min_free", &mut own.min_free);
    limits.number("min_inodes", &mut own.min_inodes, 0, u64::from(u32::MAX));
    limits.size("min_memory", &mut own.min_memory);
    limits.size("max_resident", &mut own.max_resident);
    limits.number("margin", &mut own.margin, 0, 1_000);
}

/// `[greylisting]`, `[maildir]`.
fn strangers(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let keys = &["enabled", "delay", "window", "keep", "auto_allow", "exempt"];
    let mut greylisting = Section::open(root, "greylisting", keys, found);
    let own = &mut config.greylisting;
    greylisting.flag("enabled", &mut own.enabled);
    greylisting.duration("delay", &mut own.delay);
    greylisting.duration("window", &mut own.window);
    greylisting.duration("keep", &mut own.keep);
    greylisting.number("auto_allow", &mut own.auto_allow, 0, 1_000_000);
    networks(&mut greylisting, "exempt", &mut own.exempt);
    if let Some(window) = greylisting
        .get("window")
        .or_else(|| greylisting.get("delay"))
        && own.window <= own.delay
    {
        greylisting
            .found
            .error(window.span(), ProblemKind::WindowWithinDelay);
    }

    let keys = &["quota", "quota_messages"];
    let mut maildir = Section::open(root, "maildir", keys, found);
    let own = &mut config.maildir;
    maildir.size("quota", &mut own.quota);
    maildir.number(
        "quota_messages",
        &mut own.quota_messages,
        0,
        u64::from(u32::MAX),
    );
}

/// `[log]`, `[explain]`.
fn words(root: &DeTable<'_>, config: &mut Config, found: &mut Found) {
    let mut log = Section::open(root, "log", &["format", "level"], found);
    log.choice(
        "format",
        &mut config.log.format,
        &["text", "json"],
        &[LogFormat::Text, LogFormat::Json],
    );
    let levels = [
        LogLevel::Error,
        LogLevel::Warn,
        LogLevel::Info,
        LogLevel::Debug,
        LogLevel::Trace,
    ];
    log.choice(
        "level",
        &mut config.log.level,
        &["error", "warn", "info", "debug", "trace"],
        &levels,
    );

    let mut explain = Section::open(root, "explain", &["language"], found);
    explain.choice(
        "language",
        &mut config.explain.language,
        &["en", "nl"],
        &[Language::En, Language::Nl],
    );
}
