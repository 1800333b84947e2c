//! RFC 5321 §3.8: the end of a session.

use crate::stage::Server;

/// "An SMTP server MUST NOT intentionally close the connection" but after QUIT, whose reply is 221.
#[test]
fn quit_is_answered_and_then_the_connection_ends() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("QUIT", "221 2.0.0 relay.example ");
    client.expect_end();
}

/// "In particular, a server that closes connections in response to commands that are not understood is in
/// violation of this specification. Servers are expected to be tolerant of unknown commands."
#[test]
fn unknown_commands_are_answered_and_the_session_goes_on() {
    let server = Server::start();
    let mut client = server.session();
    (0..15).for_each(|_| _ = client.ask("XYZZY", "500"));
    client.mail("after nonsense");
}

/// Deviation: after more than 20 refused commands the session is ended, with 421: what says so much
/// nonsense is no mail client (a web browser made to talk to us, say).
#[test]
fn deviation_a_session_of_nothing_but_nonsense_is_ended_with_421() {
    let server = Server::start();
    let mut client = server.session();
    (0..20).for_each(|_| _ = client.ask("XYZZY", "500"));
    client.ask("XYZZY", "421");
    client.expect_end();
}

/// §4.1.1.10: "If the connection is closed prematurely … the server MUST cancel any pending transaction, but
/// not undo any previously completed transaction."
#[test]
fn a_client_that_goes_without_quit_leaves_nothing() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    drop(client);
    server.session().mail("control");
    server.delivered_only("control");
}
