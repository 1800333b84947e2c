//! The time in which our own line was down does not count.

use std::time::Duration;

use queue::{Outage, Store};

use crate::stage::{SMALL, Stage, destination, id};

#[tokio::test]
async fn what_was_queued_while_our_line_was_down_lives_so_much_longer_over_a_crash() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["b@example.org"]).await;
    let hours = |n: u64| stage.now + Duration::from_secs(n * 3600);
    let before = stage.now - Duration::from_secs(3600);
    stage.store.note_outage(before, hours(2)).await.unwrap();
    stage.store.note_outage(before, hours(5)).await.unwrap();
    stage.store.note_outage(hours(7), hours(8)).await.unwrap();

    let after = stage.crash();
    let story = after.store.story(id(1)).await.unwrap();
    assert_eq!(story.message.expires_at, hours(24 + 5 + 1));
    let until = Outage {
        began: before,
        until: hours(5),
    };
    assert_eq!((story.outages.len(), story.outages[0]), (2, until));
    for (hour, expired) in [(29, 0), (30, 1)] {
        let overdue = after.store.overdue(&destination(), hours(hour), 10).await;
        assert_eq!(overdue.unwrap().len(), expired, "after {hour} hours");
    }
}
