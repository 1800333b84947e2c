//! What a script can make of a TLS handshake, and what the sink notes of one.

use diagnosis::tls::{Certificate, TlsFailure};
use serde::Serialize;
use tls::{ServerSession, Versions};

/// How a handshake is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// It is refused with this alert (RFC 8446 §6), by its number.
    Alert(u8),
    /// It is done with this certificate.
    Certificate(Shows),
    /// It is done with this version alone, or as a server would do it that knows no newer one.
    Version(Version),
}

/// Which certificate is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shows {
    /// The one that was given; otherwise one by the sink's own authority, for the sink's names.
    #[default]
    Good,
    /// One that vouches for itself.
    SelfSigned,
    /// By the authority, its time over.
    Expired,
    /// By the authority, its time to come.
    NotYetValid,
    /// By the authority, for another name.
    WrongName,
    /// By an authority that nobody has.
    UnknownAuthority,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// TLS 1.0 (RFC 2246): what answers the client is written by hand, and goes no further.
    V10,
    /// TLS 1.1 (RFC 4346), likewise.
    V11,
    /// TLS 1.2 (RFC 5246).
    V12,
    /// TLS 1.3 (RFC 8446).
    V13,
}

/// RFC 8446 §6, and those of RFC 5246 §7.2 that it dropped.
pub(crate) const ALERTS: &[(&str, u8)] = &[
    ("close_notify", 0),
    ("unexpected_message", 10),
    ("bad_record_mac", 20),
    ("record_overflow", 22),
    ("handshake_failure", 40),
    ("bad_certificate", 42),
    ("unsupported_certificate", 43),
    ("certificate_revoked", 44),
    ("certificate_expired", 45),
    ("certificate_unknown", 46),
    ("illegal_parameter", 47),
    ("unknown_ca", 48),
    ("access_denied", 49),
    ("decode_error", 50),
    ("decrypt_error", 51),
    ("protocol_version", 70),
    ("insufficient_security", 71),
    ("internal_error", 80),
    ("inappropriate_fallback", 86),
    ("user_canceled", 90),
    ("missing_extension", 109),
    ("unsupported_extension", 110),
    ("unrecognized_name", 112),
    ("bad_certificate_status_response", 113),
    ("unknown_psk_identity", 115),
    ("certificate_required", 116),
    ("no_application_protocol", 120),
];

pub(crate) const CERTIFICATES: &[(&str, Shows)] = &[
    ("good", Shows::Good),
    ("self-signed", Shows::SelfSigned),
    ("expired", Shows::Expired),
    ("not-yet-valid", Shows::NotYetValid),
    ("wrong-name", Shows::WrongName),
    ("unknown-authority", Shows::UnknownAuthority),
];

pub(crate) const VERSIONS: &[(&str, Version)] = &[
    ("1.0", Version::V10),
    ("1.1", Version::V11),
    ("1.2", Version::V12),
    ("1.3", Version::V13),
];

/// The names of a table, for help.
pub(crate) fn names<T>(table: &[(&'static str, T)]) -> String {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

pub(crate) fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let row = table.iter().find(|(known, _)| *known == name);
    row.map(|(_, value)| *value)
}

impl Version {
    /// What the library is told; `None`: it does not speak that.
    pub(crate) fn spoken(self) -> Option<Versions> {
        match self {
            Version::V10 | Version::V11 => None,
            Version::V12 => Some(Versions::Only12),
            Version::V13 => Some(Versions::Only13),
        }
    }

    fn minor(self) -> u8 {
        match self {
            Version::V10 => 1,
            Version::V11 => 2,
            Version::V12 => 3,
            Version::V13 => 4,
        }
    }
}

/// A fatal alert as a record (RFC 8446 §5.1, §6); `close_notify` is a warning.
pub(crate) fn alert(number: u8) -> [u8; 7] {
    let level = if number == 0 { 1 } else { 2 };
    [21, 3, 3, 0, 2, level, number]
}

/// The ServerHello of a server that knows no newer version than this (RFC 2246 §7.4.1.3): without a
/// session, with `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression, and secure renegotiation (RFC 5746
/// §3.6), since clients look for that first.
pub(crate) fn old_hello(version: Version, random: [u8; 32]) -> Vec<u8> {
    let minor = version.minor();
    let mut hello = vec![22, 3, minor, 0, 49, 2, 0, 0, 45, 3, minor];
    hello.extend_from_slice(&random);
    hello.extend_from_slice(&[0, 0x00, 0x2f, 0]);
    hello.extend_from_slice(&[0, 5, 0xff, 0x01, 0, 1, 0]);
    hello
}

/// A TLS session of a client, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsSeen {
    /// Whether it was there from the first byte (RFC 8314).
    pub implicit: bool,
    /// The protocol, like `TLSv1.3`.
    pub protocol: String,
    /// The cipher suite by its IANA name.
    pub cipher: String,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// The client's own certificate; nobody has looked who vouches for it.
    pub client_certificate: Option<Certificate>,
}

impl TlsSeen {
    pub(crate) fn new(session: ServerSession, implicit: bool) -> TlsSeen {
        TlsSeen {
            implicit,
            protocol: session.protocol,
            cipher: session.cipher,
            server_name: session.server_name,
            client_certificate: session.client_certificate,
        }
    }
}

/// A handshake that did not come to an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsFailed {
    /// `alert`, `closed`, `not-tls` …; `played`: a rule let it fail.
    pub failure: &'static str,
    /// The alert by which the client ended it, like `unknown_ca`.
    pub alert: Option<String>,
    /// In words.
    pub what: String,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
}

impl TlsFailed {
    pub(crate) fn of(failure: &TlsFailure, server_name: Option<String>) -> TlsFailed {
        let alert = match failure {
            TlsFailure::Alert { alert } => Some(alert.clone()),
            _ => None,
        };
        TlsFailed {
            failure: failure.name(),
            alert,
            what: failure.to_string(),
            server_name,
        }
    }

    pub(crate) fn played(what: String, server_name: Option<String>) -> TlsFailed {
        TlsFailed {
            failure: "played",
            alert: None,
            what,
            server_name,
        }
    }
}

/// What a client should not have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "finding")]
pub enum Finding {
    /// Commands in the clear came together with STARTTLS: a server that kept them would take them for
    /// what came over TLS (RFC 3207 §4.2). The sink dropped them.
    CommandsBehindStarttls {
        /// What came.
        text: String,
    },
    /// The handshake came together with STARTTLS: the client did not wait for the reply.
    HandshakeBeforeReply,
    /// After the yes to STARTTLS, or on the port for TLS, something else came than a handshake.
    NoHandshake {
        /// What came.
        text: String,
    },
}

impl Finding {
    /// As much of what came as is shown.
    pub(crate) fn excerpt(bytes: &[u8]) -> String {
        let bytes = bytes.get(..200).unwrap_or(bytes);
        String::from_utf8_lossy(bytes).into_owned()
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finding::CommandsBehindStarttls { text } => {
                write!(
                    f,
                    "came in the clear with STARTTLS, and is dropped: {text:?}"
                )
            }
            Finding::HandshakeBeforeReply => {
                f.write_str("the handshake came before the reply to STARTTLS")
            }
            Finding::NoHandshake { text } => write!(f, "came in place of a handshake: {text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_hello_has_the_lengths_that_it_says() {
        let hello = old_hello(Version::V10, [7; 32]);
        assert_eq!(hello.len(), 5 + usize::from(hello[4]));
        assert_eq!(hello.len(), 9 + usize::from(hello[8]));
        assert_eq!(hello[..3], [22, 3, 1]);
    }
}
