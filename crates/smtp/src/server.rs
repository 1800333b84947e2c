//! The server's side of a connection, without any I/O.
//!
//! The driver appends what it received to [`Session::input`], asks [`Session::poll`] for events,
//! and writes [`Session::take_output`]. An event for which [`Event::needs_answer`] holds stops the
//! session until it is answered by [`Session::accept`] or [`Session::answer`]; until then
//! `poll` gives nothing. Errors of grammar and order are answered by the session itself and shown
//! as [`Event::Refused`], so that they can be logged.
//!
//! ```
//! use smtp::server::{Config, Event, Session};
//!
//! let mut session = Session::new(Config::new("mx.example.org"));
//! session.accept(); // the greeting
//! let client = b"HELO me.example\r\nMAIL FROM:<a@me.example>\r\nRCPT TO:<b@example.org>\r\n\
//!     DATA\r\nSubject: hi\r\n\r\n..\r\n.\r\nQUIT\r\n";
//! let mut content = Vec::new();
//! session.input().extend_from_slice(client);
//! while let Some(event) = session.poll() {
//!     match &event {
//!         Event::Content(piece) => content.extend_from_slice(piece),
//!         // Here the driver decides: `answer` instead of `accept` says something else than yes.
//!         Event::Mail { .. } | Event::Rcpt { .. } | Event::EndOfContent { .. } => {}
//!         _ => {}
//!     }
//!     if event.needs_answer() {
//!         session.accept();
//!     }
//! }
//! assert_eq!(content, b"Subject: hi\r\n\r\n.\r\n");
//! assert!(session.is_closed());
//! assert!(session.take_output().ends_with(b"221 2.0.0 mx.example.org closing connection\r\n"));
//! ```
//!
//! Transactions. One begins with an accepted [`Event::Mail`] and ends, whatever came of it, with the
//! answer to [`Event::EndOfContent`], with a refusal of [`Event::Data`], or with
//! [`Event::ContentAborted`], [`Event::Reset`], [`Event::Hello`], [`Event::StartTls`] or the end of
//! the connection. What the driver keeps of it must then go.
//!
//! AUTH (RFC 4954) is offered where the driver says so, by [`Session::offer_auth`] before it answers
//! [`Event::Hello`]. [`Event::Auth`] and [`Event::AuthResponse`] are answered by
//! [`Session::challenge`], [`Session::accept`] or [`Session::answer`]; any other event ends the exchange.
//!
//! With [`Config::lmtp`] the session speaks LMTP (RFC 2033): the end of the content is answered once for
//! each accepted recipient, by [`Session::answer_each`], or by the same words for all.

mod auth;
mod commands;
mod params;
mod problem;
mod session;
mod transfer;

use bytes::Bytes;

use crate::Address;
pub use crate::content::ContentProblem;
pub use crate::envelope::{MailParams, RcptParams};
use crate::xclient::XClient;
pub use auth::{AuthOffer, Secret};
pub use problem::{Needs, Problem};
pub use session::Session;

/// How a session behaves. To be shared between sessions.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name, in the greeting and elsewhere.
    pub hostname: String,
    /// The largest content that is taken, in bytes; announced by SIZE.
    pub max_size: u64,
    /// How many recipients a transaction may have; RFC 5321 §4.5.3.1.8 asks for 100 at least.
    pub max_recipients: usize,
    /// The longest command line, CRLF included. RFC 5321 §4.5.3.1.4 asks for 512 at least, and
    /// extensions for some more.
    pub max_line: usize,
    /// After how many commands that were wrong in grammar or order the session ends.
    pub max_errors: u32,
    /// Announce PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// Announce 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// Announce SIZE (RFC 1870).
    pub size: bool,
    /// Announce ENHANCEDSTATUSCODES (RFC 2034), and use them.
    pub enhanced_status_codes: bool,
    /// Announce CHUNKING (RFC 3030).
    pub chunking: bool,
    /// Announce SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Announce LIMITS (RFC 9422) with `max_recipients` as RCPTMAX.
    pub limits: bool,
    /// Announce STARTTLS (RFC 3207): the driver can do the handshake.
    pub starttls: bool,
    /// Speak LMTP (RFC 2033) and not SMTP.
    pub lmtp: bool,
    /// The domain that a path without one gets (RFC 6409 §5.1); `None`: such a path is taken as it is.
    pub qualify: Option<String>,
    /// Announce DSN (RFC 3461). This and what follows are promises of whoever keeps the message.
    pub dsn: bool,
    /// Announce BINARYMIME (RFC 3030 §3), where CHUNKING is.
    pub binary_mime: bool,
    /// Announce REQUIRETLS (RFC 8689), once TLS is on.
    pub require_tls: bool,
    /// Announce DELIVERBY (RFC 2852).
    pub deliver_by: bool,
    /// Announce MT-PRIORITY (RFC 6710).
    pub priority: bool,
    /// How many messages one connection may bring; announced as MAILMAX (RFC 9422) unless it is
    /// `u32::MAX`.
    pub max_messages: u32,
}

impl Config {
    /// RFC 3030 §3: binary content comes in chunks.
    pub(crate) fn takes_binary(&self) -> bool {
        self.binary_mime && self.chunking
    }
}

impl Config {
    /// The usual: every extension that needs nothing from the driver, 50 MiB, 1,000 recipients.
    #[must_use]
    pub fn new(hostname: impl Into<String>) -> Config {
        Config {
            hostname: hostname.into(),
            max_size: 50 << 20,
            max_recipients: 1000,
            max_line: 2048,
            max_errors: 20,
            pipelining: true,
            eight_bit_mime: true,
            size: true,
            enhanced_status_codes: true,
            chunking: true,
            smtputf8: true,
            limits: true,
            starttls: false,
            lmtp: false,
            qualify: None,
            dsn: false,
            binary_mime: false,
            require_tls: false,
            deliver_by: false,
            priority: false,
            max_messages: u32::MAX,
        }
    }
}

/// What a client asks or does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// EHLO, HELO or LHLO. Needs an answer: yes lists the extensions. Ends a transaction that was open.
    Hello {
        /// The name that the client gives itself.
        name: String,
        /// Whether it was EHLO or LHLO.
        extended: bool,
    },
    /// MAIL. Needs an answer.
    Mail {
        /// The reverse-path.
        from: Address,
        /// What the client says about the message.
        params: MailParams,
    },
    /// RCPT. Needs an answer.
    Rcpt {
        /// The forward-path.
        to: Address,
        /// What the client asks for this recipient.
        params: RcptParams,
    },
    /// DATA, or the first BDAT. Needs an answer: yes asks for the content, no ends the transaction.
    Data {
        /// Whether the content comes in chunks (BDAT).
        chunked: bool,
    },
    /// A piece of the content.
    Content(Bytes),
    /// The content is complete. Needs an answer: yes takes responsibility (RFC 5321 §4.2.5).
    EndOfContent {
        /// Size of the content in bytes.
        size: u64,
    },
    /// The content cannot be taken and the transaction is over. What is left of the content is read
    /// and dropped by the session, which then says no.
    ContentAborted(ContentProblem),
    /// RSET: the transaction, if there was one, is over.
    Reset,
    /// STARTTLS. Needs an answer: after yes, once the output is written, the driver does the
    /// handshake. Whatever was received with the command is dropped then (RFC 3207 §4.2).
    StartTls,
    /// AUTH with a mechanism that is offered. Needs an answer: a challenge, yes or no.
    Auth {
        /// The mechanism, in upper case.
        mechanism: String,
        /// What came with the command, decoded.
        initial: Option<Secret>,
    },
    /// The response to a challenge, decoded. Needs an answer as [`Event::Auth`].
    AuthResponse(Secret),
    /// XCLIENT, where it is offered. Needs an answer: yes begins the session anew, with a greeting.
    Xclient(Box<XClient>),
    /// VRFY; answered with 252.
    Vrfy(String),
    /// A command was refused by the session itself.
    Refused {
        /// Why.
        problem: Problem,
        /// The line, without its line end and cut to [`Event::LINE`] bytes.
        line: Bytes,
    },
    /// The client made too many errors; the session is closed.
    TooManyErrors,
    /// QUIT; the session is closed.
    Quit,
}

impl Event {
    /// How much of a refused line is kept.
    pub const LINE: usize = 200;

    /// Whether the session waits for [`Session::accept`] or [`Session::answer`].
    #[must_use]
    pub fn needs_answer(&self) -> bool {
        matches!(
            self,
            Event::Hello { .. }
                | Event::Mail { .. }
                | Event::Rcpt { .. }
                | Event::Data { .. }
                | Event::EndOfContent { .. }
                | Event::StartTls
                | Event::Auth { .. }
                | Event::AuthResponse(_)
                | Event::Xclient(_)
        )
    }
}
