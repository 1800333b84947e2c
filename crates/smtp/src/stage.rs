//! The steps of handing over a message.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step of an attempt: from finding the next hop to taking leave of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Finding the next hop.
    Route,
    /// Opening the connection.
    Connect,
    /// Waiting for the greeting (RFC 5321 §3.1).
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS and the handshake (RFC 3207).
    StartTls,
    /// AUTH (RFC 4954).
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, before the go-ahead.
    Data,
    /// While the content is being sent.
    Content,
    /// After the final dot or the last chunk, waiting for the reply.
    EndOfData,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

impl Stage {
    /// The name as it stands in records: `end_of_data`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Route => "route",
            Stage::Connect => "connect",
            Stage::Greeting => "greeting",
            Stage::Hello => "hello",
            Stage::StartTls => "start_tls",
            Stage::Auth => "auth",
            Stage::Mail => "mail",
            Stage::Rcpt => "rcpt",
            Stage::Data => "data",
            Stage::Content => "content",
            Stage::EndOfData => "end_of_data",
            Stage::Reset => "reset",
            Stage::Quit => "quit",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
