//! The filters that the configuration names, in their order: block lists, authentication, then the rest.

use std::sync::Arc;

use config::{Config, FilterKind, FilterPlace, ListOf};
use dns::Resolver;
use email_auth::{Verifier, VerifyError};
use filters::{Authentication, BlockList, BlockLists, ClamAv, Enforce, Hook, Milter, Rspamd};
use filters::{Subject, TooLarge, When};
use screening::{Chain, Client, Filter, Link, OnFailure, Stage};
use world::{Peer, World};

use super::settings;

/// The chain.
pub(crate) fn chain(
    config: &Config,
    world: &World,
    resolver: &Arc<dyn Resolver>,
) -> Result<Chain, VerifyError> {
    let own = &config.filtering;
    let mut links = Vec::new();
    if !own.block_lists.lists.is_empty() {
        links.push(block_lists(&own.block_lists, world, resolver));
    }
    if own.authentication.enabled {
        let filter = Arc::new(authentication(config, resolver)?);
        links.push(Link {
            concerns: strangers(&own.authentication.asking.exempt),
            ..link("authentication", filter, &own.authentication.asking)
        });
    }
    let others = own.filters.iter();
    links.extend(others.map(|one| link(&one.name, filter(one, world), &one.asking)));
    Ok(Chain::new(links))
}

fn link(name: &str, filter: Arc<dyn Filter>, asking: &config::Asking) -> Link {
    Link {
        name: name.into(),
        filter,
        timeout: asking.timeout,
        on_failure: match asking.pass_on_failure {
            true => OnFailure::Pass,
            false => OnFailure::Defer,
        },
        concerns: outside(&asking.exempt),
    }
}

type Concerns = Arc<dyn Fn(&Client) -> bool + Send + Sync>;

/// Clients that are not in these networks.
fn outside(exempt: &[config::Network]) -> Concerns {
    let exempt = settings::networks(exempt);
    Arc::new(move |client| {
        let address = client.address.ip();
        !exempt.iter().any(|network| network.contains(address))
    })
}

/// Those of them who have not proved who they are: our own users send from anywhere.
fn strangers(exempt: &[config::Network]) -> Concerns {
    let outside = outside(exempt);
    Arc::new(move |client| client.authenticated.is_none() && outside(client))
}

fn block_lists(own: &config::BlockLists, world: &World, resolver: &Arc<dyn Resolver>) -> Link {
    let list = |list: &config::ReceivingList| BlockList {
        zone: list.zone.clone(),
        subject: match list.of {
            ListOf::Client => Subject::Client,
            ListOf::Sender => Subject::Sender,
            ListOf::Helo => Subject::Helo,
        },
        score: list.weight.into(),
        codes: list
            .codes
            .iter()
            .map(|(code, weight)| (*code, f64::from(*weight)))
            .collect(),
    };
    let filter = BlockLists {
        resolver: Arc::clone(resolver),
        clock: Arc::clone(&world.clock),
        lists: own.lists.iter().map(list).collect(),
        threshold: own.refuse_at.into(),
        when: match own.at_rcpt {
            true => When::Rcpt,
            false => When::Connect,
        },
        patience: own.patience,
        resting: Arc::default(),
    };
    Link {
        name: "block-lists".into(),
        filter: Arc::new(filter),
        // Each list has its patience, and lists that fail are passed over; this is for what is left.
        timeout: own.patience * 4,
        on_failure: OnFailure::Pass,
        concerns: strangers(&own.exempt),
    }
}

fn authentication(
    config: &Config,
    resolver: &Arc<dyn Resolver>,
) -> Result<Authentication, VerifyError> {
    let own = &config.filtering.authentication;
    Ok(Authentication {
        verifier: Verifier::new()?,
        resolver: Arc::clone(resolver),
        server: own
            .name
            .clone()
            .unwrap_or_else(|| settings::hostname(config)),
        enforce: match own.enforce_dmarc {
            true => Enforce::Dmarc,
            false => Enforce::Nothing,
        },
        hold_quarantine: own.hold_quarantine,
        refuse_spf_fail: own.refuse_spf_fail,
        trusted_sealers: own.trusted_sealers.clone(),
    })
}

fn filter(one: &config::Filter, world: &World) -> Arc<dyn Filter> {
    let world = world.clone();
    let peer = match &one.place {
        FilterPlace::Tcp(address) | FilterPlace::Url(address, _) => Peer::Tcp(*address),
        FilterPlace::Unix(path) => Peer::Unix(path.clone()),
    };
    match one.kind {
        FilterKind::ClamAv => Arc::new(ClamAv {
            world,
            peer,
            max_size: one.max_size,
            too_large: match one.refuse_larger {
                true => TooLarge::Reject,
                false => TooLarge::Pass,
            },
        }),
        FilterKind::Rspamd => Arc::new(Rspamd::new(world, peer, one.max_size)),
        FilterKind::Milter => Arc::new(Milter { world, peer }),
        FilterKind::Http => {
            let place = match &one.place {
                FilterPlace::Url(address, path) => (address.to_string(), path.clone()),
                FilterPlace::Tcp(_) | FilterPlace::Unix(_) => (peer.to_string(), "/".to_owned()),
            };
            let asked = |stage: &Stage| one.stages.iter().any(|name| name == stage.as_str());
            let stages = Stage::ALL.into_iter().filter(asked);
            Arc::new(Hook::new(world, peer, place, stages))
        }
    }
}
