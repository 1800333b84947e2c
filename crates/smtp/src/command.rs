//! Command lines (RFC 5321 §4.1.1): the grammar, without the order.

mod path;

pub use path::PathError;
use path::path;

use crate::Address;
use crate::xclient::{self, XClient};

/// A command as a client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// EHLO with the client's name.
    Ehlo(String),
    /// HELO with the client's name.
    Helo(String),
    /// MAIL.
    Mail {
        /// The reverse-path.
        from: Address,
        /// What follows it.
        parameters: Vec<Parameter>,
    },
    /// RCPT.
    Rcpt {
        /// The forward-path, without its source route.
        to: Address,
        /// What follows it.
        parameters: Vec<Parameter>,
    },
    /// DATA.
    Data,
    /// BDAT (RFC 3030 §2).
    Bdat {
        /// How many bytes follow.
        size: u64,
        /// Whether they are the last of the message.
        last: bool,
    },
    /// RSET.
    Rset,
    /// NOOP, with or without an argument.
    Noop,
    /// VRFY with what is to be verified.
    Vrfy(String),
    /// EXPN.
    Expn,
    /// HELP.
    Help,
    /// STARTTLS (RFC 3207).
    StartTls,
    /// AUTH (RFC 4954).
    Auth {
        /// The mechanism, in upper case.
        mechanism: String,
        /// The initial response as it stands there, in base64 or `=`.
        initial: Option<String>,
    },
    /// LHLO (RFC 2033) with the client's name.
    Lhlo(String),
    /// XCLIENT, Postfix's extension: for whom the client speaks.
    Xclient(Box<XClient>),
    /// QUIT.
    Quit,
    /// TURN, SEND, SOML, SAML: once standard, now withdrawn (RFC 5321 §F).
    Withdrawn,
}

/// A parameter of MAIL or RCPT (RFC 5321 §4.1.2 `esmtp-param`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The keyword, in upper case.
    pub keyword: String,
    /// What follows the `=`.
    pub value: Option<String>,
}

/// A line that is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// No command begins like this.
    #[error("unknown command")]
    Unknown,
    /// NUL or another control character, or a CR that is not followed by LF.
    #[error("byte {} of the line is a control character", at + 1)]
    ControlCharacter {
        /// Offset in the line.
        at: usize,
    },
    /// The line ends in LF without a CR before it.
    #[error("the line ends in LF alone; lines end in CR LF")]
    BareLf,
    /// The line is longer than is taken.
    #[error("the line is longer than {limit} bytes")]
    TooLong {
        /// The limit, CRLF included.
        limit: usize,
    },
    /// The line is neither ASCII nor UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// The command's argument is missing or not as it must be.
    #[error("write it as `{usage}`")]
    Usage {
        /// How the command is written.
        usage: &'static str,
    },
    /// The size of a chunk cannot be read, so that it is unknown where the next command begins.
    #[error("the size of the chunk is not a number; write it as `BDAT 1000` or `BDAT 1000 LAST`")]
    ChunkSize,
    /// The path of MAIL is wrong.
    #[error("sender: {0}")]
    Sender(PathError),
    /// The path of RCPT is wrong.
    #[error("recipient: {0}")]
    Recipient(PathError),
    /// A parameter is not `KEYWORD` or `KEYWORD=value`, or stands there twice.
    #[error("`{0}` is not a parameter, or stands there twice")]
    Parameter(String),
    /// An attribute of XCLIENT is unknown or has a value that it cannot have.
    #[error("`{0}` is not an attribute of XCLIENT with a value that it can have")]
    Attribute(String),
}

/// Reads a command line, without its CRLF.
pub fn parse(line: &[u8]) -> Result<Command, SyntaxError> {
    parse_qualified(line, None)
}

/// The same, where a path without a domain gets this one (RFC 6409 §5.1).
pub fn parse_qualified(line: &[u8], qualify: Option<&str>) -> Result<Command, SyntaxError> {
    if let Some(at) = line
        .iter()
        .position(|byte| byte.is_ascii_control() && *byte != b'\t')
    {
        return Err(SyntaxError::ControlCharacter { at });
    }
    let line = std::str::from_utf8(line).map_err(|_| SyntaxError::NotUtf8)?;
    // RFC 5321 §4.1.1: white space before the end is tolerated.
    let line = line.trim_end_matches([' ', '\t']);
    let end = line.find([' ', '\t']).unwrap_or(line.len());
    let (verb, rest) = (&line[..end], line[end..].trim_start_matches([' ', '\t']));
    let verb = Verb::find(verb).ok_or(SyntaxError::Unknown)?;
    verb.command(rest, qualify)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Ehlo,
    Helo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Expn,
    Help,
    StartTls,
    Auth,
    Lhlo,
    Xclient,
    Quit,
    Withdrawn,
}

const VERBS: [(&str, Verb); 20] = [
    ("MAIL", Verb::Mail),
    ("RCPT", Verb::Rcpt),
    ("DATA", Verb::Data),
    ("EHLO", Verb::Ehlo),
    ("QUIT", Verb::Quit),
    ("RSET", Verb::Rset),
    ("BDAT", Verb::Bdat),
    ("HELO", Verb::Helo),
    ("NOOP", Verb::Noop),
    ("STARTTLS", Verb::StartTls),
    ("AUTH", Verb::Auth),
    ("LHLO", Verb::Lhlo),
    ("XCLIENT", Verb::Xclient),
    ("VRFY", Verb::Vrfy),
    ("EXPN", Verb::Expn),
    ("HELP", Verb::Help),
    ("TURN", Verb::Withdrawn),
    ("SEND", Verb::Withdrawn),
    ("SOML", Verb::Withdrawn),
    ("SAML", Verb::Withdrawn),
];

impl Verb {
    /// RFC 5321 §2.4: in any case.
    fn find(text: &str) -> Option<Verb> {
        let found = VERBS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))?;
        Some(found.1)
    }

    fn command(self, rest: &str, qualify: Option<&str>) -> Result<Command, SyntaxError> {
        // RFC 5321 §4.1.1.9: only NOOP and HELP may have an argument that means nothing.
        let alone = |command, usage| {
            if rest.is_empty() {
                Ok(command)
            } else {
                Err(SyntaxError::Usage { usage })
            }
        };
        match self {
            Verb::Ehlo => name(rest, "EHLO your.host.name").map(Command::Ehlo),
            Verb::Helo => name(rest, "HELO your.host.name").map(Command::Helo),
            Verb::Mail => mail(rest, qualify),
            Verb::Rcpt => rcpt(rest, qualify),
            Verb::Data => alone(Command::Data, "DATA"),
            Verb::Bdat => bdat(rest),
            Verb::Rset => alone(Command::Rset, "RSET"),
            Verb::Noop => Ok(Command::Noop),
            Verb::Vrfy if rest.is_empty() => Err(SyntaxError::Usage {
                usage: "VRFY address",
            }),
            Verb::Vrfy => Ok(Command::Vrfy(rest.to_owned())),
            Verb::Expn => Ok(Command::Expn),
            Verb::Help => Ok(Command::Help),
            Verb::StartTls => alone(Command::StartTls, "STARTTLS"),
            Verb::Auth => auth(rest),
            Verb::Lhlo => name(rest, "LHLO your.host.name").map(Command::Lhlo),
            Verb::Xclient => xclient::parse(rest)
                .map(|told| Command::Xclient(Box::new(told)))
                .map_err(SyntaxError::Attribute),
            Verb::Quit => alone(Command::Quit, "QUIT"),
            Verb::Withdrawn => Ok(Command::Withdrawn),
        }
    }
}

/// RFC 4954 §4 `AUTH mechanism [initial-response]`; RFC 4422 §3.1 has the names of mechanisms.
fn auth(rest: &str) -> Result<Command, SyntaxError> {
    let mut words = rest.split_ascii_whitespace();
    let is_name = |word: &&str| {
        word.len() <= 20
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    match (words.next().filter(is_name), words.next(), words.next()) {
        (Some(mechanism), initial, None) => Ok(Command::Auth {
            mechanism: mechanism.to_ascii_uppercase(),
            initial: initial.map(str::to_owned),
        }),
        _ => Err(SyntaxError::Usage {
            usage: "AUTH mechanism, or AUTH mechanism initial-response",
        }),
    }
}

/// The client's name.
///
/// Deviation: RFC 5321 §4.1.1.1 wants a domain or an address literal. Any one word is taken, since
/// §4.1.4 forbids to refuse mail for a name that proves wrong, and many clients have none that is
/// valid.
fn name(rest: &str, usage: &'static str) -> Result<String, SyntaxError> {
    if rest.is_empty() || rest.contains([' ', '\t']) {
        return Err(SyntaxError::Usage { usage });
    }
    Ok(rest.to_owned())
}

fn mail(rest: &str, qualify: Option<&str>) -> Result<Command, SyntaxError> {
    let usage = SyntaxError::Usage {
        usage: "MAIL FROM:<name@example.org>",
    };
    let (from, rest) =
        path(after_prefix(rest, "FROM:").ok_or(usage)?, qualify).map_err(SyntaxError::Sender)?;
    // RFC 5321 §4.1.2: Reverse-path has no form without a domain but `<>`.
    if from.domain().is_none() && !from.is_null() {
        return Err(SyntaxError::Sender(PathError::NoDomain));
    }
    Ok(Command::Mail {
        from,
        parameters: parameters(rest)?,
    })
}

fn rcpt(rest: &str, qualify: Option<&str>) -> Result<Command, SyntaxError> {
    let usage = SyntaxError::Usage {
        usage: "RCPT TO:<name@example.org>",
    };
    let (to, rest) =
        path(after_prefix(rest, "TO:").ok_or(usage)?, qualify).map_err(SyntaxError::Recipient)?;
    if to.is_null() {
        return Err(SyntaxError::Recipient(PathError::Empty));
    }
    Ok(Command::Rcpt {
        to,
        parameters: parameters(rest)?,
    })
}

/// Deviation: RFC 5321 §3.3 has no space between the colon and the path; clients that write one are
/// many, and nothing else can be meant.
fn after_prefix<'a>(rest: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = rest.split_at_checked(prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| rest.trim_start_matches([' ', '\t']))
}

fn parameters(rest: &str) -> Result<Vec<Parameter>, SyntaxError> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for word in rest.split([' ', '\t']).filter(|word| !word.is_empty()) {
        let parameter = parameter(word)
            .filter(|new| parameters.iter().all(|other| other.keyword != new.keyword))
            .ok_or_else(|| SyntaxError::Parameter(word.to_owned()))?;
        parameters.push(parameter);
    }
    Ok(parameters)
}

/// RFC 5321 §4.1.2 `esmtp-param`, with RFC 6531 §3.3 for values beyond ASCII.
fn parameter(word: &str) -> Option<Parameter> {
    let (keyword, value) = match word.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (word, None),
    };
    let keyword_fits = !keyword.is_empty()
        && !keyword.starts_with('-')
        && keyword
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let value_fits = value.is_none_or(|value| !value.is_empty() && !value.contains('='));
    (keyword_fits && value_fits).then(|| Parameter {
        keyword: keyword.to_ascii_uppercase(),
        value: value.map(str::to_owned),
    })
}

/// RFC 3030 §2: `BDAT SP chunk-size [SP end-marker]`.
fn bdat(rest: &str) -> Result<Command, SyntaxError> {
    let mut words = rest.split_ascii_whitespace();
    let size = words
        .next()
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let size = size
        .and_then(|word| word.parse().ok())
        .ok_or(SyntaxError::ChunkSize)?;
    match (words.next(), words.next()) {
        (None, _) => Ok(Command::Bdat { size, last: false }),
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => {
            Ok(Command::Bdat { size, last: true })
        }
        _ => Err(SyntaxError::ChunkSize),
    }
}

#[cfg(test)]
mod tests;
