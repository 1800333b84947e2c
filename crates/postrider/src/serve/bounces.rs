//! Return addresses as configured, and the secrets that they are made with.

use std::path::Path;
use std::sync::Arc;

use bounces::{Arrivals, Per, ReturnPaths, SenderPattern};
use config::{Config, ToSender};
use queue::Directory;
use smtp::Address;
use world::World;

use super::secrets;

/// What comes back cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error(transparent)]
    Secrets(#[from] secrets::SecretsError),
    #[error("[bounces]: `{text}` is no address: {source}")]
    Address {
        text: String,
        source: smtp::AddressError,
    },
    #[error("[bounces]: nobody gets what is about no known message: add others_to")]
    NobodyForOthers,
}

/// The sending role's part of it; `None` where nothing is configured.
pub(crate) fn of(
    config: &Config,
    world: &World,
    data: &Path,
) -> Result<Option<Arc<delivery::Bounces>>, SetupError> {
    let own = &config.bounces;
    if !own.is_on() {
        return Ok(None);
    }
    let read: Result<Vec<Address>, SetupError> = own.addresses.iter().map(|a| address(a)).collect();
    let mut paths = ReturnPaths::new(secrets::of(data, "bounces.secrets", world)?).reading(&read?);
    if let Some(domain) = &own.domain {
        let per = match own.per {
            config::Per::Recipient => Per::Recipient,
            config::Per::Message => Per::Message,
        };
        let senders = own
            .senders
            .iter()
            .filter_map(|text| SenderPattern::read(text));
        let whose = (per, senders.collect());
        paths = paths.in_domain(domain, &own.prefix, whose, own.max_age);
    }
    let others_to = own
        .others_to
        .as_deref()
        .or(config.local.postmaster.as_deref());
    // Both were seen to when the configuration was read.
    let others_to = address(others_to.ok_or(SetupError::NobodyForOthers)?)?;
    Ok(Some(Arc::new(delivery::Bounces {
        paths: Arc::new(paths),
        others_to,
        explained: own.to_sender == ToSender::Explained,
        suppress_unsigned: own.suppress_unsigned,
    })))
}

fn address(text: &str) -> Result<Address, SetupError> {
    Address::parse(text, true).map_err(|source| SetupError::Address {
        text: text.to_owned(),
        source,
    })
}

/// Who the recipients are, return addresses before everybody else.
pub(crate) fn before(
    bounces: Option<&Arc<delivery::Bounces>>,
    others: Option<Arc<dyn Directory>>,
) -> Option<Arc<dyn Directory>> {
    match bounces {
        Some(bounces) => Some(Arc::new(Arrivals::new(bounces.paths.clone(), others))),
        None => others,
    }
}
