//! Commits that a crash tears: the log ends anywhere.

use std::path::Path;

use queue::{RowFilter, Store};

use crate::stage::{SMALL, Stage, id};

const LOG: &str = "queue.db-wal";

/// Where the written part of the log ends, a whole number of frames: it is extended ahead with zeros.
fn written(dir: &Path) -> usize {
    const HEADER: usize = 32;
    let log = std::fs::read(dir.join(LOG)).unwrap();
    // https://sqlite.org/fileformat2.html#walformat: the page size is at 8.
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap());
    let frame = page as usize + 24;
    let used = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    HEADER + (used - HEADER).div_ceil(frame) * frame
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_confirmed_is_there_wherever_the_next_commit_was_torn() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["bert@dest.example"]).await;
    let confirmed = written(stage.dir.path());
    stage
        .accept(id(2), SMALL, &["a@dest.example", "b@dest.example"])
        .await;
    let all = written(stage.dir.path());
    assert!(all > confirmed);
    let step = ((all - confirmed) / 40).max(1);
    let mut kept = [0, 0];
    for cut in (confirmed..all).step_by(step).chain([all - 1, all]) {
        for garbage in [0_u8, 0xa5] {
            let after = stage.crash_and(|dir| {
                let mut log = std::fs::read(dir.join(LOG)).unwrap();
                // What follows `all` is zeros in either case.
                log[cut..all].fill(garbage);
                std::fs::write(dir.join(LOG), log).unwrap();
            });
            assert!(
                after.has(id(1), SMALL).await,
                "lost with the log cut at {cut}"
            );
            let second = after.has(id(2), SMALL).await;
            kept[usize::from(second)] += 1;
            let rows = after.store.rows(RowFilter::default()).await.unwrap().len();
            assert_eq!(
                rows,
                if second { 3 } else { 1 },
                "all of a message or nothing"
            );
        }
    }
    assert!(kept[0] > 10 && kept[1] >= 2, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_confirmed_is_there_when_the_log_is_moved_into_the_database() {
    let stage = Stage::new();
    for n in 1..40 {
        stage.accept(id(n), 60_000, &["bert@dest.example"]).await;
    }
    let after = stage.crash();
    // Opening moved the log of the copy; closing does it again.
    drop(after.store);
    let again = Stage {
        store: store_sqlite::SqliteStore::open(after.dir.path(), &world::World::real()).unwrap(),
        dir: after.dir,
        disk: after.disk,
        now: after.now,
    };
    for n in 1..40 {
        assert!(again.has(id(n), 60_000).await, "{n}");
    }
}
