//! A statement, read: which causes its codes and its words point to.

use smtp::EnhancedStatus;

use crate::phrases::{Heard, hear};
use crate::{Alternative, Cause, Dialect, Evidence, EvidenceSource, Statement, codes};

/// What points to a cause, and how strongly, in percent.
struct Sign {
    cause: Cause,
    strength: u8,
    evidence: Evidence,
}

/// The reading of a statement.
pub(crate) struct Reading {
    pub(crate) cause: Cause,
    pub(crate) confidence: f32,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) alternatives: Vec<Alternative>,
    pub(crate) dialect: Option<Dialect>,
}

/// Below this we do not claim to know.
const GUESS: u8 = 30;

pub(crate) fn read(statement: &Statement<'_>) -> Reading {
    let Statement {
        text,
        reply,
        status,
        stage,
        ..
    } = *statement;
    let Heard { found, dialect } = hear(text, reply, status, statement.dialect);
    let mut signs: Vec<Sign> = Vec::new();
    for found in found {
        let row = found.row;
        let same = signs.iter().position(|sign| sign.cause == row.cause);
        match same {
            Some(at) if signs[at].strength >= row.strength => continue,
            Some(at) => drop(signs.swap_remove(at)),
            None => {}
        }
        let (start, end) = found.span;
        signs.push(Sign {
            cause: row.cause,
            strength: row.strength,
            evidence: if start < end {
                words_evidence(text, found.span)
            } else {
                code_evidence(reply, status)
            },
        });
    }
    if let Some(status) = status {
        let pointers = codes::by_status(status, reply);
        signs.extend(by_code(pointers, || status_evidence(status)));
    }
    if let Some(code) = reply {
        let some_accepted = statement.circumstances.accepted_recipients > 0;
        let pointers = codes::by_reply(code, stage, some_accepted);
        signs.extend(by_code(pointers, || reply_evidence(code)));
    }
    conclude(signs, statement, dialect)
}

fn by_code(pointers: codes::Pointers, evidence: impl Fn() -> Evidence) -> Vec<Sign> {
    let sign = |(cause, strength): &(Cause, u8)| Sign {
        cause: *cause,
        strength: *strength,
        evidence: evidence(),
    };
    pointers.iter().map(sign).collect()
}

/// The strongest sign wins; signs that agree with it make it surer, the others are alternatives.
fn conclude(signs: Vec<Sign>, statement: &Statement<'_>, dialect: Option<Dialect>) -> Reading {
    let mut totals: Vec<(Cause, f32)> = Vec::new();
    for sign in &signs {
        let one = f32::from(sign.strength) / 100.0;
        match totals.iter_mut().find(|(cause, _)| *cause == sign.cause) {
            // Two independent signs: what is left of the doubt is the product of both doubts.
            Some((_, sure)) => *sure = 1.0 - (1.0 - *sure) * (1.0 - one * 0.5),
            None => totals.push((sign.cause, one)),
        }
    }
    totals.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some(&(cause, confidence)) = totals.first() else {
        return Reading {
            cause: Cause::CannotTell,
            confidence: 1.0,
            evidence: vec![code_evidence(statement.reply, statement.status)],
            alternatives: Vec::new(),
            dialect,
        };
    };
    let mut evidence: Vec<(u8, Evidence)> = Vec::new();
    for sign in signs {
        if sign.cause == cause {
            evidence.push((sign.strength, sign.evidence));
        }
    }
    evidence.sort_by_key(|(strength, _)| std::cmp::Reverse(*strength));
    let mut evidence: Vec<Evidence> = evidence.into_iter().map(|(_, e)| e).collect();
    evidence.extend(disagreement(statement));
    let rest = totals.iter().skip(1).filter(|(_, sure)| *sure >= 0.15);
    let alternatives = rest
        .map(|(cause, sure)| Alternative {
            cause: *cause,
            confidence: round(sure.min(1.0 - confidence).max(0.02)),
        })
        .collect();
    let too_weak = confidence < f32::from(GUESS) / 100.0;
    Reading {
        cause: if too_weak { Cause::CannotTell } else { cause },
        confidence: round(confidence.min(0.99)),
        evidence,
        alternatives,
        dialect,
    }
}

fn round(number: f32) -> f32 {
    (number * 100.0).round() / 100.0
}

/// The class of the enhanced status must be the first digit of the code (RFC 2034 §4); where it is
/// not, the code decides on finality (RFC 5321 §4.2.1) and we say that they disagree.
fn disagreement(statement: &Statement<'_>) -> Option<Evidence> {
    let (code, status) = (statement.reply?, statement.status?);
    (u16::from(status.class.digit()) != code / 100).then(|| Evidence {
        text: format!(
            "the reply {code} and the enhanced status {status} disagree on whether this is final; the reply counts"
        ),
        source: EvidenceSource::EnhancedStatus,
        span: None,
    })
}

fn words_evidence(text: &str, (start, end): (usize, usize)) -> Evidence {
    Evidence {
        text: text.get(start..end).unwrap_or_default().to_owned(),
        source: EvidenceSource::ReplyText,
        span: Some((start, end)),
    }
}

fn reply_evidence(code: u16) -> Evidence {
    Evidence {
        text: code.to_string(),
        source: EvidenceSource::ReplyCode,
        span: None,
    }
}

fn status_evidence(status: EnhancedStatus) -> Evidence {
    Evidence {
        text: status.to_string(),
        source: EvidenceSource::EnhancedStatus,
        span: None,
    }
}

/// The code, where there is nothing else.
fn code_evidence(reply: Option<u16>, status: Option<EnhancedStatus>) -> Evidence {
    match (reply, status) {
        (_, Some(status)) => status_evidence(status),
        (Some(code), None) => reply_evidence(code),
        (None, None) => Evidence {
            text: String::new(),
            source: EvidenceSource::ReplyText,
            span: None,
        },
    }
}
