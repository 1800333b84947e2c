//! A negative reply, read: which causes its code, its enhanced status and its words point to.

use smtp::{Class, EnhancedStatus, Reply, Stage};

use crate::facts::Circumstances;
use crate::phrases::{PHRASES, find};
use crate::{Alternative, Cause, Evidence, EvidenceSource};

/// What points to a cause, and how strongly, in percent.
struct Sign {
    cause: Cause,
    strength: u8,
    evidence: Evidence,
}

/// The reading of a reply.
pub(crate) struct Reading {
    pub(crate) cause: Cause,
    pub(crate) confidence: f32,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) alternatives: Vec<Alternative>,
}

/// A sign stronger than this decides against the words of weaker ones.
const STRONG: u8 = 85;
/// Below this we do not claim to know.
const GUESS: u8 = 30;

pub(crate) fn read(reply: &Reply, stage: Stage, circumstances: &Circumstances) -> Reading {
    let text = reply.text();
    let mut signs = by_words(&text);
    if let Some(status) = reply.status() {
        signs.extend(by_status(status, reply.code()));
    }
    signs.extend(by_code(reply.code(), stage, circumstances));
    conclude(signs, reply)
}

/// The strongest sign wins; signs that agree with it make it surer, the others are alternatives.
fn conclude(signs: Vec<Sign>, reply: &Reply) -> Reading {
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
            evidence: vec![code_evidence(reply.code())],
            alternatives: Vec::new(),
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
    evidence.extend(disagreement(reply));
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
    }
}

fn round(number: f32) -> f32 {
    (number * 100.0).round() / 100.0
}

/// The class of the enhanced status must be the first digit of the code (RFC 2034 §4); where it is
/// not, the code decides on finality (RFC 5321 §4.2.1) and we say that they disagree.
fn disagreement(reply: &Reply) -> Option<Evidence> {
    let status = reply.status()?;
    (u16::from(status.class.digit()) != reply.code() / 100).then(|| Evidence {
        text: format!(
            "the reply {} and the enhanced status {status} disagree on whether this is final; the reply counts",
            reply.code()
        ),
        source: EvidenceSource::EnhancedStatus,
        span: None,
    })
}

fn code_evidence(code: u16) -> Evidence {
    Evidence {
        text: code.to_string(),
        source: EvidenceSource::ReplyCode,
        span: None,
    }
}

fn by_words(text: &str) -> Vec<Sign> {
    // ASCII case does not change lengths: places in the one are places in the other.
    let lower = text.to_ascii_lowercase();
    let mut signs: Vec<Sign> = Vec::new();
    for row in PHRASES {
        if signs
            .iter()
            .any(|sign| sign.cause == row.cause && sign.strength >= row.strength)
        {
            continue;
        }
        if let Some((start, end)) = find(row.words, &lower) {
            signs.retain(|sign| sign.cause != row.cause);
            signs.push(Sign {
                cause: row.cause,
                strength: row.strength,
                evidence: Evidence {
                    text: text.get(start..end).unwrap_or_default().to_owned(),
                    source: EvidenceSource::ReplyText,
                    span: Some((start, end)),
                },
            });
        }
    }
    signs
}

/// RFC 3463 §3 and the IANA registry. Codes that say little are weak, so that words outrank them.
fn by_status(status: EnhancedStatus, code: u16) -> Option<Sign> {
    use Cause as C;
    let permanent = status.class == Class::Permanent;
    let (cause, strength) = match (status.subject, status.detail) {
        (1, 1 | 6 | 10) if code == 556 => (C::DomainTakesNoMail, STRONG),
        (1, 1) => (C::MailboxUnknown, 94),
        (1, 2) => (C::DomainUnknown, 86),
        (1, 3) => (C::AddressSyntax, 86),
        (1, 4) => (C::MailboxUnknown, 40),
        (1, 6) => (C::MailboxUnknown, 88),
        (1, 7 | 8) => (C::SenderRefused, 88),
        // X.1.10 is "null MX" in RFC 7505; Exchange says it for a recipient it cannot find.
        (1, 10) => (C::DomainTakesNoMail, 60),
        (1, 0) => (C::MailboxUnknown, 35),
        // Old lists spell the reply 421 as "4.2.1"; in RFC 3463 X.2.1 is "mailbox disabled".
        (2, 1) if code == 421 => (C::ServerBusy, 60),
        (2, 1) => (C::MailboxDisabled, if permanent { 88 } else { 55 }),
        (2, 2) => (C::MailboxFull, 94),
        (2, 3) => (C::MessageTooLarge, 90),
        (2, 0) => (C::MailboxBusy, 30),
        (3, 1) => (C::ServerFull, 90),
        (3, 2) => (C::ServerNotAccepting, 88),
        (3, 4) => (C::MessageTooLarge, 92),
        (3, 0 | 3 | 5) => (C::ServerError, 40),
        (4, 1) => (C::ConnectionTimeout, 70),
        (4, 2) => (C::ConnectionDropped, 75),
        (4, 3) => (C::DnsFailing, 75),
        (4, 4) => (C::NoMailServer, 70),
        (4, 5) => (C::ServerBusy, 78),
        (4, 6) => (C::RouteLoop, 92),
        (4, 7) => (C::QueueExpired, 80),
        (5, 1 | 2 | 4 | 5) => (C::ProtocolRefused, 60),
        (5, 3) => (C::TooManyRecipients, 90),
        (6, 1 | 2 | 3 | 5) => (C::CharsetUnsupported, 75),
        (6, 7..=9) => (C::AddressNeedsUtf8, 82),
        (6, 0) => (C::ContentRefused, 40),
        (7, 0..=2) => (C::PolicyRefused, 40),
        (7, 8 | 9 | 13) => (C::AuthRequired, 80),
        (7, 10 | 11) => (C::TlsRequired, 86),
        (7, 20..=26) => (C::IdentityUnproven, 88),
        (7, 27) => (C::SenderRefused, 86),
        (7, 28) => (C::PolicyRate, 88),
        _ => return None,
    };
    let evidence = Evidence {
        text: status.to_string(),
        source: EvidenceSource::EnhancedStatus,
        span: None,
    };
    Some(Sign {
        cause,
        strength,
        evidence,
    })
}

/// RFC 5321 §4.2.3: what a code alone says at the stage where it came. Always weak.
fn by_code(code: u16, stage: Stage, circumstances: &Circumstances) -> Vec<Sign> {
    use Cause as C;
    let some_were_taken = circumstances.accepted_recipients > 0;
    let at_rcpt = stage == Stage::Rcpt;
    let causes: &[(Cause, u8)] = match code {
        421 => &[(C::ServerBusy, 60)],
        // RFC 5321 §4.5.3.1.10: 452 once some recipients were taken means: the rest another time.
        452 if at_rcpt && some_were_taken => &[
            (C::TooManyRecipients, 55),
            (C::MailboxFull, 30),
            (C::ServerFull, 25),
        ],
        452 => &[(C::ServerFull, 50), (C::MailboxFull, 35)],
        450 if at_rcpt => &[
            (C::MailboxBusy, 40),
            (C::Greylisting, 30),
            (C::PolicyRefused, 20),
        ],
        450 => &[(C::PolicyRefused, 32), (C::ServerError, 20)],
        451 => &[(C::ServerError, 45), (C::Greylisting, 20)],
        454 => &[(C::ServerError, 32)],
        432 | 453 => &[(C::ServerNotAccepting, 70)],
        431 => &[(C::ServerFull, 65)],
        422 => &[(C::MailboxFull, 65)],
        441 | 442 => &[(C::ConnectionDropped, 50)],
        446 => &[(C::RouteLoop, 60)],
        447 => &[(C::QueueExpired, 60)],
        449 => &[(C::RouteMissing, 50)],
        465 => &[(C::CharsetUnsupported, 70)],
        471 => &[(C::PolicyRefused, 45), (C::Greylisting, 30)],
        500..=504 => &[(C::ProtocolRefused, 55)],
        // RFC 7504.
        521 | 556 => &[(C::DomainTakesNoMail, 70)],
        530 => &[(C::AuthRequired, 62)],
        535 | 538 => &[(C::AuthRequired, 70)],
        550 | 551 if at_rcpt => &[(C::MailboxUnknown, 45), (C::PolicyRefused, 25)],
        550 if stage == Stage::Mail => &[(C::SenderRefused, 45), (C::PolicyRefused, 30)],
        550 | 554 if stage == Stage::EndOfData => {
            &[(C::PolicyRefused, 35), (C::ContentRefused, 34)]
        }
        552 if at_rcpt => &[(C::MailboxFull, 55)],
        552 => &[(C::MessageTooLarge, 45), (C::MailboxFull, 40)],
        553 if stage == Stage::Mail => &[(C::SenderRefused, 50)],
        553 => &[(C::AddressSyntax, 45)],
        550 | 554 | 571 => &[(C::PolicyRefused, 40)],
        _ => &[],
    };
    let sign = |(cause, strength): &(Cause, u8)| Sign {
        cause: *cause,
        strength: *strength,
        evidence: code_evidence(code),
    };
    causes.iter().map(sign).collect()
}
