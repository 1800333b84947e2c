//! Events that a sending service posts as JSON instead of a report: `{"notificationType":"Bounce",…}`.

use diagnosis::{Dialect, Ended, SaidBy};
use serde::Deserialize;
use serde_json::Value;

use super::failures::{self, Context};
use super::text::Text;
use crate::{Case, Kind, Words};

/// An event about a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(alias = "eventType")]
    notification_type: String,
    #[serde(default)]
    bounce: About,
    #[serde(default)]
    complaint: About,
    #[serde(default)]
    delivery_delay: About,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct About {
    #[serde(
        alias = "bouncedRecipients",
        alias = "complainedRecipients",
        alias = "delayedRecipients"
    )]
    recipients: Vec<Recipient>,
    timestamp: Option<String>,
    #[serde(rename = "reportingMTA")]
    reporting_mta: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recipient {
    email_address: String,
    status: Option<String>,
    diagnostic_code: Option<String>,
}

/// The cases of an event; none where the text is no event.
pub(super) fn cases(text: &Text, context: &Context<'_>) -> Option<Vec<Case>> {
    let first = text.line(0);
    let named = |name: &str| text.as_str().contains(name);
    if !first.starts_with('{') || !(named("notificationType") || named("eventType")) {
        return None;
    }
    let event = event(text.as_str())?;
    let (about, kind, ended) = match event.notification_type.as_str() {
        "Bounce" => (event.bounce, Kind::Bounce, Some(Ended::GivenUp)),
        "DeliveryDelay" => (event.delivery_delay, Kind::Bounce, Some(Ended::StillTrying)),
        "Complaint" => (event.complaint, Kind::Complaint, None),
        // A delivery, a click: no failure.
        _ => return Some(Vec::new()),
    };
    let case = |recipient: &Recipient| {
        let mut case = Case::new(kind, (0, 0));
        case.recipient = Some(recipient.email_address.clone()).filter(|a| !a.is_empty());
        case.dialect = Some(Dialect::AmazonSes);
        case.ended = ended;
        case.reporter = about.reporting_mta.as_deref().and_then(host);
        case.at = about.timestamp.as_deref().and_then(|at| at.parse().ok());
        let mut words = Words::default();
        if let Some(status) = &recipient.status {
            words = placed(text, status);
            case.status = crate::reply::status_of(&words);
            words = Words::default();
        }
        if let Some(code) = &recipient.diagnostic_code {
            let said = code.strip_prefix("smtp;").unwrap_or(code).trim();
            words = placed(text, said);
        }
        case.said_by = match words.is_empty() {
            true => SaidBy::Sender,
            false => SaidBy::Receiver,
        };
        failures::take_words(&mut case, &words);
        failures::finish(&mut case, context);
        case
    };
    Some(about.recipients.iter().map(case).collect())
}

/// The event in a text: itself, or in the message of a notification.
fn event(text: &str) -> Option<Event> {
    // Long lines are cut on the way; the cuts are no part of it.
    let whole: String = text.replace('\r', "").replace("\n ", "").replace('\n', "");
    let mut values = serde_json::Deserializer::from_str(&whole).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let inner = value.get("Message").and_then(Value::as_str);
    match inner {
        Some(message) => serde_json::from_str(message).ok(),
        None => serde_json::from_value(value).ok(),
    }
}

/// A value where it stands in the text; else all of the text stands for it.
fn placed(text: &Text, value: &str) -> Words {
    let quoted = Value::from(value).to_string();
    let raw = quoted.trim_matches('"');
    let found = text.as_str().find(raw);
    if let Some(at) = found.filter(|_| raw == value) {
        return text.slice(at..at + raw.len());
    }
    let mut words = Words::default();
    if let Some(origin) = text
        .slice(0..text.as_str().len())
        .origin((0, text.as_str().len()))
    {
        words.push(value, origin);
    }
    words
}

/// `dsn; a1.example.org`
fn host(value: &str) -> Option<String> {
    let name = value.rsplit(';').next().unwrap_or_default().trim();
    (!name.is_empty()).then(|| name.to_owned())
}
