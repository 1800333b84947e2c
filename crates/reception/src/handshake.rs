//! TLS handshakes with clients, and what their failures mean.

use diagnosis::tls::TlsFailure;

use crate::connection::Connection;
use crate::refusal::Refusal;
use crate::session::Session;

impl Session {
    /// STARTTLS (RFC 3207 §4.2): yes, and all that was known of the client is forgotten. What it sent
    /// behind the command in the clear is thrown away by the state machine.
    pub(crate) fn start_tls(&mut self) {
        if self.shared.settings.tls.is_none() {
            return self.answer_no(&Refusal::NoTls);
        }
        self.forget();
        self.client.helo = None;
        self.client.extended = false;
        self.client.login = None;
        self.client.mechanism = None;
        self.exchange = None;
        self.protocol.accept();
    }

    /// Does the handshake; answers whether the session can go on under it.
    pub(crate) async fn secure(&mut self, connection: &mut Connection) -> bool {
        let settings = &self.shared.settings;
        let Some(acceptor) = &settings.tls else {
            return false;
        };
        // The handshake's state is large and short-lived: an idle session must not hold room for it.
        let handshake = Box::pin(connection.secure(acceptor, settings.handshake_timeout));
        match handshake.await {
            Ok(session) => {
                tracing::debug!(
                    client = %self.client.address,
                    protocol = session.protocol,
                    cipher = session.cipher,
                    name = session.server_name,
                    "TLS"
                );
                self.client.tls = Some(session);
                true
            }
            Err(failure) => {
                tracing::info!(
                    client = %self.client.address,
                    reason = "tls-handshake",
                    failure = failure.name(),
                    detail = %failure,
                    why = why(&failure),
                    "TLS handshake failed"
                );
                false
            }
        }
    }
}

/// Our diagnosis of a client's handshake that failed: what it means, and whose turn it is.
fn why(failure: &TlsFailure) -> &'static str {
    match failure {
        TlsFailure::Alert { alert } => match alert.as_str() {
            "unknown_ca" | "bad_certificate" | "certificate_unknown" => {
                "the client does not trust our certificate: it checks certificates, and ours is not by an authority that it knows, or not for the name that it used"
            }
            "certificate_expired" => "the client finds our certificate expired: renew it",
            "certificate_revoked" => "the client finds our certificate revoked: replace it",
            "unsupported_certificate" => {
                "the client cannot use our certificate, for the kind of its key mostly"
            }
            "protocol_version" | "handshake_failure" | "insufficient_security" => {
                "the client and we have no TLS version or cipher in common; we speak TLS 1.2 and 1.3"
            }
            "unrecognised_name" => "the client asked for a name that is not ours",
            "close_notify" | "user_canceled" => "the client changed its mind",
            _ => "the client ended the handshake for a reason of its own",
        },
        TlsFailure::NothingInCommon { .. } => {
            "the client and we have no TLS version or cipher in common; we speak TLS 1.2 and 1.3"
        }
        TlsFailure::NotTls { .. } => {
            "the client does not speak TLS here: plain SMTP on a port for TLS, or a command behind STARTTLS without waiting"
        }
        TlsFailure::Broke(_) => {
            "the client went away or fell silent in the handshake: a scanner, or a client that did not like our certificate and said nothing"
        }
        TlsFailure::Protocol { .. } | TlsFailure::Certificate { .. } => {
            "the client breaks the TLS protocol"
        }
    }
}
