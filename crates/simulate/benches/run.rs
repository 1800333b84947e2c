//! How long a run of 100,000 messages over five days takes, for ours and for Postfix's policy.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use simulate::{Policy, Workload, simulate};

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("100,000 messages");
    group.sample_size(10);
    for name in ["outage-hours", "mix"] {
        let Some(Ok(mut workload)) = Workload::named(name) else {
            continue;
        };
        workload.messages = 100_000;
        for policy in Policy::all() {
            let title = format!("{name}, {}", policy.name());
            group.bench_function(title, |bencher| {
                bencher.iter(|| black_box(simulate(name, &workload, &policy, 1)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
