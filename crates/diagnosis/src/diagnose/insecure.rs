//! What it means that a connection is not as secure as it must be.

use smtp::Stage;

use super::Finding;
use crate::tls::{Insecure, TlsFailure, Wanted, WhyInsecure};
use crate::{Cause, Diagnosis, Evidence, EvidenceSource, Finality, Responsible, Scope};

/// Mail waits until it can go as it must (RFC 8461 §5, RFC 7672 §2.1): a server that is mended in the
/// meantime still gets it.
pub(super) fn met(insecure: &Insecure, stage: Stage) -> Diagnosis {
    let cause = cause(insecure);
    let text = format!("{}: {}", insecure.host, insecure.why);
    let source = EvidenceSource::Connection;
    let mut finding = Finding::seen(cause, Finality::Transient, source, text);
    let certificate = match &insecure.why {
        WhyInsecure::Handshake(TlsFailure::Certificate { certificate, .. }) => certificate.as_ref(),
        WhyInsecure::NotOffered
        | WhyInsecure::Refused(_)
        | WhyInsecure::Broke(_)
        | WhyInsecure::Handshake(_)
        | WhyInsecure::TlsaUnanswered { .. }
        | WhyInsecure::NotInPolicy
        | WhyInsecure::Unavailable => None,
    };
    let whose = match insecure.wanted {
        Wanted::Dane { .. } | Wanted::MtaSts { .. } => "their policy",
        Wanted::IfPossible
        | Wanted::Encrypted
        | Wanted::Authority { .. }
        | Wanted::Fingerprint { .. } => "our policy",
    };
    let wanted = format!("{whose}: {}", insecure.wanted);
    let more = certificate.map(|c| c.line()).into_iter().chain([wanted]);
    finding.evidence.extend(more.map(|text| Evidence {
        text,
        source,
        span: None,
    }));
    let mut diagnosis = finding.at(stage);
    // It is the policy for a destination, not for one message.
    diagnosis.scope = Scope::Destination;
    if matches!(insecure.why, WhyInsecure::Unavailable) {
        diagnosis.responsible = Responsible::Us;
    }
    diagnosis
}

/// What was demanded and is not there has the name of whoever demanded it; encryption that fails for
/// want of skill is the same by every policy.
fn cause(insecure: &Insecure) -> Cause {
    let (lacking, unproven) = match insecure.wanted {
        Wanted::Dane { .. } => (Cause::TlsDane, Cause::TlsDane),
        Wanted::MtaSts { .. } => (Cause::TlsMtaSts, Cause::TlsMtaSts),
        Wanted::IfPossible
        | Wanted::Encrypted
        | Wanted::Authority { .. }
        | Wanted::Fingerprint { .. } => (Cause::TlsPolicy, Cause::TlsCertificate),
    };
    match &insecure.why {
        WhyInsecure::NotOffered => lacking,
        WhyInsecure::Handshake(TlsFailure::Certificate { .. }) => unproven,
        WhyInsecure::TlsaUnanswered { .. } => Cause::TlsDane,
        WhyInsecure::NotInPolicy => Cause::TlsMtaSts,
        WhyInsecure::Refused(_)
        | WhyInsecure::Broke(_)
        | WhyInsecure::Handshake(_)
        | WhyInsecure::Unavailable => Cause::TlsFailed,
    }
}
