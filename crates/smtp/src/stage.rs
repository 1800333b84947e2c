//! The steps of handing over a message.

use serde::{Deserialize, Serialize};

/// A step on the way of a message to its next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Finding the next hop.
    Route,
    /// Opening a connection.
    Connect,
    /// Waiting for the greeting (RFC 5321 §4.3.1).
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS and the handshake.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, up to the go-ahead.
    Data,
    /// Sending the content.
    Content,
    /// Waiting for the reply after the end of the content.
    EndOfData,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

impl Stage {
    /// The name as in JSON.
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
