//! Retry policies on a virtual clock: a workload, servers that fail, and a policy that decides when what
//! is tried again. Ours is the relay's own code (`queue::policy`, on what `diagnosis` makes of the
//! servers' words); those of others are models of their documented schedules, their numbers and sources
//! data in `peers/`.
//!
//! Everything is determined by the workload, the policy and a seed. This crate does no I/O and knows no
//! clock but its own. What the models leave out is in `docs/simulate.md`.

mod answer;
mod chance;
mod clock;
mod desk;
mod peer;
mod policy;
mod report;
mod servers;
mod tally;
mod traffic;
mod workload;

pub use clock::{Millis, text as length_text};
pub use diagnosis::Stage;
pub use peer::{PEERS, Peer, Source};
use queue::policy::OwnWaits;
pub use report::{Outcome, Row, Verdict, VerdictClass, legend, plot, summary, table};
pub use workload::{
    Errors, Failure, Kind, Problem, ProblemKind, Says, Spells, WORKLOADS, Workload,
};

/// A policy that can be run.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// Postrider's: the code that the relay runs.
    Ours,
    /// The same with waits that an administrator set in place of the table's.
    Configured(OwnWaits),
    /// That of another, from its file.
    Peer(Peer),
}

impl Policy {
    /// Ours, and those of all peers that come with the program.
    #[must_use]
    pub fn all() -> Vec<Policy> {
        let peers = PEERS
            .iter()
            .filter_map(|(name, _)| Policy::named(name)?.ok());
        std::iter::once(Policy::Ours).chain(peers).collect()
    }

    /// The policy of this name that comes with the program.
    #[must_use]
    pub fn named(name: &str) -> Option<Result<Policy, Errors>> {
        if name == "postrider" {
            return Some(Ok(Policy::Ours));
        }
        let (_, text) = PEERS.iter().find(|(known, _)| *known == name)?;
        Some(Policy::parse(text))
    }

    /// Reads the file of a peer.
    pub fn parse(text: &str) -> Result<Policy, Errors> {
        Peer::parse(text).map(Policy::Peer)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Policy::Ours => "postrider",
            Policy::Configured(_) => "configured",
            Policy::Peer(peer) => &peer.name,
        }
    }
}

/// Runs a workload, called `name` in what is reported, under a policy.
#[must_use]
pub fn simulate(name: &str, workload: &Workload, policy: &Policy, seed: u64) -> Outcome {
    let (destinations, messages) = (workload.destinations, workload.messages);
    let amounts = [destinations, workload.providers, messages];
    let mut running = match policy {
        Policy::Ours => policy::ours(OwnWaits::default(), amounts),
        Policy::Configured(waits) => policy::ours(waits.clone(), amounts),
        Policy::Peer(peer) => policy::of_peer(peer, destinations, messages),
    };
    let (desk, messages) = desk::run(workload, &mut *running, seed);
    report::outcome(name, policy.name(), seed, desk, &messages)
}
