//! How connections to other servers are encrypted, from the configuration.

use std::collections::HashMap;

use config::{Config, TlsLevel};
use delivery::{Tls, TlsPolicy};
use tls::{Connector, Roots, RootsError};
use world::World;

/// The settings; the authorities are read. Blocks.
pub(crate) fn tls(config: &Config, world: &World) -> Result<Tls, RootsError> {
    let own = &config.tls;
    let level = |level, names: &[String], fingerprints: &[String]| match level {
        TlsLevel::Off => TlsPolicy::Off,
        TlsLevel::Opportunistic => TlsPolicy::Opportunistic,
        TlsLevel::Required => TlsPolicy::Required,
        TlsLevel::Verify => TlsPolicy::Verify(names.to_vec()),
        TlsLevel::Fingerprint => TlsPolicy::Fingerprint(fingerprints.to_vec()),
    };
    let by_domain: HashMap<String, TlsPolicy> = own
        .policies
        .iter()
        .map(|(domain, p)| (domain.clone(), level(p.level, &p.names, &p.fingerprints)))
        .collect();
    let (mut roots, problems) = Roots::system();
    for problem in problems {
        tracing::warn!(problem, "authorities of the system that cannot be read");
    }
    for file in &own.authorities {
        roots = roots.and_file(&*world.disk, file)?;
    }
    Ok(Tls {
        connector: Some(Connector::new(world, roots)),
        policy: level(own.sending, &[], &[]),
        by_domain,
        dane: own.dane,
        ..Tls::default()
    })
}
