//! Why the session itself refuses a command, and in which words.

use super::params::usage;
use crate::command::{PathError, SyntaxError};
use crate::content::ContentProblem;
use crate::{AddressProblem, Class, OutgoingReply};

/// Why a command was refused by the session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is no command.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It comes at the wrong time.
    #[error("out of order: {0}")]
    OutOfOrder(Needs),
    /// It is not available here.
    #[error("not available")]
    NotAvailable,
    /// A parameter that is not known, or belongs to an extension that is not announced.
    #[error("the parameter {0} is not supported")]
    UnknownParameter(String),
    /// A parameter with a value that it cannot have.
    #[error("the parameter {0} has a value that is not supported")]
    ParameterValue(String),
    /// A parameter that is taken over TLS only (RFC 8689 §2).
    #[error("the parameter {0} is taken over TLS only")]
    NeedsTls(String),
    /// HOLDFOR and HOLDUNTIL at once (RFC 4865 §4).
    #[error("HOLDFOR and HOLDUNTIL exclude each other")]
    TwoHolds,
    /// More messages than are taken over one connection (RFC 9422 §4.1).
    #[error("more than {limit} messages")]
    TooManyMessages {
        /// What is taken.
        limit: u32,
    },
    /// An address beyond ASCII without SMTPUTF8 (RFC 6531 §3.5).
    #[error("an address beyond ASCII needs SMTPUTF8")]
    NeedsSmtpUtf8,
    /// The announced size is too large (RFC 1870 §6.1).
    #[error("announced {size} bytes, at most {limit} are taken")]
    TooLarge {
        /// What the client announced.
        size: u64,
        /// What is taken.
        limit: u64,
    },
    /// More recipients than are taken at once (RFC 5321 §4.5.3.1.10).
    #[error("more than {limit} recipients")]
    TooManyRecipients {
        /// What is taken.
        limit: usize,
    },
    /// EHLO or HELO where LMTP is spoken, or LHLO where it is not (RFC 2033 §4.1).
    #[error("{} is spoken here", if *.lmtp { "LMTP" } else { "SMTP" })]
    OtherProtocol {
        /// Whether LMTP is spoken here.
        lmtp: bool,
    },
    /// A mechanism that is not offered.
    #[error("the mechanism is not offered")]
    UnknownMechanism,
    /// A mechanism that would be offered under TLS.
    #[error("the mechanism is offered under TLS only")]
    MechanismNeedsTls,
    /// A response that is not base64.
    #[error("the response is not base64")]
    NotBase64,
    /// A response longer than is taken.
    #[error("the response is longer than {limit} bytes")]
    ResponseTooLong {
        /// The limit, CRLF included.
        limit: usize,
    },
    /// The client gave the exchange up.
    #[error("the client cancelled the authentication")]
    AuthCancelled,
}

/// What must come before a command, or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Needs {
    /// EHLO or HELO.
    #[error("EHLO or HELO must come first")]
    Hello,
    /// MAIL.
    #[error("MAIL must come first")]
    Mail,
    /// RCPT.
    #[error("RCPT must come first")]
    Rcpt,
    /// A recipient that was accepted.
    #[error("no recipient was accepted")]
    AcceptedRcpt,
    /// MAIL within a transaction.
    #[error("a transaction is open; finish it or say RSET")]
    NoTransaction,
    /// RCPT, DATA or the like after the first BDAT.
    #[error("after BDAT only BDAT, RSET and QUIT make sense")]
    NoChunks,
    /// Binary content by DATA (RFC 3030 §3).
    #[error("BODY=BINARYMIME goes with BDAT, not with DATA")]
    Chunks,
    /// STARTTLS a second time.
    #[error("TLS is on already")]
    NoTls,
    /// AUTH a second time (RFC 4954 §4).
    #[error("the session is authenticated already")]
    NoAuth,
}

impl Problem {
    /// Whether it counts as an error of the client.
    pub(crate) fn counts(&self) -> bool {
        !matches!(
            self,
            Problem::TooLarge { .. }
                | Problem::TooManyRecipients { .. }
                | Problem::TooManyMessages { .. }
                | Problem::NeedsSmtpUtf8
        )
    }

    /// What the client is told.
    #[must_use]
    pub fn reply(&self) -> OutgoingReply {
        let permanent = |code, subject, detail, text: String| {
            OutgoingReply::new(code, (Class::Permanent, subject, detail), text)
        };
        match self {
            Problem::Syntax(error) => syntax(error),
            Problem::OutOfOrder(Needs::AcceptedRcpt) => {
                // RFC 5321 §3.3.
                permanent(554, 5, 1, "no valid recipients".to_owned())
            }
            Problem::OutOfOrder(needs) => permanent(503, 5, 1, needs.to_string()),
            Problem::NotAvailable => {
                permanent(502, 5, 1, "this command is not available here".to_owned())
            }
            // RFC 5321 §4.1.1.11.
            Problem::UnknownParameter(name) => {
                permanent(555, 5, 4, format!("parameter {name} is not supported"))
            }
            Problem::ParameterValue(name) => {
                let mut text = format!("parameter {name} has a wrong value");
                if let Some(usage) = usage(name) {
                    text.push_str("; write ");
                    text.push_str(usage);
                }
                permanent(501, 5, 4, text)
            }
            Problem::NeedsTls(name) => permanent(
                555,
                5,
                4,
                format!("parameter {name} is supported over TLS only; say STARTTLS first"),
            ),
            Problem::TwoHolds => permanent(501, 5, 4, self.to_string()),
            // RFC 9422 §4.1 leaves the code to us: what is right is a new connection.
            Problem::TooManyMessages { limit } => OutgoingReply::new(
                421,
                (Class::Transient, 5, 3),
                format!(
                    "{limit} messages are taken over one connection; open another, try again in 0 seconds"
                ),
            ),
            // RFC 6531 §3.5.
            Problem::NeedsSmtpUtf8 => permanent(
                553,
                6,
                7,
                "this address needs the SMTPUTF8 parameter at MAIL".to_owned(),
            ),
            Problem::TooLarge { size, limit } => permanent(
                552,
                3,
                4,
                format!("{size} bytes are too many; the limit is {limit}"),
            ),
            // RFC 2033 §4.1.
            Problem::OtherProtocol { lmtp: true } => {
                permanent(500, 5, 1, "this is LMTP: begin with LHLO".to_owned())
            }
            Problem::OtherProtocol { lmtp: false } => {
                permanent(500, 5, 1, "this is SMTP: begin with EHLO".to_owned())
            }
            // RFC 4954 §4 and §6, RFC 5248 for X.7.11 and X.5.6.
            Problem::UnknownMechanism => {
                permanent(504, 5, 4, "this mechanism is not offered".to_owned())
            }
            Problem::MechanismNeedsTls => permanent(
                538,
                7,
                11,
                "this mechanism needs TLS: say STARTTLS first".to_owned(),
            ),
            Problem::NotBase64 => permanent(501, 5, 2, self.to_string()),
            Problem::ResponseTooLong { .. } => permanent(500, 5, 6, self.to_string()),
            Problem::AuthCancelled => permanent(501, 7, 0, "authentication cancelled".to_owned()),
            Problem::TooManyRecipients { limit } => OutgoingReply::new(
                452,
                (Class::Transient, 5, 3),
                // RFC 5321 §4.5.3.1.10: the rest may come at once.
                format!(
                    "too many recipients: {limit} at once; send the rest in a new transaction, \
                     try again in 0 seconds"
                ),
            ),
        }
    }
}

fn syntax(error: &SyntaxError) -> OutgoingReply {
    let (code, subject, detail) = match error {
        SyntaxError::Unknown
        | SyntaxError::ControlCharacter { .. }
        | SyntaxError::BareLf
        | SyntaxError::TooLong { .. }
        | SyntaxError::NotUtf8 => (500, 5, 2),
        SyntaxError::Usage { .. }
        | SyntaxError::Parameter(_)
        | SyntaxError::Attribute(_)
        | SyntaxError::ChunkSize => (501, 5, 4),
        SyntaxError::Sender(path) => (501, 1, if is_domain(path) { 8 } else { 7 }),
        SyntaxError::Recipient(path) => (501, 1, if is_domain(path) { 2 } else { 3 }),
    };
    OutgoingReply::new(code, (Class::Permanent, subject, detail), error.to_string())
}

/// RFC 3463 §3.2 has codes of their own for a domain that is wrong.
fn is_domain(path: &PathError) -> bool {
    let PathError::Address(error) = path else {
        return false;
    };
    matches!(
        error.problem,
        AddressProblem::Domain | AddressProblem::DomainTooLong | AddressProblem::Literal
    )
}

/// What the client is told about content that is not taken.
pub(crate) fn content_reply(problem: &ContentProblem) -> OutgoingReply {
    match problem {
        ContentProblem::TooLarge { .. } => OutgoingReply::new(
            552,
            (Class::Permanent, 3, 4),
            format!("message refused: {problem}"),
        ),
        ContentProblem::BareLf { .. } | ContentProblem::BareCr { .. } => OutgoingReply::new(
            554,
            (Class::Permanent, 6, 0),
            format!("message refused: {problem}; every line must end in CR LF"),
        ),
        ContentProblem::Nul { .. } => OutgoingReply::new(
            554,
            (Class::Permanent, 6, 0),
            format!("message refused: {problem}"),
        ),
    }
}
