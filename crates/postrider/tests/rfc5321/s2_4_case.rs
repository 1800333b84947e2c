//! RFC 5321 §2.4: case, and characters.

use crate::stage::Server;

/// "Verbs and argument values … are not case sensitive, with the sole exception in this specification of
/// a mailbox local-part."
#[test]
fn verbs_and_keywords_have_no_case() {
    let server = Server::start();
    let mut client = server.client();
    client.ask("eHlO client.example", "250");
    client.ask(
        "mail from:<anna@client.example> size=100 body=8bitmime",
        "250",
    );
    client.ask("Rcpt To:<bert@dest.example>", "250");
    client.ask("dAtA", "354");
    client.send(b"Subject: x\r\n\r\n.\r\n");
    client.expect("250");
    client.ask("quit", "221");
}

/// "The local-part of a mailbox MUST BE treated as case sensitive."
#[test]
fn the_case_of_a_local_part_is_kept() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<Anna@client.example>", "250");
    client.ask("RCPT TO:<BerT@dest.example>", "250");
    client.ask("DATA", "354");
    client.send(b"Subject: x\r\n\r\n.\r\n");
    client.expect("250");
    let (recipient, content) = server.delivered(1).remove(0);
    assert_eq!(recipient, "BerT@dest.example");
    assert!(
        content.starts_with("Return-Path: <Anna@client.example>\n"),
        "{content}"
    );
}

/// "Commands and replies are composed of characters from the ASCII character set", and "octets … are
/// transmitted … with the high-order bit cleared to zero" without an extension: RFC 6531 §3.5 is that
/// extension, and must be asked for.
#[test]
fn an_address_beyond_ascii_needs_the_extension() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<änna@client.example>", "553");
    client.ask("MAIL FROM:<änna@client.example> SMTPUTF8", "250");
}
