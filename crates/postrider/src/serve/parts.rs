//! The second step of a start: what the configuration names. All that can be wrong with it is found here.

use std::sync::Arc;

use delivery::{Bounces, Maildirs};
use queue::{Callout, Directory, Greylist, Suppressions};
use reception::Neighbours;
use store_sqlite::{SqliteGreylist, SqliteSuppressions};

use super::acme::Obtaining;
use super::callouts::{self, Asking};
use super::certificates::Certificates;
use super::tls_reporting::{self, Counting};
use super::{Ground, StartError, bounces, directory, filters, settings, tls_sending, users};

/// What the roles are built of.
pub(super) struct Parts {
    pub(super) sending_tls: delivery::Tls,
    pub(super) counting: Option<Counting>,
    pub(super) obtaining: Option<Obtaining>,
    pub(super) certificates: Certificates,
    pub(super) bounces: Option<Arc<Bounces>>,
    pub(super) directory: Option<Arc<dyn Directory>>,
    pub(super) asking: Option<Asking>,
    pub(super) suppressions: Arc<dyn Suppressions>,
    /// Who is beside the receiving role; it remembers strangers for the chores, too.
    pub(super) neighbours: Neighbours,
}

impl Parts {
    pub(super) async fn build(ground: &Ground<'_>) -> Result<Parts, StartError> {
        let Ground {
            config,
            data,
            world,
            store: _,
            resolver,
        } = ground;
        let mut sending_tls = tls_sending::tls(config, world, resolver, data)?;
        let counting = tls_reporting::count(config, world, data, &mut sending_tls)?;
        let connector = sending_tls.connector.as_ref();
        let obtaining = Obtaining::prepare(config, data, world, resolver, connector).await?;
        let by_acme = obtaining.as_ref().map(Obtaining::files);
        let certificates = Certificates::load(config, by_acme, world)?;
        let bounces = bounces::of(config, world, data)?;
        let others = directory::of(config, world, resolver, data)?;
        let directory = bounces::before(bounces.as_ref(), others);
        let asking = callouts::of(config, world, resolver, data, &sending_tls)?;
        let suppressions: Arc<dyn Suppressions> = Arc::new(SqliteSuppressions::open(data)?);
        let greylist: Option<Arc<dyn Greylist>> = match settings::greylisting(config) {
            Some(_) => Some(Arc::new(SqliteGreylist::open(data)?)),
            None => None,
        };
        let callout = asking.clone();
        let neighbours = Neighbours {
            greylist,
            directory: directory.clone(),
            callout: callout.map(|asking| Arc::new(asking.callouts) as Arc<dyn Callout>),
            mailboxes: Some(Arc::new(Maildirs::new(
                world.clone(),
                settings::quota(config),
            ))),
            filters: filters::chain(config, world, resolver)?,
            authenticator: users::authenticator(config, world)?,
            suppressions: Some(suppressions.clone()),
        };
        Ok(Parts {
            sending_tls,
            counting,
            obtaining,
            certificates,
            bounces,
            directory,
            asking,
            suppressions,
            neighbours,
        })
    }
}
