//! Our certificates, and what keeps an authority from giving us one, in words.

use diagnosis::acme::{AcmeFailure, AcmeProblem};

use crate::Lang;
use crate::layout::{WIDTH, paragraph, safe};
use crate::words::{Arg, plain, say};

/// What keeps an authority from giving us a certificate, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeAdvice {
    /// What happened.
    pub what: String,
    /// Who must do what.
    pub todo: String,
}

/// A certificate of ours, as it is told. Times are told as they are given.
#[derive(Clone, Debug, Default)]
pub struct OwnCertificate<'a> {
    /// The names that it is for.
    pub names: &'a [String],
    /// Its file.
    pub file: &'a str,
    /// The authority's directory, where it is by ACME.
    pub directory: Option<&'a str>,
    /// Until when it is valid; none: there is none, and one that vouches for itself stands in.
    pub until: Option<String>,
    /// When the next one is asked for.
    pub next: Option<String>,
    /// The last failure since the last success, with its time.
    pub failed: Option<(String, &'a AcmeFailure)>,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// The types of problems (RFC 8555 §6.7) that have words of their own; the others share some.
const KINDS: &[&str] = &[
    "connection",
    "dns",
    "unauthorized",
    "incorrectResponse",
    "caa",
    "rateLimited",
    "rejectedIdentifier",
    "accountDoesNotExist",
    "userActionRequired",
    "invalidContact",
    "unsupportedContact",
    "externalAccountRequired",
    "serverInternal",
    "unreachable",
    "timed-out",
    "no-http-challenge",
    "disk",
];

/// What a failure means, and who must do what.
#[must_use]
pub fn acme_advice(failure: &AcmeFailure, lang: Lang) -> AcmeAdvice {
    let kind = failure.why.kind();
    let key = match KINDS.contains(&kind) {
        true => kind,
        false => "other",
    };
    let name = match &failure.name {
        Some(name) => safe(name),
        None => plain(lang, "acme-the-names"),
    };
    let step = plain(lang, &format!("acme-step-{}", failure.step.as_str()));
    let (detail, kind) = (safe(failure.why.detail()), safe(kind));
    let args = || -> [(&str, Arg<'_>); 4] {
        [
            ("name", (&name).into()),
            ("step", (&step).into()),
            ("detail", (&detail).into()),
            ("kind", (&kind).into()),
        ]
    };
    let mut what = say(lang, &format!("acme-{key}"), &args());
    if !detail.is_empty() && matches!(failure.why, AcmeProblem::Said { .. }) {
        what.push(' ');
        what.push_str(&say(lang, "acme-said", &args()));
    }
    let todo = say(lang, &format!("acme-{key}.todo"), &args());
    AcmeAdvice { what, todo }
}

/// Our certificates, a paragraph each.
#[must_use]
pub fn certificates_text(all: &[OwnCertificate<'_>], lang: Lang) -> String {
    if all.is_empty() {
        return plain(lang, "certificates-none") + "\n";
    }
    let mut out = String::new();
    for one in all {
        certificate(&mut out, one, lang);
    }
    out
}

fn certificate(out: &mut String, one: &OwnCertificate<'_>, lang: Lang) {
    out.push_str(&safe(&one.names.join(", ")));
    out.push('\n');
    let mut tell = |key: &str, value: &str| {
        let text = say(lang, key, &[("value", value.into())]);
        paragraph(out, "  ", &text, WIDTH);
    };
    match (&one.until, &one.problem) {
        (_, Some(problem)) => tell("certificates-unusable", &safe(problem)),
        (Some(until), None) => tell("certificates-until", until),
        (None, None) => tell("certificates-stand-in", ""),
    }
    if let Some(directory) = one.directory {
        tell("certificates-by", &safe(directory));
    }
    tell("certificates-file", &safe(one.file));
    if let Some((at, failure)) = &one.failed {
        let advice = acme_advice(failure, lang);
        tell("certificates-failed", at);
        tell("certificates-plain", &advice.what);
        tell("certificates-plain", &advice.todo);
    }
    if let Some(next) = &one.next {
        tell("certificates-next", next);
    }
}
