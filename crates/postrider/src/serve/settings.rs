//! From the configuration to the settings of the roles.

use std::sync::Arc;

use config::Config;

use super::pacing;

/// The name of this relay: configured, or the system's.
pub(crate) fn hostname(config: &Config) -> String {
    match &config.server.hostname {
        Some(name) => name.clone(),
        None => of_system(),
    }
}

/// The system's host name, or `localhost` where it is no name for mail.
fn of_system() -> String {
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if name.is_empty() || !name.chars().all(plain) {
        return "localhost".to_owned();
    }
    name
}

pub(crate) fn delivery(config: &Config) -> delivery::Settings {
    let own = &config.delivery;
    delivery::Settings {
        hostname: hostname(config),
        routes: Arc::new(config.routes.clone()),
        rewrite: (!config.rewrite.0.is_empty()).then(|| Arc::new(config.rewrite.clone())),
        folder_delimiters: match config.local.detail_folders {
            true => config.local.delimiters.clone(),
            false => String::new(),
        },
        smtp_port: own.smtp_port,
        identity: own.identity.clone(),
        connect_timeout: own.connect_timeout,
        reply_timeout: own.reply_timeout,
        program_timeout: own.program_timeout,
        max_sessions: own.sessions,
        max_sessions_per_destination: own.sessions_per_destination,
        max_sessions_per_provider: own.sessions_per_provider,
        limits: Arc::new(pacing::limits(&config.pacing)),
        waits: config.retry.clone(),
        max_recipients: own.recipients_per_transaction,
        max_messages_per_connection: own.messages_per_connection,
        idle_keep: own.idle,
        report_lifetime: config.queue.report_lifetime,
        suppression_keep: config.suppression.keep,
        delay_notice: config.reports.delay_after,
        report_full_limit: config.reports.full,
        report_languages: config
            .reports
            .languages
            .iter()
            .map(|of| (of.domain.clone(), language(of.language)))
            .collect(),
        report_language: language(config.explain.language),
        ..delivery::Settings::default()
    }
}

fn language(language: config::Language) -> explain::Lang {
    match language {
        config::Language::En => explain::Lang::En,
        config::Language::Nl => explain::Lang::Nl,
    }
}

pub(crate) fn reception(config: &Config) -> reception::Settings {
    let limits = &config.limits;
    reception::Settings {
        hostname: hostname(config),
        routes: Arc::new(config.routes.clone()),
        relay_networks: networks(&config.relay.networks),
        max_message_size: limits.message_size,
        max_recipients: limits.recipients,
        max_messages: match limits.messages_per_connection {
            0 => u32::MAX,
            most => most,
        },
        max_hold: limits.hold,
        max_connections: limits.connections,
        max_connections_per_client: limits.connections_per_client,
        max_connections_per_network: limits.connections_per_network,
        client_rates: rates([
            limits.connection_rate,
            limits.message_rate,
            limits.recipient_rate,
        ]),
        network_rates: rates([
            limits.network_connection_rate,
            limits.network_message_rate,
            limits.network_recipient_rate,
        ]),
        greeting_delay: config.listen.greeting_delay,
        uncounted: networks(&limits.uncounted),
        max_hops: limits.hops,
        max_own_hops: limits.own_hops,
        lifetime: config.queue.lifetime,
        handshake_timeout: config.tls.handshake_timeout,
        watermarks: reception::Watermarks {
            free_bytes: limits.min_free,
            free_files: limits.min_inodes,
            available_memory: limits.min_memory,
            resident_memory: limits.max_resident,
            margin: limits.margin,
        },
        greylisting: greylisting(config),
        not_greylisted: networks(&config.greylisting.exempt),
        ..reception::Settings::default()
    }
}

pub(crate) fn networks(of: &[config::Network]) -> Vec<reception::Network> {
    of.iter()
        .filter_map(|n| reception::Network::containing(n.address, n.prefix))
        .collect()
}

pub(super) fn rate(rate: Option<config::Rate>) -> Option<reception::Rate> {
    rate.map(|config::Rate { count, per }| reception::Rate { count, per })
}

fn rates([connections, messages, recipients]: [Option<config::Rate>; 3]) -> reception::Rates {
    reception::Rates {
        connections: rate(connections),
        messages: rate(messages),
        recipients: rate(recipients),
        ..reception::Rates::default()
    }
}

/// How strangers are put off, where they are.
pub(crate) fn greylisting(config: &Config) -> Option<queue::GreylistPolicy> {
    let own = &config.greylisting;
    own.enabled.then_some(queue::GreylistPolicy {
        delay: own.delay,
        window: own.window,
        keep: own.keep,
        auto_allow: own.auto_allow,
    })
}

/// What the mailboxes on this machine may hold.
pub(crate) fn quota(config: &Config) -> delivery::Quota {
    delivery::Quota {
        bytes: config.maildir.quota,
        messages: config.maildir.quota_messages,
    }
}
