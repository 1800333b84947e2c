//! The steps at which a rule can act.

use serde::Serialize;

/// A step of a session, as the sink meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A connection has come; nothing is said yet.
    Connect,
    /// The greeting (RFC 5321 §3.1).
    Greeting,
    /// EHLO.
    Ehlo,
    /// HELO.
    Helo,
    /// STARTTLS (RFC 3207).
    Starttls,
    /// After the yes to STARTTLS, when the client begins the handshake.
    Handshake,
    /// AUTH (RFC 4954).
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, or the first BDAT.
    Data,
    /// While the content comes.
    Content,
    /// After the final dot or the last chunk.
    EndOfData,
    /// RSET.
    Rset,
    /// QUIT.
    Quit,
}

impl Stage {
    /// All of them, in the order of a session.
    pub const ALL: &'static [Stage] = &[
        Stage::Connect,
        Stage::Greeting,
        Stage::Ehlo,
        Stage::Helo,
        Stage::Starttls,
        Stage::Handshake,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Content,
        Stage::EndOfData,
        Stage::Rset,
        Stage::Quit,
    ];

    /// Their names, in the same order.
    pub const NAMES: &'static [&'static str] = &[
        "connect",
        "greeting",
        "ehlo",
        "helo",
        "starttls",
        "handshake",
        "auth",
        "mail",
        "rcpt",
        "data",
        "content",
        "end-of-data",
        "rset",
        "quit",
    ];

    /// The stage of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Stage> {
        let at = Stage::NAMES.iter().position(|known| *known == name)?;
        Stage::ALL.get(at).copied()
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let at = Stage::ALL.iter().position(|stage| *stage == self);
        at.and_then(|at| Stage::NAMES.get(at).copied())
            .unwrap_or("stage")
    }

    /// The same in the terms of a diagnosis.
    #[must_use]
    pub fn as_smtp(self) -> smtp::Stage {
        match self {
            Stage::Connect => smtp::Stage::Connect,
            Stage::Greeting => smtp::Stage::Greeting,
            Stage::Ehlo | Stage::Helo => smtp::Stage::Hello,
            Stage::Starttls | Stage::Handshake => smtp::Stage::StartTls,
            Stage::Auth => smtp::Stage::Auth,
            Stage::Mail => smtp::Stage::Mail,
            Stage::Rcpt => smtp::Stage::Rcpt,
            Stage::Data => smtp::Stage::Data,
            Stage::Content => smtp::Stage::Content,
            Stage::EndOfData => smtp::Stage::EndOfData,
            Stage::Rset => smtp::Stage::Reset,
            Stage::Quit => smtp::Stage::Quit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_found_by_its_name() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_name(stage.name()), Some(*stage));
        }
        assert_eq!(Stage::ALL.len(), Stage::NAMES.len());
    }
}
