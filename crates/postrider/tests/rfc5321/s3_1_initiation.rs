//! RFC 5321 §3.1 and §3.2: the beginning of a session.

use crate::stage::Server;

/// §3.1: "An SMTP session is initiated when a client opens a connection to a server and the server
/// responds with an opening message." §4.2: the domain comes first in 220.
#[test]
fn the_greeting_is_220_and_names_the_server() {
    let server = Server::start();
    let greeting = server.connect().expect("220 relay.example ");
    assert!(greeting.contains("ESMTP"), "{greeting}");
}

/// §4.1.1.1: "The SMTP server identifies itself to the SMTP client in the connection greeting reply and in
/// the response to this command"; the other lines are its extensions.
#[test]
fn ehlo_is_answered_with_the_servers_name_and_its_extensions() {
    let server = Server::start();
    let reply = server
        .client()
        .ask("EHLO client.example", "250-relay.example\r\n");
    for extension in ["PIPELINING", "8BITMIME", "SIZE "] {
        assert!(
            reply.lines().any(|line| line[4..].starts_with(extension)),
            "{reply}"
        );
    }
}

/// §4.1.1.1: "servers MUST support the HELO command and reply properly to it"; §3.2: "Servers MUST NOT return
/// the extended EHLO-style response to a HELO command."
#[test]
fn helo_is_answered_with_one_line() {
    let server = Server::start();
    let reply = server
        .client()
        .ask("HELO client.example", "250 relay.example");
    assert_eq!(reply.lines().count(), 1);
}

/// §3.1: a server that formally rejects a session says 554 or 421 in place of its greeting.
#[test]
fn a_server_that_is_full_says_so_in_place_of_its_greeting() {
    let server = Server::with("[limits]\nconnections = 1\n");
    let held = peers::wait_until(std::time::Duration::from_secs(30), || {
        let mut client = server.connect();
        client.reply().starts_with("220").then_some(client)
    });
    assert!(held.is_some());
    let mut client = server.connect();
    client.expect("421 4.3.2 ");
    client.expect_end();
}
