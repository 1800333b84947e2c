//! Reports on TLS that others send (RFC 8460), explained.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn sample(name: &str) -> String {
    let folder = peers::root_of_the_workspace().join("crates/tls-report/tests/samples");
    folder.join(name).display().to_string()
}

fn explain(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
    command.arg("explain").args(arguments).env("LANG", "C");
    command.env_remove("LC_ALL").stdin(Stdio::null());
    command
}

fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_report_is_explained_in_two_languages_with_what_to_do() {
    let path = sample("rfc8460-appendix-b.json");
    for (lang, expected) in [
        (
            "en",
            [
                "TLS report by Company-X about company-y.example: 303 of 5629 sessions were not as they should be",
                "100 × certificate-expired at mx1.mail.company-y.example from 2001:db8:abcd:0012::1",
                "200 × starttls-not-supported at mx2.mail.company-y.example [203.0.113.56]",
                "Switch the inspection of SMTP in firewalls off.",
            ],
        ),
        (
            "nl",
            [
                "303 van 5629 sessies waren niet zoals het hoort",
                "100 × certificate-expired bij mx1.mail.company-y.example vanaf 2001:db8:abcd:0012::1",
                "opgegeven reden: X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                "Zet het inspecteren van SMTP in firewalls uit.",
            ],
        ),
    ] {
        let output = explain(&["--lang", lang, &path]).output().unwrap();
        assert!(output.status.success());
        let text = words(&output);
        for words in expected {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn the_object_of_a_report_fits_the_published_schema() {
    let schema = explain(&["--schema"]).output().unwrap().stdout;
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in [
        "rfc8460-appendix-b.json",
        "large-provider-one-success.json",
        "large-provider-two-policies.json",
    ] {
        let output = explain(&["--json", &sample(name)]).output().unwrap();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&object)
            .map(|e| e.to_string())
            .collect();
        assert!(problems.is_empty(), "{problems:?}\n{object}");
        assert_eq!(object["input"]["kind"], "tls-report");
    }
}

#[test]
fn what_comes_through_a_pipe_is_told_apart_and_a_broken_report_is_told() {
    let said = |input: &[u8]| {
        let mut command = explain(&["--lang", "en", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    };
    let report = std::fs::read(sample("large-provider-one-success.json")).unwrap();
    let output = said(&report);
    assert!(
        words(&output).contains("7 sessions, all as they should be"),
        "{output:?}"
    );
    let output = said(b"452 4.2.2 mailbox full");
    assert!(words(&output).contains("mailbox"), "{output:?}");
    let output = said(b"{\"organization-name\": \"X\", \"policies\": 3}");
    assert_eq!(output.status.code(), Some(1));
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        problem.contains("policies: a list of policies must stand there"),
        "{problem}"
    );
}
