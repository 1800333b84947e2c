//! RFC 5321 §4.4: trace information.

use crate::stage::Server;

fn delivered(content: &str) -> String {
    let server = Server::start();
    let mut client = server.session();
    client.up_to_data();
    client.send(format!("{content}.\r\n").as_bytes());
    client.expect("250");
    server.delivered(1).remove(0).1
}

/// "When an SMTP server receives a message for delivery or further processing, it MUST insert trace (\"time
/// stamp\" or \"Received\") information at the beginning of the message content"; "The FROM clause, which
/// MUST be supplied in an SMTP environment, SHOULD contain both (1) the name of the source host as
/// presented in the EHLO command and (2) an address literal".
#[test]
fn a_received_field_with_name_address_and_time_is_put_first() {
    let text = delivered("Subject: x\r\n");
    let rest = text
        .strip_prefix("Return-Path: <anna@client.example>\n")
        .unwrap();
    let field = &rest[rest.find("Received: ").unwrap()..];
    assert!(
        field.starts_with("Received: from client.example ([127.0.0.1])\n\tby relay.example "),
        "{field}"
    );
    assert!(
        field.contains(" with ESMTP id ") && field.contains("\n\tfor <bert@dest.example>;\n\t"),
        "{field}"
    );
    assert!(field.find("Received: ").unwrap() < field.find("Subject: ").unwrap());
}

/// "An Internet mail program MUST NOT change or delete a Received: line that was previously added to the
/// message header section. SMTP servers MUST prepend Received lines to messages".
#[test]
fn received_fields_that_are_there_stay_as_they_are_below_ours() {
    let old = "Received: from a.example by b.example\n with SMTP; Mon, 1 Jan 2024 00:00:00 +0000\n";
    let text = delivered(&format!("{}Subject: x\r\n", old.replace('\n', "\r\n")));
    let (ours, theirs) = (
        text.find("by relay.example").unwrap(),
        text.find(old).unwrap(),
    );
    assert!(ours < theirs, "{text}");
}

/// "When the delivery SMTP server makes the \"final delivery\" of a message, it inserts a return-path line
/// at the beginning of the mail data", and there is one: what came with the message goes.
#[test]
fn final_delivery_begins_with_one_return_path() {
    let text = delivered("Subject: x\r\n");
    assert!(
        text.starts_with("Return-Path: <anna@client.example>\n"),
        "{text}"
    );
    assert_eq!(text.matches("Return-Path:").count(), 1);
}

/// §6.4: a relay does not mend mail; nothing else is added.
#[test]
fn the_rest_of_the_message_stays_byte_for_byte() {
    let text = delivered("X-Odd :  value \r\n\r\nno Date, no From\t \r\n");
    assert!(
        text.ends_with("\nX-Odd :  value \n\nno Date, no From\t \n"),
        "{text}"
    );
    assert!(
        !text.contains("\nDate:") && !text.contains("\nMessage-ID:"),
        "{text}"
    );
}
