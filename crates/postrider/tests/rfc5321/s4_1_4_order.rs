//! RFC 5321 §4.1.4: the order of commands.

use crate::stage::Server;

/// "The NOOP, HELP, EXPN, VRFY, and RSET commands can be used at any time during a session, or without
/// previously initializing a session."
#[test]
fn some_commands_need_no_ehlo() {
    let server = Server::start();
    let mut client = server.client();
    for (line, code) in [
        ("NOOP", "250"),
        ("HELP", "214"),
        ("VRFY bert", "252"),
        ("EXPN x", "502"),
        ("RSET", "250"),
    ] {
        client.ask(line, code);
    }
}

/// Deviation: "SMTP servers SHOULD process these normally (that is, not return a 503 code) even if no
/// EHLO command has yet been received" is about the commands above; a MAIL without EHLO may be taken. We
/// do not: the trace header needs the name.
#[test]
fn deviation_mail_before_ehlo_is_503() {
    let server = Server::start();
    server
        .client()
        .ask("MAIL FROM:<anna@client.example>", "503");
}

/// "A mail transaction … MUST NOT be sent if a mail transaction is already open": 503.
#[test]
fn mail_within_a_transaction_is_503_and_leaves_it_open() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("MAIL FROM:<other@client.example>", "503");
    client.ask("RCPT TO:<bert@dest.example>", "250");
}

/// "An SMTP server MAY verify that the domain name argument in the EHLO command actually corresponds to
/// the IP address of the client … However, if the verification fails, the server MUST NOT refuse to accept
/// a message on that basis."
#[test]
fn mail_of_a_client_with_a_strange_name_is_taken() {
    let server = Server::start();
    for name in [
        "nowhere.invalid",
        "x",
        "[203.0.113.9]",
        "under_score.example",
        "-",
    ] {
        let mut client = server.client();
        client.ask(&format!("EHLO {name}"), "250");
        client.mail("strange name");
    }
}
