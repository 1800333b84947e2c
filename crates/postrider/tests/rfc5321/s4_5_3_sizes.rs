//! RFC 5321 §4.5.3.1: sizes that a server must take, and what it says beyond them.

use crate::stage::Server;

/// §4.5.3.1.1: 64 octets of a local part. We take more, as §4.5.3.1 asks: "every implementation MUST be
/// able to receive objects of at least these sizes".
#[test]
fn local_parts_of_64_octets_and_more_are_taken() {
    let server = Server::start();
    let mut client = server.session();
    for length in [64, 200] {
        client.ask(
            &format!("MAIL FROM:<{}@client.example>", "a".repeat(length)),
            "250",
        );
        client.ask("RSET", "250");
    }
}

/// §4.5.3.1.2: 255 octets of a domain, and RFC 1035 allows no more.
#[test]
fn domains_of_255_octets_are_taken_and_longer_ones_are_not() {
    let server = Server::start();
    let mut client = server.session();
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(
        longest.len(),
        253,
        "RFC 1035 counts two octets more than are written"
    );
    client.ask(&format!("MAIL FROM:<anna@{longest}>"), "250");
    client.ask("RSET", "250");
    client.ask(&format!("MAIL FROM:<anna@{longest}.aa.bb>"), "501");
}

/// §4.5.3.1.4: 512 octets of a command line, CRLF included, and more for extensions; §4.5.3.1.9: what is too
/// long is 500, and the session goes on.
#[test]
fn command_lines_of_512_octets_are_taken_and_endless_ones_refused() {
    let server = Server::start();
    let mut client = server.session();
    client.ask(&format!("NOOP {}", "x".repeat(512 - 7)), "250");
    client.ask(&format!("NOOP {}", "x".repeat(100_000)), "500");
    client.ask("NOOP", "250");
}

/// §4.5.3.1.5: no reply line is longer than 512 octets.
#[test]
fn no_line_of_a_reply_is_longer_than_512_octets() {
    let server = Server::with("\"closed.example\" = \"none\"\n");
    let mut client = server.session();
    let label = "a".repeat(63);
    let domain = format!("{label}.{label}.{label}.closed.example");
    client.ask("MAIL FROM:<anna@client.example>", "250");
    let local = "b".repeat(600);
    let reply = client.ask(
        &format!("RCPT TO:<{local}@{domain}> {}=x", "K".repeat(600)),
        "555",
    );
    assert!(reply.lines().count() > 1, "folded: {reply}");
    assert!(reply.lines().all(|line| line.len() <= 510), "{reply}");
}

/// §4.5.3.1.6: 1,000 octets of a text line; we pass longer ones on as they are.
#[test]
fn text_lines_of_1000_octets_and_more_are_taken() {
    let server = Server::start();
    let mut client = server.session();
    for length in [998, 5_000] {
        client.up_to_data();
        client.send(format!("Subject: x\r\n\r\n{}\r\n.\r\n", "x".repeat(length)).as_bytes());
        client.expect("250");
    }
    let longest = server
        .delivered(2)
        .iter()
        .flat_map(|one| one.1.lines().map(str::len))
        .max();
    assert_eq!(longest, Some(5_000));
}

/// §4.5.3.1.7: 64K octets of a message.
#[test]
fn messages_of_64k_octets_and_more_are_taken() {
    let server = Server::start();
    let mut client = server.session();
    client.up_to_data();
    client.send(b"Subject: x\r\n\r\n");
    (0..20_000).for_each(|_| client.send(b"a line of some forty octets, CRLF included\r\n"));
    client.send(b".\r\n");
    client.expect("250");
    assert!(server.delivered(1)[0].1.len() > 800_000);
}

/// §4.5.3.1.8: 100 recipients, each with its own copy here.
#[test]
fn a_hundred_recipients_are_taken() {
    let server = Server::start();
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    (0..100).for_each(|number| _ = client.ask(&format!("RCPT TO:<b{number}@dest.example>"), "250"));
    client.ask("DATA", "354");
    client.send(b"Subject: x\r\n\r\n.\r\n");
    client.expect("250");
    assert_eq!(server.delivered(100).len(), 100);
}

/// §4.5.3.1.10: "The correct reply code for this condition is 452"; §4.5.3.1.8: "rejecting additional
/// addresses over its limit rather than silently discarding addresses previously accepted."
#[test]
fn recipients_beyond_the_limit_are_452_and_the_others_get_the_message() {
    let server = Server::with("[limits]\nrecipients = 100\n");
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example>", "250");
    for number in 0..102 {
        let code = if number < 100 { "250" } else { "452 4.5.3" };
        client.ask(&format!("RCPT TO:<b{number}@dest.example>"), code);
    }
    client.ask("DATA", "354");
    client.send(b"Subject: x\r\n\r\n.\r\n");
    client.expect("250");
    assert_eq!(server.delivered(100).len(), 100);
}

/// §4.5.3.1.9: a message beyond the limit is 552 — before it comes where it is announced (RFC 1870 §6.1),
/// and else after it.
#[test]
fn a_message_that_is_too_large_is_552_and_the_session_goes_on() {
    let server = Server::with("[limits]\nmessage_size = 10000\n");
    let mut client = server.session();
    client.ask("MAIL FROM:<anna@client.example> SIZE=10001", "552");
    client.up_to_data();
    client.send(b"Subject: large\r\n\r\n");
    (0..1_000).for_each(|_| client.send(b"a line of some forty octets, CRLF included\r\n"));
    client.send(b".\r\n");
    client.expect("552");
    client.mail("control");
    server.delivered_only("control");
}
