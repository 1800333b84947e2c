#![allow(
    clippy::expect_used,
    reason = "a measurement that cannot start has nothing to say"
)]
//! How many message lives (accept, begin, record as delivered) the store bears.
//!
//! `cargo bench -p store-sqlite --bench life -- [SESSIONS [MESSAGES [BYTES]]]` prints the rate, the processor
//! time of the writer thread, and what the disk alone could do.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use queue::{
    AttemptRecord, BodyKind, Decision, DestinationKey, Lease, Message, MessageId, MessageKind,
    NewMessage, NewRecipient, Origin, Store, Verdict,
};
use store_sqlite::SqliteStore;
use world::World;

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let sessions = numbers.first().copied().unwrap_or(20);
    let messages = numbers.get(1).copied().unwrap_or(20_000);
    let bytes = numbers.get(2).copied().unwrap_or(4096);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let dir = std::env::var_os("BENCH_DIR").map_or_else(|| target.to_owned(), Into::into);
    let dir = tempfile::tempdir_in(dir).expect("a directory for the store");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let world = World::real();
    let store = Arc::new(SqliteStore::open(dir.path(), &world).expect("a store"));
    let (begun, at_begin) = (Instant::now(), writer_time());
    runtime.block_on(live(store.clone(), sessions, messages, bytes));
    let (wall, writer) = (begun.elapsed(), writer_time() - at_begin);
    let rate = |time: Duration| messages as f64 / time.as_secs_f64();
    println!("{sessions} sessions, {messages} messages of {bytes} bytes");
    println!("  {:>8.0} lives/s, {:.2} s", rate(wall), wall.as_secs_f64());
    println!(
        "  {:>8.0} lives per second of the writer's processor time ({:.2} s)",
        rate(writer),
        writer.as_secs_f64()
    );
    let size = |name: &str| std::fs::metadata(dir.path().join(name)).map_or(0, |m| m.len() >> 20);
    println!(
        "  database {} MiB, log {} MiB",
        size("queue.db"),
        size("queue.db-wal")
    );
}

async fn live(store: Arc<SqliteStore>, sessions: usize, messages: usize, bytes: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let destination = DestinationKey::new("smtp://127.0.0.1:2600");
    let lease = store.lease(&destination).await.expect("a lease");
    let body = bytes::Bytes::from(vec![b'x'; bytes]);
    let session = |_| {
        let (store, next, lease, body) = (store.clone(), next.clone(), lease.clone(), body.clone());
        tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    return;
                }
                one_life(&*store, &lease, body.clone(), n).await;
            }
        })
    };
    let all: Vec<_> = (0..sessions).map(session).collect();
    for one in all {
        one.await.expect("a session that ends well");
    }
}

async fn one_life(store: &dyn Store, lease: &Lease, body: bytes::Bytes, n: usize) {
    let new = message(lease, body, n);
    let (id, at) = (new.message.id, new.message.received_at);
    store.accept(new).await.expect("accepted");
    store.begin(lease, id, &[0]).await.expect("begun");
    let record = AttemptRecord {
        message: id,
        destination: lease.destination.clone(),
        started_at: at,
        ended_at: at,
        attempt: facts(),
        verdicts: vec![Verdict {
            index: 0,
            diagnosis: None,
            decision: Decision::Delivered,
        }],
    };
    store
        .record(lease, record, None, Vec::new(), Vec::new())
        .await
        .expect("recorded");
}

fn message(lease: &Lease, body: bytes::Bytes, n: usize) -> NewMessage {
    let now = World::real().clock.now();
    let mut random = [0; 10];
    World::real().random.fill(&mut random);
    NewMessage {
        message: Message {
            id: MessageId::new(now.as_millisecond().cast_unsigned(), &random),
            sender: "sender@example.com".parse().expect("an address"),
            received_at: now,
            expires_at: now,
            size: body.len() as u64,
            body_kind: BodyKind::SevenBit,
            smtputf8: false,
            hops: 1,
            kind: MessageKind::Mail,
            origin: Origin {
                client: "192.0.2.1".to_owned(),
                helo: Some("client.example.com".to_owned()),
                protocol: "ESMTP".to_owned(),
                about: None,
            },
            options: queue::Options::default(),
        },
        body: queue::Body::Inline(body),
        recipients: vec![NewRecipient {
            address: format!("user{n}@example.org").parse().expect("an address"),
            destination: lease.destination.clone(),
            next_attempt: now,
            rewritten: None,
            options: queue::RecipientOptions::default(),
        }],
        events: Vec::new(),
        held: false,
    }
}

/// The facts of an attempt over a connection that was used before.
fn facts() -> diagnosis::Attempt {
    let reply = |raw: &str| serde_json::json!({"peer": "127.0.0.1:2600", "raw": raw});
    let step = |stage: &str, raw: &str| {
        serde_json::json!({"at_ms": 1, "took_ms": 1, "stage": stage,
            "what": {"replied": {"command": null, "reply": reply(raw)}}})
    };
    serde_json::from_value(serde_json::json!({
        "route": {"destination": "smtp://127.0.0.1:2600", "hosts": [
            {"name": "127.0.0.1", "preference": null, "addresses": ["127.0.0.1:2600"]}]},
        "steps": [
            {"at_ms": 0, "took_ms": 0, "stage": "connect", "what": {"reused":
                {"host": "127.0.0.1", "address": "127.0.0.1:2600", "earlier": 3}}},
            step("mail", "250 2.1.0 Ok\r\n"),
            step("rcpt", "250 2.1.5 Ok\r\n"),
            step("data", "354 End data with <CR><LF>.<CR><LF>\r\n"),
            step("end_of_data", "250 2.0.0 Ok: queued as 3F2A41B2C\r\n"),
        ],
        "recipients": [{"index": 0, "address": "user@example.org",
            "outcome": {"accepted": reply("250 2.0.0 Ok: queued as 3F2A41B2C\r\n")}}],
    }))
    .expect("the facts of an attempt")
}

/// Processor time of the writer thread so far, as the system counts it.
fn writer_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads of this process");
    let mut total = Duration::ZERO;
    for task in tasks.flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim_end() != "store-writer" {
            continue;
        }
        let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let nanos = stat
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        total += Duration::from_nanos(nanos);
    }
    total
}
