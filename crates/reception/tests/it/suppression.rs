//! Recipients to whom nothing is sent.

use std::sync::Arc;

use queue::{Suppressed, SuppressionReason, Suppressions};
use reception::Neighbours;
use store_sqlite::SqliteSuppressions;

use crate::support::{Relay, settings, world};

#[tokio::test]
async fn who_is_on_the_list_is_refused_with_the_reason_and_the_way_off_it() {
    let dir = tempfile::tempdir().unwrap();
    let list = SqliteSuppressions::open(dir.path()).unwrap();
    let entry = Suppressed {
        address: "bert@example.org".to_owned(),
        reason: SuppressionReason::Administrator {
            note: "asked us to stop".to_owned(),
        },
        since: "2026-11-01T00:00:00Z".parse().unwrap(),
        until: None,
    };
    list.suppress(entry).await.unwrap();
    let neighbours = Neighbours {
        suppressions: Some(Arc::new(list.clone())),
        ..Neighbours::default()
    };
    let relay = Relay::start_in(world(), settings(), neighbours);
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    let refusal = "550 5.7.1 bert@Example.org is on the suppression list of relay.example since \
        2026-11-01T00:00:00Z: asked us to stop; ";
    let said = client.ask("RCPT TO:<bert@Example.org>", refusal).await;
    assert!(
        said.contains("postrider suppression remove bert@Example.org"),
        "{said}"
    );
    client.ask("RCPT TO:<other@example.org>", "250 ").await;
    list.release(&"bert@example.org".parse().unwrap())
        .await
        .unwrap();
    client.ask("RCPT TO:<bert@example.org>", "250 ").await;
}
