//! At a start: mail that waits goes where the routes now say.
//!
//! By which routes the queue was gone through last is kept with it; while they are the same, nothing
//! is compared. It is forgotten before the first recipient moves and written when the last one has
//! moved: after a crash between, it is unknown, and whatever the routes are then, all is gone through.

use std::collections::{BTreeMap, HashMap};

use config::{Config, DomainClass};
use dsn::FieldWatch;
use jiff::Timestamp;
use queue::route::{Asked, Imprint, Routes, Target};
use queue::{Body, DestinationKey, MessageId, Move, Moving, Store, StoreError};

/// So much of a message is read for its header.
const HEADER: usize = 64 * 1024;
/// Recipients that are compared at once, and moved in one transaction.
const PAGE: usize = 1000;

type Fields = Vec<(String, String)>;

pub(super) async fn reroute(
    config: &Config,
    store: &dyn Store,
    now: Timestamp,
) -> Result<(), StoreError> {
    let imprint = imprint(config);
    let known = store.routed_by().await?;
    if known.as_ref() == Some(&imprint) {
        return Ok(());
    }
    if known.is_some() {
        store.note_routed_by(None).await?;
    }
    let moved = go_through(config, store, now).await?;
    for (from, recipients) in &moved {
        tracing::info!(%from, recipients, "rerouted: the routes have changed");
    }
    store.note_routed_by(Some(imprint)).await
}

/// All that the answers of [`Comparing::goes`] come from.
fn imprint(config: &Config) -> Imprint {
    let domains = config.local.domains.iter();
    let placed = domains.filter(|(_, domain)| domain.class != DomainClass::Relay);
    Imprint::of(&config.routes, placed.map(|(name, _)| name.as_str()))
}

/// Compares everybody who waits or is held; answers how many moved from where.
async fn go_through(
    config: &Config,
    store: &dyn Store,
    now: Timestamp,
) -> Result<BTreeMap<DestinationKey, u64>, StoreError> {
    let names: Vec<String> = config.routes.header_names().collect();
    let mut moved = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.movable(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(moved);
        };
        after = Some((last.message, last.index));
        let comparing = Comparing {
            config,
            headers: headers(&names, &page, store).await?,
        };
        let moves: Vec<Move> = page
            .into_iter()
            .filter_map(|one| comparing.goes(one))
            .collect();
        if moves.is_empty() {
            continue;
        }
        for step in &moves {
            *moved.entry(step.from.clone()).or_default() += 1;
        }
        store.reroute(moves, now).await?;
    }
}

/// What recipients are compared with.
struct Comparing<'a> {
    config: &'a Config,
    headers: HashMap<MessageId, Fields>,
}

impl Comparing<'_> {
    /// Where a recipient goes, if that is elsewhere.
    fn goes(&self, moving: Moving) -> Option<Move> {
        // What is read here goes by no route, and neither does what the tables place.
        if moving.from == Target::Bounces.key()
            || self.config.local.places(moving.recipient.domain())
        {
            return None;
        }
        let header = self.headers.get(&moving.message);
        let asked = Asked {
            header: header.map_or(&[][..], Vec::as_slice),
            ..Asked::to(&moving.recipient).from(&moving.sender)
        };
        let routes: &Routes = &self.config.routes;
        let lead = routes.lead(&asked);
        let to = match moving.from.is_tls_optional() {
            true => lead.key().tls_optional(),
            false => lead.key(),
        };
        // What has no route any more goes on as it was accepted.
        let elsewhere = to != moving.from && lead.target != Target::Nowhere;
        elsewhere.then_some(Move {
            message: moving.message,
            index: moving.index,
            from: moving.from,
            to,
        })
    }
}

/// The fields that routes go by, of these messages. Nothing is read where no route goes by any.
async fn headers(
    names: &[String],
    page: &[Moving],
    store: &dyn Store,
) -> Result<HashMap<MessageId, Fields>, StoreError> {
    let mut headers = HashMap::new();
    if names.is_empty() {
        return Ok(headers);
    }
    for one in page {
        if let std::collections::hash_map::Entry::Vacant(entry) = headers.entry(one.message) {
            entry.insert(fields(names, &store.body(one.message).await?).await?);
        }
    }
    Ok(headers)
}

async fn fields(names: &[String], body: &Body) -> Result<Fields, StoreError> {
    let head = match body {
        Body::Inline(bytes) => bytes.clone(),
        Body::File(source) => source.read(0, HEADER).await?,
    };
    let mut watch = FieldWatch::new(names.iter().cloned());
    watch.watch(&head);
    Ok(watch.end())
}

#[cfg(test)]
mod tests;
