//! The command line.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use peers::Place;

use crate::stage::{Sink, postrider};

fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(postrider());
    let output = command
        .arg("sink")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn the_library_is_listed_and_its_scripts_can_be_begun_with() {
    let (status, text) = said(&["--list"]);
    assert_eq!(status, Some(0));
    assert!(text.starts_with("dropped "), "{text}");
    for line in said(&["--list", "--json"]).1.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let (status, script) = said(&["--show", row["name"].as_str().unwrap()]);
        assert_eq!(status, Some(0));
        assert!(script.contains("[about]"), "{script}");
    }
}

#[test]
fn wrong_use_is_told_with_what_is_right() {
    for (arguments, words) in [
        (&["--scenario", "nothing"][..], "--list"),
        (&["--code", "soon"], "4.2.2"),
        (&["--code", "4.2.2", "--at", "later"], "end-of-data"),
        (&["--dialect", "klingon"], "exchange"),
        (&["--at", "rcpt"], "--code"),
        (&["--api", "nowhere"], "8026"),
        (&["--reply", "no"], "452 4.2.2"),
    ] {
        let (status, text) = said(arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}

#[test]
fn a_wrong_script_is_shown_with_its_place() {
    let place = Place::new("script").unwrap();
    let file = place
        .file("bad.toml", "[[rule]]\nat = \"rcpt\"\ndo = \"explode\"\n")
        .unwrap();
    let (status, text) = said(&["--script", file.to_str().unwrap()]);
    assert_eq!(status, Some(1));
    for words in [
        "bad.toml:3:6",
        "do = \"explode\"",
        "^^^^^^^^^",
        "write a code",
    ] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let sink = Sink::start(&[]);
    let (status, text) = said(&["--port", &sink.port().to_string()]);
    assert_eq!(status, Some(1));
    assert!(text.contains("cannot listen on 127.0.0.1"), "{text}");
}

#[test]
fn json_lines_tell_of_each_session() {
    let mut child = Command::new(postrider())
        .args(["sink", "--port", "0", "--json", "--code", "421"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next =
        || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let port = u16::try_from(next()["smtp_port"].as_u64().unwrap()).unwrap();
    let _client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let texts: Vec<_> = (0..3).map(|_| next()).collect();
    assert_eq!(texts[0]["who"], "event");
    assert_eq!(texts[2]["who"], "sink");
    assert!(
        texts[2]["text"].as_str().unwrap().starts_with("421 4.2.1"),
        "{texts:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}
