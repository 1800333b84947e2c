//! What a report says, and the message that it is.

use std::time::Duration;

use diagnosis::{Cause, Diagnosis, Finality};
use explain::{ArrivedRecipient, DelayedRecipient, FailedRecipient, Lang};
use jiff::Timestamp;
use queue::{
    Body, BodyKind, Message, MessageId, MessageKind, NewMessage, Origin, StoreError, Story,
};
use smtp::envelope::Return;
use smtp::{Address, Class, EnhancedStatus, Reply};

use super::{News, Told, language, returned};
use crate::addressees::Addressees;
use crate::engine::{Engine, later};
use crate::lane::Work;

/// How much of the original's header a report returns.
const HEADER_LIMIT: usize = 64 * 1024;

/// A report as it goes into the queue.
pub(super) async fn write(
    engine: &Engine,
    work: &Work,
    news: News,
    (sender, told): (&Address, &[Told<'_>]),
    addressees: Addressees,
    now: Timestamp,
) -> Result<NewMessage, StoreError> {
    let shared = &engine.shared;
    let id = new_id(engine, now);
    let original = original(engine, work, news).await?;
    let header = dsn::original_headers(&original.bytes, HEADER_LIMIT);
    let lang = language::of(&shared.settings, sender, header);
    let words = words(engine, work, news, told, now, lang).await?;
    let hostname = &shared.settings.hostname;
    let original_id = match news {
        // What is returned is a report, and not the message.
        News::Returned => told
            .iter()
            .find_map(|t| t.back?.message_id.map(str::to_owned)),
        News::Failed | News::Delayed | News::Arrived | News::Expanded => dsn::message_id(header),
    };
    // RFC 6533 §4: the sender's own system knows what is beyond ASCII, where it has sent it.
    let international = work.message.smtputf8;
    let report = dsn::Report {
        from: &format!("MAILER-DAEMON@{hostname}"),
        to: sender,
        subject: &words.subject,
        date: now,
        message_id: &format!("{id}@{hostname}"),
        reporting_mta: hostname,
        arrival_date: work.message.received_at,
        envelope_id: work
            .message
            .options
            .envelope_id
            .as_ref()
            .map(|e| e.as_str()),
        explanation: &words.explanation,
        lang: lang.as_str(),
        recipients: told.iter().map(|t| per_recipient(t, work, now)).collect(),
        original: match original.whole {
            true => dsn::Original::Message(&original.bytes),
            false => dsn::Original::Headers(header),
        },
        in_reply_to: original_id.as_deref(),
        international,
    };
    into_message(
        engine,
        work,
        (id, sender),
        &report.to_bytes(),
        addressees,
        now,
    )
    .await
}

struct Words {
    subject: String,
    explanation: String,
}

async fn words(
    engine: &Engine,
    work: &Work,
    news: News,
    told: &[Told<'_>],
    now: Timestamp,
    lang: Lang,
) -> Result<Words, StoreError> {
    let hostname = &engine.shared.settings.hostname;
    let message = &work.message;
    Ok(match news {
        News::Failed => {
            let story = match told.iter().any(|t| t.attempts > 1) {
                true => Some(engine.shared.store.story(message.id).await?),
                false => None,
            };
            let failed = failed(told, message.received_at, story.as_ref());
            Words {
                subject: explain::report_subject(&failed, lang),
                explanation: explain::report(&failed, hostname, now, lang),
            }
        }
        News::Delayed => {
            let delayed: Vec<DelayedRecipient<'_>> = told
                .iter()
                .map(|t| DelayedRecipient {
                    address: t.address,
                    diagnosis: t.diagnosis,
                    next: t.next.as_ref(),
                    attempts: t.attempts,
                })
                .collect();
            let times = (message.received_at, message.expires_at);
            Words {
                subject: explain::delay_subject(&delayed, lang),
                explanation: explain::delay(&delayed, hostname, times, now, lang),
            }
        }
        News::Expanded => {
            let one = |t: &Told<'_>| (t.action == dsn::Action::Delivered, t.address.clone());
            let addresses: Vec<(bool, Address)> = told.iter().map(one).collect();
            Words {
                subject: explain::expanded_subject(&addresses, lang),
                explanation: explain::expanded(&addresses, hostname, lang),
            }
        }
        News::Returned => {
            let addresses: Vec<&Address> = told.iter().map(|t| t.address).collect();
            Words {
                subject: explain::returned_subject(&addresses, lang),
                explanation: explain::returned(&returned::recipients(told), hostname, now, lang),
            }
        }
        News::Arrived => {
            let arrived: Vec<ArrivedRecipient<'_>> = told
                .iter()
                .map(|t| ArrivedRecipient {
                    address: t.address,
                    relayed_to: (t.action == dsn::Action::Relayed)
                        .then(|| t.reply.map(Reply::peer).unwrap_or_default()),
                })
                .collect();
            Words {
                subject: explain::arrival_subject(&arrived, lang),
                explanation: explain::arrival(&arrived, hostname, lang),
            }
        }
    })
}

fn failed<'a>(
    told: &'a [Told<'a>],
    received_at: Timestamp,
    story: Option<&Story>,
) -> Vec<FailedRecipient<'a>> {
    let failed = |t: &'a Told<'a>| {
        Some(FailedRecipient {
            address: t.address,
            diagnosis: t.diagnosis?,
            peer_words: t
                .reply
                .map(|r| String::from_utf8_lossy(r.raw()).trim_end().to_owned()),
            peer: t.reply.map(|r| r.peer().to_owned()),
            attempts: t.attempts,
            received_at,
            history: story.map(|s| causes_met(s, t.index)).unwrap_or_default(),
        })
    };
    told.iter().filter_map(failed).collect()
}

fn per_recipient<'a>(told: &'a Told<'a>, work: &Work, now: Timestamp) -> dsn::PerRecipient<'a> {
    dsn::PerRecipient {
        original_recipient: told
            .original
            .as_ref()
            .map(|o| (o.kind.as_str(), o.address.as_str())),
        final_recipient: told.address,
        action: told.action,
        status: match (told.action, told.diagnosis) {
            (dsn::Action::Failed, Some(diagnosis)) => {
                let mut status = status_of(diagnosis);
                // RFC 2852 §4.1.4: the sender set the time, and it is over for good.
                if work.message.options.deliver_by.is_some() && is_expired(diagnosis) {
                    status.class = Class::Permanent;
                }
                status
            }
            (dsn::Action::Delayed, Some(diagnosis)) => {
                let status = status_of(diagnosis);
                EnhancedStatus::new(Class::Transient, status.subject, status.detail)
            }
            (dsn::Action::Failed | dsn::Action::Delayed, None) => {
                EnhancedStatus::new(Class::Transient, 4, 7)
            }
            // RFC 3461 §5.2.2, §5.2.3; 2.1.9 is of RFC 3886 §4.
            (dsn::Action::Relayed, _) => EnhancedStatus::new(Class::Success, 1, 9),
            (dsn::Action::Delivered | dsn::Action::Expanded, _) => {
                EnhancedStatus::new(Class::Success, 0, 0)
            }
        },
        remote_mta: told
            .reply
            .map(Reply::peer)
            .or_else(|| told.back?.failure.reporter.as_deref()),
        diagnostic: told.reply,
        last_attempt: (told.attempts > 0)
            .then_some(now)
            .filter(|_| told.action != dsn::Action::Delayed),
        will_retry_until: (told.action == dsn::Action::Delayed).then_some(work.message.expires_at),
        cause: told.diagnosis.map(|diagnosis| diagnosis.cause.id()),
    }
}

fn is_expired(diagnosis: &Diagnosis) -> bool {
    diagnosis.cause == Cause::QueueExpired
}

struct OriginalBytes {
    bytes: Vec<u8>,
    whole: bool,
}

/// What is returned: the header, or all of it where the sender wants it back and it is not too much
/// (RFC 3461 §4.3: only with a failure).
async fn original(engine: &Engine, work: &Work, news: News) -> Result<OriginalBytes, StoreError> {
    let body = match &work.body {
        Some(body) => body.clone(),
        None => engine.shared.store.body(work.message.id).await?,
    };
    let asked = match news {
        News::Failed => work.message.options.ret == Some(Return::Full),
        News::Returned => true,
        News::Delayed | News::Arrived | News::Expanded => false,
    };
    let most = engine.shared.settings.report_full_limit;
    let binary = work.message.body_kind == BodyKind::Binary && news != News::Returned;
    let whole = asked && body.size() <= most && !binary;
    let bytes = match body {
        Body::Inline(bytes) => bytes.to_vec(),
        Body::File(source) => {
            let wanted = if whole {
                usize::try_from(most).unwrap_or(usize::MAX)
            } else {
                HEADER_LIMIT
            };
            let mut bytes = Vec::new();
            while bytes.len() < wanted {
                let piece = source
                    .read(bytes.len() as u64, wanted - bytes.len())
                    .await?;
                if piece.is_empty() {
                    break;
                }
                bytes.extend_from_slice(&piece);
            }
            bytes
        }
    };
    Ok(OriginalBytes { bytes, whole })
}

/// How often each cause was met before, in order of first occurrence.
fn causes_met(story: &Story, index: u32) -> Vec<(Cause, u32)> {
    let mut met: Vec<(Cause, u32)> = Vec::new();
    let verdicts = story.attempts.iter().flat_map(|a| &a.verdicts);
    for verdict in verdicts.filter(|v| v.index == index) {
        let Some(diagnosis) = &verdict.diagnosis else {
            continue;
        };
        match met.iter_mut().find(|(cause, _)| *cause == diagnosis.cause) {
            Some((_, count)) => *count += 1,
            None => met.push((diagnosis.cause, 1)),
        }
    }
    met
}

pub(super) fn new_id(engine: &Engine, now: Timestamp) -> MessageId {
    let mut random = [0; 10];
    engine.shared.world.random.fill(&mut random);
    MessageId::new(now.as_millisecond().max(0) as u64, &random)
}

async fn into_message(
    engine: &Engine,
    work: &Work,
    (id, sender): (MessageId, &Address),
    bytes: &[u8],
    addressees: Addressees,
    now: Timestamp,
) -> Result<NewMessage, StoreError> {
    let shared = &engine.shared;
    let mut writer = shared.store.stage(id);
    writer.write(bytes).await?;
    let body = writer.finish().await?;
    let lifetime: Duration = shared.settings.report_lifetime;
    let message = Message {
        id,
        sender: Address::null(),
        received_at: now,
        expires_at: later(now, lifetime),
        size: body.size(),
        body_kind: if bytes.is_ascii() {
            BodyKind::SevenBit
        } else {
            BodyKind::EightBit
        },
        smtputf8: !sender.is_ascii() || work.message.smtputf8 && !bytes.is_ascii(),
        hops: 0,
        kind: MessageKind::Report,
        origin: Origin {
            client: "local".to_owned(),
            helo: None,
            protocol: "local".to_owned(),
            about: Some(work.message.id),
        },
        options: queue::Options::default(),
    };
    let events = addressees.events(id, now);
    Ok(NewMessage {
        message,
        body,
        recipients: addressees.recipients,
        events,
        held: false,
    })
}

/// RFC 3464 §2.3.4: the status is the reporting relay's. The peer's own where it gave one, in the
/// class of a failure; else what the cause is in RFC 3463.
fn status_of(diagnosis: &Diagnosis) -> EnhancedStatus {
    if diagnosis.cause == Cause::QueueExpired {
        // RFC 3463 §3.5: X.4.7, delivery time expired; persistent transient, so class 4.
        return EnhancedStatus::new(Class::Transient, 4, 7);
    }
    if let Some(status) = diagnosis.status
        && status.class != Class::Success
    {
        let class = match diagnosis.finality {
            Finality::Permanent => Class::Permanent,
            Finality::Transient | Finality::Unknown => status.class,
        };
        return EnhancedStatus::new(class, status.subject, status.detail);
    }
    let (subject, detail) = diagnosis.cause.status();
    EnhancedStatus::new(Class::Permanent, subject, detail)
}
