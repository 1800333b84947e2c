//! The resolver, from the configuration.

use config::{Config, TrustAd};
use dns::{SetupError, SystemResolver};

/// To be called within a tokio runtime.
pub(crate) fn of(config: &Config) -> Result<SystemResolver, SetupError> {
    let trust = match config.dns.trust_ad {
        TrustAd::Loopback => None,
        TrustAd::Always => Some(true),
        TrustAd::Never => Some(false),
    };
    SystemResolver::trusting(&config.dns.servers, trust)
}
