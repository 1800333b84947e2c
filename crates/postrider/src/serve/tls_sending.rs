//! How connections to other servers are encrypted, from the configuration.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, TlsLevel};
use delivery::{Tls, TlsPolicy};
use dns::Resolver;
use mta_sts::{Fetcher, Keeper};
use tls::{Connector, Roots, RootsError};
use world::World;

/// Why it cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("[tls] authorities: {0}")]
    Authorities(#[from] RootsError),
    #[error(transparent)]
    Policies(#[from] mta_sts::OpenError),
}

/// Where policies of MTA-STS are kept, below the data directory.
const KEPT: &str = "mta-sts";
/// HTTPS.
const PORT: u16 = 443;
/// How often they are looked after.
const HOURLY: Duration = Duration::from_secs(3600);

/// The settings; the authorities are read, and somebody begins to look after the policies of domains.
/// Blocks. To be called within a tokio runtime.
pub(crate) fn tls(
    config: &Config,
    world: &World,
    resolver: &Arc<dyn Resolver>,
    data: &Path,
) -> Result<Tls, SetupError> {
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
    let connector = connector(config, world)?;
    let keeper = match own.mta_sts {
        true => {
            let fetcher = fetcher(world, resolver, connector.clone());
            Some(Arc::new(Keeper::open(fetcher, data.join(KEPT))?))
        }
        false => None,
    };
    if let Some(keeper) = keeper.clone() {
        // It ends with the runtime.
        tokio::spawn(look_after(keeper));
    }
    Ok(Tls {
        connector: Some(connector),
        policy: level(own.sending, &[], &[]),
        by_domain,
        dane: own.dane,
        mta_sts: keeper.map(|keeper| keeper as Arc<dyn mta_sts::Policies>),
        ..Tls::default()
    })
}

async fn look_after(keeper: Arc<Keeper>) {
    loop {
        tokio::time::sleep(HOURLY).await;
        keeper.look_after().await;
    }
}

/// Who tells the policies of domains to one who only looks; `None`: nobody is to be asked.
pub(crate) fn policies(
    config: &Config,
    world: &World,
    resolver: &Arc<dyn Resolver>,
    connector: &Connector,
) -> Option<Arc<dyn mta_sts::Policies>> {
    let wanted = config.tls.mta_sts;
    wanted.then(|| Arc::new(fetcher(world, resolver, connector.clone())) as _)
}

/// Who fetches policies of MTA-STS.
fn fetcher(world: &World, resolver: &Arc<dyn Resolver>, connector: Connector) -> Fetcher {
    Fetcher {
        world: world.clone(),
        resolver: resolver.clone(),
        connector,
        port: PORT,
    }
}

/// With the authorities of the system, which are read when they are needed, and of the configuration,
/// which are read now.
pub(crate) fn connector(config: &Config, world: &World) -> Result<Connector, RootsError> {
    let mut roots = Roots::system(|problem| {
        tracing::warn!(problem, "authorities of the system that cannot be read");
    });
    for file in &config.tls.authorities {
        roots = roots.and_file(&*world.disk, file)?;
    }
    Ok(Connector::new(world, roots))
}
