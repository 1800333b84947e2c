//! Checks that look into the queue: for a person who asks, and for the relay itself. They only read.

use bytes::Bytes;
use checks::{check_concurrency, check_history, check_trail, compare_destinations};
use diagnosis::Check;
use diagnosis::finding::{Conclusion, Finding};
use queue::{Body, DestinationKey, RowFilter, Store, StoreError, Story};

/// So much of a message is read for its header.
const HEADER: usize = 64 * 1024;
/// Rows that are counted, at most.
const COUNTED: usize = 1000;

/// What the queue says to a check about a message and one of its destinations.
pub(crate) async fn look(
    check: Check,
    store: &dyn Store,
    story: &Story,
    destination: &DestinationKey,
) -> Result<Vec<Finding>, StoreError> {
    Ok(match check {
        Check::AttemptHistory => check_history(story),
        Check::ReceivedTrail => vec![trail(store, story).await?],
        Check::OwnConcurrency => vec![concurrency(store, destination).await?],
        // What fails alike everywhere is our line.
        Check::OwnRoutes => {
            let due = store.due_destinations().await?;
            compare_destinations(&due).into_iter().collect()
        }
        Check::DnsOfDomain
        | Check::TcpAndBanner
        | Check::StartTls
        | Check::ExtensionsAnnounced
        | Check::SizeAnnounced
        | Check::LimitsAnnounced
        | Check::PathMtu
        | Check::OurPtr
        | Check::OurHelo
        | Check::SenderIdentity
        | Check::BlockLists
        | Check::OwnFilter => Vec::new(),
    })
}

/// The servers through which the message came.
pub(crate) async fn trail(store: &dyn Store, story: &Story) -> Result<Finding, StoreError> {
    let name = story.message.id.to_string();
    if !story.has_body {
        return Ok(Finding::new(Conclusion::TrailGone, name));
    }
    let header: Bytes = match store.body(story.message.id).await? {
        Body::Inline(bytes) => bytes,
        Body::File(source) => source.read(0, HEADER).await?,
    };
    Ok(check_trail(&name, &header[..header.len().min(HEADER)]))
}

/// How much is under way to the destination.
pub(crate) async fn concurrency(
    store: &dyn Store,
    destination: &DestinationKey,
) -> Result<Finding, StoreError> {
    let filter = RowFilter {
        open_only: true,
        destination: Some(destination.clone()),
        limit: COUNTED,
        ..RowFilter::default()
    };
    let rows = store.rows(filter).await?;
    Ok(check_concurrency(destination.as_str(), &rows))
}
