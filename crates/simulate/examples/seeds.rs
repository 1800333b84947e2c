//! The pairs of `docs/retry.md` over many seeds: `cargo run --release -p simulate --example seeds -- 21 10 20000`
//! (the first seed, how many, messages). Prints a line for each workload: in how many of the seeds ours is better
//! in both, not worse, trades, or is worse, beside each peer.

use simulate::{Policy, Verdict, WORKLOADS, Workload, simulate};

fn argument(place: usize, otherwise: u32) -> u32 {
    let text = std::env::args().nth(place);
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() {
    let (first, many, messages) = (argument(1, 21), argument(2, 10), argument(3, 20_000));
    let policies = Policy::all();
    let mut all = [0_u32; 4];
    let peers: Vec<&str> = policies.iter().skip(1).map(Policy::name).collect();
    println!(
        "| | {} |\n|---|{}",
        peers.join(" | "),
        "---|".repeat(peers.len())
    );
    for (name, _) in WORKLOADS {
        let Some(Ok(mut workload)) = Workload::named(name) else {
            continue;
        };
        workload.messages = messages;
        let mut counts = vec![[0_u32; 4]; policies.len()];
        for seed in first..first + many {
            let run = |policy| simulate(name, &workload, policy, u64::from(seed)).row;
            let rows: Vec<_> = policies.iter().map(run).collect();
            for (row, counts) in rows.iter().zip(&mut counts) {
                let Some(verdict) = Verdict::of(&rows[0], row) else {
                    continue;
                };
                let class = verdict.class() as usize;
                counts[class] += 1;
                all[class] += 1;
            }
        }
        let of = |[both, not_worse, trade, worse]: &[u32; 4]| {
            format!("{both} / {not_worse} / {trade} / {worse}")
        };
        let cells: Vec<String> = counts.iter().skip(1).map(of).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    let [both, not_worse, trade, worse] = all;
    println!("both {both}, not worse {not_worse}, trade {trade}, worse {worse}");
}
