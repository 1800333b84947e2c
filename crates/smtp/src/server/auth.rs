//! AUTH (RFC 4954): the exchange of challenges and responses, whatever the mechanism says in them.

use std::fmt;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use data_encoding::BASE64;
use memchr::memchr;

use super::session::{Pending, Phase, Session, Step};
use super::{Event, Needs, Problem};
use crate::command::SyntaxError;

/// What is offered to a client. To be shared between sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthOffer {
    /// The mechanisms that are announced and taken, in upper case.
    pub mechanisms: Vec<String>,
    /// Those that would be under TLS.
    pub needs_tls: Vec<String>,
}

/// What a client sent to prove who it is: it may be a password, and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Bytes);

impl Secret {
    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// RFC 4954 §4: what is "considered to be a sufficient line length limit for handling of deployed
/// authentication mechanisms", CRLF included.
const LONGEST: usize = 12_288;

impl Session {
    /// Offers AUTH from the next answer to EHLO on; to be called before that answer.
    pub fn offer_auth(&mut self, offer: Option<Arc<AuthOffer>>) {
        self.auth = offer;
    }

    /// Answers [`Event::Auth`] or [`Event::AuthResponse`] with a challenge (RFC 4954 §4: 334).
    pub fn challenge(&mut self, data: &[u8]) {
        if matches!(self.pending, Some(Pending::Auth)) {
            self.pending = None;
            self.phase = Phase::AuthResponse;
            self.write_challenge(&BASE64.encode(data));
        }
    }

    pub(super) fn begin_auth(
        &mut self,
        mechanism: String,
        initial: Option<String>,
    ) -> Result<Step, Problem> {
        // RFC 4954 §4: only after EHLO, which announces it.
        if !self.hello {
            return Err(Problem::OutOfOrder(Needs::Hello));
        }
        let offer = self.auth.as_ref().ok_or(Problem::NotAvailable)?;
        // RFC 4954 §4: no second time, and not within a transaction.
        if self.authenticated {
            return Err(Problem::OutOfOrder(Needs::NoAuth));
        }
        if self.transaction.is_some() {
            return Err(Problem::OutOfOrder(Needs::NoTransaction));
        }
        if offer.needs_tls.contains(&mechanism) {
            return Err(Problem::MechanismNeedsTls);
        }
        if !offer.mechanisms.contains(&mechanism) {
            return Err(Problem::UnknownMechanism);
        }
        let initial = match initial.as_deref() {
            None => None,
            // RFC 4954 §4: a response of no length is written `=`.
            Some("=") => Some(Secret(Bytes::new())),
            Some(text) => Some(decoded(text.as_bytes())?),
        };
        self.pending = Some(Pending::Auth);
        Ok(Step::Event(Event::Auth { mechanism, initial }))
    }

    /// The line after a challenge. It is no command, and none of it is ever shown.
    pub(super) fn auth_response(&mut self) -> Step {
        let Some(end) = memchr(b'\n', &self.input) else {
            if self.input.len() >= LONGEST {
                self.input.clear();
                self.phase = Phase::LongResponse;
            }
            return Step::NeedInput;
        };
        let line = self.input.split_to(end + 1).freeze();
        self.phase = Phase::Command;
        let problem = if line.len() > LONGEST {
            Problem::ResponseTooLong { limit: LONGEST }
        } else {
            match line.strip_suffix(b"\r\n") {
                None => Problem::Syntax(SyntaxError::BareLf),
                // RFC 4954 §4: a `*` alone cancels, and must be answered with 501.
                Some(b"*") => Problem::AuthCancelled,
                Some(text) => match decoded(text) {
                    Ok(response) => {
                        self.pending = Some(Pending::Auth);
                        return Step::Event(Event::AuthResponse(response));
                    }
                    Err(problem) => problem,
                },
            }
        };
        self.refuse_with(problem, Bytes::new(), None)
    }

    pub(super) fn long_response(&mut self) -> Step {
        let Some(end) = memchr(b'\n', &self.input) else {
            self.input.clear();
            return Step::NeedInput;
        };
        self.input.advance(end + 1);
        self.phase = Phase::Command;
        // RFC 4954 §4: 500, and X.5.6 of §6.
        let problem = Problem::ResponseTooLong { limit: LONGEST };
        self.refuse_with(problem, Bytes::new(), None)
    }
}

fn decoded(text: &[u8]) -> Result<Secret, Problem> {
    let bytes = BASE64.decode(text).map_err(|_| Problem::NotBase64)?;
    Ok(Secret(Bytes::from(bytes)))
}
