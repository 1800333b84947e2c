//! `postrider sendmail` as programs call it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Relay, Sink};

use crate::postrider;

fn relay(sink: &Sink) -> Relay {
    Relay::start(
        postrider(),
        &format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n", sink.port),
    )
    .unwrap()
}

/// Runs it with this on its standard input: exit status and what it said.
fn hand_in(command: &mut Command, input: &str) -> (Option<i32>, String) {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    // It may have ended before it read anything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn recipients_from_the_header_and_no_bcc_in_the_mail() {
    let sink = Sink::start(Vec::new()).unwrap();
    let relay = relay(&sink);
    let mail = "From: Anna <anna@client.example>\nTo: Bert <bert@dest.example>,\n \"C, d\" <c@dest.example>\nCc: e@dest.example\nBcc: secret@dest.example\nSubject: x\n\nHello\n.\nnot sent\n";
    let (status, text) = hand_in(
        relay
            .command()
            .args(["sendmail", "-t", "-f", "bounce@client.example"]),
        mail,
    );
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(sink.wait_for(1, Duration::from_secs(30)), 1);
    let got = sink.received().remove(0);
    assert_eq!(got.from, "bounce@client.example");
    let mut to = got.to.clone();
    to.sort();
    assert_eq!(
        to,
        [
            "bert@dest.example",
            "c@dest.example",
            "e@dest.example",
            "secret@dest.example"
        ]
    );
    let content = String::from_utf8(got.content).unwrap();
    assert!(
        !content.contains("secret") && !content.contains("not sent"),
        "{content}"
    );
    assert!(
        content.contains("\r\nMessage-ID: <") && content.ends_with("\r\nHello\r\n"),
        "{content}"
    );
}

#[test]
fn with_i_a_dot_is_a_line() {
    let sink = Sink::start(Vec::new()).unwrap();
    let relay = relay(&sink);
    let (status, text) = hand_in(
        relay.command().args([
            "sendmail",
            "-oi",
            "-f",
            "a@client.example",
            "b@dest.example",
        ]),
        "Subject: x\n\na\n.\nb\n",
    );
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(sink.wait_for(1, Duration::from_secs(30)), 1);
    assert!(
        sink.received()[0]
            .content
            .ends_with(b"\r\n\r\na\r\n.\r\nb\r\n")
    );
}

#[test]
fn with_bs_it_speaks_smtp() {
    let sink = Sink::start(Vec::new()).unwrap();
    let relay = relay(&sink);
    let talk =
        "EHLO x.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@dest.example>\r\nDATA\r\n";
    let (status, text) = hand_in(
        relay.command().args(["sendmail", "-bs"]),
        &format!("{talk}Subject: x\r\n\r\ny\r\n.\r\nQUIT\r\n"),
    );
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("354 ") && text.contains("221 "), "{text}");
    assert_eq!(sink.wait_for(1, Duration::from_secs(30)), 1);
}

#[test]
fn what_goes_wrong_has_the_exit_status_that_programs_know() {
    let sink = Sink::start(Vec::new()).unwrap();
    let mut relay = relay(&sink);
    let (status, text) = hand_in(
        relay.command().args(["sendmail", "-t"]),
        "Subject: x\n\ny\n",
    );
    assert_eq!(status, Some(64), "{text}");
    assert!(text.contains("names none in To, Cc or Bcc"), "{text}");
    let (status, text) = hand_in(
        relay.command().args(["sendmail", "not an address"]),
        "Subject: x\n\ny\n",
    );
    assert_eq!(status, Some(65), "{text}");
    let (status, text) = hand_in(relay.command().args(["sendmail", "-z"]), "");
    assert_eq!(status, Some(64), "{text}");
    let log = relay.log();
    relay.stop().unwrap();
    let (status, text) = hand_in(
        relay.command().args(["sendmail", "b@dest.example"]),
        "Subject: x\n\ny\n",
    );
    assert_eq!(status, Some(75), "{text}\n{log}");
    assert!(text.contains("postrider serve"), "{text}");
}
