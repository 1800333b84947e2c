//! How fast a server session takes content.

#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use smtp::server::{Config, Event, Session};

const READ: usize = 64 * 1024;

fn session() -> Session {
    let mut session = Session::new(Config::new("mx.example.org"));
    session.accept();
    session
}

/// Feeds a session in pieces as they are read from a socket; answers the bytes of content.
fn take(session: &mut Session, wire: &[u8]) -> usize {
    let mut content = 0;
    for piece in wire.chunks(READ) {
        session.input().extend_from_slice(piece);
        while let Some(event) = session.poll() {
            if let Event::Content(piece) = &event {
                content += black_box(piece).len();
            }
            if event.needs_answer() {
                session.accept();
            }
        }
        black_box(session.take_output());
    }
    content
}

fn message(line: &str, size: usize) -> Vec<u8> {
    line.as_bytes()
        .iter()
        .copied()
        .cycle()
        .take(size / line.len() * line.len())
        .collect()
}

fn throughput(criterion: &mut Criterion) {
    let text = "A line of text that is about as long as lines in mail commonly are, or so.\r\n";
    let dots = ".. a short line that begins with a dot\r\n";
    let envelope = b"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n".to_vec();
    let cases = [
        (
            "data, 1 MiB of text",
            [b"DATA\r\n", &message(text, 1 << 20)[..], b".\r\n"].concat(),
        ),
        (
            "data, 1 MiB of dotted lines",
            [b"DATA\r\n", &message(dots, 1 << 20)[..], b".\r\n"].concat(),
        ),
        (
            "data, 4 KiB of text",
            [b"DATA\r\n", &message(text, 4096)[..], b".\r\n"].concat(),
        ),
        ("chunks, 1 MiB of text", {
            let content = message(text, 1 << 20);
            [
                format!("BDAT {} LAST\r\n", content.len()).as_bytes(),
                &content,
            ]
            .concat()
        }),
    ];
    let mut group = criterion.benchmark_group("server");
    for (name, content) in cases {
        let wire = [&envelope[..], &content].concat();
        group.throughput(Throughput::Bytes(wire.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                session,
                |mut session| take(&mut session, &wire),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, throughput);
criterion_main!(benches);
