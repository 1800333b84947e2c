use super::*;
use crate::{AddressError, AddressProblem};

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
