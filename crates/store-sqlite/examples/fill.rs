//! Fills a queue for measurements: `fill DIR MESSAGES DESTINATIONS BYTES`. The messages wait for
//! `d0.bulk.example`, `d1.bulk.example` and so on; of each destination the first one is due at once,
//! the others within a day.
#![expect(
    clippy::unwrap_used,
    reason = "a tool for measurements ends when it cannot go on"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use queue::{
    Body, BodyKind, DestinationKey, Message, MessageId, MessageKind, NewMessage, NewRecipient,
    Origin, Store,
};
use store_sqlite::SqliteStore;
use world::World;

/// Messages that are being stored at one time: they share the syncs of the disk.
const AT_ONCE: usize = 2000;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, messages, destinations, bytes] = &args[..] else {
        eprintln!("usage: fill DIR MESSAGES DESTINATIONS BYTES");
        std::process::exit(2);
    };
    let (messages, destinations): (usize, usize) =
        (messages.parse().unwrap(), destinations.parse().unwrap());
    let content = format!(
        "Subject: waiting\r\n\r\n{}\r\n",
        "x".repeat(bytes.parse().unwrap())
    );
    let content = bytes::Bytes::from(content);
    let world = World::real();
    let store = Arc::new(SqliteStore::open(dir.as_ref(), &world).unwrap());
    let next = Arc::new(AtomicUsize::new(0));
    let one = |_| {
        let (store, next, content, world) =
            (store.clone(), next.clone(), content.clone(), world.clone());
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return;
                }
                let new = message(&world, n, destinations, messages, content.clone());
                store.accept(new).await.unwrap();
            }
        })
    };
    for task in (0..AT_ONCE).map(one).collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

fn message(
    world: &World,
    n: usize,
    destinations: usize,
    messages: usize,
    content: bytes::Bytes,
) -> NewMessage {
    let now = world.clock.now();
    let mut random = [0; 10];
    world.random.fill(&mut random);
    let domain = format!("d{}.bulk.example", n % destinations);
    let round = (n / destinations) as u64;
    let rounds = (messages / destinations).max(1) as u64;
    NewMessage {
        message: Message {
            id: MessageId::new(now.as_millisecond().cast_unsigned(), &random),
            sender: format!("sender{}@client.example", n % 1000)
                .parse()
                .unwrap(),
            received_at: now,
            expires_at: now + Duration::from_secs(5 * 86_400),
            size: content.len() as u64,
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
            options: queue::Options::default(),
        },
        body: Body::Inline(content),
        recipients: vec![NewRecipient {
            address: format!("user{n}@{domain}").parse().unwrap(),
            destination: DestinationKey::new(&format!("mx:{domain}")),
            next_attempt: now + Duration::from_secs(round * 86_400 / rounds),
            rewritten: None,
            options: queue::RecipientOptions::default(),
        }],
        events: Vec::new(),
        held: false,
    }
}
