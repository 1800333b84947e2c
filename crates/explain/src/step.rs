//! One step of an attempt, in a line.

use diagnosis::facts::{
    Break, BreakKind, CannotLogIn, CannotSend, ConnectError, ConnectTry, NoRoute, NotSigned,
    ProgramEnd, ProgramFailure, Route, Step, StepKind,
};
use diagnosis::tls::{Insecure, TlsFailure, TlsSession, Trust, Wanted, WhyInsecure};
use diagnosis::{FailureKind, Stage};

use crate::layout::{reply_lines, safe};
use crate::secure::path_line;
use crate::words::{plain, say};
use crate::{Lang, time};

/// What a step says: its line, and what the peer said, verbatim.
pub(crate) struct Told {
    pub(crate) line: Option<String>,
    pub(crate) quoted: Vec<String>,
}

impl Told {
    fn line(line: String) -> Told {
        Told {
            line: Some(line),
            quoted: Vec::new(),
        }
    }
}

/// The name of a stage.
pub(crate) fn stage(stage: Stage, lang: Lang) -> String {
    plain(lang, &format!("stage-{}", stage.as_str().replace('_', "-")))
}

pub(crate) fn tell(step: &Step, route: &Route, lang: Lang) -> Told {
    match &step.what {
        StepKind::Routed => Told::line(routed(route, lang)),
        StepKind::Connected {
            host,
            address,
            from,
        } => {
            let key = match from {
                Some(_) => "step-connected-from",
                None => "step-connected",
            };
            let args = [
                ("host", host.into()),
                ("address", address.into()),
                ("from", from.as_deref().unwrap_or_default().into()),
            ];
            Told::line(say(lang, key, &args))
        }
        StepKind::Reused { host, address, .. } => Told::line(say(
            lang,
            "step-reused",
            &[("host", host.into()), ("address", address.into())],
        )),
        StepKind::Converted { to } => Told::line(say(lang, "step-converted", &[("to", to.into())])),
        StepKind::Rewritten { rules } => {
            let rules = safe(&rules.join(", "));
            Told::line(say(lang, "step-rewritten", &[("rules", (&rules).into())]))
        }
        StepKind::NotRewritten { rule, field } => {
            let (rule, field) = (safe(rule), safe(field));
            let args = [("rule", (&rule).into()), ("field", (&field).into())];
            Told::line(say(lang, "step-not-rewritten", &args))
        }
        StepKind::Signed { by } => {
            let by = safe(&by.join(", "));
            Told::line(say(lang, "step-signed", &[("by", (&by).into())]))
        }
        StepKind::NotSigned(why) => Told::line(not_signed(why, lang)),
        StepKind::NotConnected(tried) => Told::line(not_connected(tried, lang)),
        StepKind::Replied { command, reply } => {
            let command = command
                .as_deref()
                .filter(|c| !matches!(*c, "" | "."))
                .map(safe);
            Told {
                line: command.map(|c| say(lang, "step-command", &[("command", (&c).into())])),
                quoted: reply_lines(reply.raw()),
            }
        }
        StepKind::Secured(session) => Told::line(secured(session, lang)),
        StepKind::Sent { bytes } => {
            Told::line(say(lang, "step-sent", &[("bytes", (*bytes).into())]))
        }
        StepKind::Broke(broken) => Told::line(broke(broken, lang)),
        StepKind::Went(kind) => went(kind, lang),
    }
}

fn not_signed(why: &NotSigned, lang: Lang) -> String {
    match why {
        NotSigned::NotPublished { domain, selectors } => {
            let names = selectors.iter();
            let names = names.map(|s| format!("{s}._domainkey.{domain}"));
            let names = safe(&names.collect::<Vec<_>>().join(", "));
            say(
                lang,
                "step-not-signed-record",
                &[("names", (&names).into())],
            )
        }
        NotSigned::SeveralAuthors => plain(lang, "step-not-signed-authors"),
        NotSigned::HeaderTooLarge => plain(lang, "step-not-signed-header"),
        NotSigned::Failed { reported } => {
            let text = safe(reported);
            say(lang, "step-not-signed-failed", &[("text", (&text).into())])
        }
    }
}

fn routed(route: &Route, lang: Lang) -> String {
    let hosts: Vec<&str> = route.hosts.iter().map(|h| h.name.as_str()).collect();
    match hosts.is_empty() {
        true => plain(lang, "step-routed-nowhere"),
        false => say(
            lang,
            "step-routed",
            &[("hosts", (&hosts.join(", ")).into())],
        ),
    }
}

pub(crate) fn not_connected(tried: &ConnectTry, lang: Lang) -> String {
    let error = plain(
        lang,
        match tried.error {
            ConnectError::Refused => "error-refused",
            ConnectError::TimedOut => "error-timed-out",
            ConnectError::Unreachable => "error-unreachable",
            ConnectError::Reset => "error-reset",
            ConnectError::Outrun => "error-outrun",
            ConnectError::Local { .. } => "error-local",
        },
    );
    let args = [
        ("host", (&tried.host).into()),
        ("address", (&tried.address).into()),
        ("error", (&error).into()),
    ];
    say(lang, "step-not-connected", &args)
}

/// The session, and how it is known who the server is.
fn secured(session: &TlsSession, lang: Lang) -> String {
    let trust = match &session.trust {
        Trust::Opportunistic { problem: None } => plain(lang, "trust-would-do"),
        Trust::Opportunistic {
            problem: Some(problem),
        } => {
            let problem = safe(&problem.to_string());
            say(lang, "trust-unchecked", &[("text", (&problem).into())])
        }
        Trust::Authority { name } => {
            let name = safe(name);
            say(lang, "trust-authority", &[("text", (&name).into())])
        }
        Trust::Dane { record } => {
            let record = safe(record);
            say(lang, "trust-dane", &[("text", (&record).into())])
        }
        Trust::Fingerprint { sha256 } => {
            let sha256 = safe(sha256);
            say(lang, "trust-fingerprint", &[("text", (&sha256).into())])
        }
    };
    let args = [
        ("protocol", (&session.protocol).into()),
        ("cipher", (&session.cipher).into()),
        ("trust", (&trust).into()),
    ];
    say(lang, "step-secured", &args)
}

/// The key of how a connection ended.
pub(crate) fn how(how: BreakKind) -> &'static str {
    match how {
        BreakKind::Closed => "how-closed",
        BreakKind::Reset => "how-reset",
        BreakKind::TimedOut => "how-timed-out",
    }
}

fn broke(broken: &Break, lang: Lang) -> String {
    let how = plain(lang, how(broken.how));
    let args = [
        ("how", (&how).into()),
        ("sent", broken.content_sent.into()),
        ("size", broken.content_size.into()),
    ];
    let line = say(lang, "step-broke", &args);
    match broken.path.filter(|path| path.unconfirmed > Some(0)) {
        Some(path) => format!("{line}; {}", path_line(&path, lang)),
        None => line,
    }
}

/// What is wrong, with the certificate and the policy that it falls short of.
fn lacking(insecure: &Insecure) -> String {
    let certificate = match &insecure.why {
        WhyInsecure::Handshake(TlsFailure::Certificate { certificate, .. }) => certificate.as_ref(),
        _ => None,
    };
    let published = match &insecure.wanted {
        wanted @ (Wanted::Dane { .. } | Wanted::MtaSts { .. }) => Some(wanted.to_string()),
        _ => None,
    };
    let parts = [
        Some(insecure.why.to_string()),
        certificate.map(|certificate| certificate.line()),
        published,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn went(kind: &FailureKind, lang: Lang) -> Told {
    let with =
        |key: &str, text: &str| Told::line(say(lang, key, &[("text", safe(text).as_str().into())]));
    match kind {
        FailureKind::Replied(reply) => Told {
            line: None,
            quoted: reply_lines(reply.raw()),
        },
        FailureKind::NoRoute(no_route) => with("step-went-no-route", &no_way(no_route)),
        FailureKind::Connect(tries) => {
            let tries: Vec<String> = tries.iter().map(|t| not_connected(t, lang)).collect();
            Told::line(tries.join("; "))
        }
        FailureKind::Broken(broken) => Told::line(broke(broken, lang)),
        FailureKind::Insecure(insecure) => {
            let text = safe(&lacking(insecure));
            let host = safe(&insecure.host);
            let args = [("host", (&host).into()), ("text", (&text).into())];
            Told::line(say(lang, "step-went-insecure", &args))
        }
        FailureKind::CannotSend(what) => with("step-went-cannot-send", &unfit(what)),
        FailureKind::NotSmtp { received } => with("step-went-not-smtp", received),
        FailureKind::Local(local) => with(
            "step-went-local",
            &format!("{}: {}", local.doing, local.reported),
        ),
        FailureKind::CannotLogIn(why) => {
            let (key, text) = match why {
                CannotLogIn::NoMechanism { offered } => ("login-no-mechanism", offered.join(" ")),
                CannotLogIn::NotEncrypted { offered } => ("login-not-encrypted", offered.join(" ")),
                CannotLogIn::NoPassword { file, reported } => {
                    ("login-no-password", format!("{file}: {reported}"))
                }
                CannotLogIn::Exchange { reported } => ("login-exchange", reported.clone()),
            };
            with(key, &text)
        }
        FailureKind::Program(failure) => program(failure, lang),
        FailureKind::Expired { age_secs, .. } => {
            let span = time::span(*age_secs, lang);
            Told::line(say(lang, "step-went-expired", &[("span", (&span).into())]))
        }
        FailureKind::TooManyHops {
            hops,
            limit,
            repeated,
        } => {
            let repeated = safe(&repeated.join(", "));
            let args = [
                ("hops", (*hops).into()),
                ("limit", (*limit).into()),
                ("repeated", (&repeated).into()),
            ];
            Told::line(say(lang, "step-went-hops", &args))
        }
        FailureKind::DeliveredBefore { times, mailbox } => {
            let mailbox = safe(mailbox);
            let args = [("times", (*times).into()), ("mailbox", (&mailbox).into())];
            Told::line(say(lang, "step-went-delivered-before", &args))
        }
        FailureKind::Interrupted => Told::line(plain(lang, "step-went-interrupted")),
    }
}

/// In the terms of the DNS, which are the same in every language.
fn no_way(no_route: &NoRoute) -> String {
    match no_route {
        NoRoute::NoSuchDomain { domain } => format!("{domain}: NXDOMAIN"),
        NoRoute::NullMx { domain } => format!("{domain} MX 0 ."),
        NoRoute::NoAddress { domain, exchangers } if exchangers.is_empty() => {
            format!("{domain}: MX, A, AAAA: –")
        }
        NoRoute::NoAddress { domain, exchangers } => {
            format!("{domain} MX {}: A, AAAA: –", exchangers.join(", "))
        }
        NoRoute::DnsTemporary { question, reported } => format!("{question}: {reported}"),
        NoRoute::LoopsToUs { domain, exchanger } => format!("{domain} MX {exchanger}"),
        NoRoute::NoSuchHop { host } => format!("{host}: A, AAAA: –"),
        NoRoute::NoDomain { address } => address.clone(),
    }
}

fn unfit(what: &CannotSend) -> String {
    match what {
        CannotSend::TooLarge { size, limit } => format!("{size} > SIZE {limit}"),
        CannotSend::EightBit => "8BITMIME".to_owned(),
        CannotSend::Binary => "BINARYMIME".to_owned(),
        CannotSend::NotConverted(what) => format!("{}; {}: {}", what.lacking, what.part, what.why),
        CannotSend::RequireTls => "REQUIRETLS".to_owned(),
        CannotSend::DeliverBy { seconds } => format!("DELIVERBY {seconds}"),
        CannotSend::SmtpUtf8 => "SMTPUTF8".to_owned(),
    }
}

/// How a program ended, and what it said.
fn program(failure: &ProgramFailure, lang: Lang) -> Told {
    let program = safe(&failure.program);
    let with = |key: &str, number: u64| {
        say(
            lang,
            key,
            &[("program", (&program).into()), ("n", number.into())],
        )
    };
    let line = match &failure.how {
        ProgramEnd::Exited { status } => with("program-exited", u64::from(status.unsigned_abs())),
        ProgramEnd::Killed { signal } => with("program-killed", u64::from(signal.unsigned_abs())),
        ProgramEnd::TimedOut { seconds } => with("program-timed-out", *seconds),
        ProgramEnd::NotStarted { reported } => {
            let reported = safe(reported);
            let args = [
                ("program", (&program).into()),
                ("reported", (&reported).into()),
            ];
            say(lang, "program-not-started", &args)
        }
        ProgramEnd::LooksLikeOption => with("program-option", 0),
    };
    Told {
        line: Some(line),
        quoted: reply_lines(failure.output.as_bytes()),
    }
}
