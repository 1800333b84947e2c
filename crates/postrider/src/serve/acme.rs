//! The certificate by ACME while the relay runs: asked for when it is due, and taken over at once.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::acme::{Keeper, Order, Outcome};
use config::Config;
use diagnosis::acme::AcmeFailure;
use explain::{Lang, acme_advice};
use tls::{Connector, IdentityFiles};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use world::{Listener, World};

use super::certificates::Certificates;

/// How often the clock is looked at: it may be set meanwhile.
const LOOK: Duration = Duration::from_secs(60);
/// The wait where not even the state can be read or written.
const TROUBLE: Duration = Duration::from_secs(900);

/// What is asked of whom.
pub(crate) fn order(own: &config::Acme) -> Order {
    Order {
        directory: own.directory.clone(),
        contact: own.contact.clone(),
        names: own.names.clone(),
    }
}

/// Where accounts and certificates are kept.
pub(crate) fn directory(data: &Path) -> PathBuf {
    data.join("acme")
}

/// Why certificates by ACME cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("the certificate by ACME: {}", .0.why.detail())]
    Keeping(AcmeFailure),
    #[error("[tls.acme] http: cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
}

/// What asks for certificates, and what answers the authority meanwhile.
pub(crate) struct Obtaining {
    keeper: Arc<Keeper>,
    ports: Vec<Listener>,
    world: World,
}

impl Obtaining {
    /// Opens what is kept, and takes the ports on which the authority asks; `None`: not wanted.
    pub(crate) async fn prepare(
        config: &Config,
        data: &Path,
        world: &World,
        resolver: &Arc<dyn dns::Resolver>,
        connector: Option<&Connector>,
    ) -> Result<Option<Obtaining>, SetupError> {
        let (Some(own), Some(connector)) = (&config.tls.acme, connector) else {
            return Ok(None);
        };
        let keeper = Keeper::open(
            order(own),
            &directory(data),
            world,
            Arc::clone(resolver),
            connector.clone(),
        );
        let keeper = Arc::new(keeper.map_err(SetupError::Keeping)?);
        let mut ports = Vec::with_capacity(own.http.len());
        for address in own.http.iter().copied() {
            let port = world.net.listen(address).await;
            ports.push(port.map_err(|source| SetupError::Listen { address, source })?);
        }
        Ok(Some(Obtaining {
            keeper,
            ports,
            world: world.clone(),
        }))
    }

    /// Where certificate and key are.
    pub(crate) fn files(&self) -> IdentityFiles {
        self.keeper.files()
    }

    /// Asks and answers, without an end.
    pub(crate) async fn run(self, certificates: Certificates) {
        let mut answering = JoinSet::new();
        for port in self.ports {
            answering.spawn(self.keeper.tokens().serve(port));
        }
        let wake = Arc::clone(&certificates.wake);
        ask(self.keeper, certificates, self.world, wake).await;
    }
}

/// Asks for certificates when they are due, without an end. `wake`: the administrator wants it now.
async fn ask(keeper: Arc<Keeper>, certificates: Certificates, world: World, wake: Arc<Notify>) {
    loop {
        match wait(&keeper, &world, &wake).await {
            Ok(()) => {}
            Err(failure) => {
                tell(&failure, None);
                tokio::time::sleep(TROUBLE).await;
                continue;
            }
        }
        match keeper.renew().await {
            Ok(Outcome::Obtained { until, next }) => {
                tracing::info!(%until, %next, "a certificate has come by ACME");
                certificates.reload().await;
            }
            Ok(Outcome::Failed { failure, next }) => tell(&failure, Some(next)),
            Err(failure) => {
                tell(&failure, None);
                tokio::time::sleep(TROUBLE).await;
            }
        }
    }
}

/// Until a certificate is due; or the administrator wants to see whether a failure is mended.
async fn wait(keeper: &Keeper, world: &World, wake: &Notify) -> Result<(), AcmeFailure> {
    loop {
        let left = keeper.due()?.duration_since(world.clock.now());
        let Ok(left) = Duration::try_from(left) else {
            return Ok(());
        };
        if left.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LOOK)) => {}
            () = wake.notified() => if keeper.state()?.failed.is_some() {
                return Ok(());
            },
        }
    }
}

/// An authority may say what it likes; the log has it with what it means.
fn tell(failure: &AcmeFailure, next: Option<jiff::Timestamp>) {
    let advice = acme_advice(failure, Lang::En);
    tracing::error!(
        reason = "acme",
        step = failure.step.as_str(),
        name = failure.name.as_deref(),
        problem = failure.why.kind(),
        detail = failure.why.detail(),
        what = advice.what,
        todo = advice.todo,
        next = next.map(tracing::field::display),
        "no certificate by ACME"
    );
}
