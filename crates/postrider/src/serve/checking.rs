//! From the configuration to the settings of the checks.

use std::sync::Arc;

use checks::{Demand, Demands, OwnListener};
use config::{Config, TlsLevel};
use tls::Connector;

use super::settings::hostname;

pub(crate) fn checks(config: &Config, connector: Option<Connector>) -> checks::Settings {
    let list = |list: &config::BlockList| checks::BlockList {
        zone: list.zone.clone(),
        of: match list.of_domains {
            true => checks::Listed::Domains,
            false => checks::Listed::Addresses,
        },
    };
    checks::Settings {
        hostname: hostname(config),
        routes: Arc::new(config.routes.clone()),
        smtp_port: config.delivery.smtp_port,
        connect_timeout: config.delivery.connect_timeout.min(CHECK_PATIENCE),
        our_addresses: config.checks.our_addresses.clone(),
        block_lists: config.checks.block_lists.iter().map(list).collect(),
        connector,
        demands: demands(&config.tls),
        dane: config.tls.dane,
        own_domains: config
            .local
            .domains
            .iter()
            .map(|(name, _)| name.to_lowercase())
            .collect(),
        own_filters: config
            .filtering
            .filters
            .iter()
            .map(|filter| filter.name.clone())
            .collect(),
        own_listeners: listeners(&config.listen),
        ..checks::Settings::default()
    }
}

/// A person waits for a check: so long for a connection, at most.
const CHECK_PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// How secure connections must be.
fn demands(tls: &config::Tls) -> Demands {
    let demand = |level| match level {
        TlsLevel::Off | TlsLevel::Opportunistic => Demand::Nothing,
        TlsLevel::Required => Demand::Encryption,
        TlsLevel::Verify => Demand::Certificate,
        // The one that is wanted need not be by an authority.
        TlsLevel::Fingerprint => Demand::Encryption,
    };
    let policies = tls.policies.iter();
    Demands {
        usual: demand(tls.sending),
        off: tls.sending == TlsLevel::Off,
        by_domain: policies
            .map(|(name, policy)| (name.to_lowercase(), demand(policy.level)))
            .collect(),
    }
}

/// Where we listen for other servers and for users.
fn listeners(listen: &config::Listen) -> Vec<OwnListener> {
    let doors = [
        (&listen.smtp, false, true),
        (&listen.smtps, true, true),
        (&listen.doors.submission, false, false),
        (&listen.submissions, true, false),
    ];
    let of = |(addresses, implicit, for_servers): (&Vec<std::net::SocketAddr>, bool, bool)| {
        let listener = move |address: &std::net::SocketAddr| OwnListener {
            address: *address,
            implicit,
            for_servers,
        };
        addresses.iter().map(listener).collect::<Vec<_>>()
    };
    doors.into_iter().flat_map(of).collect()
}
