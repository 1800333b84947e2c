//! Asking the next hop of a relayed domain whether it would take a recipient.

use std::time::Duration;

use diagnosis::facts::{BreakKind, ConnectError};
use diagnosis::{Failure, FailureKind};
use jiff::Timestamp;
use queue::{Answer, Unanswered, Unsure};
use smtp::{Address, Class, EnhancedStatus, Reply};

use crate::Shared;
use crate::local::Here;
use crate::refusal::Refusal;

/// A recipient that the next hop does not take, or of whom nobody can tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unverified {
    /// The address that the client named.
    pub(crate) recipient: Address,
    /// The next hop.
    destination: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq)]
enum Why {
    Refused { reply: Reply, at: Timestamp },
    Unanswered { why: Unanswered, wait: Duration },
}

/// So much of the next hop's words is told on.
const TOLD: usize = 250;

/// Whether the next hops of the relayed recipients take them. Where an address stands for several, one
/// that is there is enough: the others' failures go to whoever can mend the alias.
pub(crate) async fn ask(shared: &Shared, to: &Address, here: &Here) -> Result<(), Refusal> {
    let Some(callout) = &shared.neighbours.callout else {
        return Ok(());
    };
    let mut first = None;
    for placed in &here.recipients {
        let Some(policy) = &placed.verify else {
            return Ok(());
        };
        let why = match callout.ask(&placed.address, &placed.target, policy).await {
            Answer::Taken => return Ok(()),
            Answer::Refused { reply, at } => Why::Refused { reply, at },
            Answer::Unanswered { why, wait } => match policy.unanswered {
                Unsure::Accept => {
                    let detail = unanswered(&why);
                    tracing::info!(recipient = %to, destination = %placed.destination, detail, "nobody can tell whether the recipient is there: taken");
                    return Ok(());
                }
                Unsure::Refuse => Why::Unanswered { why, wait },
            },
        };
        // That nobody can tell outweighs a refusal: the one may yet be there.
        if matches!(why, Why::Unanswered { .. }) || first.is_none() {
            let destination = placed.destination.to_string();
            first = Some((destination, why));
        }
    }
    match first {
        None => Ok(()),
        Some((destination, why)) => Err(Refusal::Unverified(Box::new(Unverified {
            recipient: to.clone(),
            destination,
            why,
        }))),
    }
}

impl Unverified {
    /// A stable name for logs.
    pub(crate) fn name(&self) -> &'static str {
        match self.why {
            Why::Refused { .. } => "refused-by-next-hop",
            Why::Unanswered { .. } => "next-hop-unanswered",
        }
    }

    /// Whether somebody must look after the way to the next hop.
    pub(crate) fn is_ours(&self) -> bool {
        match &self.why {
            Why::Refused { .. } => false,
            Why::Unanswered { why, .. } => match why {
                Unanswered::Asking => false,
                Unanswered::Crowded => true,
                // A next hop that answers, and says that we are to come back, is well.
                Unanswered::Failed(failure) => !matches!(&failure.kind,
                    FailureKind::Replied(reply) if reply.code() < 500),
            },
        }
    }

    /// Whether it counts against the client, as with one that tries names in turn.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.why, Why::Refused { .. })
    }

    pub(crate) fn codes(&self) -> (u16, Class, u16, u16) {
        match &self.why {
            // RFC 3463 §3.2, §3.3: what the next hop says of the mailbox, where it says it; else X.1.1.
            Why::Refused { reply, .. } => match reply.status() {
                Some(EnhancedStatus {
                    subject: subject @ 1..=2,
                    detail,
                    ..
                }) => (550, Class::Permanent, subject, detail),
                Some(_) | None => (550, Class::Permanent, 1, 1),
            },
            // RFC 5321 §4.2.3: 450. As Postfix's unverified_recipient_defer_code.
            Why::Unanswered { .. } => (450, Class::Transient, 1, 1),
        }
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        match &self.why {
            Why::Refused { .. } => None,
            Why::Unanswered { wait, .. } => Some(*wait),
        }
    }

    /// The words, without the wait.
    pub(crate) fn words(&self) -> String {
        let recipient = &self.recipient;
        match &self.why {
            Why::Refused { reply, .. } => format!(
                "no such recipient: the next hop of this server refuses {recipient}: {}",
                shortened(&reply.text())
            ),
            Why::Unanswered { why, .. } => {
                let why = match why {
                    Unanswered::Asking => "it has not answered yet",
                    Unanswered::Crowded => "too many recipients are being asked about",
                    Unanswered::Failed(failure) => match &failure.kind {
                        FailureKind::Replied(reply) if reply.code() < 500 => {
                            "it puts off whoever asks"
                        }
                        FailureKind::Replied(_) => "it refuses to be asked",
                        _ => "it cannot be reached",
                    },
                };
                format!(
                    "cannot tell now whether {recipient} is at the next hop of this server: {why}"
                )
            }
        }
    }

    /// What the client is not told: who said what, and when.
    pub(crate) fn detail(&self) -> Option<String> {
        let destination = &self.destination;
        Some(match &self.why {
            Why::Refused { reply, at } => {
                let (peer, raw) = (reply.peer(), one_line(reply));
                format!("{destination}: {peer} said at {at}: {raw}")
            }
            Why::Unanswered { why, .. } => format!("{destination}: {}", unanswered(why)),
        })
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        Some((at, _)) => format!("{} ...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn one_line(reply: &Reply) -> String {
    let raw = String::from_utf8_lossy(reply.raw());
    let lines: Vec<&str> = raw.lines().filter(|line| !line.is_empty()).collect();
    lines.join(" / ")
}

fn unanswered(why: &Unanswered) -> String {
    match why {
        Unanswered::Asking => "no answer yet; the question goes on".to_owned(),
        Unanswered::Crowded => "too many questions wait for this destination".to_owned(),
        Unanswered::Failed(failure) => failed(failure),
    }
}

fn failed(failure: &Failure) -> String {
    let stage = failure.stage.as_str();
    match &failure.kind {
        FailureKind::Replied(reply) => {
            format!("{} said at {stage}: {}", reply.peer(), one_line(reply))
        }
        FailureKind::Connect(tries) => {
            let tries = tries.iter().map(|tried| {
                let how = match tried.error {
                    ConnectError::Refused => "nothing listens",
                    ConnectError::TimedOut => "no answer",
                    ConnectError::Unreachable => "unreachable",
                    ConnectError::Reset => "reset",
                    ConnectError::Outrun => "another was faster",
                    ConnectError::Local { .. } => "no socket here",
                };
                format!("{} [{}]: {how}", tried.host, tried.address)
            });
            tries.collect::<Vec<_>>().join("; ")
        }
        FailureKind::Broken(broken) => {
            let how = match broken.how {
                BreakKind::Closed => "closed the connection",
                BreakKind::Reset => "reset the connection",
                BreakKind::TimedOut => "did not answer in time",
            };
            format!("the next hop {how} at {stage}")
        }
        FailureKind::NoRoute(no_route) => format!("no way there: {no_route:?}"),
        other => format!("failed at {stage}: {other:?}"),
    }
}
