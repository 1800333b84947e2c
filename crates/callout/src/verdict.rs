//! What an answer to RCPT says about the recipient.

use diagnosis::facts::Circumstances;
use diagnosis::{Failure, FailureKind, Hint, Outcome, Scope, diagnose};
use smtp::{Reply, Severity, Stage};
use std::time::Duration;

/// How sure a diagnosis must be that a refusal is about the recipient: a bare 550 is not.
const SURE: f32 = 0.7;

/// What an answer says about the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// It would be taken.
    Taken,
    /// It would not.
    Refused,
    /// Nobody can tell whom the refusal is about.
    Unclear,
    /// It is not about the recipient, or only for now.
    Other,
}

/// Reads an answer to MAIL or RCPT.
pub(crate) fn about(stage: Stage, reply: &Reply) -> About {
    match (stage, reply.severity()) {
        (Stage::Rcpt, Severity::Completion) => About::Taken,
        (Stage::Rcpt, Severity::Permanent) => {
            let diagnosis = diagnose(&failed(stage, reply), &Circumstances::default());
            match diagnosis {
                Some(d) if d.sender_blocked || d.scope == Scope::Us => About::Other,
                Some(d) if d.scope == Scope::Recipient && d.confidence >= SURE => About::Refused,
                Some(_) | None => About::Unclear,
            }
        }
        // A server that takes no mail for `<>` breaks RFC 5321 §4.5.5, and takes others'.
        (_, Severity::Permanent) => About::Unclear,
        (_, _) => About::Other,
    }
}

/// How long an answer asks to wait, where it does.
pub(crate) fn wait(failure: &Failure) -> Option<Duration> {
    let outcome = Outcome::Failed(failure.clone());
    match diagnose(&outcome, &Circumstances::default())?.hint {
        Some(Hint::RetryAfter(wait)) => Some(wait),
        Some(Hint::DoNotRetry) | None => None,
    }
}

fn failed(stage: Stage, reply: &Reply) -> Outcome {
    Outcome::Failed(Failure {
        stage,
        kind: FailureKind::Replied(reply.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_against_the_recipient_only_where_it_is_about_the_recipient() {
        for (stage, text, expected) in [
            (Stage::Rcpt, "250 2.1.5 Ok", About::Taken),
            (Stage::Rcpt, "251 will forward", About::Taken),
            (
                Stage::Rcpt,
                "550 5.1.1 <b@x>: Recipient address rejected: User unknown in virtual mailbox table",
                About::Refused,
            ),
            (
                Stage::Rcpt,
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                About::Other,
            ),
            (
                Stage::Rcpt,
                "450 4.2.0 <b@x>: Recipient address rejected: Greylisted",
                About::Other,
            ),
            (Stage::Rcpt, "550 no", About::Unclear),
            (
                Stage::Mail,
                "550 5.7.1 null sender is not taken here",
                About::Unclear,
            ),
            (Stage::Mail, "451 4.3.0 later", About::Other),
        ] {
            let reply = Reply::parse("mx", format!("{text}\r\n").as_bytes()).unwrap();
            assert_eq!(about(stage, &reply), expected, "{text}");
        }
    }
}
