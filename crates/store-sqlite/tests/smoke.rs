//! The shortest way of a message through a store on disk.
use queue::*;
use store_sqlite::SqliteStore;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::real();
    let store = SqliteStore::open(dir.path(), &world).unwrap();
    let now = world.clock.now();
    for size in [4000usize, 300_000] {
        let id = MessageId::new(now.as_millisecond() as u64, &[size as u8; 10]);
        let mut w = store.stage(id);
        let content = vec![b'x'; size];
        for piece in content.chunks(1000) {
            w.write(piece).await.unwrap();
        }
        let body = w.finish().await.unwrap();
        let d = DestinationKey::new("smtp://127.0.0.1:1");
        let message = Message {
            id,
            sender: "a@b".parse().unwrap(),
            received_at: now,
            expires_at: now,
            size: size as u64,
            body_kind: BodyKind::SevenBit,
            smtputf8: false,
            hops: 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: "x".into(),
                helo: None,
                protocol: "ESMTP".into(),
                about: None,
            },
        };
        store
            .accept(NewMessage {
                message: message.clone(),
                body,
                recipients: vec![NewRecipient {
                    address: "c@d".parse().unwrap(),
                    destination: d.clone(),
                    next_attempt: now,
                }],
            })
            .await
            .unwrap();
        let lease = store.lease(&d).await.unwrap();
        let (q, n) = store.due(&lease, now, 10, &[]).await.unwrap();
        assert_eq!(q.len(), 1);
        assert_eq!(n, None);
        assert_eq!(*q[0].message, message);
        store.begin(&lease, id, &[0]).await.unwrap();
        let body = store.body(id).await.unwrap();
        assert_eq!(body.size(), size as u64);
        if let Body::File(f) = &body {
            let b = f.read(299_000, 5000).await.unwrap();
            assert_eq!(b.len(), 1000);
        }
        let record = AttemptRecord {
            message: id,
            destination: d.clone(),
            started_at: now,
            ended_at: now,
            attempt: diagnosis::Attempt {
                route: Default::default(),
                steps: vec![],
                recipients: vec![],
            },
            verdicts: vec![Verdict {
                index: 0,
                diagnosis: None,
                decision: Decision::Delivered,
            }],
        };
        store
            .record(&lease, record, None, vec![], vec![])
            .await
            .unwrap();
        let story = store.story(id).await.unwrap();
        assert!(!story.has_body);
        assert_eq!(story.recipients[0].state, RecipientState::Delivered);
        assert_eq!(
            store
                .rows(RowFilter {
                    message: Some(id),
                    ..Default::default()
                })
                .await
                .unwrap()
                .len(),
            1
        );
    }
    let reader = SqliteStore::open_reader(dir.path()).unwrap();
    assert_eq!(reader.rows(RowFilter::default()).await.unwrap().len(), 2);
}
