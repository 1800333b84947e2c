//! From the library's errors to facts.

use std::io;

use diagnosis::facts::BreakKind;
use diagnosis::tls::{CertificateProblem, TlsFailure};
use rustls::{AlertDescription, CertificateError, CipherSuite, Error, ProtocolVersion};

/// What an error of a handshake amounts to.
pub(crate) fn of(error: &io::Error) -> TlsFailure {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    let Some(inner) = inner else {
        return TlsFailure::Broke(BreakKind::from(error));
    };
    let reported = inner.to_string();
    match inner {
        Error::AlertReceived(alert) => TlsFailure::Alert {
            alert: alert_name(*alert),
        },
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => {
            TlsFailure::NothingInCommon { reported }
        }
        // The first record is no handshake: plain text, mostly.
        Error::InvalidMessage(
            rustls::InvalidMessage::InvalidContentType
            | rustls::InvalidMessage::UnknownProtocolVersion,
        ) => TlsFailure::NotTls { reported },
        _ => TlsFailure::Protocol { reported },
    }
}

/// The alert that tells the peer about its certificate (RFC 8446 §6.2) follows from this.
pub(crate) fn told(problem: &CertificateProblem) -> CertificateError {
    match problem {
        CertificateProblem::Expired { .. } => CertificateError::Expired,
        CertificateProblem::NotYetValid { .. } => CertificateError::NotValidYet,
        CertificateProblem::NameMismatch { .. } => CertificateError::NotValidForName,
        CertificateProblem::SelfSigned | CertificateProblem::UnknownIssuer { .. } => {
            CertificateError::UnknownIssuer
        }
        CertificateProblem::BadSignature => CertificateError::BadSignature,
        CertificateProblem::WrongPurpose => CertificateError::InvalidPurpose,
        CertificateProblem::NotAsPublished { .. } | CertificateProblem::WrongFingerprint { .. } => {
            CertificateError::ApplicationVerificationFailure
        }
        CertificateProblem::Unusable { .. } => CertificateError::BadEncoding,
    }
}

/// As RFC 8446 §6 writes it: `handshake_failure`.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    let mut after_lower = false;
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase() && after_lower {
            name.push('_');
        }
        after_lower = c.is_ascii_lowercase();
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// `TLSv1.3`.
pub(crate) fn protocol_name(version: Option<ProtocolVersion>) -> String {
    match version {
        Some(version) => format!("{version:?}").replace('_', "."),
        None => "TLS".to_owned(),
    }
}

/// The name that IANA has for it: `TLS_AES_256_GCM_SHA384`.
pub(crate) fn cipher_name(suite: Option<CipherSuite>) -> String {
    match suite {
        Some(suite) => format!("{suite:?}").replace("TLS13_", "TLS_"),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standards() {
        assert_eq!(
            alert_name(AlertDescription::HandshakeFailure),
            "handshake_failure"
        );
        assert_eq!(alert_name(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(protocol_name(Some(ProtocolVersion::TLSv1_3)), "TLSv1.3");
        let suite = CipherSuite::TLS13_AES_256_GCM_SHA384;
        assert_eq!(cipher_name(Some(suite)), "TLS_AES_256_GCM_SHA384");
        let suite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
        assert_eq!(
            cipher_name(Some(suite)),
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        );
    }
}
