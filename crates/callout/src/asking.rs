//! One question: the way to the next hop, and the talk there.

use diagnosis::facts::{Break, BreakKind, NoRoute};
use diagnosis::{Failure, FailureKind};
use queue::route::Target;
use routing::{Candidate, Own, Way};
use smtp::{Address, Extensions, Reply, Severity, Stage};
use tls::Connector;

use crate::conversation::{self, NotReady, greet, hello, how, would_take};
use crate::service::Shared;
use crate::talk::{Ended, Talk};
use crate::verdict::{About, about};

/// Servers that are tried for one question.
const MOST_SERVERS: usize = 5;

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The recipient would be taken.
    Taken {
        /// Whether another name, made up on the spot, would be too; none: nobody asked.
        any: Option<bool>,
    },
    /// It would not.
    Refused(Reply),
    /// Nobody can tell.
    Failed(Failure),
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) address: &'a Address,
    pub(crate) target: &'a Target,
    /// Our name.
    pub(crate) helo: &'a str,
    /// A name that nobody has, to learn whether the server takes every name.
    pub(crate) nobody: Option<&'a Address>,
}

/// Asks one server after the other until one has answered.
pub(crate) async fn ask(shared: &Shared, question: Question<'_>) -> Outcome {
    let own = Own {
        hostname: &shared.settings.hostname,
        smtp_port: shared.settings.smtp_port,
    };
    let (resolver, random) = (&*shared.resolver, &*shared.world.random);
    let (candidates, lmtp) = match routing::resolve(question.target, own, resolver, random).await {
        Ok(Way::Servers {
            candidates, lmtp, ..
        }) => (candidates, lmtp),
        // There is nobody to ask: what is wrong there is told when mail is delivered.
        Ok(Way::Maildir { .. } | Way::Program { .. }) => return Outcome::Taken { any: None },
        Err(no_route) => return failed(Stage::Route, FailureKind::NoRoute(no_route)),
    };
    let mut last = None;
    for candidate in candidates.iter().take(MOST_SERVERS) {
        match one(shared, question, candidate, lmtp).await {
            Ok(outcome) => return outcome,
            Err(failure) => last = Some(merged(last, failure)),
        }
    }
    let nowhere = || Failure {
        stage: Stage::Route,
        kind: FailureKind::NoRoute(NoRoute::NoDomain {
            address: question.address.to_string(),
        }),
    };
    Outcome::Failed(last.unwrap_or_else(nowhere))
}

/// Servers that cannot be reached are told together.
fn merged(before: Option<Failure>, failure: Failure) -> Failure {
    match (before.map(|before| before.kind), failure.kind) {
        (Some(FailureKind::Connect(mut tries)), FailureKind::Connect(more)) => {
            tries.extend(more);
            Failure {
                stage: failure.stage,
                kind: FailureKind::Connect(tries),
            }
        }
        (_, kind) => Failure {
            stage: failure.stage,
            kind,
        },
    }
}

fn failed(stage: Stage, kind: FailureKind) -> Outcome {
    Outcome::Failed(Failure { stage, kind })
}

/// Asks one server; `Err`: the next may know more.
async fn one(
    shared: &Shared,
    question: Question<'_>,
    to: &Candidate,
    lmtp: bool,
) -> Result<Outcome, Failure> {
    let opened = match open(shared, question, to, lmtp, true).await {
        // As mail goes: where encryption fails that nobody demands, in the clear (RFC 7435).
        Err(Unready::Handshake) => open(shared, question, to, lmtp, false).await,
        opened => opened,
    };
    let (mut talk, extensions) = match opened {
        Ok(opened) => opened,
        Err(Unready::Failed(failure)) => return Err(failure),
        Err(Unready::Handshake) => {
            return Err(ended(Stage::StartTls, Ended::NotSmtp));
        }
    };
    let said = converse(&mut talk, &extensions, question, &shared.postmaster).await;
    if said.is_ok() {
        talk.quit().await;
    }
    said.map_err(|(stage, how)| ended(stage, how))
}

enum Unready {
    Failed(Failure),
    Handshake,
}

impl From<Failure> for Unready {
    fn from(failure: Failure) -> Unready {
        Unready::Failed(failure)
    }
}

/// Connects, says who we are, and encrypts where that is offered.
async fn open(
    shared: &Shared,
    question: Question<'_>,
    to: &Candidate,
    lmtp: bool,
    encrypt: bool,
) -> Result<(Talk, Extensions), Unready> {
    let settings = &shared.settings;
    let (connecting, patience) = (settings.connect_timeout, settings.reply_timeout);
    let opened = Talk::open(&*shared.world.net, &to.host, &to.peer, connecting, patience).await;
    let mut talk = opened.map_err(|tried| Failure {
        stage: Stage::Connect,
        kind: FailureKind::Connect(vec![tried]),
    })?;
    let implicit = is_implicit(question.target);
    let connector = settings.tls.as_ref();
    if implicit {
        let connector = connector.ok_or(Unready::Handshake)?;
        secure(&mut talk, connector, to).await?;
    }
    let greeted = greet(&mut talk, lmtp, question.helo).await;
    let mut extensions = Extensions::of(&ready(&mut talk, greeted).await?);
    let Some(connector) = connector.filter(|_| extensions.starttls && !implicit && encrypt) else {
        return Ok((talk, extensions));
    };
    let reply = talk.say(Stage::StartTls, Some("STARTTLS")).await;
    let reply = reply.map_err(|how| ended(Stage::StartTls, how))?;
    // RFC 3207 §4: anything else, and the session goes on in the clear.
    if reply.code() == 220 {
        secure(&mut talk, connector, to).await?;
        let said = hello(&mut talk, lmtp, question.helo).await;
        extensions = Extensions::of(&ready(&mut talk, said).await?);
    }
    Ok((talk, extensions))
}

fn is_implicit(target: &Target) -> bool {
    use queue::route::NextHop;
    matches!(target, Target::Hop(NextHop::Smtps(_)))
}

async fn secure(talk: &mut Talk, connector: &Connector, to: &Candidate) -> Result<(), Unready> {
    let shaken = talk.secure(connector, &to.host, Vec::new()).await;
    shaken.map(|_| ()).map_err(|_| Unready::Handshake)
}

async fn ready(talk: &mut Talk, greeted: Result<Reply, NotReady>) -> Result<Reply, Failure> {
    match greeted {
        Ok(reply) => Ok(reply),
        Err(NotReady::Refused(stage, reply)) => {
            talk.quit().await;
            let kind = FailureKind::Replied(reply);
            Err(Failure { stage, kind })
        }
        Err(NotReady::Ended(stage, how)) => Err(ended(stage, how)),
    }
}

fn ended(stage: Stage, ended: Ended) -> Failure {
    let kind = match how(ended) {
        Some(how) => FailureKind::Broken(Break {
            how,
            content_sent: 0,
            content_size: 0,
            silent_ms: 0,
            path: None,
        }),
        None => FailureKind::NotSmtp {
            received: String::new(),
        },
    };
    Failure { stage, kind }
}

/// Asks for the empty reverse-path, and where that may be what the server dislikes, for ours.
async fn converse(
    talk: &mut Talk,
    extensions: &Extensions,
    question: Question<'_>,
    postmaster: &Address,
) -> Result<Outcome, (Stage, Ended)> {
    let null = Address::null();
    let mut outcome = None;
    for sender in [&null, postmaster] {
        let (stage, reply) = would_take(talk, extensions, sender, question.address).await?;
        let failure = Failure {
            stage,
            kind: FailureKind::Replied(reply.clone()),
        };
        let said = match about(stage, &reply) {
            About::Taken => Some(Outcome::Taken {
                any: takes_any(talk, question).await,
            }),
            About::Refused => Some(Outcome::Refused(reply)),
            About::Other => Some(Outcome::Failed(failure.clone())),
            About::Unclear if stage == Stage::Rcpt && takes_postmaster(talk, question).await? => {
                Some(Outcome::Refused(reply))
            }
            About::Unclear => None,
        };
        let reset = talk.say(Stage::Reset, Some("RSET")).await;
        match said {
            // It has been said, whatever becomes of the talk.
            Some(said) => return Ok(said),
            None => outcome = outcome.or(Some(Outcome::Failed(failure))),
        }
        reset.map_err(|ended| (Stage::Reset, ended))?;
    }
    // Both were refused; the first refusal is what mail without a sender would meet.
    let silent = || ended(Stage::Rcpt, Ended::NotSmtp);
    Ok(outcome.unwrap_or_else(|| Outcome::Failed(silent())))
}

/// RFC 5321 §4.5.1: a server takes mail for postmaster. One that takes it from us dislikes the recipient.
async fn takes_postmaster(talk: &mut Talk, question: Question<'_>) -> Result<bool, (Stage, Ended)> {
    let domain = question.address.domain().unwrap_or_default();
    let Ok(postmaster) = Address::parse(&format!("postmaster@{domain}"), true) else {
        return Ok(false);
    };
    let (_, reply) = conversation::rcpt(talk, &postmaster).await?;
    Ok(reply.severity() == Severity::Completion)
}

async fn takes_any(talk: &mut Talk, question: Question<'_>) -> Option<bool> {
    let (_, reply) = conversation::rcpt(talk, question.nobody?).await.ok()?;
    match reply.severity() {
        Severity::Completion => Some(true),
        Severity::Permanent => Some(false),
        Severity::Preliminary | Severity::Intermediate | Severity::Transient => None,
    }
}

/// The question took longer than it may.
pub(crate) fn out_of_time(after: std::time::Duration) -> Outcome {
    let kind = FailureKind::Broken(Break {
        how: BreakKind::TimedOut,
        content_sent: 0,
        content_size: 0,
        silent_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        path: None,
    });
    failed(Stage::Rcpt, kind)
}
