//! RFC 5321 §2.3.8: lines.

use crate::stage::Server;

/// "Conforming implementations MUST NOT recognize or generate any other character or character sequence
/// as a line terminator."
#[test]
fn a_command_that_ends_in_lf_alone_is_refused() {
    let server = Server::start();
    let mut client = server.session();
    client.send(b"NOOP\n");
    client.expect("500");
    client.ask("NOOP", "250");
}

/// The same.
#[test]
fn no_reply_has_a_line_that_ends_in_anything_but_crlf() {
    let server = Server::start();
    let mut client = server.client();
    let reply = client.ask("EHLO client.example", "250");
    assert_eq!(reply.matches('\n').count(), reply.matches("\r\n").count());
    assert_eq!(reply.matches('\r').count(), reply.matches("\r\n").count());
}

/// The same, and §4.1.1.4: "<LF>.<LF>" and its like do not end a message, so that nothing can be smuggled
/// in behind them.
#[test]
fn a_dot_between_other_line_ends_than_crlf_does_not_end_the_content() {
    let server = Server::start();
    for smuggled in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"] {
        let mut client = server.session();
        client.up_to_data();
        let second = "MAIL FROM:<evil@client.example>\r\nRCPT TO:<bert@dest.example>\r\nDATA\r\nSubject: smuggled\r\n";
        client.send(format!("Subject: outer\r\n\r\nx{smuggled}{second}\r\n.\r\n").as_bytes());
        let reply = client.reply();
        assert!(reply.starts_with("554"), "{smuggled:?}: {reply}");
    }
    server.session().mail("control");
    server.delivered_only("control");
}
