//! A case for programs: one object for each failed recipient or code. The names are stable; their
//! schema is `schema/explain.json`.

use diagnosis::{Alternative, Check, Diagnosis, Hint, Limit, ReadAs};
use readers::{Case, Span};
use serde::Serialize;

use crate::case::{explain_case, note, note_id, of_code, reading_name, standard};
use crate::{Explanation, Lang};

/// The schema of what [`case_json`] gives (JSON Schema, draft 2020-12).
pub const SCHEMA: &str = include_str!("../schema/explain.json");

#[derive(Serialize)]
struct JsonCase<'a> {
    input: JsonInput<'a>,
    recipient: JsonRecipient<'a>,
    reply: Option<u16>,
    status: Option<smtp::EnhancedStatus>,
    dialect: Option<&'static str>,
    finality: &'a diagnosis::Finality,
    address_dead: &'a diagnosis::AddressDead,
    sender_blocked: bool,
    diagnosis: JsonDiagnosis<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readings: Vec<JsonReading>,
    explanation: Explanation,
    notes: Vec<JsonNote>,
    about: JsonAbout<'a>,
}

#[derive(Serialize)]
struct JsonInput<'a> {
    kind: &'static str,
    source: &'a str,
    span: Span,
}

#[derive(Serialize)]
struct JsonRecipient<'a> {
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonDiagnosis<'a> {
    cause: &'static str,
    confidence: f64,
    scope: &'a diagnosis::Scope,
    responsible: &'a diagnosis::Responsible,
    said_by: &'a diagnosis::SaidBy,
    stage: Option<&'static str>,
    evidence: Vec<JsonEvidence<'a>>,
    alternatives: Vec<JsonAlternative>,
    checks: Vec<JsonCheck>,
    remedies: Vec<&'static str>,
    retry_after_seconds: Option<u64>,
    limits: Vec<JsonLimit>,
    standards: &'static [&'static str],
}

#[derive(Serialize)]
struct JsonEvidence<'a> {
    text: &'a str,
    source: &'a diagnosis::EvidenceSource,
    span: Option<Span>,
}

#[derive(Serialize)]
struct JsonAlternative {
    cause: &'static str,
    confidence: f64,
}

#[derive(Serialize)]
struct JsonCheck {
    id: &'static str,
    command: Option<String>,
}

/// A limit that the text names: how many (bytes, recipients …), and in how long where it is a rate.
#[derive(Serialize)]
struct JsonLimit {
    of: &'static str,
    count: u64,
    seconds: Option<u64>,
}

#[derive(Serialize)]
struct JsonReading {
    reading: &'static str,
    reply: Option<u16>,
    status: Option<smtp::EnhancedStatus>,
    title: Option<&'static str>,
    standard: Option<&'static str>,
    cause: &'static str,
    confidence: f64,
    name: String,
    headline: String,
    what: String,
}

#[derive(Serialize)]
struct JsonNote {
    id: &'static str,
    text: String,
}

#[derive(Serialize)]
struct JsonAbout<'a> {
    message_id: Option<&'a str>,
    subject: Option<&'a str>,
    from: Option<&'a str>,
    reporter: Option<&'a str>,
    peer: Option<&'a str>,
    at: Option<jiff::Timestamp>,
}

/// A case and what it means as JSON.
#[must_use]
pub fn case_json<'a>(
    case: &'a Case,
    diagnosis: &'a Diagnosis,
    source: &'a str,
    lang: Lang,
) -> impl Serialize + use<'a> {
    JsonCase {
        input: JsonInput {
            kind: case.kind.as_str(),
            source,
            span: case.span,
        },
        recipient: JsonRecipient {
            address: case.recipient.as_deref(),
            original: case.original_recipient.as_deref(),
        },
        reply: case.reply.map(|reply| reply.value),
        status: case.status.map(|status| status.value),
        dialect: diagnosis.dialect.map(diagnosis::Dialect::id),
        finality: &diagnosis.finality,
        address_dead: &diagnosis.address_dead,
        sender_blocked: diagnosis.sender_blocked,
        diagnosis: of_diagnosis(case, diagnosis),
        readings: readings(case, lang),
        explanation: explain_case(case, diagnosis, lang),
        notes: case
            .notes
            .iter()
            .map(|one| JsonNote {
                id: note_id(one),
                text: note(one, lang),
            })
            .collect(),
        about: JsonAbout {
            message_id: case.about.message_id.as_deref(),
            subject: case.about.subject.as_deref(),
            from: case.about.from.as_deref(),
            reporter: case.reporter.as_deref(),
            peer: case.peer.as_deref(),
            at: case.at,
        },
    }
}

fn of_diagnosis<'a>(case: &Case, diagnosis: &'a Diagnosis) -> JsonDiagnosis<'a> {
    let evidence = diagnosis.evidence.iter().map(|e| JsonEvidence {
        text: &e.text,
        source: &e.source,
        span: e.span,
    });
    let alternative = |a: &Alternative| JsonAlternative {
        cause: a.cause.id(),
        confidence: percent(a.confidence),
    };
    JsonDiagnosis {
        cause: diagnosis.cause.id(),
        confidence: percent(diagnosis.confidence),
        scope: &diagnosis.scope,
        responsible: &diagnosis.responsible,
        said_by: &diagnosis.said_by,
        stage: diagnosis.stage.map(smtp::Stage::as_str),
        evidence: evidence.collect(),
        alternatives: diagnosis.alternatives.iter().map(alternative).collect(),
        checks: diagnosis
            .checks
            .iter()
            .map(|check| of_check(*check, case))
            .collect(),
        remedies: diagnosis.remedies.iter().map(|r| r.id()).collect(),
        retry_after_seconds: match diagnosis.hint {
            Some(Hint::RetryAfter(wait)) => Some(wait.as_secs()),
            Some(Hint::DoNotRetry) | None => None,
        },
        limits: diagnosis.limits.iter().map(limit).collect(),
        standards: diagnosis.cause.standards(),
    }
}

fn limit(limit: &Limit) -> JsonLimit {
    let (of, count, seconds) = crate::case::limit_parts(limit);
    JsonLimit { of, count, seconds }
}

/// A confidence in hundredths, as it is meant: 0.95 and not 0.949999988079071.
fn percent(confidence: f32) -> f64 {
    (f64::from(confidence) * 100.0).round() / 100.0
}

fn of_check(check: Check, case: &Case) -> JsonCheck {
    JsonCheck {
        id: check.id(),
        command: command(check, case),
    }
}

/// The command that makes a check, where one can be named from what the input holds.
pub(crate) fn command(check: Check, case: &Case) -> Option<String> {
    let domain = |address: &Option<String>| {
        let (_, domain) = address.as_deref()?.rsplit_once('@')?;
        let plain = domain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
        (plain && !domain.is_empty()).then(|| domain.to_owned())
    };
    let of = match check {
        Check::DnsOfDomain
        | Check::TcpAndBanner
        | Check::SizeAnnounced
        | Check::ExtensionsAnnounced
        | Check::LimitsAnnounced
        | Check::PathMtu
        | Check::StartTls
        // Which of our addresses is used, and how it is seen, depends on where the mail goes.
        | Check::BlockLists
        | Check::OurHelo
        | Check::OurPtr
        | Check::OwnRoutes => domain(&case.recipient)?,
        Check::SenderIdentity => match (domain(&case.recipient), domain(&case.about.from)?) {
            (Some(to), sender) => format!("{to} --sender {sender}"),
            (None, sender) => sender,
        },
        Check::AttemptHistory | Check::OwnConcurrency | Check::OwnFilter | Check::ReceivedTrail => {
            return None;
        }
    };
    Some(format!("postrider check {of}"))
}

fn readings(case: &Case, lang: Lang) -> Vec<JsonReading> {
    let one = |reading: readers::BareReading| {
        let (name, reply, status) = match reading.read_as {
            ReadAs::Reply(code) => ("reply", Some(code), None),
            ReadAs::Status(status) => ("status", None, Some(status)),
            ReadAs::Both(code, status) => ("both", Some(code), Some(status)),
        };
        let (headline, what) = of_code(reading.read_as, &reading.diagnosis, lang);
        let standard = standard(reading.read_as);
        JsonReading {
            reading: name,
            reply,
            status,
            title: standard.map(|s| s.0),
            standard: standard.map(|s| s.1),
            cause: reading.diagnosis.cause.id(),
            confidence: percent(reading.diagnosis.confidence),
            name: reading_name(reading.read_as, lang),
            headline,
            what,
        }
    };
    case.readings().into_iter().map(one).collect()
}
