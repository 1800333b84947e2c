//! How fast a log is read.

#![allow(missing_docs)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use readers::{Case, Incidents, Intake, LogTimes, Sink};

const READ: usize = 256 * 1024;
const SIZE: usize = 16 << 20;

/// A log of Postfix, with the six lines that each message makes; of a hundred messages so many fail.
fn postfix(failing: usize) -> String {
    let mut log = String::with_capacity(SIZE + 4096);
    let mut n = 0;
    while log.len() < SIZE {
        let (minute, second) = (n / 60 % 60, n % 60);
        let start = format!("Mar  4 14:{minute:02}:{second:02} mail postfix");
        let id = format!("4bK2V{n:09}");
        let to = format!("user{}@dest{}.example", n % 977, n % 53);
        let outcome = if n % 100 < failing {
            "dsn=4.2.2, status=deferred (host mx.example[192.0.2.1] said: 452 4.2.2 The recipient's mailbox is full (in reply to RCPT TO command))"
        } else {
            "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4bK2Vz1Jk3zSrX)"
        };
        let written = write!(
            log,
            "{start}/smtpd[811]: connect from client.example.net[192.0.2.9]\n\
             {start}/smtpd[811]: {id}: client=client.example.net[192.0.2.9]\n\
             {start}/cleanup[812]: {id}: message-id=<{n}.1772632931@client.example.net>\n\
             {start}/qmgr[813]: {id}: from=<sender@example.com>, size=4213, nrcpt=1 (queue active)\n\
             {start}/smtp[814]: {id}: to=<{to}>, relay=mx.example[192.0.2.1]:25, delay=1.2, delays=0.1/0/0.6/0.5, {outcome}\n\
             {start}/qmgr[813]: {id}: removed\n"
        );
        black_box(written.is_ok());
        n += 1;
    }
    log
}

/// A log of Exim, with three lines for each message.
fn exim(failing: usize) -> String {
    let mut log = String::with_capacity(SIZE + 4096);
    let mut n = 0;
    while log.len() < SIZE {
        let (minute, second) = (n / 60 % 60, n % 60);
        let start = format!("2026-03-04 14:{minute:02}:{second:02} 1tABcd-{n:06}-1Y");
        let to = format!("user{}@dest{}.example", n % 977, n % 53);
        let outcome = if n % 100 < failing {
            format!(
                "** {to} R=dnslookup T=remote_smtp H=mx.example [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<{to}>: 550 5.1.1 No such user"
            )
        } else {
            format!(
                "=> {to} R=dnslookup T=remote_smtp H=mx.example [192.0.2.1] X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes C=\"250 2.0.0 Ok\""
            )
        };
        let written = write!(
            log,
            "{start} <= sender@example.com H=client.example.net [192.0.2.9] P=esmtps S=4213 id={n}@client.example.net\n\
             {start} {outcome}\n{start} Completed\n"
        );
        black_box(written.is_ok());
        n += 1;
    }
    log
}

/// Sums up what fails.
#[derive(Default)]
struct Sum(Incidents);

impl Sink for Sum {
    fn failed(&mut self, case: Case) {
        let diagnosis = case.diagnose();
        self.0.take(&case, &diagnosis);
    }

    fn delivered(&mut self, domain: &str, at: Option<Timestamp>) {
        self.0.delivered(domain, at);
    }

    fn wants_deliveries(&self) -> bool {
        true
    }
}

/// Counts.
#[derive(Default)]
struct Count {
    failed: usize,
    delivered: usize,
    deliveries: bool,
}

impl Sink for Count {
    fn failed(&mut self, case: Case) {
        self.failed += usize::from(black_box(case).recipient.is_some());
    }

    fn delivered(&mut self, domain: &str, _at: Option<Timestamp>) {
        self.delivered += domain.len();
    }

    fn wants_deliveries(&self) -> bool {
        self.deliveries
    }
}

fn read<S: Sink>(log: &str, mut sink: S) -> S {
    let times = LogTimes {
        year: Some(2026),
        ..LogTimes::default()
    };
    let mut intake = Intake::new().with_log_times(times);
    for piece in log.as_bytes().chunks(READ) {
        intake.push(piece, &mut sink);
    }
    intake.finish(&mut sink);
    sink
}

fn throughput(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log");
    group.sample_size(10);
    // Of all lines one in twenty is that of a failure.
    for (name, log, deliveries) in [
        ("postfix, none fail", postfix(0), false),
        ("postfix, 5 % fail", postfix(30), false),
        ("postfix, 5 % fail, with deliveries", postfix(30), true),
        ("exim, 5 % fail", exim(15), false),
    ] {
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let count = Count {
                    deliveries,
                    ..Count::default()
                };
                read(&log, count)
            })
        });
    }
    let log = postfix(30);
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("postfix, 5 % fail, diagnosed and summed up", |bencher| {
        bencher.iter(|| read(&log, Sum::default()).0.summary());
    });
    group.finish();
}

criterion_group!(benches, throughput);
criterion_main!(benches);
