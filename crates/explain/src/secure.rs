//! Sessions, certificates and ways as evidence, line by line.

use diagnosis::facts::PathState;
use diagnosis::tls::{Certificate, TlsFailure, TlsSession};

use crate::Lang;
use crate::layout::safe;
use crate::words::{plain, say};

pub(crate) fn session_lines(session: &TlsSession, lang: Lang) -> Vec<String> {
    let mut lines = vec![safe(&format!("{}, {}", session.protocol, session.cipher))];
    if let Some(certificate) = &session.certificate {
        lines.extend(certificate_lines(certificate, lang));
    }
    lines
}

pub(crate) fn failure_lines(failure: &TlsFailure, lang: Lang) -> Vec<String> {
    let mut lines = vec![safe(&failure.to_string())];
    if let TlsFailure::Certificate {
        certificate: Some(certificate),
        ..
    } = failure
    {
        lines.extend(certificate_lines(certificate, lang));
    }
    lines
}

fn certificate_lines(certificate: &Certificate, lang: Lang) -> Vec<String> {
    let names = match certificate.names.is_empty() {
        true => plain(lang, "seen-certificate-nameless"),
        false => safe(&certificate.names.join(", ")),
    };
    let line = |key: &str, text: &str, other: &str| {
        let (text, other) = (safe(text), safe(other));
        say(
            lang,
            key,
            &[("text", (&text).into()), ("other", (&other).into())],
        )
    };
    vec![
        line(
            "seen-certificate",
            &certificate.subject,
            &certificate.issuer,
        ),
        line("seen-certificate-names", &names, ""),
        line(
            "seen-certificate-time",
            &certificate.not_before,
            &certificate.not_after,
        ),
        format!("SHA-256 {}", safe(&certificate.sha256)),
    ]
}

/// What the system knows of the way; what it does not know is left out.
pub(crate) fn path_line(path: &PathState, lang: Lang) -> String {
    let mut parts = Vec::new();
    for (key, value) in [
        ("seen-path-mtu", path.mtu),
        ("seen-path-segment", path.segment),
    ] {
        if let Some(value) = value {
            parts.push(say(lang, key, &[("n", value.into())]));
        }
    }
    match (path.unconfirmed, path.retransmits) {
        (Some(0), _) => parts.push(plain(lang, "seen-path-confirmed")),
        (Some(bytes), Some(times)) => {
            let args = [("bytes", bytes.into()), ("n", times.into())];
            parts.push(say(lang, "seen-path-unconfirmed", &args));
        }
        (_, _) => {}
    }
    parts.join("; ")
}
