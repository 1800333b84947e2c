//! Reports of others, read: JSON, the same compressed, or the mail that carries it.
//!
//! Read with lenience where senders are known to differ from RFC 8460: one string where a list must be,
//! numbers as text, `null` for nothing, older names of keys. What is not there is left empty; what is no
//! report is told with its place.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::mail;
use crate::model::{FailureDetail, Policy, PolicyKind, PolicyReport, Report, ResultType};
use crate::unpack::{LIMIT, MAGIC, unpack};

/// Why something is not read as a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is too large, unpacked or not.
    #[error("it is larger than {limit} bytes, and no report is: it is not read")]
    TooLarge {
        /// The largest that is read.
        limit: usize,
    },
    /// It is compressed, and cannot be unpacked.
    #[error("it cannot be unpacked (gzip): {reported}")]
    Gzip {
        /// What was reported.
        reported: String,
    },
    /// It is no JSON.
    #[error("it is no JSON: {reported}")]
    Json {
        /// What was reported, with line and column.
        reported: String,
    },
    /// A value is not what it must be.
    #[error("{place}: {wanted} must stand there")]
    Value {
        /// Where, like `policies[0].summary`.
        place: String,
        /// What must stand there.
        wanted: &'static str,
    },
    /// The mail has no report in it.
    #[error("the mail has no part of the type application/tlsrpt+gzip or application/tlsrpt+json")]
    NoPart,
}

/// Reads a report; of a mail, the one that it carries.
pub fn read(input: &[u8]) -> Result<Report, Problem> {
    if input.len() > 3 * LIMIT {
        return Err(Problem::TooLarge { limit: LIMIT });
    }
    let first = input.iter().find(|byte| !byte.is_ascii_whitespace());
    let json = first == Some(&b'{') || input.starts_with(b"\xef\xbb\xbf{");
    if input.starts_with(MAGIC) {
        return of_json(&unpack(input)?);
    }
    if json {
        return of_json(input);
    }
    let part = mail::part(input).ok_or(Problem::NoPart)?;
    match part.starts_with(MAGIC) {
        true => of_json(&unpack(&part)?),
        false => of_json(&part),
    }
}

fn of_json(text: &[u8]) -> Result<Report, Problem> {
    if text.len() > LIMIT {
        return Err(Problem::TooLarge { limit: LIMIT });
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value: Value = serde_json::from_slice(text).map_err(|error| Problem::Json {
        reported: error.to_string(),
    })?;
    let top = object(&value, "the report")?;
    let empty = Value::Null;
    let range = top.get("date-range").unwrap_or(&empty);
    let at = |key: &str| range.get(key).and_then(Value::as_str).and_then(time);
    let policies = top.get("policies").and_then(Value::as_array);
    let policies = policies.ok_or_else(|| wrong("policies", "a list of policies"))?;
    let numbered = policies.iter().enumerate();
    Ok(Report {
        organization: text_of(top, &["organization-name"]).unwrap_or_default(),
        start: at("start-datetime"),
        end: at("end-datetime"),
        contact: text_of(top, &["contact-info"]).unwrap_or_default(),
        id: text_of(top, &["report-id"]).unwrap_or_default(),
        policies: numbered
            .map(|(index, value)| of_policy(value, &format!("policies[{index}]")))
            .collect::<Result<_, _>>()?,
    })
}

fn of_policy(value: &Value, place: &str) -> Result<PolicyReport, Problem> {
    let fields = object(value, place)?;
    let empty = Map::new();
    let policy = match fields.get("policy") {
        None | Some(Value::Null) => &empty,
        Some(policy) => object(policy, &format!("{place}.policy"))?,
    };
    let summary = match fields.get("summary") {
        None | Some(Value::Null) => &empty,
        Some(summary) => object(summary, &format!("{place}.summary"))?,
    };
    let count = |key| number(summary, key, &format!("{place}.summary"));
    let details = match fields.get("failure-details") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(details)) => details,
        Some(_) => return Err(wrong(&format!("{place}.failure-details"), "a list")),
    };
    let numbered = details.iter().enumerate();
    let details = numbered
        .map(|(index, detail)| of_detail(detail, &format!("{place}.failure-details[{index}]")))
        .collect::<Result<Vec<_>, _>>()?;
    let failed = details
        .iter()
        .fold(0_u64, |sum, detail| sum.saturating_add(detail.count));
    Ok(PolicyReport {
        policy: Policy {
            kind: PolicyKind::parse(&text_of(policy, &["policy-type"]).unwrap_or_default()),
            lines: texts(policy, &["policy-string"]),
            domain: text_of(policy, &["policy-domain"]).unwrap_or_default(),
            // The drafts called it `mx-host-pattern`.
            mx: texts(policy, &["mx-host", "mx-host-pattern"]),
        },
        successes: count("total-successful-session-count")?.unwrap_or(0),
        // Some leave the sum out where they list the failures.
        failures: count("total-failure-session-count")?.unwrap_or(failed),
        details,
    })
}

fn of_detail(value: &Value, place: &str) -> Result<FailureDetail, Problem> {
    let fields = object(value, place)?;
    let text = |keys: &[&str]| text_of(fields, keys).filter(|text| !text.is_empty());
    Ok(FailureDetail {
        result: ResultType::parse(&text(&["result-type"]).unwrap_or_default()),
        sending_ip: text(&["sending-mta-ip"]),
        mx: text(&["receiving-mx-hostname"]),
        helo: text(&["receiving-mx-helo"]),
        receiving_ip: text(&["receiving-ip"]),
        count: number(fields, "failed-session-count", place)?.unwrap_or(0),
        more: text(&["additional-information", "additional-info-uri"]),
        reason: text(&["failure-reason-code", "failure-error-code"]),
    })
}

fn wrong(place: &str, wanted: &'static str) -> Problem {
    Problem::Value {
        place: place.to_owned(),
        wanted,
    }
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, Problem> {
    value.as_object().ok_or_else(|| wrong(place, "an object"))
}

/// The text under the first of these keys that is there; of a list, its first.
fn text_of(fields: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    texts(fields, keys).into_iter().next()
}

fn texts(fields: &Map<String, Value>, keys: &[&str]) -> Vec<String> {
    let value = keys.iter().find_map(|key| fields.get(*key));
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn number(fields: &Map<String, Value>, key: &str, place: &str) -> Result<Option<u64>, Problem> {
    let number = match fields.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    let wanted = "a number of sessions";
    number
        .map(Some)
        .ok_or_else(|| wrong(&format!("{place}.{key}"), wanted))
}

/// RFC 3339, or without its zone: then UTC is meant.
fn time(text: &str) -> Option<Timestamp> {
    let in_utc = || {
        let plain: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(plain).ok()
    };
    text.parse().ok().or_else(in_utc)
}
