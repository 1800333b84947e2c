//! What it means that a connection is not as secure as it must be.

use smtp::Stage;

use super::Finding;
use crate::tls::{Insecure, TlsFailure, WhyInsecure};
use crate::{Cause, Diagnosis, Evidence, EvidenceSource, Finality, Responsible, Scope};

/// Mail waits until it can go as it must (RFC 8461 §5, RFC 7672 §2.1): a server that is mended in the
/// meantime still gets it.
pub(super) fn met(insecure: &Insecure, stage: Stage) -> Diagnosis {
    let cause = match &insecure.why {
        WhyInsecure::NotOffered => Cause::TlsPolicy,
        WhyInsecure::Handshake(TlsFailure::Certificate { .. }) => Cause::TlsCertificate,
        WhyInsecure::Refused(_)
        | WhyInsecure::Broke(_)
        | WhyInsecure::Handshake(_)
        | WhyInsecure::Unavailable => Cause::TlsFailed,
    };
    let text = format!("{}: {}", insecure.host, insecure.why);
    let source = EvidenceSource::Connection;
    let mut finding = Finding::seen(cause, Finality::Transient, source, text);
    let certificate = match &insecure.why {
        WhyInsecure::Handshake(TlsFailure::Certificate { certificate, .. }) => certificate.as_ref(),
        WhyInsecure::NotOffered
        | WhyInsecure::Refused(_)
        | WhyInsecure::Broke(_)
        | WhyInsecure::Handshake(_)
        | WhyInsecure::Unavailable => None,
    };
    let wanted = format!("our policy: {}", insecure.wanted);
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
