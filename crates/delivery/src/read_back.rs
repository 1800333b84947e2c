//! The session of what comes back: reading it is its delivery.

use diagnosis::facts::{Route, StepKind};
use diagnosis::{Failure, FailureKind, Outcome, Stage};
use queue::{Body, Lease};

use crate::lane::Work;
use crate::returned;
use crate::session::{Session, Tried, all_fail, begin};
use crate::trail::Trail;

impl Session {
    /// What came back is read, and what follows is recorded with the outcome.
    pub(crate) async fn read_back(
        &mut self,
        work: &mut Work,
        lease: &Lease,
        body: &Body,
        trail: &mut Trail,
    ) -> Tried {
        self.route = Route {
            destination: self.key.to_string(),
            hosts: Vec::new(),
        };
        if let Err(error) = begin(self.engine.shared.store.clone(), lease, work).await {
            return Tried::NotBegun(error);
        }
        let failure = match returned::read(&self.engine, work, body).await {
            Ok(read) => {
                work.read = Some(Box::new(read));
                trail.add(Stage::Content, StepKind::Sent { bytes: body.size() });
                return Tried::Outcomes(vec![Outcome::Accepted(None); work.recipients.len()]);
            }
            Err(returned::NotRead::Store(error)) => return Tried::NotBegun(error),
            Err(returned::NotRead::Local(local)) => Failure {
                stage: Stage::Content,
                kind: FailureKind::Local(local),
            },
        };
        all_fail(work, failure, trail)
    }
}
