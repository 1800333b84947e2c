//! RFC 5321 §4.5.2: transparency.

use crate::stage::Server;

fn body(wire: &str) -> String {
    let server = Server::start();
    let mut client = server.session();
    client.up_to_data();
    client.send(format!("Subject: x\r\n\r\n{wire}.\r\n").as_bytes());
    client.expect("250");
    let text = server.delivered(1).remove(0).1;
    text.split_once("Subject: x\n\n").unwrap().1.to_owned()
}

/// "If the first character is a period and there are other characters on the line, the first character is
/// deleted."
#[test]
fn the_first_of_leading_dots_is_taken_away() {
    assert_eq!(body("..\r\n...two\r\n.x\r\ny.\r\n"), ".\n..two\nx\ny.\n");
}

/// "The mail data may contain any of the 128 ASCII characters" — and with 8BITMIME the others. All but NUL
/// and bare CR and LF pass as they are.
#[test]
fn every_character_passes_as_it_is() {
    let all: String = (1..=127u8)
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .map(char::from)
        .collect();
    assert_eq!(body(&format!("{all}\r\né\r\n")), format!("{all}\né\n"));
}

/// The end of mail data may come in pieces.
#[test]
fn the_end_is_seen_however_it_is_cut() {
    let server = Server::start();
    let mut client = server.session();
    client.up_to_data();
    for piece in ["Subject: cut\r", "\n\r\nx\r", "\n", ".", "\r", "\n"] {
        client.send(piece.as_bytes());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    client.expect("250");
    server.delivered_only("cut");
}
