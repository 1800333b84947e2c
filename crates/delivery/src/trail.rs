//! The steps of an attempt, as they happen.

use diagnosis::Stage;
use diagnosis::facts::{Step, StepKind};
use smtp::Reply;
use tokio::time::Instant;

/// Collects what was done, with times.
#[derive(Debug)]
pub(crate) struct Trail {
    began: Instant,
    since: Instant,
    steps: Vec<Step>,
}

impl Trail {
    pub(crate) fn begin() -> Trail {
        let now = Instant::now();
        Trail {
            began: now,
            since: now,
            steps: Vec::with_capacity(8),
        }
    }

    /// Adds a step that ended just now and began when the one before it ended.
    pub(crate) fn add(&mut self, stage: Stage, what: StepKind) {
        let now = Instant::now();
        let millis = |from: Instant, to: Instant| (to - from).as_millis() as u64;
        let (at_ms, took_ms) = (millis(self.began, self.since), millis(self.since, now));
        self.since = now;
        self.steps.push(Step {
            at_ms,
            took_ms,
            stage,
            what,
        });
    }

    /// Adds an answered command; its text only where the answer was not plainly yes.
    pub(crate) fn replied(&mut self, stage: Stage, reply: &Reply, command: impl Fn() -> String) {
        let command = (reply.code() / 100 > 3).then(command);
        self.add(
            stage,
            StepKind::Replied {
                command,
                reply: reply.clone(),
            },
        );
    }

    pub(crate) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}
