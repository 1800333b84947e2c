//! Who hears what came of each TLS session.

use std::fmt;

use diagnosis::tls_policy::Applied;

/// Hears of every session with a mail exchanger what TLS policy of the recipients' domain applied to it
/// and what came of that (RFC 8460 §4): to count it, say, for a report to that domain.
///
/// It is told of each connection once, as soon as it is known: the handshake went well, or the
/// connection is not as secure as it was wanted. It is told, too, of a policy that could not be had,
/// then without a server. It is not told of destinations that a route or `[tls.policy]` of the
/// administrator's speaks for, nor of servers that were never reached, nor of the second try in the
/// clear after encryption failed, nor of sessions for reports on TLS (§3). It must not block; times are its own to take.
pub trait TlsWitness: Send + Sync + fmt::Debug {
    /// Takes note.
    fn saw(&self, applied: Applied);
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWitness;

impl TlsWitness for NoWitness {
    fn saw(&self, _applied: Applied) {}
}
