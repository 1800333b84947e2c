//! Content on its way in and out.

use std::io::ErrorKind;

use queue::{Body, Decision, Store, StoreError};

use crate::stage::{LARGE, SMALL, Stage, content, files, id};

#[tokio::test(flavor = "multi_thread")]
async fn content_that_was_still_coming_in_is_removed() {
    let stage = Stage::new();
    let mut writer = stage.store.stage(id(1));
    writer.write(&vec![b'x'; LARGE]).await.unwrap();
    assert_eq!(stage.files().len(), 1);
    let after = stage.crash();
    assert!(after.files().is_empty(), "{:?}", after.files());
    assert!(!after.has(id(1), LARGE).await);
    drop(writer);
    assert!(
        stage.files().is_empty(),
        "a client that goes leaves nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_file_without_a_row_is_removed() {
    let stage = Stage::new();
    let body = stage.content(id(1), LARGE).await.unwrap();
    assert_eq!(stage.files().len(), 1);
    let after = stage.crash();
    assert!(after.files().is_empty(), "{:?}", after.files());
    drop(body);
    assert!(stage.files().is_empty(), "content that is not kept goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_synced_and_named_and_its_directory_synced_before_its_row() {
    let stage = Stage::new();
    stage.accept(id(1), LARGE, &["bert@dest.example"]).await;
    let mut done = stage.disk.take();
    done.dedup();
    // The directories of a new store are made first.
    let from = done.iter().position(|call| *call == "create").unwrap();
    assert_eq!(
        done[from..]
            .iter()
            .filter(|call| **call != "sync_dir")
            .collect::<Vec<_>>(),
        [&"create", &"write", &"sync", &"rename"]
    );
    assert_eq!(done.last(), Some(&"sync_dir"), "{done:?}");
    assert!(stage.crash().has(id(1), LARGE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_cannot_be_made_durable_is_refused_and_leaves_nothing() {
    for call in ["create", "write", "sync", "rename", "sync_dir"] {
        for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
            let stage = Stage::new();
            stage.disk.fail(call, kind);
            let error = stage.content(id(1), LARGE).await.unwrap_err();
            match kind {
                ErrorKind::StorageFull => {
                    assert!(matches!(error, StoreError::Full { .. }), "{call}: {error}");
                }
                _ => assert!(matches!(error, StoreError::Io { .. }), "{call}: {error}"),
            }
            assert!(stage.files().is_empty(), "{call}: {:?}", stage.files());
            assert!(stage.crash().files().is_empty(), "{call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_whose_row_is_refused_is_removed() {
    let stage = Stage::new();
    stage.accept(id(1), SMALL, &["bert@dest.example"]).await;
    // A second message of the same name cannot be kept.
    let body = stage.content(id(1), LARGE).await.unwrap();
    let new = stage.message(id(1), body, &["carla@dest.example"]);
    let error = stage.store.accept(new).await.unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }), "{error}");
    stage.has_no_files_soon();
    assert!(stage.crash().has(id(1), SMALL).await, "the first stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_message_that_is_over_is_removed_also_after_a_crash() {
    let stage = Stage::new();
    stage.accept(id(1), LARGE, &["bert@dest.example"]).await;
    let lease = stage
        .store
        .lease(&crate::stage::destination())
        .await
        .unwrap();
    stage.store.begin(&lease, id(1), &[0]).await.unwrap();
    let file = stage.files().remove(0);
    // The row is committed first and the file removed after it: a crash between the two.
    stage.disk.fail("remove", ErrorKind::Other);
    let outcome = stage.outcome(id(1), vec![Decision::Delivered]);
    stage
        .store
        .record(&lease, outcome, None, Vec::new(), Vec::new())
        .await
        .unwrap();
    assert!(file.exists());
    let after = stage.crash();
    assert!(after.files().is_empty(), "{:?}", after.files());
    assert_eq!(after.store.recover(after.now).await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_ours_is_left_alone() {
    let stage = Stage::new();
    stage.accept(id(1), LARGE, &["bert@dest.example"]).await;
    let after = stage.crash_and(|dir| {
        let ours = files(dir).remove(0);
        std::fs::write(ours.with_file_name("notes.txt"), "x").unwrap();
    });
    assert_eq!(after.files().len(), 2);
    assert!(after.has(id(1), LARGE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_content_is_read_in_pieces() {
    let stage = Stage::new();
    stage.accept(id(1), LARGE, &["bert@dest.example"]).await;
    let Body::File(file) = stage.store.body(id(1)).await.unwrap() else {
        panic!("it should lie in a file");
    };
    let (mut read, mut offset) = (Vec::new(), 0);
    loop {
        let piece = file.read(offset, 7_000).await.unwrap();
        if piece.is_empty() {
            break;
        }
        offset += piece.len() as u64;
        read.extend_from_slice(&piece);
    }
    assert_eq!(read, content(id(1), LARGE));
}
