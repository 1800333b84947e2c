//! `postrider explain` as people call it.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const LINE: &str = "2026-01-05T10:00:00+00:00 mail postfix/smtp[99]: 3F0A2B1C3D: to=<bert@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=4.2.2, status=deferred (host mx.example.org[192.0.2.1] said: 452 4.2.2 mailbox is full (in reply to RCPT TO command))\n";

fn explain(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
    command
        .arg("explain")
        .args(arguments)
        .env("LANG", "C")
        .env_remove("LC_ALL")
        .stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = explain(arguments).output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text(&output), problem)
}

fn json(arguments: &[&str]) -> Vec<Value> {
    let (status, out, problem) = said(&[&["--json"], arguments].concat());
    assert_eq!(status, Some(0), "{problem}");
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A bounce of the collection.
fn bounce(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/bounces")
        .join(name);
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_code_a_reply_and_a_bounce_are_told_apart_by_looking() {
    let full = bounce("postfix/mailbox-full.eml");
    for (arguments, kind, cause) in [
        (&["4.2.1"][..], "code", "server.busy"),
        (
            &["452", "4.2.2", "mailbox", "is", "full"],
            "reply",
            "mailbox.full",
        ),
        (
            &["450 4.7.1 Greylisted, try again in 300 seconds"],
            "reply",
            "greylisting",
        ),
        (&[full.as_str()], "bounce", "mailbox.full"),
        (&[LINE], "log", "mailbox.full"),
    ] {
        let all = json(arguments);
        assert_eq!(all.len(), 1, "{arguments:?}");
        assert_eq!(
            (&all[0]["input"]["kind"], &all[0]["diagnosis"]["cause"]),
            (&kind.into(), &cause.into()),
            "{arguments:?}"
        );
    }
}

#[test]
fn every_object_fits_the_published_schema() {
    let (_, schema, _) = said(&["--schema"]);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (postfix, exim) = (bounce("postfix"), bounce("exim"));
    let inputs: &[&[&str]] = &[
        &["4.2.1"],
        &["421"],
        &["250"],
        &["mailbox full"],
        &["421", "4.2.1"],
        &[LINE],
        &[&postfix, &exim],
    ];
    for lang in ["en", "nl"] {
        for input in inputs {
            for object in json(&[&["--lang", lang], *input].concat()) {
                let problems: Vec<String> = validator
                    .iter_errors(&object)
                    .map(|e| e.to_string())
                    .collect();
                assert!(problems.is_empty(), "{input:?}: {problems:?}\n{object}");
                assert_eq!(object["explanation"]["lang"], lang);
            }
        }
    }
}

#[test]
fn the_evidence_stands_where_it_is_said_to_stand() {
    let path = bounce("exim/mailbox-full.eml");
    let mail = std::fs::read(&path).unwrap();
    let found = json(&[&path]);
    let evidence = found[0]["diagnosis"]["evidence"].as_array().unwrap();
    let quoted = evidence
        .iter()
        .find(|e| e["source"] == "reply_text")
        .unwrap();
    let place = |at: usize| usize::try_from(quoted["span"][at].as_u64().unwrap()).unwrap();
    let there = String::from_utf8_lossy(&mail[place(0)..place(1)]).into_owned();
    assert_eq!(
        there.to_lowercase(),
        quoted["text"].as_str().unwrap().to_lowercase()
    );
}

#[test]
fn a_mailbox_a_maildir_and_the_standard_input_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut mailbox = Vec::new();
    for (number, name) in ["postfix/unknown-user.eml", "exim/mailbox-full.eml"]
        .iter()
        .enumerate()
    {
        let mail = std::fs::read(bounce(name)).unwrap();
        for folder in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(directory.path().join(folder)).unwrap();
        }
        std::fs::write(directory.path().join(format!("cur/{number}")), &mail).unwrap();
        mailbox.extend_from_slice(b"From MAILER-DAEMON Mon Jan  5 10:00:00 2026\n");
        mailbox.extend(mail.iter().filter(|b| **b != b'\r'));
        mailbox.push(b'\n');
    }
    let causes = |all: &[Value]| -> Vec<String> {
        all.iter()
            .map(|v| v["diagnosis"]["cause"].as_str().unwrap().to_owned())
            .collect()
    };
    let wanted = ["mailbox.unknown", "mailbox.full"];
    assert_eq!(causes(&json(&[directory.path().to_str().unwrap()])), wanted);

    let mut child = explain(&["--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&mailbox).unwrap();
    let output = child.wait_with_output().unwrap();
    let all: Vec<Value> = text(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(causes(&all), wanted);
    assert_eq!(all[1]["input"]["source"], "-");
}

#[test]
fn a_log_is_summed_up_and_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mail.log");
    let other = LINE
        .replace("bert@", "carla@")
        .replace("10:00:00", "10:05:00");
    std::fs::write(&path, [LINE, &other].concat()).unwrap();
    let path = path.to_str().unwrap();
    let (status, out, _) = said(&["--summary", path]);
    assert_eq!(status, Some(0));
    assert!(
        out.contains("example.org") && out.contains("The mailbox is full"),
        "{out}"
    );

    let mut child = explain(&["--follow", "--json", path])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // What is new is told; what stood there before is not. The line is added until it is seen: when
    // the program has opened the file cannot be known from outside.
    let writer = std::thread::spawn({
        let path = path.to_owned();
        move || {
            for number in 0..200 {
                let mut log = std::fs::OpenOptions::new()
                    .append(true)
                    .open(&path)
                    .unwrap();
                log.write_all(LINE.replace("bert@", &format!("dora{number}@")).as_bytes())
                    .unwrap();
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }
    });
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let address = first["recipient"]["address"].as_str().unwrap();
    assert!(address.starts_with("dora"), "{address}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lines);
    writer.join().unwrap();
}

#[test]
fn what_cannot_be_explained_is_said_with_its_exit_status() {
    let (status, out, problem) = said(&["./no-such.eml"]);
    assert_eq!((status, out.as_str()), (Some(1), ""));
    assert!(
        problem.contains("there is no file `./no-such.eml`"),
        "{problem}"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.eml");
    std::fs::write(
        &path,
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: hello\r\n\r\nHello!\r\n",
    )
    .unwrap();
    let (status, _, problem) = said(&[path.to_str().unwrap()]);
    assert_eq!(status, Some(1));
    assert!(problem.contains("tells of mail that failed"), "{problem}");
    let (status, _, problem) = said(&["--follow", "4.2.1"]);
    assert_eq!(status, Some(2), "{problem}");
}

#[test]
fn the_language_is_that_of_the_environment_unless_it_is_asked_for() {
    let dutch = explain(&["4.2.2"])
        .env("LANG", "nl_NL.UTF-8")
        .output()
        .unwrap();
    assert!(text(&dutch).contains("Wie is aan zet"));
    let english = explain(&["--lang", "en", "4.2.2"])
        .env("LANG", "nl_NL.UTF-8")
        .output()
        .unwrap();
    assert!(text(&english).contains("Who must act"));
    assert!(
        !text(&english).contains('\u{1b}'),
        "no colour but on a terminal"
    );
}
