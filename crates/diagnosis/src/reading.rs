//! A statement, read: which causes its codes and its words point to.

use smtp::{Class, EnhancedStatus, Stage};

use crate::phrases::{Found, Heard, hear};
use crate::{Alternative, Cause, Dialect, Evidence, EvidenceSource, SaidBy, Statement, codes};

/// What points to a cause, and how strongly, in percent.
struct Sign {
    cause: Cause,
    strength: u8,
    /// Said in words, or in a code that itself says much.
    plain: bool,
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
const GUESS: f32 = 0.30;
/// A code points plainly from this strength on; the weak ones (X.0.0, X.5.0, 5.7.1, 450, 554) lie below.
const PLAIN: u8 = 60;
/// So sure must a named cause be to replace a vague one, and so much less sure may it be.
const NAMED: f32 = 0.45;
const BEHIND: f32 = 0.45;
/// Words this strong leave no doubt: what they say stands, even where it is vague.
const CERTAIN: u8 = 98;

pub(crate) fn read(statement: &Statement<'_>) -> Reading {
    let Statement {
        text,
        reply,
        status,
        stage,
        ..
    } = *statement;
    let Heard { found, dialect } = hear(text, reply, status, stage, &speakers(statement));
    let mut signs = by_words(&found, statement);
    if let Some(status) = status {
        let pointers = codes::by_status(status, reply);
        let by_status = by_code(pointers, || status_evidence(status));
        // A report's own status field is worth little where the peer's words hold another.
        let doubted = own_status(text).is_some_and(|own| own != status);
        signs.extend(by_status.into_iter().map(|sign| match doubted {
            true => Sign {
                strength: sign.strength / 2,
                plain: false,
                ..sign
            },
            false => sign,
        }));
    }
    if let Some(code) = reply {
        let some_accepted = statement.circumstances.accepted_recipients > 0;
        let pointers = codes::by_reply(code, stage, some_accepted);
        signs.extend(by_code(pointers, || reply_evidence(code)));
    }
    if stage == Some(Stage::Mail) {
        for sign in &mut signs {
            sign.cause = of_the_sender(sign.cause);
        }
    }
    conclude(signs, statement, dialect)
}

/// Who is known to speak: who wrote the report, and the peer that is quoted; first whose words they are.
fn speakers(statement: &Statement<'_>) -> [Option<Dialect>; 2] {
    let peer = statement.peer.and_then(Dialect::of_peer);
    if statement.said_by == SaidBy::Receiver {
        [peer, statement.dialect]
    } else {
        [statement.dialect, peer]
    }
}

/// RFC 5321 §3.3: MAIL names the sender; the peer knows of no recipient yet.
fn of_the_sender(cause: Cause) -> Cause {
    let about = OF_THE_SENDER.iter().find(|(read, _)| *read == cause);
    about.map_or(cause, |(_, meant)| *meant)
}

const OF_THE_SENDER: &[(Cause, Cause)] = &[
    (Cause::MailboxUnknown, Cause::SenderUnverified),
    (Cause::MailboxDisabled, Cause::SenderBlocked),
    (Cause::AddressSyntax, Cause::SenderRefused),
    (Cause::DomainUnknown, Cause::SenderDomainUnknown),
    (Cause::NoMailServer, Cause::SenderDomainUnknown),
    (Cause::DomainTakesNoMail, Cause::SenderNullMx),
];

/// The enhanced status code that stands in the words themselves, right behind a reply code
/// (RFC 2034 §4).
fn own_status(text: &str) -> Option<EnhancedStatus> {
    let mut words = text.split([' ', '-', '\'', '"', '#', '<', '(', ':']);
    let mut before = "";
    loop {
        let word = words.next()?;
        let is_code = before.len() == 3 && before.starts_with(['4', '5']);
        if is_code
            && before.bytes().all(|b| b.is_ascii_digit())
            && let Some(status) = dotted(word)
        {
            return Some(status);
        }
        before = word;
    }
}

/// `5.7.1`.
fn dotted(text: &str) -> Option<EnhancedStatus> {
    let mut parts = text.split('.');
    let class = match parts.next()? {
        "4" => Class::Transient,
        "5" => Class::Permanent,
        _ => return None,
    };
    let subject = parts.next()?.parse().ok()?;
    let detail = parts.next()?.parse().ok()?;
    let none_left = parts.next().is_none();
    none_left.then(|| EnhancedStatus::new(class, subject, detail))
}

/// The strongest row for each cause.
fn by_words(found: &[Found], statement: &Statement<'_>) -> Vec<Sign> {
    let mut signs: Vec<Sign> = Vec::new();
    for found in found {
        let row = found.row;
        match signs.iter().position(|sign| sign.cause == row.cause) {
            Some(at) if signs[at].strength >= row.strength => continue,
            Some(at) => drop(signs.swap_remove(at)),
            None => {}
        }
        let (start, end) = found.span;
        signs.push(Sign {
            cause: row.cause,
            strength: row.strength,
            plain: true,
            evidence: if start < end {
                words_evidence(statement.text, found.span)
            } else {
                code_evidence(statement.reply, statement.status)
            },
        });
    }
    signs
}

fn by_code(pointers: codes::Pointers, evidence: impl Fn() -> Evidence) -> Vec<Sign> {
    let sign = |(cause, strength): &(Cause, u8)| Sign {
        cause: *cause,
        strength: *strength,
        plain: *strength >= PLAIN,
        evidence: evidence(),
    };
    pointers.iter().map(sign).collect()
}

/// A cause with all its signs taken together.
struct Total {
    cause: Cause,
    sure: f32,
    plain: bool,
    certain: bool,
}

/// The strongest cause first. Two independent signs: what is left of the doubt is the product of both
/// doubts, the second counting half, since words and codes are seldom independent.
fn total(signs: &[Sign]) -> Vec<Total> {
    let mut totals: Vec<Total> = Vec::new();
    for sign in signs {
        let one = f32::from(sign.strength) / 100.0;
        match totals.iter_mut().find(|total| total.cause == sign.cause) {
            Some(total) => {
                let (more, less) = (total.sure.max(one), total.sure.min(one));
                total.sure = 1.0 - (1.0 - more) * (1.0 - less * 0.5);
                total.plain |= sign.plain;
                total.certain |= sign.strength >= CERTAIN;
            }
            None => totals.push(Total {
                cause: sign.cause,
                sure: one,
                plain: sign.plain,
                certain: sign.strength >= CERTAIN,
            }),
        }
    }
    totals.sort_by(|a, b| b.sure.total_cmp(&a.sure));
    // A cause with a name outranks one that only says "no", where it was said plainly; and both outrank
    // the end of the lifetime, which is what came of them.
    for vague in [2, 1] {
        let may_be_replaced = |t: &&Total| vagueness(t.cause) >= vague && !t.certain;
        let Some(first) = totals.first().filter(may_be_replaced) else {
            continue;
        };
        let least = NAMED.max(first.sure - BEHIND);
        let named =
            |total: &Total| total.plain && vagueness(total.cause) < vague && total.sure >= least;
        if let Some(at) = totals.iter().position(named) {
            totals[..=at].rotate_right(1);
        }
    }
    totals
}

/// 0 for a cause with a name, 1 for those that tell no more than that something was refused or failed, 2
/// for those that tell what became of the message and not why.
const fn vagueness(cause: Cause) -> u8 {
    if matches!(cause, Cause::QueueExpired | Cause::CannotTell) {
        2
    } else if matches!(
        cause,
        Cause::PolicyRefused
            | Cause::ContentRefused
            | Cause::ProtocolRefused
            | Cause::ProtocolSequence
            | Cause::ServerError
            | Cause::ServerBusy
    ) {
        1
    } else {
        0
    }
}

/// How sure the first is beside the others: each that contradicts it takes of its odds. What is vague
/// contradicts nothing that has a name.
fn confidence(totals: &[Total]) -> f32 {
    let odds = |sure: f32| sure.min(0.99) / (1.0 - sure.min(0.99));
    let Some((first, rest)) = totals.split_first() else {
        return 0.0;
    };
    let against: f32 = rest
        .iter()
        .filter(|other| other.plain && vagueness(other.cause) <= vagueness(first.cause))
        .map(|other| odds(other.sure))
        .sum();
    let mine = odds(first.sure);
    first.sure.min(mine / (mine + against)).min(0.99)
}

fn conclude(signs: Vec<Sign>, statement: &Statement<'_>, dialect: Option<Dialect>) -> Reading {
    let totals = total(&signs);
    let sure = confidence(&totals);
    let first = totals
        .first()
        .filter(|first| first.cause != Cause::CannotTell);
    let known = first.filter(|_| sure >= GUESS);
    let cause = known.map_or(Cause::CannotTell, |first| first.cause);
    let mut evidence: Vec<(u8, Evidence)> = signs
        .into_iter()
        .filter(|sign| first.is_some_and(|first| first.cause == sign.cause))
        .map(|sign| (sign.strength, sign.evidence))
        .collect();
    evidence.sort_by_key(|(strength, _)| std::cmp::Reverse(*strength));
    let mut evidence: Vec<Evidence> = evidence.into_iter().map(|(_, e)| e).collect();
    if evidence.is_empty() {
        evidence.push(code_evidence(statement.reply, statement.status));
    }
    evidence.extend(disagreement(statement));
    let confidence = if known.is_some() { sure } else { 1.0 - sure };
    let mut alternatives: Vec<Alternative> = totals
        .iter()
        .filter(|other| other.cause != cause && other.sure >= 0.15)
        .map(|other| Alternative {
            cause: other.cause,
            confidence: round(other.sure.min(1.0 - confidence).max(0.02)),
        })
        .collect();
    alternatives.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Reading {
        cause,
        confidence: round(confidence),
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
