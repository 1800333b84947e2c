//! RFC 5321 §4.1.1 to §4.1.3: each command, and addresses.

use crate::stage::Server;

/// §4.1.1.1: "If it is issued after the session begins … the SMTP server MUST clear all
/// buffers and reset the state exactly as if a RSET command had been issued" (§4.1.4).
#[test]
fn ehlo_and_helo_end_a_transaction() {
    let server = Server::start();
    let mut client = server.session();
    for hello in ["EHLO again.example", "HELO again.example"] {
        client.ask("MAIL FROM:<anna@client.example>", "250");
        client.ask(hello, "250");
        client.ask("RCPT TO:<bert@dest.example>", "503");
    }
}

/// §4.1.1.1: the argument is needed.
#[test]
fn ehlo_without_a_name_is_501() {
    let server = Server::start();
    let mut client = server.client();
    client.ask("EHLO", "501");
    client.ask("HELO", "501");
}

/// §4.1.1.2, §4.5.5: the null reverse-path MUST be accepted, as that of reports.
#[test]
fn the_null_reverse_path_is_taken() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<>", "250");
    client.ask("RCPT TO:<bert@dest.example>", "250");
    client.ask("DATA", "354");
    client.send(b"Subject: report\r\n\r\n.\r\n");
    client.expect("250");
    assert!(server.delivered(1)[0].1.starts_with("Return-Path: <>\n"));
}

/// §4.1.1.3: "RCPT TO:<Postmaster>" without a domain is to be taken, in any case.
#[test]
fn postmaster_needs_no_domain() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RCPT TO:<Postmaster>", "250");
    client.ask("RCPT TO:<pOSTMASTER>", "250");
}

/// §4.1.1.3, §3.3: an empty forward-path is none.
#[test]
fn a_recipient_must_be_somebody() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RCPT TO:<>", "501");
    client.ask("RCPT TO:bert@dest.example", "501");
    client.ask("RCPT TO:<bert>", "501");
}

/// §4.1.1.5: "The receiver MUST send a \"250 OK\" reply to a RSET command with no arguments", it may come
/// at any time, and "An SMTP server MUST NOT close the connection as the result of receiving a RSET".
#[test]
fn rset_ends_a_transaction_and_nothing_else() {
    let server = Server::start();
    let mut client = server.client();
    client.ask("RSET", "250");
    client.ask("EHLO client.example", "250");
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RSET", "250");
    client.ask("RCPT TO:<bert@dest.example>", "503");
    client.mail("after rset");
}

/// §4.1.1.8: "SMTP servers SHOULD support HELP without arguments and MAY
/// support it with arguments."
#[test]
fn help_helps_with_and_without_an_argument() {
    let server = Server::start();
    let mut client = server.session();
    assert!(client.ask("HELP", "214").contains("MAIL"));
    client.ask("HELP MAIL", "214");
}

/// §4.1.1.9: "This command does not affect any parameters or previously entered commands … If a parameter
/// string is specified, servers SHOULD ignore it."
#[test]
fn noop_does_nothing_whatever_is_said_with_it() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("NOOP with some words", "250");
    client.ask("RCPT TO:<bert@dest.example>", "250");
}

/// §4.1.1: "Several commands (RSET, DATA, QUIT) are specified as not permitting parameters … servers
/// SHOULD reject commands containing them as having invalid syntax."
#[test]
fn rset_data_and_quit_take_no_parameters() {
    let server = Server::start();
    let mut client = server.session();
    for line in ["RSET now", "DATA now", "QUIT now"] {
        client.ask(line, "501");
    }
}

/// §4.1.1.11: "If the server SMTP does not recognize or cannot implement one or more of the parameters …
/// it will return code 555."
#[test]
fn parameters_that_are_not_known_are_555() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example> COLOUR=red", "555");
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RCPT TO:<bert@dest.example> COLOUR=red", "555");
}

/// §4.1.2: quoted local parts are local parts.
#[test]
fn a_quoted_local_part_may_have_spaces_and_brackets() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<\"anna > bert\"@client.example>", "250");
    client.ask("RCPT TO:<\"a b@c\"@dest.example>", "250");
}

/// §4.1.3: address literals stand in place of a domain.
#[test]
fn address_literals_are_taken_in_place_of_domains() {
    let server = Server::start();
    let mut client = server.client();
    client.ask("EHLO [192.0.2.1]", "250");
    client.ask("MAIL FROM:<anna@[192.0.2.1]>", "250");
    client.ask("RCPT TO:<bert@[IPv6:2001:db8::1]>", "250");
    client.ask("RCPT TO:<bert@[192.0.2.256]>", "501");
}
