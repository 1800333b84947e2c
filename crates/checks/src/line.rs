//! Our own line: whether anything answers at all, and whether unrelated destinations fail alike.

use diagnosis::Cause;
use diagnosis::finding::{Conclusion, Fact, Finding};
use dns::{AskError, RecordKind, Resolver, Unanswered};
use queue::DueDestination;

use crate::asker::Asker;

/// The root: whatever the name server says about it, it answered.
const ROOT: &str = ".";

pub(crate) async fn check_resolver(resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let answer = asker.ask(ROOT, RecordKind::Ns).await;
    let silent = matches!(
        answer,
        Err(AskError::Unanswered {
            how: Unanswered::TimedOut | Unanswered::Unreachable,
            ..
        })
    );
    let conclusion = match silent {
        true => Conclusion::LineDown,
        false => Conclusion::LineWorks,
    };
    Finding::new(conclusion, resolver.servers().join(", ")).facts(asker.take())
}

/// So many destinations must fail before it can be our line.
const ENOUGH: usize = 3;

/// Looks at the destinations that have mail waiting: where most of them cannot be connected to, the
/// fault is on our side. Reads only.
#[must_use]
pub fn compare_destinations(waiting: &[DueDestination]) -> Option<Finding> {
    let failing = |due: &&DueDestination| {
        let cause = due.destination.last.as_ref().map(|last| last.cause);
        due.destination.failures > 0 && cause.is_some_and(is_of_the_line)
    };
    let count = waiting.iter().filter(failing).count();
    let facts: Vec<Fact> = waiting
        .iter()
        .take(20)
        .map(|due| Fact::Destination {
            key: due.destination.key.to_string(),
            queued: due.queued,
            failures: due.destination.failures,
            cause: due.destination.last.as_ref().map(|last| last.cause),
        })
        .collect();
    // Four in five: a healthy destination has nothing waiting, and so is not seen here.
    let alike = count >= ENOUGH && count * 5 >= waiting.len() * 4;
    let conclusion = match (waiting.is_empty(), alike) {
        (true, _) => return None,
        (false, true) => Conclusion::DestinationsFailAlike,
        (false, false) => Conclusion::DestinationsDiffer,
    };
    let finding = Finding::new(conclusion, waiting.len().to_string());
    Some(finding.object(count.to_string()).facts(facts))
}

/// Whether a failure may be one of our own line.
fn is_of_the_line(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::ConnectionTimeout
            | Cause::NetworkUnreachable
            | Cause::NetworkCongested
            | Cause::DnsFailing
            | Cause::OurLineDown
    )
}
