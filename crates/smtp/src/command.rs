//! Command lines (RFC 5321 §4.1.1): the grammar, without the order.

use crate::address::check_domain;
use crate::xclient::{self, XClient};
use crate::{Address, AddressError};

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

/// What is wrong with the path of MAIL or RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There are no angle brackets around it.
    #[error("put the address between < and >")]
    NoBrackets,
    /// RCPT TO:<>.
    #[error("a recipient cannot be empty")]
    Empty,
    /// MAIL FROM:<postmaster>.
    #[error("the address has no @ and domain")]
    NoDomain,
    /// The source route before the mailbox.
    #[error("the source route before the address is not valid")]
    Route,
    /// The mailbox.
    #[error("{0}")]
    Address(#[from] AddressError),
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

/// RFC 5321 §4.1.2 `Path`; answers what follows it too.
fn path<'a>(text: &'a str, qualify: Option<&str>) -> Result<(Address, &'a str), PathError> {
    let inner = text.strip_prefix('<').ok_or(PathError::NoBrackets)?;
    let end = closing_bracket(inner).ok_or(PathError::NoBrackets)?;
    let (inner, rest) = (&inner[..end], &inner[end + 1..]);
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return Err(PathError::NoBrackets);
    }
    let mailbox = if inner.starts_with('@') {
        without_route(inner)?
    } else {
        inner
    };
    if mailbox.len() < inner.len() && mailbox.is_empty() {
        return Err(PathError::Route);
    }
    // Whether characters beyond ASCII are allowed here depends on SMTPUTF8, which comes later.
    let address = match qualify.filter(|_| !mailbox.is_empty()) {
        Some(domain) if lacks_domain(mailbox) => {
            Address::parse(&format!("{mailbox}@{domain}"), true)?
        }
        _ => Address::parse(mailbox, true)?,
    };
    Ok((address, rest))
}

/// Whether a mailbox is a local part alone.
fn lacks_domain(mailbox: &str) -> bool {
    match Address::parse(mailbox, true) {
        Ok(address) => address.domain().is_none() && !address.is_null(),
        Err(error) => error.problem == crate::AddressProblem::NoDomain && error.at == mailbox.len(),
    }
}

/// The `>` that is not within a quoted local part.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|byte| {
        let closes = byte == b'>' && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        closes
    })
}

/// RFC 5321 §3.6.1 and §C: a source route is taken and ignored.
fn without_route(text: &str) -> Result<&str, PathError> {
    let mut rest = text;
    loop {
        let hop = rest.strip_prefix('@').ok_or(PathError::Route)?;
        let literal = if hop.starts_with('[') {
            hop.find(']').ok_or(PathError::Route)?
        } else {
            0
        };
        let end = literal + hop[literal..].find([',', ':']).ok_or(PathError::Route)?;
        check_domain(&hop[..end]).map_err(|_| PathError::Route)?;
        rest = &hop[end + 1..];
        if hop.as_bytes()[end] == b':' {
            return Ok(rest);
        }
    }
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
mod tests {
    use super::*;
    use crate::AddressProblem;

    fn mail_from(text: &str) -> Address {
        Address::parse(text, true).unwrap()
    }

    fn bare(keyword: &str) -> Parameter {
        Parameter {
            keyword: keyword.to_owned(),
            value: None,
        }
    }

    #[test]
    fn commands_are_read_in_any_case_and_with_space_at_the_end() {
        let table: [(&str, Command); 15] = [
            (
                "ehlo Client.example",
                Command::Ehlo("Client.example".into()),
            ),
            ("HELO [192.0.2.1]", Command::Helo("[192.0.2.1]".into())),
            ("DATA \t", Command::Data),
            (
                "bDaT 0 last",
                Command::Bdat {
                    size: 0,
                    last: true,
                },
            ),
            (
                "BDAT 86400",
                Command::Bdat {
                    size: 86400,
                    last: false,
                },
            ),
            ("RSET", Command::Rset),
            ("noop what ever", Command::Noop),
            ("VRFY Jones", Command::Vrfy("Jones".into())),
            ("EXPN staff", Command::Expn),
            ("HELP", Command::Help),
            ("STARTTLS", Command::StartTls),
            (
                "AUTH plain AGEAYg==",
                Command::Auth {
                    mechanism: "PLAIN".into(),
                    initial: Some("AGEAYg==".into()),
                },
            ),
            ("lhlo me", Command::Lhlo("me".into())),
            ("quit", Command::Quit),
            ("TURN", Command::Withdrawn),
        ];
        for (line, command) in table {
            assert_eq!(parse(line.as_bytes()), Ok(command), "{line}");
        }
    }

    #[test]
    fn the_sender_may_have_parameters_and_a_space_after_the_colon() {
        let size = Parameter {
            keyword: "SIZE".into(),
            value: Some("100".into()),
        };
        let expected = Command::Mail {
            from: mail_from("a@example.org"),
            parameters: vec![size, bare("SMTPUTF8")],
        };
        for line in [
            "MAIL FROM:<a@example.org> SIZE=100 SMTPUTF8",
            "mail from: <a@example.org>  size=100 smtputf8 ",
        ] {
            assert_eq!(parse(line.as_bytes()), Ok(expected.clone()), "{line}");
        }
        let null = Command::Mail {
            from: Address::null(),
            parameters: vec![],
        };
        assert_eq!(parse(b"MAIL FROM:<>"), Ok(null));
    }

    #[test]
    fn a_quoted_local_part_may_hold_a_bracket_and_a_space() {
        let to = mail_from("\"a> \\\" b\"@example.org");
        let expected = Command::Rcpt {
            to,
            parameters: vec![bare("X")],
        };
        assert_eq!(
            parse(b"RCPT TO:<\"a> \\\" b\"@example.org> X"),
            Ok(expected)
        );
    }

    #[test]
    fn a_path_without_a_domain_gets_the_one_that_is_given() {
        let read = |line: &str| parse_qualified(line.as_bytes(), Some("office.example"));
        for (path, becomes) in [
            ("anna", "anna@office.example"),
            ("\"an na\"", "\"an na\"@office.example"),
            ("Postmaster", "Postmaster@office.example"),
            ("anna@example.org", "anna@example.org"),
        ] {
            let to = mail_from(becomes);
            let parameters = vec![];
            let expected = Command::Rcpt { to, parameters };
            assert_eq!(read(&format!("RCPT TO:<{path}>")), Ok(expected), "{path}");
        }
        let from = Address::null();
        let parameters = vec![];
        assert_eq!(read("MAIL FROM:<>"), Ok(Command::Mail { from, parameters }));
        assert!(read("MAIL FROM:<anna@>").is_err());
    }

    #[test]
    fn a_source_route_is_dropped() {
        for line in [
            "RCPT TO:<@one.example:u@example.org>",
            "RCPT TO:<@one.example,@two.example:u@example.org>",
            "RCPT TO:<@[IPv6:2001:db8::1],@[192.0.2.1]:u@example.org>",
        ] {
            let expected = Command::Rcpt {
                to: mail_from("u@example.org"),
                parameters: vec![],
            };
            assert_eq!(parse(line.as_bytes()), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused_with_the_reason() {
        use SyntaxError as E;
        let no_domain = AddressError {
            at: 1,
            problem: AddressProblem::NoDomain,
        };
        let table: [(&[u8], SyntaxError); 23] = [
            (b"", E::Unknown),
            (b" MAIL FROM:<a@b>", E::Unknown),
            (b"MAILFROM:<a@b>", E::Unknown),
            (b"GET / HTTP/1.1", E::Unknown),
            (b"NOOP \0", E::ControlCharacter { at: 5 }),
            (b"NOOP a\rb", E::ControlCharacter { at: 6 }),
            (b"NOOP \xff", E::NotUtf8),
            (
                b"EHLO",
                E::Usage {
                    usage: "EHLO your.host.name",
                },
            ),
            (
                b"EHLO a b",
                E::Usage {
                    usage: "EHLO your.host.name",
                },
            ),
            (
                b"MAIL",
                E::Usage {
                    usage: "MAIL FROM:<name@example.org>",
                },
            ),
            (
                b"MAIL TO:<a@b>",
                E::Usage {
                    usage: "MAIL FROM:<name@example.org>",
                },
            ),
            (b"MAIL FROM:a@b", E::Sender(PathError::NoBrackets)),
            (b"MAIL FROM:<a@b", E::Sender(PathError::NoBrackets)),
            (b"MAIL FROM:<a@b>SIZE=1", E::Sender(PathError::NoBrackets)),
            (b"MAIL FROM:<postmaster>", E::Sender(PathError::NoDomain)),
            (b"MAIL FROM:<a>", E::Sender(PathError::Address(no_domain))),
            (b"RCPT TO:<>", E::Recipient(PathError::Empty)),
            (b"RCPT TO:<@x:>", E::Recipient(PathError::Route)),
            (b"DATA now", E::Usage { usage: "DATA" }),
            (
                b"AUTH",
                E::Usage {
                    usage: "AUTH mechanism, or AUTH mechanism initial-response",
                },
            ),
            (
                b"AUTH PLAIN a b",
                E::Usage {
                    usage: "AUTH mechanism, or AUTH mechanism initial-response",
                },
            ),
            (b"XCLIENT ADDR=here", E::Attribute("ADDR=here".into())),
            (
                b"MAIL FROM:<a@b> SIZE=1 size=2",
                E::Parameter("size=2".into()),
            ),
        ];
        for (line, error) in table {
            assert_eq!(parse(line), Err(error), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_chunk_without_a_readable_size_is_an_error_of_its_own() {
        for line in [
            "BDAT",
            "BDAT x",
            "BDAT -1",
            "BDAT +1",
            "BDAT 1 FIRST",
            "BDAT 1 LAST 2",
            "BDAT 99999999999999999999",
        ] {
            assert_eq!(
                parse(line.as_bytes()),
                Err(SyntaxError::ChunkSize),
                "{line}"
            );
        }
    }
}
