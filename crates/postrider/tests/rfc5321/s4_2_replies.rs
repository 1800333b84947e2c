//! RFC 5321 §4.2: replies.

use crate::stage::Server;

/// §4.2.1: "The format for multiline replies requires that every line, except the last, begin with the
/// reply code, followed immediately by a hyphen … The last line will begin with the reply code, followed
/// immediately by <SP>".
#[test]
fn a_reply_of_several_lines_has_its_code_in_each() {
    let server = Server::start();
    let reply = server.client().ask("EHLO client.example", "250");
    let lines: Vec<&str> = reply.lines().collect();
    let (last, others) = lines.split_last().unwrap();
    assert!(others.len() > 3 && others.iter().all(|line| line.starts_with("250-")));
    assert!(last.starts_with("250 "));
}

/// §4.2.4: "502 SHOULD be used when the command is actually recognized by the SMTP server, but not implemented. If the
/// command is not recognized, code 500 SHOULD be returned."
#[test]
fn what_is_unknown_is_500_and_what_is_not_there_502() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("XYZZY", "500");
    for old in [
        "TURN",
        "SEND FROM:<a@b.example>",
        "SOML FROM:<a@b.example>",
        "SAML FROM:<a@b.example>",
    ] {
        client.ask(old, "502");
    }
}

/// §4.2: only 220, 221, 251, 421 and 551 have text that a machine reads: the domain comes first in the
/// first, the second and the fourth.
#[test]
fn replies_that_name_the_server_begin_with_its_name() {
    let server = Server::start();
    let mut client = server.connect();
    client.expect("220 relay.example ");
    client.ask("QUIT", "221 2.0.0 relay.example ");
}

/// §4.2: "Every command MUST generate exactly one reply", also where they come together (RFC 2920).
#[test]
fn every_command_has_one_reply_in_order() {
    let server = Server::start();
    let mut client = server.session();
    client.send(b"NOOP\r\nXYZZY\r\nVRFY x\r\nMAIL FROM:<anna@client.example>\r\nRSET\r\nQUIT\r\n");
    for code in ["250", "500", "252", "250", "250", "221"] {
        client.expect(code);
    }
    client.expect_end();
}
