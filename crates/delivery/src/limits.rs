//! What the operator allows single destinations and providers.

use std::collections::HashMap;

use queue::DestinationKey;
use queue::policy::{PaceLimits, Provider};

use crate::Settings;

/// Limits by name, whatever the pace would allow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// By domain, or by next hop as in the routes.
    pub destinations: HashMap<String, Limit>,
    /// By the domain of the mail servers.
    pub providers: HashMap<String, Limit>,
}

/// What one of them is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limit {
    /// Connections at one time; `None`: as for all.
    pub sessions: Option<usize>,
    /// Messages a second; `None`: any.
    pub rate: Option<f64>,
}

impl Limits {
    pub(crate) fn of_destination(&self, key: &DestinationKey, settings: &Settings) -> PaceLimits {
        let name = key.as_str();
        let name = name.strip_prefix("mx:").unwrap_or(name);
        // A route's own name for the way there (`#name`) does not tell another destination, nor does
        // that reports go there.
        let name = name.strip_suffix("!tls-optional").unwrap_or(name);
        let name = name.rsplit_once('#').map_or(name, |(name, _)| name);
        pace(
            self.destinations.get(name),
            settings.max_sessions_per_destination,
        )
    }

    pub(crate) fn of_provider(&self, provider: &Provider, settings: &Settings) -> PaceLimits {
        pace(
            self.providers.get(provider.as_str()),
            settings.max_sessions_per_provider,
        )
    }
}

fn pace(limit: Option<&Limit>, sessions: usize) -> PaceLimits {
    PaceLimits {
        sessions: limit.and_then(|l| l.sessions).unwrap_or(sessions),
        rate: limit.and_then(|l| l.rate),
    }
}
