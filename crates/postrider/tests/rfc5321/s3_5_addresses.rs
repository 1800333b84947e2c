//! RFC 5321 §3.5 and §3.6: VRFY, EXPN, and source routes.

use crate::stage::Server;

/// §3.5.3: "a server … MUST NOT return a 250 code in response to a VRFY … unless it has actually verified
/// the address", and may say 252, which §7.3 recommends against harvesting.
#[test]
fn vrfy_is_answered_with_252_whoever_is_asked_about() {
    let server = Server::start();
    let mut client = server.session();
    let (one, other) = (
        client.ask("VRFY bert", "252"),
        client.ask("VRFY <nobody@dest.example>", "252"),
    );
    assert_eq!(one, other);
}

/// §3.5.2 and §4.1.1.1: EXPN is optional; §4.2.4: a command that is known and not there is 502.
#[test]
fn expn_is_known_and_not_available() {
    let server = Server::start();
    server.session().ask("EXPN staff", "502");
}

/// §3.3: "Servers MUST be prepared to encounter a list of source routes in the forward-path, but they SHOULD
/// ignore the routes": the last part counts.
#[test]
fn a_source_route_is_taken_and_ignored() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<@one.example:anna@client.example>", "250");
    client.ask(
        "RCPT TO:<@one.example,@two.example:bert@dest.example>",
        "250",
    );
    client.ask("DATA", "354");
    client.send(b"Subject: x\r\n\r\n.\r\n");
    client.expect("250");
    let (recipient, content) = server.delivered(1).remove(0);
    assert_eq!(recipient, "bert@dest.example");
    assert!(content.starts_with("Return-Path: <anna@client.example>\n"));
}
