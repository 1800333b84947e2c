//! The rules: from what happened to what it means.

mod insecure;
mod program;

use smtp::{Reply, Stage};

use crate::facts::{
    Break, BreakKind, CannotLogIn, CannotSend, Circumstances, ConnectError, ConnectTry, NoRoute,
    Outcome, PathState,
};
use crate::{
    Alternative, Cause, Diagnosis, Evidence, EvidenceSource, Failure, FailureKind, Finality,
    Responsible, SaidBy, Scope, Statement, interpret,
};

/// What an outcome means; `None` where the message was taken.
#[must_use]
pub fn diagnose(outcome: &Outcome, circumstances: &Circumstances) -> Option<Diagnosis> {
    match outcome {
        Outcome::Accepted(_) => None,
        Outcome::Failed(failure) => Some(failed(failure, circumstances)),
        Outcome::Unknown(failure) => Some(unknown(failure)),
    }
}

/// Something that this relay saw for itself, before the traits of its cause are filled in: nobody
/// replied.
struct Finding {
    cause: Cause,
    confidence: f32,
    finality: Finality,
    evidence: Vec<Evidence>,
    alternatives: Vec<Alternative>,
}

impl Finding {
    fn seen(cause: Cause, finality: Finality, source: EvidenceSource, text: String) -> Finding {
        Finding {
            cause,
            confidence: 0.95,
            finality,
            evidence: vec![Evidence {
                text,
                source,
                span: None,
            }],
            alternatives: Vec::new(),
        }
    }

    fn or(mut self, cause: Cause, confidence: f32) -> Finding {
        self.alternatives.push(Alternative { cause, confidence });
        self
    }

    fn sure(mut self, confidence: f32) -> Finding {
        self.confidence = confidence;
        self
    }

    fn at(self, stage: Stage) -> Diagnosis {
        let cause = self.cause;
        Diagnosis {
            cause,
            confidence: self.confidence,
            scope: cause.scope(Some(stage)),
            responsible: cause.responsible(),
            said_by: SaidBy::Sender,
            stage: Some(stage),
            reply: None,
            status: None,
            finality: self.finality,
            address_dead: cause.address_dead(self.finality == Finality::Permanent),
            sender_blocked: cause.blocks_sender(),
            dialect: None,
            evidence: self.evidence,
            alternatives: self.alternatives,
            checks: cause.checks().to_vec(),
            remedies: cause.remedies().to_vec(),
            hint: None,
            limits: Vec::new(),
        }
    }
}

fn failed(failure: &Failure, circumstances: &Circumstances) -> Diagnosis {
    let stage = failure.stage;
    let finding = match &failure.kind {
        FailureKind::Replied(reply) => return replied(reply, stage, circumstances),
        FailureKind::NoRoute(no_route) => unroutable(no_route),
        FailureKind::Connect(tries) => unconnected(tries),
        FailureKind::Broken(broken) => dropped(broken),
        FailureKind::CannotSend(what) => unfit(what),
        FailureKind::NotSmtp { received } => Finding::seen(
            Cause::NotSmtp,
            Finality::Transient,
            EvidenceSource::Connection,
            received.clone(),
        ),
        FailureKind::Insecure(insecure) => return insecure::met(insecure, stage),
        FailureKind::Local(local) => Finding::seen(
            Cause::LocalFailure,
            Finality::Transient,
            EvidenceSource::Connection,
            format!("{}: {}", local.doing, local.reported),
        ),
        FailureKind::CannotLogIn(why) => not_logged_in(why),
        FailureKind::Program(program) => program::ended(program),
        FailureKind::Expired {
            age_secs,
            last,
            last_reply,
        } => expired(*age_secs, *last, last_reply.as_ref()),
        FailureKind::TooManyHops {
            hops,
            limit,
            repeated,
        } => looping(*hops, *limit, repeated),
        FailureKind::DeliveredBefore { times, mailbox } => Finding::seen(
            Cause::RouteLoop,
            Finality::Permanent,
            EvidenceSource::Message,
            format!("Delivered-To: {mailbox}, {times} times before"),
        ),
        FailureKind::Interrupted => return unknown(failure),
    };
    let mut diagnosis = finding.at(stage);
    if failure.is_local_connect() {
        diagnosis.scope = Scope::Us;
    }
    diagnosis
}

fn replied(reply: &Reply, stage: Stage, circumstances: &Circumstances) -> Diagnosis {
    let text = reply.text();
    // The name before the address: `mx.example.org[192.0.2.1]:25`.
    let host = reply.peer().split(['[', ':']).next().unwrap_or_default();
    let mut diagnosis = interpret(&Statement {
        reply: Some(reply.code()),
        status: reply.status(),
        stage: Some(stage),
        peer: (!host.is_empty()).then_some(host),
        circumstances: circumstances.clone(),
        ..Statement::new(&text)
    });
    // RFC 5321 §3.8: 421 may speak of how many connections there are.
    if let (421, Some(own)) = (reply.code(), circumstances.own_connections) {
        diagnosis.evidence.push(Evidence {
            text: format!("connections of ours there at that time: {own}"),
            source: EvidenceSource::Queue,
            span: None,
        });
    }
    diagnosis
}

/// RFC 4954: what keeps us from logging in is ours to mend.
fn not_logged_in(why: &CannotLogIn) -> Finding {
    let seen =
        |cause, text| Finding::seen(cause, Finality::Transient, EvidenceSource::Connection, text);
    match why {
        CannotLogIn::NoMechanism { offered } if offered.is_empty() => seen(
            Cause::AuthMechanism,
            "the server does not offer AUTH".to_owned(),
        ),
        CannotLogIn::NoMechanism { offered } => {
            let offered = offered.join(" ");
            seen(
                Cause::AuthMechanism,
                format!("the server offers AUTH {offered}"),
            )
        }
        CannotLogIn::NotEncrypted { offered } => {
            let offered = offered.join(" ");
            let text = format!("no TLS, and the server offers AUTH {offered}");
            seen(Cause::AuthMechanism, text)
        }
        CannotLogIn::NoPassword { file, reported } => {
            let mut finding = seen(Cause::AuthFailed, format!("reading {file}: {reported}"));
            finding
                .evidence
                .iter_mut()
                .for_each(|e| e.source = EvidenceSource::Queue);
            finding
        }
        CannotLogIn::Exchange { reported } => seen(Cause::AuthFailed, reported.clone()),
    }
}

fn unroutable(no_route: &NoRoute) -> Finding {
    let dns = |cause, finality, text| Finding::seen(cause, finality, EvidenceSource::Dns, text);
    match no_route {
        NoRoute::NoSuchDomain { domain } => dns(
            Cause::DomainUnknown,
            Finality::Permanent,
            format!("{domain}: NXDOMAIN"),
        ),
        NoRoute::NullMx { domain } => {
            // RFC 7505 §4.1.
            dns(
                Cause::DomainTakesNoMail,
                Finality::Permanent,
                format!("{domain} MX 0 ."),
            )
        }
        NoRoute::NoAddress { domain, exchangers } => {
            let text = match &exchangers[..] {
                [] => format!("{domain}: no MX, no A, no AAAA"),
                hosts => format!("{domain} MX {}: no A, no AAAA", hosts.join(", ")),
            };
            // RFC 5321 §5.1: an exchanger is a name; one that is an address is no exchanger.
            let is_address = |name: &String| name.parse::<std::net::IpAddr>().is_ok();
            let cause = match !exchangers.is_empty() && exchangers.iter().all(is_address) {
                true => Cause::MxBroken,
                false => Cause::NoMailServer,
            };
            dns(cause, Finality::Permanent, text)
        }
        NoRoute::DnsTemporary { question, reported } => dns(
            Cause::DnsFailing,
            Finality::Transient,
            format!("{question}: {reported}"),
        ),
        NoRoute::LoopsToUs { domain, exchanger } => dns(
            Cause::RouteToSelf,
            Finality::Transient,
            format!("{domain} MX {exchanger}, which is this relay"),
        ),
        NoRoute::NoSuchHop { host } => dns(
            Cause::RouteMissing,
            Finality::Transient,
            format!("our route leads to {host}, which has no address"),
        ),
        NoRoute::NoDomain { address } => Finding::seen(
            Cause::RouteMissing,
            Finality::Transient,
            EvidenceSource::Queue,
            format!("no route for {address}"),
        ),
    }
}

fn unconnected(tries: &[ConnectTry]) -> Finding {
    let count =
        |wanted: fn(&ConnectError) -> bool| tries.iter().filter(|t| wanted(&t.error)).count();
    let refused = count(|e| matches!(e, ConnectError::Refused | ConnectError::Reset));
    let silent = count(|e| matches!(e, ConnectError::TimedOut));
    let away = count(|e| matches!(e, ConnectError::Unreachable));
    let local = count(|e| matches!(e, ConnectError::Local { .. }));
    // One family without a route is common and says nothing, if the other got as far as the host.
    let cause = match (refused, silent) {
        (0, 0) if away > 0 => Cause::NetworkUnreachable,
        (0, 0) if local > 0 => Cause::LocalFailure,
        (0, 0) => Cause::CannotTell,
        (refused, silent) if refused >= silent => Cause::ConnectionRefused,
        _ => Cause::ConnectionTimeout,
    };
    let evidence = tries.iter().map(|t| Evidence {
        text: format!("{} ({}): {}", t.host, t.address, t.error.as_str()),
        source: EvidenceSource::Connection,
        span: None,
    });
    let mut finding = Finding::seen(
        cause,
        Finality::Transient,
        EvidenceSource::Connection,
        "no connection".to_owned(),
    );
    if !tries.is_empty() {
        finding.evidence = evidence.collect();
    }
    if cause == Cause::ConnectionTimeout {
        return finding.or(Cause::NetworkUnreachable, 0.2).sure(0.8);
    }
    finding
}

fn dropped(broken: &Break) -> Finding {
    let how = match broken.how {
        BreakKind::Closed => "the connection was closed",
        BreakKind::Reset => "the connection was reset",
        BreakKind::TimedOut => "no answer in time",
    };
    let mut text = format!(
        "{how} after {} of {} bytes of content, {} ms after the peer's last word",
        broken.content_sent, broken.content_size, broken.silent_ms
    );
    if let Some(path) = broken.path.filter(PathState::is_stalled) {
        text.push_str(&format!("; {path}"));
    }
    let finding = Finding::seen(
        Cause::ConnectionDropped,
        Finality::Transient,
        EvidenceSource::Connection,
        text,
    );
    if broken.content_sent > 0 {
        finding.or(Cause::ContentRefused, 0.15).sure(0.8)
    } else {
        finding.or(Cause::ServerBusy, 0.15).sure(0.8)
    }
}

fn unfit(what: &CannotSend) -> Finding {
    let announced =
        |cause, text| Finding::seen(cause, Finality::Permanent, EvidenceSource::Message, text);
    match what {
        CannotSend::TooLarge { size, limit } => announced(
            Cause::MessageTooLarge,
            format!("the message has {size} bytes and the server announces SIZE {limit}"),
        ),
        CannotSend::EightBit => announced(
            Cause::CharsetUnsupported,
            "the message has 8-bit content and the server does not announce 8BITMIME".to_owned(),
        ),
        CannotSend::Binary => announced(
            Cause::CharsetUnsupported,
            "the message is binary and the server does not announce BINARYMIME".to_owned(),
        ),
        CannotSend::NotConverted(what) => announced(
            Cause::CharsetUnsupported,
            format!(
                "the server does not take {}, and {} cannot be converted: {}",
                what.lacking, what.part, what.why
            ),
        ),
        CannotSend::RequireTls => announced(
            Cause::TlsPolicy,
            "the message requires TLS, to a server that is surely the domain's (by DNSSEC or MTA-STS), shows who it is and announces REQUIRETLS"
                .to_owned(),
        ),
        CannotSend::DeliverBy { seconds } => announced(
            Cause::QueueDeadline,
            format!(
                "the message is to be delivered in {seconds} seconds, which the server does not promise"
            ),
        ),
        CannotSend::SmtpUtf8 => announced(
            Cause::AddressNeedsUtf8,
            "the message needs SMTPUTF8 and the server does not announce it".to_owned(),
        ),
    }
}

fn expired(age_secs: u64, last: Option<Cause>, last_reply: Option<&Reply>) -> Finding {
    let text = format!("{age_secs} seconds in the queue");
    let mut finding = Finding::seen(
        Cause::QueueExpired,
        Finality::Permanent,
        EvidenceSource::Queue,
        text,
    );
    if let Some(reply) = last_reply {
        finding.evidence.push(Evidence {
            text: reply.text(),
            source: EvidenceSource::ReplyText,
            span: None,
        });
    }
    match last {
        Some(last) => finding.or(last, 0.9),
        None => finding,
    }
}

fn looping(hops: u32, limit: u32, repeated: &[String]) -> Finding {
    let mut text = format!("{hops} Received fields, the limit is {limit}");
    if !repeated.is_empty() {
        text.push_str("; more than once: ");
        text.push_str(&repeated.join(", "));
    }
    Finding::seen(
        Cause::RouteLoop,
        Finality::Permanent,
        EvidenceSource::Message,
        text,
    )
}

/// RFC 1047: after the end of data without a reply, nobody on this side can tell.
fn unknown(failure: &Failure) -> Diagnosis {
    let (text, responsible) = match &failure.kind {
        FailureKind::Interrupted => (
            "this relay stopped after it had begun to send and before it saw the reply".to_owned(),
            Responsible::Us,
        ),
        FailureKind::Broken(broken) => (dropped(broken).first_evidence(), Responsible::Network),
        FailureKind::NotSmtp { received } => (received.clone(), Responsible::Receiver),
        FailureKind::Replied(_)
        | FailureKind::NoRoute(_)
        | FailureKind::Connect(_)
        | FailureKind::CannotSend(_)
        | FailureKind::Insecure(_)
        | FailureKind::Local(_)
        | FailureKind::Program(_)
        | FailureKind::CannotLogIn(_)
        | FailureKind::Expired { .. }
        | FailureKind::TooManyHops { .. }
        | FailureKind::DeliveredBefore { .. } => (
            "no reply to the end of the message".to_owned(),
            Responsible::Network,
        ),
    };
    let finding = Finding::seen(
        Cause::OutcomeUnknown,
        Finality::Transient,
        EvidenceSource::Connection,
        text,
    );
    let mut diagnosis = finding.at(failure.stage);
    diagnosis.responsible = responsible;
    diagnosis
}

impl Finding {
    fn first_evidence(&self) -> String {
        self.evidence
            .first()
            .map(|e| e.text.clone())
            .unwrap_or_default()
    }
}

impl Failure {
    /// Whether no connection came about for a reason on this machine alone.
    fn is_local_connect(&self) -> bool {
        match &self.kind {
            FailureKind::Connect(tries) => {
                !tries.is_empty()
                    && tries
                        .iter()
                        .all(|t| matches!(t.error, ConnectError::Local { .. }))
            }
            FailureKind::Local(_) => true,
            FailureKind::Replied(_)
            | FailureKind::NoRoute(_)
            | FailureKind::Broken(_)
            | FailureKind::Insecure(_)
            | FailureKind::CannotSend(_)
            | FailureKind::NotSmtp { .. }
            | FailureKind::Program(_)
            | FailureKind::CannotLogIn(_)
            | FailureKind::Expired { .. }
            | FailureKind::TooManyHops { .. }
            | FailureKind::DeliveredBefore { .. }
            | FailureKind::Interrupted => false,
        }
    }
}

impl ConnectError {
    /// The error in the words of the field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ConnectError::Refused => "connection refused",
            ConnectError::TimedOut => "no answer in time",
            ConnectError::Unreachable => "network unreachable",
            ConnectError::Reset => "connection reset",
            ConnectError::Outrun => "another address answered first",
            ConnectError::Local { .. } => "this machine could not make the connection",
        }
    }
}
