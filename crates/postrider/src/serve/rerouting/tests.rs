use queue::{
    BodyKind, EventKind, Message, MessageKind, NewMessage, NewRecipient, Options, Origin,
    RecipientOptions,
};
use store_sqlite::SqliteStore;
use world::World;

use super::*;

const BEFORE: &str = "smtp://127.0.0.1:1";
const AFTER: &str = "smtp://127.0.0.1:2";

struct Stage {
    store: SqliteStore,
    now: Timestamp,
}

impl Stage {
    fn on(store: SqliteStore) -> Stage {
        let now = World::real().clock.now();
        Stage { store, now }
    }

    /// Two messages whose recipients go by [`BEFORE`].
    async fn with_two() -> Stage {
        let stage = Stage::on(SqliteStore::open_in_memory(&World::real()).unwrap());
        for n in 0..2 {
            stage.accept(n, Body::Inline("".into())).await;
        }
        stage
    }

    async fn accept(&self, n: usize, body: Body) {
        let new = NewMessage {
            message: Message {
                id: id(n),
                sender: "anna@client.example".parse().unwrap(),
                received_at: self.now,
                expires_at: self.now,
                size: body.size(),
                body_kind: BodyKind::SevenBit,
                smtputf8: false,
                hops: 1,
                kind: MessageKind::Mail,
                origin: Origin {
                    client: "127.0.0.1".to_owned(),
                    helo: None,
                    protocol: "ESMTP".to_owned(),
                    about: None,
                },
                options: Options::default(),
            },
            body,
            recipients: vec![NewRecipient {
                address: format!("user{n}@away.example").parse().unwrap(),
                destination: DestinationKey::new(BEFORE),
                next_attempt: self.now,
                rewritten: None,
                options: RecipientOptions::default(),
            }],
            events: Vec::new(),
            held: false,
        };
        self.store.accept(new).await.unwrap();
    }

    async fn start(&self, text: &str) {
        let config = config(text);
        reroute(&config, &self.store, self.now).await.unwrap();
    }

    async fn places(&self) -> Vec<String> {
        let all = self.store.movable(None, 100).await.unwrap();
        all.into_iter().map(|m| m.from.to_string()).collect()
    }

    async fn reroutings(&self, n: usize) -> usize {
        let story = self.store.story(id(n)).await.unwrap();
        let events = story.events.iter();
        events
            .filter(|e| matches!(e.kind, EventKind::Rerouted { .. }))
            .count()
    }
}

fn config(text: &str) -> Config {
    Config::parse(text).unwrap().config
}

fn id(n: usize) -> MessageId {
    MessageId::new(1_700_000_000_000 + n as u64, &[0; 10])
}

fn to(place: &str) -> String {
    format!("[routes]\n\"*\" = \"{place}\"\n")
}

#[tokio::test]
async fn changed_routes_move_mail_once_and_unchanged_ones_do_not_look_at_it() {
    let stage = Stage::with_two().await;
    stage.start(&to(BEFORE)).await;
    assert_eq!(stage.places().await, [BEFORE, BEFORE]);
    stage.start(&to(AFTER)).await;
    assert_eq!(stage.places().await, [AFTER, AFTER]);
    // It stands where these routes do not lead: they have been gone through, so it is not looked at.
    stage.accept(2, Body::Inline("".into())).await;
    stage.start(&to(AFTER)).await;
    assert_eq!(stage.places().await, [AFTER, AFTER, BEFORE]);
    // A domain that is ours now goes by no route, which is another thing to go by.
    let local = "[local]\npostmaster = \"anna@away.example\"\n\
                 [domains.\"ours.example\"]\nclass = \"virtual\"\n";
    stage.start(&(to(AFTER) + local)).await;
    assert_eq!(stage.places().await, [AFTER, AFTER, AFTER]);
    assert_eq!(stage.reroutings(0).await, 1);
}

#[tokio::test]
async fn a_rerouting_that_was_cut_off_is_undone_where_the_old_routes_come_back() {
    let stage = Stage::with_two().await;
    stage.start(&to(BEFORE)).await;
    // What a start with new routes leaves that ends after the first page.
    stage.store.note_routed_by(None).await.unwrap();
    let page = stage.store.movable(None, 1).await.unwrap();
    let step = page.into_iter().map(|moving| Move {
        message: moving.message,
        index: moving.index,
        from: moving.from,
        to: DestinationKey::new(AFTER),
    });
    let moved = stage.store.reroute(step.collect(), stage.now).await;
    assert_eq!(moved, Ok(1));
    stage.start(&to(BEFORE)).await;
    assert_eq!(stage.places().await, [BEFORE, BEFORE]);
    assert_eq!(stage.reroutings(0).await, 2);
    assert_eq!(stage.reroutings(1).await, 0);
}

#[tokio::test]
async fn a_start_that_fails_in_the_middle_of_it_has_forgotten_the_old_routes() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::on(SqliteStore::open(dir.path(), &World::real()).unwrap());
    let head = "X-Stream: bulk\r\n\r\n";
    stage.accept(0, Body::Inline(head.into())).await;
    // Too long for the database: it lies in a file, which is not there when it is looked for.
    let mut long = stage.store.stage(id(1));
    long.write(&vec![b'x'; 300_000]).await.unwrap();
    let long = long.finish().await.unwrap();
    let Body::File(file) = &long else {
        panic!("{long:?}")
    };
    let file = file.path();
    stage.accept(1, long).await;
    stage.start(&to(BEFORE)).await;
    let aside = dir.path().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    let rule = format!(
        "[[route]]\nheader = {{ name = \"X-Stream\", value = \"bulk\" }}\nto = \"{AFTER}\"\n{}",
        to(BEFORE)
    );
    let failed = reroute(&config(&rule), &stage.store, stage.now).await;
    assert!(failed.is_err());
    assert_eq!(stage.store.routed_by().await, Ok(None));
    std::fs::rename(&aside, &file).unwrap();
    stage.start(&rule).await;
    assert_eq!(stage.places().await, [AFTER, BEFORE]);
}
