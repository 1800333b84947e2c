//! At a start: mail that waits goes where the routes now say.

use std::collections::HashMap;

use config::Config;
use dsn::FieldWatch;
use jiff::Timestamp;
use queue::route::{Asked, Routes, Target};
use queue::{Body, MessageId, Moving, RowFilter, Store, StoreError};

/// So much of a message is read for its header.
const HEADER: usize = 64 * 1024;
/// Rows of the queue that are read at once.
const PAGE: usize = 1000;

type Fields = Vec<(String, String)>;

pub(super) async fn reroute(
    config: &Config,
    store: &dyn Store,
    now: Timestamp,
) -> Result<(), StoreError> {
    let routes = config.routes.clone();
    let headers = headers(&routes, store).await?;
    for waiting in store.waiting().await? {
        let from = waiting.key;
        // What is read here goes by no route.
        if from == Target::Bounces.key() {
            continue;
        }
        let to = |moving: &Moving| {
            if config.local.places(moving.recipient.domain()) {
                return None;
            }
            let header = headers.get(&moving.message).map_or(&[][..], Vec::as_slice);
            let asked = Asked {
                header,
                ..Asked::to(&moving.recipient).from(&moving.sender)
            };
            let lead = routes.lead(&asked);
            let key = match from.is_tls_optional() {
                true => lead.key().tls_optional(),
                false => lead.key(),
            };
            // What has no route any more goes on as it was accepted.
            (key != from && lead.target != Target::Nowhere).then_some(key)
        };
        let moved = store.reroute(&from, &to, now).await?;
        if moved > 0 {
            tracing::info!(%from, recipients = moved, "rerouted: the routes have changed");
        }
    }
    Ok(())
}

/// The fields that routes go by, of all messages that wait. Nothing is read where no route goes by any.
async fn headers(
    routes: &Routes,
    store: &dyn Store,
) -> Result<HashMap<MessageId, Fields>, StoreError> {
    let names: Vec<String> = routes.header_names().collect();
    let mut headers = HashMap::new();
    let mut after = None;
    while !names.is_empty() {
        let filter = RowFilter {
            open_only: true,
            after,
            limit: PAGE,
            ..RowFilter::default()
        };
        let rows = store.rows(filter).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.message, last.recipient.index));
        for row in &rows {
            if let std::collections::hash_map::Entry::Vacant(entry) = headers.entry(row.message) {
                entry.insert(fields(&names, &store.body(row.message).await?).await?);
            }
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
