//! CPU time of receiving a message: both ends of the talk, without sockets and without a disk.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run fails")]

#[path = "../tests/it/support.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use support::{Client, Relay, settings};

async fn send(client: &mut Client, content: &[u8]) {
    client
        .send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        .await;
    for code in ["250 ", "250 ", "354 "] {
        client.expect(code).await;
    }
    client.send(content).await;
    client.expect("250 ").await;
}

fn receive(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut group = c.benchmark_group("receive");
    group.warm_up_time(Duration::from_secs(1));
    group.measurement_time(Duration::from_secs(3));
    for kib in [4_u64, 1_024] {
        let line = format!("{}\r\n", "x".repeat(62));
        let content = format!("Subject: x\r\n\r\n{}.\r\n", line.repeat(kib as usize * 16));
        group.throughput(Throughput::Bytes(kib * 1_024));
        group.bench_function(BenchmarkId::from_parameter(format!("{kib} KiB")), |b| {
            b.iter_custom(|messages| {
                runtime.block_on(async {
                    let relay = Relay::start(settings());
                    let mut client = relay.session().await;
                    let start = Instant::now();
                    for _ in 0..messages {
                        send(&mut client, content.as_bytes()).await;
                        relay.store.kept.lock().clear();
                        relay.courier.calls.lock().clear();
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, receive);
criterion_main!(benches);
