//! The API, as a test would use it.

use std::time::Duration;

use peers::{Client, Mail, Place, wait_until};

use crate::stage::{Sink, postrider};

fn send(sink: &Sink, to: &str, subject: &str) -> bool {
    let place = Place::new("client").unwrap();
    let content = format!(
        "From: anna@client.example\r\nTo: {to}\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n"
    );
    let mail = Mail {
        from: "anna@client.example",
        to: &[to.to_owned()],
        content: content.as_bytes(),
    };
    Client::Smtplib
        .send(sink.port(), &mail, place.path(), postrider())
        .is_ok()
}

#[test]
fn messages_are_listed_shown_and_forgotten() {
    let sink = Sink::start(&[]);
    assert!(send(&sink, "bert@dest.example", "=?utf-8?Q?caf=C3=A9?="));
    assert!(send(&sink, "cora@other.example", "two"));
    assert_eq!(sink.get("/messages")["count"], 2);
    assert_eq!(
        sink.get("/messages?to=*@other.example")["messages"][0]["subject"],
        "two"
    );
    assert_eq!(sink.get("/messages?subject=caf*")["count"], 1);
    let one = sink.get("/messages/1");
    assert_eq!(one["subject"], "caf\u{e9}");
    assert_eq!(one["from"], "anna@client.example");
    assert_eq!(one["to"][0], "bert@dest.example");
    assert_eq!(one["eight_bit"], true);
    assert_eq!(one["text"].as_str().unwrap().trim(), "hello");
    assert_eq!(one["headers"][2][0], "Subject");
    let session = sink.get("/sessions/1");
    assert_eq!(session["messages"][0], 1);
    let lines = session["transcript"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line["text"] == "RCPT TO:<bert@dest.example>"
                || line["text"] == "rcpt TO:<bert@dest.example>")
    );
    assert_eq!(sink.ask("DELETE", "/messages/1", "").0, 200);
    assert_eq!(sink.ask("GET", "/messages/1", "").0, 404);
    assert_eq!(sink.ask("GET", "/messages/1/raw", "").0, 404);
    assert_eq!(sink.ask("DELETE", "/messages", "").0, 200);
    assert_eq!(sink.get("/messages")["count"], 0);
    assert_eq!(
        sink.get("/sessions")["sessions"].as_array().unwrap().len(),
        2
    );
    assert_eq!(sink.ask("DELETE", "/sessions", "").0, 200);
    assert_eq!(sink.ask("GET", "/sessions/1", "").0, 404);
    assert_eq!(sink.ask("GET", "/nothing", "").0, 404);
}

#[test]
fn a_test_can_wait_for_messages() {
    let sink = Sink::start(&[]);
    let (status, body) = sink.ask("GET", "/messages/wait?timeout=0.1", "");
    assert_eq!(status, 408, "{body}");
    std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| sink.get("/messages/wait?count=2&to=*@dest.example&timeout=50"));
        assert!(send(&sink, "bert@dest.example", "one"));
        assert!(send(&sink, "dora@other.example", "another"));
        assert!(send(&sink, "cora@dest.example", "two"));
        assert_eq!(waiting.join().unwrap()["count"], 2);
    });
}

#[test]
fn a_script_can_be_changed_while_it_runs() {
    let sink = Sink::start(&["--scenario", "unknown-user"]);
    assert!(!send(&sink, "bert@dest.example", "one"));
    let (status, body) = sink.ask("PUT", "/script", "[[rule]]\nat = \"rctp\"\n");
    assert_eq!(status, 400);
    assert!(
        body.contains("did you mean") || body.contains("write one of"),
        "{body}"
    );
    let (status, body) = sink.ask("PUT", "/script?seed=7", "");
    assert_eq!((status, body.as_str()), (200, "{\"seed\":7}"));
    assert!(send(&sink, "bert@dest.example", "one"));
}

#[test]
fn what_was_kept_in_a_directory_stays_there() {
    let place = Place::new("kept").unwrap();
    let directory = place.path().join("received");
    for number in 1..=2 {
        let sink = Sink::start(&["--keep", directory.to_str().unwrap()]);
        assert!(send(&sink, "bert@dest.example", "one"));
        let file = directory.join(format!("{number:06}.eml"));
        let content = std::fs::read_to_string(file).unwrap();
        assert!(content.ends_with("\r\n\r\nhello\r\n"), "{content}");
        let json = std::fs::read_to_string(directory.join(format!("{number:06}.json"))).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["to"][0], "bert@dest.example");
    }
}

#[test]
fn an_open_session_is_shown_as_open() {
    let sink = Sink::scenario("silent");
    let _client = std::net::TcpStream::connect(("127.0.0.1", sink.port())).unwrap();
    let open = wait_until(Duration::from_secs(30), || {
        let sessions = sink.get("/sessions");
        sessions["sessions"].get(0).map(|one| one["ended"] == false)
    });
    assert_eq!(open, Some(true));
}
