//! RFC 5321 §3.3: mail transactions.

use crate::stage::Server;

/// "If accepted, the SMTP server returns a \"250 OK\" reply" to each step, and 354 to DATA.
#[test]
fn a_message_is_handed_over_in_three_steps() {
    let server = Server::start();
    server.session().mail("three steps");
    server.delivered_only("three steps");
}

/// "A mail transaction … zero or more" per session: the next may follow at once.
#[test]
fn a_session_may_have_many_transactions() {
    let server = Server::start();
    let mut client = server.session();
    (0..5).for_each(|number| client.mail(&format!("message {number}")));
    assert_eq!(server.delivered(5).len(), 5);
}

/// "If the recipient is known not to be a deliverable address, the SMTP server returns a 550 reply": a
/// failure concerns that recipient alone.
#[test]
fn a_recipient_that_is_refused_does_not_touch_the_others() {
    let server = Server::with("\"closed.example\" = \"none\"\n");
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("RCPT TO:<bert@dest.example>", "250");
    client.ask("RCPT TO:<carla@closed.example>", "451");
    client.ask("RCPT TO:<dora@dest.example>", "250");
    client.ask("DATA", "354");
    client.send(b"Subject: x\r\n\r\n.\r\n");
    client.expect("250");
    let mut to: Vec<String> = server.delivered(2).into_iter().map(|one| one.0).collect();
    to.sort();
    assert_eq!(to, ["bert@dest.example", "dora@dest.example"]);
}

/// "If a RCPT command appears without a previous MAIL command, the server MUST return a 503 \"Bad
/// sequence of commands\" response."
#[test]
fn rcpt_without_mail_is_503() {
    let server = Server::start();
    server.session().ask("RCPT TO:<bert@dest.example>", "503");
}

/// "If there was no MAIL, or no RCPT, command, or all such commands were rejected, the server MAY return
/// a \"command out of sequence\" (503) or \"no valid recipients\" (554) reply in response to the DATA
/// command."
#[test]
fn data_without_a_recipient_is_503_or_554() {
    let server = Server::with("\"closed.example\" = \"none\"\n");
    let mut client = server.session();
    client.ask("DATA", "503");
    client.ask("MAIL FROM:<anna@client.example>", "250");
    client.ask("DATA", "503");
    client.ask("RCPT TO:<carla@closed.example>", "451");
    client.ask("DATA", "554");
}

/// "When the SMTP server accepts a message … it MUST NOT lose the message for frivolous reasons" (§6.1 and
/// §4.2.5): whoever hears 250 has handed over. What breaks off before has not, and is not delivered.
#[test]
fn content_that_breaks_off_is_not_delivered() {
    let server = Server::start();
    let mut broken = server.session();
    broken.up_to_data();
    broken.send(b"Subject: broken off\r\n\r\nhello\r\n");
    drop(broken);
    server.session().mail("control");
    server.delivered_only("control");
}

/// Deviation: "spaces are not permitted on either side of the colon following FROM in the MAIL command or
/// TO in the RCPT command". Many clients write one after it, and nothing else can be meant.
#[test]
fn deviation_a_space_after_the_colon_is_taken() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM: <anna@client.example>", "250");
    client.ask("RCPT TO: <bert@dest.example>", "250");
    client.ask("RCPT TO :<bert@dest.example>", "501");
}
