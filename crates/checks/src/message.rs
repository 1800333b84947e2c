//! What the queue knows of a message: its trail, its attempts. Reads only; nothing is asked of anyone.

use std::collections::BTreeSet;

use diagnosis::facts::{Failure, FailureKind, Outcome, PathState};
use diagnosis::finding::{Bearing, Conclusion, Counted, Fact, Finding, Verdict};
use diagnosis::{Cause, Remedy, Stage};
use queue::{RecipientState, Row, Story};

/// The `Received` trail in the header of a message (RFC 5321 §6.3).
#[must_use]
pub fn check_trail(subject: &str, header: &[u8]) -> Finding {
    let mut trail = dsn::Trail::default();
    trail.watch(header);
    trail.end();
    let repeated = trail.repeated();
    let mut facts = vec![Fact::Counted {
        what: Counted::Hops,
        count: trail.hops().into(),
    }];
    facts.extend(trail.hosts().iter().map(|host| Fact::Hop {
        host: host.clone(),
        again: repeated.contains(host),
    }));
    let finding = match repeated.is_empty() {
        true => Finding::new(Conclusion::TrailStraight, subject).object(trail.hops().to_string()),
        false => Finding::new(Conclusion::TrailLoops, subject).object(repeated.join(", ")),
    };
    finding.facts(facts)
}

/// The attempts for each recipient that is not finished, and what they have in common.
#[must_use]
pub fn check_history(story: &Story) -> Vec<Finding> {
    let recipients = story.recipients.iter();
    let findings = recipients.map(|recipient| {
        let address = recipient.address.as_str();
        of_recipient(story, recipient.index, address, recipient.state)
    });
    findings.collect()
}

/// Attempts that are shown, at most; the latest.
const SHOWN: usize = 20;

fn of_recipient(story: &Story, index: u32, address: &str, state: RecipientState) -> Finding {
    let mut facts = Vec::new();
    let mut breaks = Vec::new();
    let mut stalled = false;
    for record in &story.attempts {
        let Some(verdict) = record.verdicts.iter().find(|v| v.index == index) else {
            continue;
        };
        let mut recipients = record.attempt.recipients.iter();
        let outcome = recipients.find(|r| r.index == index).map(|r| &r.outcome);
        let failure = outcome.and_then(failure);
        let sent = failure.and_then(sent_before_break);
        breaks.extend(sent);
        facts.push(Fact::Attempt {
            at: record.ended_at.to_string(),
            destination: record.destination.to_string(),
            cause: verdict.diagnosis.as_ref().map(|diagnosis| diagnosis.cause),
            stage: failure.map(|failure| failure.stage),
            reply: failure.and_then(|failure| match &failure.kind {
                FailureKind::Replied(reply) => Some(reply.clone()),
                _ => None,
            }),
            sent: sent.map(|(_, bytes)| bytes),
        });
        if let Some(path) = failure.and_then(stalled_path) {
            stalled = true;
            facts.push(Fact::Path(path));
        }
    }
    let count = facts
        .iter()
        .filter(|f| matches!(f, Fact::Attempt { .. }))
        .count();
    let causes: BTreeSet<Cause> = facts.iter().filter_map(cause_of).collect();
    let finding = match stalled && state != RecipientState::Delivered {
        true => stalls(address, count),
        false => conclude(address, state, &causes, count, &breaks),
    };
    let hidden = facts.len().saturating_sub(SHOWN);
    finding.facts(facts.split_off(hidden))
}

fn failure(outcome: &Outcome) -> Option<&Failure> {
    match outcome {
        Outcome::Failed(failure) | Outcome::Unknown(failure) => Some(failure),
        Outcome::Accepted(_) => None,
    }
}

/// Where a connection broke: the step, and the bytes of content sent until then.
fn sent_before_break(failure: &Failure) -> Option<(Stage, u64)> {
    match &failure.kind {
        FailureKind::Broken(broken) => Some((failure.stage, broken.content_sent)),
        _ => None,
    }
}

/// What the system knew of a way on which the content did not get through, in packets of full size.
fn stalled_path(failure: &Failure) -> Option<PathState> {
    let FailureKind::Broken(broken) = &failure.kind else {
        return None;
    };
    let of_content = matches!(failure.stage, Stage::Content | Stage::EndOfData);
    let full = |path: &PathState| path.fills_a_packet(path.unconfirmed.unwrap_or(0));
    broken
        .path
        .filter(|path| of_content && path.is_stalled() && full(path))
}

fn stalls(address: &str, count: usize) -> Finding {
    let finding = Finding::new(Conclusion::StalledWhileSending, address);
    let mut finding = finding.object(count.to_string());
    finding.remedies = vec![Remedy::MendPathMtu, Remedy::AskReceiver];
    finding
}

fn cause_of(fact: &Fact) -> Option<Cause> {
    match fact {
        Fact::Attempt { cause, .. } => *cause,
        _ => None,
    }
}

fn conclude(
    address: &str,
    state: RecipientState,
    causes: &BTreeSet<Cause>,
    count: usize,
    breaks: &[(Stage, u64)],
) -> Finding {
    let found = |conclusion| Finding::new(conclusion, address).object(count.to_string());
    if state == RecipientState::Delivered {
        return found(Conclusion::AttemptsEnded);
    }
    let mut points = breaks.iter().filter(|(stage, _)| *stage == Stage::Content);
    if let (Some(first), Some(second)) = (points.next(), points.next())
        && first == second
        && points.all(|other| other == first)
    {
        // What always breaks at the same byte is no accident of the network: a filter or an MTU.
        return found(Conclusion::BreaksAtSamePoint).object(first.1.to_string());
    }
    let mut each = causes.iter();
    match (each.next(), each.next()) {
        (None, _) => found(Conclusion::NoAttempts),
        (Some(Cause::CannotTell), None) => found(Conclusion::AttemptsFailAlike),
        (Some(cause), None) => {
            let finding = found(Conclusion::AttemptsFailAlike);
            let finding = finding.bearing(Bearing::Supports(*cause));
            match count {
                1 => finding.verdict(Verdict::Warning),
                _ => finding,
            }
        }
        (Some(_), Some(_)) => found(Conclusion::AttemptsDiffer),
    }
}

/// How much is under way to a destination, by the queue's own account.
#[must_use]
pub fn check_concurrency(destination: &str, rows: &[Row]) -> Finding {
    let sending = |row: &&Row| {
        row.recipient.state == RecipientState::Sending
            && row.recipient.destination.as_str() == destination
    };
    let count = rows.iter().filter(sending).count() as u64;
    let finding = Finding::new(Conclusion::SendingNow, destination).object(count.to_string());
    finding.facts(vec![Fact::Counted {
        what: Counted::Sending,
        count,
    }])
}

#[cfg(test)]
mod tests {
    use diagnosis::facts::{Break, BreakKind};

    use super::*;

    fn broken(stage: Stage, unconfirmed: u64, retransmits: u32) -> Failure {
        let path = PathState {
            mtu: Some(1500),
            segment: Some(1448),
            unconfirmed: Some(unconfirmed),
            retransmits: Some(retransmits),
        };
        let kind = FailureKind::Broken(Break {
            how: BreakKind::TimedOut,
            content_sent: 4096,
            content_size: 100_000,
            silent_ms: 180_000,
            path: Some(path),
        });
        Failure { stage, kind }
    }

    #[test]
    fn a_way_that_loses_packets_of_full_size_is_told_from_a_server_that_is_slow() {
        assert!(stalled_path(&broken(Stage::Content, 44_888, 9)).is_some());
        assert!(stalled_path(&broken(Stage::EndOfData, 1448, 3)).is_some());
        // All is confirmed: the server thinks.
        assert!(stalled_path(&broken(Stage::EndOfData, 0, 0)).is_none());
        // Under way, and not sent again.
        assert!(stalled_path(&broken(Stage::Content, 44_888, 0)).is_none());
        // Small lines are lost as well: the way is broken altogether.
        assert!(stalled_path(&broken(Stage::Content, 300, 9)).is_none());
        assert!(stalled_path(&broken(Stage::Rcpt, 44_888, 9)).is_none());
        let finding = stalls("anna@example.org", 2);
        assert!(finding.remedies.contains(&Remedy::MendPathMtu));
    }
}
