//! Reports on TLS to the domains to which mail goes, from the configuration.

use std::path::Path;
use std::sync::Arc;

use ::signing::{KeyStore, StoredKey};
use async_trait::async_trait;
use config::Config;
use delivery::{Engine, NotPosted, OwnMail, TlsWitness};
use diagnosis::tls_policy::Applied;
use dns::Resolver;
use queue::StoreError;
use smtp::Address;
use store_sqlite::SqliteTlsLedger;
use tls::Connector;
use tls_reporter::{Outbox, OutboxError, Outgoing, Reporter, Settings, Tally};
use world::World;

use super::signing;

/// What counts sessions, before anything is sent.
pub(crate) struct Counting {
    settings: Settings,
    tally: Arc<Tally>,
    ledger: SqliteTlsLedger,
    connector: Connector,
}

/// Opens the ledger and has sessions counted; `None`: no reports are wanted.
pub(crate) fn count(
    config: &Config,
    world: &World,
    data: &Path,
    sending: &mut delivery::Tls,
) -> Result<Option<Counting>, StoreError> {
    let (Some(own), Some(connector)) = (&config.tls.reports, &sending.connector) else {
        return Ok(None);
    };
    let counting = Counting {
        settings: Settings {
            organization: own.organization.clone(),
            contact: own.contact.clone(),
            from: own.from.clone(),
        },
        tally: Arc::new(Tally::new(world.clock.clone())),
        ledger: SqliteTlsLedger::open(data)?,
        connector: connector.clone(),
    };
    warn_unsigned(config, world, data, &own.from);
    sending.witness = Arc::new(Witness(counting.tally.clone()));
    Ok(Some(counting))
}

/// RFC 8460 §3: reports by mail that their domain has not signed are ignored.
fn warn_unsigned(config: &Config, world: &World, data: &Path, from: &str) {
    let domain = from.rsplit_once('@').map_or(from, |(_, domain)| domain);
    let domain = domain.to_ascii_lowercase();
    let store = KeyStore::at(world.disk.clone(), &signing::directory(config, data));
    // What cannot be read is told by the one who signs.
    let Ok(keys) = store.read(world.clock.now()) else {
        return;
    };
    let signs = |key: &StoredKey| {
        let above = domain.strip_suffix(&key.domain);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    if !keys.iter().any(signs) {
        tracing::warn!(
            domain,
            reason = "tls-reports",
            "there is no DKIM key for the domain of `from` in [tls.reports], and receivers ignore reports by mail that are not signed: make one with `postrider dkim new`"
        );
    }
}

impl Counting {
    /// Begins to report. It ends with the runtime.
    pub(crate) fn start(
        self,
        engine: &Engine,
        world: &World,
        resolver: &Arc<dyn Resolver>,
    ) -> Arc<Reporter> {
        let reporter = Reporter::new(
            self.settings,
            (world.clone(), resolver.clone(), self.connector),
            Arc::new(self.ledger),
            Arc::new(Queue(engine.clone())),
            self.tally,
        );
        let reporter = Arc::new(reporter);
        let running = reporter.clone();
        tokio::spawn(async move { running.run().await });
        reporter
    }
}

#[derive(Debug)]
struct Witness(Arc<Tally>);

impl TlsWitness for Witness {
    fn saw(&self, applied: Applied) {
        self.0.saw(applied);
    }
}

/// Our own queue.
struct Queue(Engine);

#[async_trait]
impl Outbox for Queue {
    async fn hand_in(&self, mail: Outgoing) -> Result<(), OutboxError> {
        let to = Address::parse(&mail.to, true)
            .map_err(|error| OutboxError::Never(format!("`{}` is no address: {error}", mail.to)))?;
        let own = OwnMail {
            id: mail.id,
            to,
            content: mail.content,
            lifetime: mail.lifetime,
        };
        match self.0.post(own).await {
            Ok(()) => Ok(()),
            Err(NotPosted::Store(error)) => Err(error.into()),
            Err(error @ NotPosted::Directory(_)) => Err(OutboxError::NotNow(error.to_string())),
            Err(error @ NotPosted::Nobody(_)) => Err(OutboxError::Never(error.to_string())),
        }
    }
}
