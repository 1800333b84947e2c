//! The story of a message, for programs. The names are stable.

use diagnosis::facts::{Attempt, Step};
use diagnosis::{Diagnosis, Outcome};
use jiff::Timestamp;
use queue::{AttemptRecord, Decision, Event, Message, Recipient, Story};
use serde::Serialize;

use crate::checked_json::JsonFinding;
use crate::story::{is_unknown, standing};
use crate::{Explanation, Lang, Next, explain, verified};

#[derive(Serialize)]
struct JsonStory<'a> {
    message: &'a Message,
    recipients: Vec<JsonRecipient<'a>>,
    attempts: Vec<JsonAttempt<'a>>,
    events: &'a [Event],
}

#[derive(Serialize)]
struct JsonRecipient<'a> {
    address: &'a str,
    state: &'static str,
    attempts: u32,
    next_attempt: Option<Timestamp>,
    destination: &'a str,
    cause: Option<&'static str>,
    diagnosis: Option<&'a Diagnosis>,
    explanation: Option<Explanation>,
    /// What was looked at about its cause.
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonAttempt<'a> {
    started_at: Timestamp,
    ended_at: Timestamp,
    destination: &'a str,
    hosts: Vec<&'a str>,
    steps: &'a [Step],
    recipients: Vec<JsonOutcome<'a>>,
}

#[derive(Serialize)]
struct JsonOutcome<'a> {
    address: &'a str,
    /// `accepted`, `failed` or `unknown`.
    outcome: &'static str,
    facts: &'a Outcome,
    diagnosis: Option<&'a Diagnosis>,
    decision: Option<&'a Decision>,
    explanation: Option<Explanation>,
}

/// The story of a message as JSON.
#[must_use]
pub fn story_json(story: &Story, now: Timestamp, lang: Lang) -> impl Serialize + use<'_> {
    JsonStory {
        message: &story.message,
        recipients: story
            .recipients
            .iter()
            .map(|r| recipient(r, story, now, lang))
            .collect(),
        attempts: story.attempts.iter().map(|a| attempt(a, lang)).collect(),
        events: &story.events,
    }
}

fn recipient<'a>(
    recipient: &'a Recipient,
    story: &'a Story,
    now: Timestamp,
    lang: Lang,
) -> JsonRecipient<'a> {
    let decision = standing(recipient);
    let next = Next {
        decision: decision.as_ref(),
        now,
    };
    JsonRecipient {
        address: recipient.address.as_str(),
        state: recipient.state.as_str(),
        attempts: recipient.attempts,
        next_attempt: recipient.next_attempt,
        destination: recipient.destination.as_str(),
        cause: recipient.last.as_ref().map(|d| d.cause.id()),
        diagnosis: recipient.last.as_ref(),
        explanation: recipient.last.as_ref().map(|d| explain(d, &next, lang)),
        findings: verified::json(
            story,
            recipient.destination.as_str(),
            recipient.last.as_ref().map(|d| d.cause),
            lang,
        ),
    }
}

fn attempt(record: &AttemptRecord, lang: Lang) -> JsonAttempt<'_> {
    let Attempt {
        route,
        steps,
        recipients,
    } = &record.attempt;
    let outcome = |of: &'_ diagnosis::facts::RecipientAttempt| {
        record.verdicts.iter().find(|v| v.index == of.index)
    };
    let recipients = recipients.iter().map(|of| {
        let verdict = outcome(of);
        let diagnosis = verdict.and_then(|v| v.diagnosis.as_ref());
        let next = Next {
            decision: verdict.map(|v| &v.decision),
            now: record.ended_at,
        };
        JsonOutcome {
            address: of.address.as_str(),
            outcome: match &of.outcome {
                Outcome::Accepted(_) => "accepted",
                unknown if is_unknown(unknown) => "unknown",
                Outcome::Failed(_) | Outcome::Unknown(_) => "failed",
            },
            facts: &of.outcome,
            diagnosis,
            decision: next.decision,
            explanation: diagnosis.map(|d| explain(d, &next, lang)),
        }
    });
    JsonAttempt {
        started_at: record.started_at,
        ended_at: record.ended_at,
        destination: record.destination.as_str(),
        hosts: route.hosts.iter().map(|h| h.name.as_str()).collect(),
        steps,
        recipients: recipients.collect(),
    }
}
