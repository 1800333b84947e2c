//! Each server of the route: connection, greeting, what it announces; an address probed on request.

use callout::{Ended, NotReady, Talk, greet, would_take};
use diagnosis::facts::{BreakKind, Circumstances, ConnectError};
use diagnosis::finding::{Bearing, Conclusion, Fact, Finding, Verdict};
use diagnosis::{Cause, Failure, FailureKind, Outcome, diagnose};
use futures_util::future::join_all;
use routing::Candidate;
use smtp::{Address, Extensions, Reply, Severity, Stage};
use world::Net;

use crate::route::Found;
use crate::settings::Settings;

/// What is asked of the servers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish<'a> {
    /// Ask whether this address would be taken.
    pub(crate) probe: Option<&'a Address>,
    /// The size of a message that is to go there.
    pub(crate) message_size: Option<u64>,
}

/// Talks to every address of the route at once.
pub(crate) async fn check(
    subject: &str,
    found: &Found,
    wish: Wish<'_>,
    settings: &Settings,
    net: &dyn Net,
) -> Vec<Finding> {
    let candidates = found.candidates.iter().take(settings.max_addresses);
    let talks = candidates.map(|to| one(to, found.lmtp, wish, settings, net));
    let servers = join_all(talks).await;
    let reached = servers.iter().filter(|server| server.reached).count();
    let mut findings = Vec::new();
    for mut server in servers {
        if reached > 0 && !server.reached {
            // Another server takes the mail meanwhile.
            for finding in &mut server.findings {
                finding.verdict = finding.verdict.min(Verdict::Warning);
            }
        }
        findings.extend(server.findings);
    }
    if reached == 0 && !found.candidates.is_empty() {
        findings.insert(0, none_reached(subject, &findings));
    }
    findings
}

/// No server takes mail: the cause is what the first finding says, where all say the same.
fn none_reached(subject: &str, findings: &[Finding]) -> Finding {
    let finding = Finding::new(Conclusion::NoServerReached, subject);
    let finding = finding.object(findings.len().to_string());
    let mut bearings = findings.iter().filter_map(|f| f.bearing);
    match bearings.next() {
        Some(first) if bearings.all(|other| other == first) => finding.bearing(first),
        _ => finding,
    }
}

struct Server {
    reached: bool,
    findings: Vec<Finding>,
}

async fn one(
    to: &Candidate,
    lmtp: bool,
    wish: Wish<'_>,
    settings: &Settings,
    net: &dyn Net,
) -> Server {
    let peer = to.peer.to_string();
    let subject = match to.host == peer {
        true => peer,
        false => format!("{} [{}]", to.host, to.peer),
    };
    let (connecting, patience) = (settings.connect_timeout, settings.reply_timeout);
    let mut talk = match Talk::open(net, &to.host, &to.peer, connecting, patience).await {
        Ok(talk) => talk,
        Err(failed) => {
            let finding = Finding::new(of_connect(failed.error), subject);
            let findings = vec![finding.facts(vec![Fact::NotConnected(failed)])];
            return Server {
                reached: false,
                findings,
            };
        }
    };
    let hello = match greet(&mut talk, lmtp, &settings.hostname).await {
        Ok(hello) => hello,
        Err(refused) => {
            if matches!(refused, NotReady::Refused(..)) {
                talk.quit().await;
            }
            let findings = vec![of_refusal(refused, subject, talk.facts)];
            return Server {
                reached: false,
                findings,
            };
        }
    };
    let extensions = Extensions::of(&hello);
    let greeting = banner(&talk.facts);
    let finding = Finding::new(Conclusion::ServerAnswers, subject.as_str()).object(greeting);
    let mut findings = vec![finding.facts(std::mem::take(&mut talk.facts))];
    announced(&subject, &extensions, wish.message_size, &mut findings);
    if let Some(address) = wish.probe {
        findings.push(probe(&mut talk, &extensions, &subject, address).await);
    }
    talk.quit().await;
    Server {
        reached: true,
        findings,
    }
}

fn of_connect(error: ConnectError) -> Conclusion {
    match error {
        ConnectError::Refused => Conclusion::ConnectionRefused,
        ConnectError::TimedOut => Conclusion::ConnectionSilent,
        ConnectError::Unreachable => Conclusion::NetworkUnreachable,
        ConnectError::Reset => Conclusion::ConnectionReset,
        // A check tries each address by itself: none is given up for another.
        ConnectError::Outrun => Conclusion::ConnectionSilent,
        ConnectError::Local { .. } => Conclusion::ConnectionLocal,
    }
}

/// What the server said first.
fn banner(facts: &[Fact]) -> String {
    let said = facts.iter().find_map(|fact| match fact {
        Fact::Said { reply, .. } => Some(reply.text()),
        _ => None,
    });
    said.unwrap_or_default()
}

fn of_refusal(refused: NotReady, subject: String, facts: Vec<Fact>) -> Finding {
    let finding = match refused {
        NotReady::Refused(Stage::Greeting, reply) => {
            refusal(Conclusion::GreetingRefused, subject, Stage::Greeting, reply)
        }
        NotReady::Refused(stage, reply) => refusal(Conclusion::HelloRefused, subject, stage, reply),
        NotReady::Ended(_, Ended::NotSmtp) => Finding::new(Conclusion::NotSmtp, subject),
        NotReady::Ended(_, Ended::Broke(BreakKind::TimedOut)) => {
            Finding::new(Conclusion::ServerSilent, subject)
        }
        NotReady::Ended(_, Ended::Broke(BreakKind::Closed | BreakKind::Reset)) => {
            Finding::new(Conclusion::ServerDrops, subject)
        }
    };
    finding.facts(facts)
}

/// A refusal with what it means.
fn refusal(conclusion: Conclusion, subject: String, stage: Stage, reply: Reply) -> Finding {
    let finding = Finding::new(conclusion, subject).object(reply.text());
    let kind = FailureKind::Replied(reply);
    let outcome = Outcome::Failed(Failure { stage, kind });
    match diagnose(&outcome, &Circumstances::default()) {
        Some(diagnosis) if diagnosis.cause != Cause::CannotTell => {
            finding.bearing(Bearing::Supports(diagnosis.cause))
        }
        _ => finding,
    }
}

/// RFC 5321 §4.1.1.1, RFC 1870, RFC 9422.
fn announced(
    subject: &str,
    extensions: &Extensions,
    message_size: Option<u64>,
    findings: &mut Vec<Finding>,
) {
    let fact = || vec![Fact::Announced(extensions.clone())];
    let mut add = |conclusion, object: Option<String>, verdict: Option<Verdict>| {
        let mut finding = Finding::new(conclusion, subject).facts(fact());
        finding.object = object;
        finding.verdict = verdict.unwrap_or(finding.verdict);
        findings.push(finding);
    };
    if *extensions == Extensions::default() {
        add(Conclusion::NoExtensions, None, None);
        return;
    }
    add(
        Conclusion::ExtensionsAnnounced,
        Some(names(extensions).join(", ")),
        None,
    );
    if !extensions.eight_bit_mime {
        add(Conclusion::NoEightBit, None, None);
    }
    match extensions.starttls {
        true => add(Conclusion::TlsAnnounced, None, None),
        false => add(Conclusion::TlsNotAnnounced, None, None),
    }
    match (extensions.size.flatten(), message_size) {
        (Some(limit), Some(size)) if size > limit => {
            add(Conclusion::MessageTooLarge, Some(limit.to_string()), None);
        }
        (Some(limit), Some(_)) => add(Conclusion::MessageFits, Some(limit.to_string()), None),
        (Some(limit), None) => add(Conclusion::SizeAnnounced, Some(limit.to_string()), None),
        (None, _) => add(Conclusion::SizeUnlimited, None, None),
    }
    let limits = extensions.limits;
    let shown: Vec<String> = [
        ("RCPTMAX", limits.rcpt_max),
        ("MAILMAX", limits.mail_max),
        ("RCPTDOMAINMAX", limits.rcpt_domain_max),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| format!("{name}={value}")))
    .collect();
    match shown.is_empty() {
        true => add(Conclusion::NoLimitsAnnounced, None, None),
        false => add(Conclusion::LimitsAnnounced, Some(shown.join(" ")), None),
    }
}

/// The announced extensions by name.
fn names(extensions: &Extensions) -> Vec<String> {
    let known = [
        ("PIPELINING", extensions.pipelining),
        ("8BITMIME", extensions.eight_bit_mime),
        ("SIZE", extensions.size.is_some()),
        ("ENHANCEDSTATUSCODES", extensions.enhanced_status_codes),
        ("CHUNKING", extensions.chunking),
        ("BINARYMIME", extensions.binary_mime),
        ("SMTPUTF8", extensions.smtputf8),
        ("STARTTLS", extensions.starttls),
        ("DSN", extensions.dsn),
        ("AUTH", !extensions.auth.is_empty()),
    ];
    let known = known.into_iter().filter(|(_, there)| *there);
    let known = known.map(|(name, _)| name.to_owned());
    known.chain(extensions.other.iter().cloned()).collect()
}

/// Whether the server would take the address: MAIL FROM:<>, RCPT, RSET. Nothing is sent.
async fn probe(
    talk: &mut Talk,
    extensions: &Extensions,
    subject: &str,
    address: &Address,
) -> Finding {
    let subject = format!("{} ({subject})", address.as_str());
    let finding = match would_take(talk, extensions, &Address::null(), address).await {
        Err(_) => {
            let broke = Finding::new(Conclusion::ProbeBroke, subject);
            return broke.facts(std::mem::take(&mut talk.facts));
        }
        Ok((Stage::Rcpt, reply)) if reply.severity() == Severity::Completion => {
            Finding::new(Conclusion::RecipientTaken, subject).object(reply.text())
        }
        Ok((stage @ Stage::Rcpt, reply)) => {
            refusal(Conclusion::RecipientRefused, subject, stage, reply)
        }
        Ok((stage, reply)) => refusal(Conclusion::ProbeRefused, subject, stage, reply),
    };
    // The talk ends here in any case.
    let _ = talk.say(Stage::Reset, Some("RSET")).await;
    finding.facts(std::mem::take(&mut talk.facts))
}
