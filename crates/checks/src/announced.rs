//! What a server announces.

use diagnosis::finding::{Conclusion, Fact, Finding, Verdict};
use smtp::Extensions;

use crate::secure::Trying;
use crate::visit::Wish;

/// RFC 5321 §4.1.1.1, RFC 1870, RFC 9422.
pub(crate) fn announced(
    subject: &str,
    extensions: &Extensions,
    wish: &Wish<'_>,
    implicit: bool,
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
    let demanded = wish.encrypt.is_some_and(Trying::demands);
    match extensions.starttls {
        // Under TLS it is not announced (RFC 3207 §4.2).
        _ if implicit => {}
        true => add(Conclusion::TlsAnnounced, None, None),
        false => {
            let verdict = demanded.then_some(Verdict::Problem);
            add(Conclusion::TlsNotAnnounced, None, verdict);
        }
    }
    match (extensions.size.flatten(), wish.message_size) {
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
