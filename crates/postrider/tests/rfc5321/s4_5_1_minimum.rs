//! RFC 5321 §4.5.1: the least of a server.

use crate::stage::Server;

/// "The following commands MUST be supported to conform to this specification: EHLO HELO MAIL RCPT DATA
/// RSET NOOP QUIT VRFY".
#[test]
fn the_nine_commands_are_there() {
    let server = Server::start();
    for line in [
        "EHLO client.example",
        "HELO client.example",
        "MAIL FROM:<anna@client.example>",
        "RCPT TO:<bert@dest.example>",
        "DATA",
        "RSET",
        "NOOP",
        "VRFY bert",
        "QUIT",
    ] {
        let mut client = server.client();
        client.send(format!("{line}\r\n").as_bytes());
        let reply = client.reply();
        assert!(
            !reply.starts_with("500") && !reply.starts_with("502"),
            "{line}: {reply}"
        );
    }
}

/// "Any system that includes an SMTP server supporting mail relaying or delivery MUST support the reserved
/// mailbox \"postmaster\" as a case-insensitive local name."
#[test]
fn mail_for_postmaster_is_taken_from_whoever_may_relay() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RCPT TO:<Postmaster@relay.example>", "250");
}

/// Deviation: the same demand holds for strangers, too. A relay that serves its own networks has no
/// mailboxes, and mail for postmaster would be relayed for them.
#[test]
fn deviation_a_stranger_reaches_nobody_through_a_relay() {
    let server = Server::with("[relay]\nnetworks = [\"192.0.2.0/24\"]\n");
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RCPT TO:<postmaster>", "550 5.7.1");
}
