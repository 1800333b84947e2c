//! TLS of the sink: what real clients say of each way in which it fails, and what the sink notes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Client, Mail, Place, Postfix, tool, wait_until};
use serde_json::Value;

use crate::stage::{Sink, postrider};

const CONTENT: &str =
    "From: anna@client.example\r\nTo: bert@dest.example\r\nSubject: hi\r\n\r\nhello\r\n";

/// Python's client: STARTTLS, or TLS at once, with the authority in the file.
const SMTPLIB: &str = "\
import smtplib, ssl, sys
port, authority, implicit, certificate = sys.argv[1:5]
context = ssl.create_default_context(cafile=authority)
if certificate:
    context.load_cert_chain(certificate)
if implicit:
    server = smtplib.SMTP_SSL('localhost', int(port), local_hostname='client.example', context=context, timeout=5)
else:
    server = smtplib.SMTP('localhost', int(port), local_hostname='client.example', timeout=5)
    server.starttls(context=context)
server.sendmail('anna@client.example', ['bert@dest.example'], sys.stdin.buffer.read())
server.quit()
";

/// A sink with a file of its authority.
struct Stage {
    sink: Sink,
    place: Place,
    authority: PathBuf,
}

impl Stage {
    fn new(arguments: &[&str]) -> Stage {
        let place = Place::new("sink-tls").unwrap();
        let authority = place.path().join("authority.pem");
        let mut all = vec!["--authority", authority.to_str().unwrap()];
        all.extend(arguments);
        let sink = Sink::start(&all);
        Stage {
            sink,
            place,
            authority,
        }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.place.file(name, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Whether it was sent, and what the client said.
    fn run(&self, command: &mut Command) -> (bool, String) {
        let content = self.place.file("content.eml", CONTENT).unwrap();
        let output = command
            .stdin(std::fs::File::open(content).unwrap())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.success(), said)
    }

    fn smtplib(&self, port: u16, implicit: bool, certificate: &str) -> (bool, String) {
        let mut command = Command::new(tool("python3").unwrap());
        command.args(["-c", SMTPLIB, &port.to_string()]);
        command.arg(&self.authority);
        command.args([if implicit { "yes" } else { "" }, certificate]);
        self.run(&mut command)
    }

    /// Encrypts with whomever.
    fn swaks(&self, port: u16, more: &[&str]) -> (bool, String) {
        let mut command = Command::new(tool("swaks").unwrap());
        command.args(["--server", &format!("127.0.0.1:{port}")]);
        command.args(["--helo", "client.example", "--from", "anna@client.example"]);
        command.args(["--to", "bert@dest.example", "--timeout", "3"]);
        command.args(more);
        self.run(&mut command)
    }

    fn msmtp(&self, port: u16, more: &[&str]) -> (bool, String) {
        let mut command = Command::new(tool("msmtp").unwrap());
        command.args(["--host=localhost", &format!("--port={port}"), "--auth=off"]);
        command.args(["--tls=on", "--domain=client.example", "--timeout=3"]);
        command.arg(format!("--tls-trust-file={}", self.authority.display()));
        command.args(more);
        command.args(["-f", "anna@client.example", "--", "bert@dest.example"]);
        self.run(&mut command)
    }

    fn smtps(&self) -> u16 {
        let port = self.sink.ready["smtps_port"].as_u64().unwrap();
        u16::try_from(port).unwrap()
    }

    fn sessions(&self) -> Vec<Value> {
        let all = self.sink.get("/sessions");
        all["sessions"].as_array().unwrap().clone()
    }
}

/// A scenario; what smtplib, which verifies, says; whether swaks, which does not, sends it, and what it
/// says if not; what msmtp, which verifies, says. Of several words one is enough.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const TABLE: [Row; 10] = [
    (
        "tls-alert",
        &["HANDSHAKE_FAILURE", "handshake failure"],
        &["handshake failure"],
        &["TLS fatal alert"],
    ),
    (
        "tls-cut",
        &["EOF occurred", "UNEXPECTED_EOF"],
        &["TLS startup failed"],
        &["Error decoding", "terminated", "EOF"],
    ),
    (
        "starttls-broken",
        &["EOF occurred", "UNEXPECTED_EOF", "reset"],
        &["TLS startup failed"],
        &["Error decoding", "terminated", "EOF"],
    ),
    (
        "starttls-garbage",
        &["WRONG_VERSION_NUMBER", "wrong version", "record layer"],
        &["TLS startup failed"],
        &["unexpected TLS packet", "handshake"],
    ),
    (
        "tls-too-old",
        &["UNSUPPORTED_PROTOCOL", "unsupported protocol"],
        &["TLS startup failed"],
        // On a slow machine GnuTLS can see the end of the connection before it looks at the version.
        &["unsupported", "protocol", "terminated"],
    ),
    (
        "tls-expired",
        &["certificate has expired"],
        &[],
        &["expired"],
    ),
    (
        "tls-wrong-name",
        &["Hostname mismatch"],
        &[],
        &["does not match", "owner"],
    ),
    (
        "tls-self-signed",
        &["self-signed certificate", "self signed certificate"],
        &[],
        &["not trusted", "issuer is unknown"],
    ),
    (
        "tls-unknown-authority",
        &["unable to get local issuer"],
        &[],
        &["not trusted", "issuer is unknown"],
    ),
    ("starttls-refused", &["454"], &["454 4.7.0"], &["454"]),
];

#[test]
fn each_failure_of_tls_is_what_real_clients_report() {
    for (name, smtplib, swaks, msmtp) in TABLE {
        let stage = Stage::new(&["--scenario", name]);
        let port = stage.sink.port();
        let (sent, said) = stage.smtplib(port, false, "");
        let told = |said: &str, words: &[&str]| words.iter().any(|word| said.contains(word));
        assert!(!sent && told(&said, smtplib), "{name} smtplib: {said}");
        let (sent, said) = stage.swaks(port, &["--tls"]);
        assert_eq!(sent, swaks.is_empty(), "{name} swaks: {said}");
        assert!(sent || told(&said, swaks), "{name} swaks: {said}");
        let (sent, said) = stage.msmtp(port, &[]);
        assert!(!sent && told(&said, msmtp), "{name} msmtp: {said}");
        let kept = stage.sink.messages();
        assert_eq!(kept.len(), usize::from(swaks.is_empty()), "{name}");
        if name != "starttls-refused" {
            let first = &stage.sessions()[0];
            assert!(!first["tls_failed"].is_null(), "{name}: {first}");
            let played = swaks.iter().any(|_| true);
            let failure = first["tls_failed"]["failure"].as_str().unwrap();
            assert_eq!(failure == "played", played, "{name}: {first}");
        }
    }
}

#[test]
fn a_client_that_stalls_in_the_handshake_says_so_and_is_shown() {
    let stage = Stage::new(&["--scenario", "tls-stalled"]);
    // swaks and msmtp wait for ever here; their time-outs do not hold for the handshake.
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(!sent && said.contains("timed out"), "{said}");
    let failed = &stage.sessions()[0]["tls_failed"];
    assert_eq!(failed["failure"], "played", "{failed}");
}

#[test]
fn the_alert_of_a_client_that_refuses_the_certificate_is_kept() {
    let stage = Stage::new(&["--scenario", "tls-self-signed"]);
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(!sent, "{said}");
    let first = &stage.sessions()[0];
    assert_eq!(first["tls_failed"]["alert"], "unknown_ca", "{first}");
    assert_eq!(first["tls_failed"]["server_name"], "localhost");
}

#[test]
fn mail_under_tls_is_kept_with_version_cipher_name_and_certificate_of_the_client() {
    let stage = Stage::new(&["--starttls", "--smtps", "0"]);
    let now = jiff::Timestamp::now();
    let day = Duration::from_secs(24 * 3600);
    let validity = tls::Validity {
        from: now.checked_sub(day).unwrap(),
        until: now.checked_add(day * 9).unwrap(),
    };
    let own = tls::Minted::self_signed(&["client.example".to_owned()], validity).unwrap();
    let file = stage.file("client.pem", &(own.pem() + &own.key_pem()));
    for (port, implicit) in [(stage.sink.port(), false), (stage.smtps(), true)] {
        let (sent, said) = stage.smtplib(port, implicit, &file);
        assert!(sent, "{implicit}: {said}");
    }
    for more in [&["--tls-starttls=on"][..], &["--tls-starttls=off"]] {
        let implicit = more[0].ends_with("off");
        let port = if implicit {
            stage.smtps()
        } else {
            stage.sink.port()
        };
        let (sent, said) = stage.msmtp(port, more);
        assert!(sent, "{more:?}: {said}");
    }
    let (sent, said) = stage.swaks(stage.smtps(), &["--tlsc", "--tls-protocol", "tlsv1_2"]);
    assert!(sent, "{said}");
    let kept = stage.sink.messages();
    assert_eq!(kept.len(), 5);
    for (message, implicit) in kept.iter().zip([false, true, false, true, true]) {
        assert_eq!(message["tls"]["implicit"], implicit, "{message}");
    }
    let first = &kept[0]["tls"];
    assert_eq!(first["protocol"], "TLSv1.3");
    assert!(first["cipher"].as_str().unwrap().starts_with("TLS_"));
    assert_eq!(first["server_name"], "localhost");
    let names = &first["client_certificate"]["names"];
    assert_eq!(names[0], "client.example", "{first}");
    assert_eq!(kept[4]["tls"]["protocol"], "TLSv1.2");
    assert!(kept[4]["tls"]["client_certificate"].is_null());
    assert_eq!(stage.sessions()[0]["tls"]["protocol"], "TLSv1.3");
    let (_, pem) = stage.sink.ask("GET", "/authority", "");
    let written = std::fs::read_to_string(&stage.authority).unwrap();
    assert_eq!(pem.trim(), written.trim());
}

#[test]
fn a_certificate_from_files_is_shown() {
    let place = Place::new("own").unwrap();
    let now = jiff::Timestamp::now();
    let day = Duration::from_secs(24 * 3600);
    let validity = tls::Validity {
        from: now.checked_sub(day).unwrap(),
        until: now.checked_add(day * 9).unwrap(),
    };
    let own = tls::Authority::new("Own", validity).unwrap();
    let pair = own.issue(&["localhost".to_owned()], validity).unwrap();
    let chain = place.file("chain.pem", &pair.pem()).unwrap();
    let key = place.file("key.pem", &pair.key_pem()).unwrap();
    let mut stage = Stage::new(&[
        "--certificate",
        chain.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
    ]);
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(
        !sent && said.contains("unable to get local issuer"),
        "{said}"
    );
    stage.authority = place.file("own.pem", own.pem()).unwrap();
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(sent, "{said}");

    let output = Command::new(postrider())
        .args(["sink", "--port", "0", "--certificate"])
        .arg(&chain)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no private key in it"), "{said}");
}

/// STARTTLS with a command behind it in one write, then the handshake.
const INJECTING: &str = "\
import socket, ssl, sys
sock = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
sock.recv(1000)
sock.sendall(b'EHLO client.example\\r\\n')
assert b'STARTTLS' in sock.recv(1000)
sock.sendall(b'STARTTLS\\r\\nVRFY injected\\r\\n')
print(sock.recv(1000))
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
secure = context.wrap_socket(sock)
secure.sendall(b'EHLO client.example\\r\\n')
answer = secure.recv(1000)
assert answer.startswith(b'250') and b'STARTTLS' not in answer, answer
secure.sendall(b'QUIT\\r\\n')
answer = secure.recv(1000)
assert answer.startswith(b'221'), answer
";

#[test]
fn commands_in_the_clear_behind_starttls_are_a_finding_and_are_dropped() {
    let stage = Stage::new(&["--starttls"]);
    let mut command = Command::new(tool("python3").unwrap());
    command.args(["-c", INJECTING, &stage.sink.port().to_string()]);
    let (fine, said) = stage.run(&mut command);
    assert!(fine, "{said}");
    let finding = &stage.sessions()[0]["findings"][0];
    assert_eq!(finding["finding"], "commands-behind-starttls", "{finding}");
    assert_eq!(finding["text"], "VRFY injected\r\n");
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(sent, "{said}");
    assert_eq!(stage.sessions()[1]["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn clients_meet_a_server_that_requires_tls_and_one_that_forges_a_reply() {
    let stage = Stage::new(&["--scenario", "starttls-required"]);
    let (sent, said) = stage.swaks(stage.sink.port(), &[]);
    assert!(!sent && said.contains("530 5.7.0"), "{said}");
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(sent, "{said}");
    let stage = Stage::new(&["--scenario", "starttls-injection"]);
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(sent, "a client that is not deceived: {said}");
    let stage = Stage::new(&["--scenario", "starttls-dropped"]);
    let (sent, said) = stage.smtplib(stage.sink.port(), false, "");
    assert!(!sent && said.contains("closed"), "{said}");
}

/// A scenario, a level of Postfix, what becomes of a message, words that Postfix logs with it, and
/// whether the message came under TLS.
const POSTFIX: [(&str, &str, &str, &str, Option<bool>); 8] = [
    ("starttls", "may", "sent", "250 2.0.0", Some(true)),
    ("starttls", "secure", "sent", "250 2.0.0", Some(true)),
    ("tls-alert", "may", "sent", "250 2.0.0", Some(false)),
    (
        "tls-too-old",
        "encrypt",
        "deferred",
        "Cannot start TLS",
        None,
    ),
    ("tls-expired", "may", "sent", "250 2.0.0", Some(true)),
    (
        "tls-expired",
        "secure",
        "deferred",
        "Server certificate not verified",
        None,
    ),
    (
        "tls-wrong-name",
        "secure",
        "deferred",
        "Server certificate not verified",
        None,
    ),
    ("starttls-refused", "encrypt", "deferred", "454 4.7.0", None),
];

#[test]
fn postfix_encrypts_falls_back_and_defers_as_its_level_calls_for() {
    let stages: Vec<Stage> = POSTFIX
        .iter()
        .map(|row| Stage::new(&["--scenario", row.0]))
        .collect();
    let place = Place::new("postfix-tls").unwrap();
    let (mut transport, mut policy) = (String::from("{"), String::from("{"));
    let mut trusted = String::new();
    for (number, (row, stage)) in POSTFIX.iter().zip(&stages).enumerate() {
        let next = format!("[127.0.0.1]:{}", stage.sink.port());
        let matches = if row.1 == "secure" {
            " match=sink.example"
        } else {
            ""
        };
        transport += &format!("{{d{number}.example = smtp:{next}}}, ");
        policy += &format!("{{{next} = {}{matches}}}, ", row.1);
        trusted += &std::fs::read_to_string(&stage.authority).unwrap();
    }
    let authorities = place.file("authorities.pem", &trusted).unwrap();
    let postfix = Postfix::start(&format!(
        "queue_run_delay = 1s
minimal_backoff_time = 4s
maximal_backoff_time = 4s
transport_maps = inline:{transport}}}
smtp_tls_policy_maps = inline:{policy}}}
smtp_tls_CAfile = {}
smtp_tls_loglevel = 1
",
        readable(&authorities)
    ))
    .unwrap();
    for number in 0..POSTFIX.len() {
        let client = Place::new("client").unwrap();
        let mail = Mail {
            from: "anna@client.example",
            to: &[format!("bert@d{number}.example")],
            content: CONTENT.as_bytes(),
        };
        Client::Smtplib
            .send(postfix.port, &mail, client.path(), postrider())
            .unwrap();
    }
    for (number, ((name, level, status, words, secure), stage)) in
        POSTFIX.iter().zip(&stages).enumerate()
    {
        let seen = wait_until(Duration::from_secs(60), || {
            let log = postfix.log();
            let mut lines = log
                .lines()
                .filter(|line| line.contains(&format!("@d{number}.example>")));
            let status = format!("status={status}");
            lines
                .any(|line| line.contains(&status) && line.contains(words))
                .then_some(())
        });
        assert!(seen.is_some(), "{name} {level}: {}", postfix.log());
        let kept = stage.sink.messages();
        let tls = kept.first().map(|message| !message["tls"].is_null());
        assert_eq!(tls, *secure, "{name} {level}");
    }
}

/// For Postfix's user, too.
fn readable(path: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let directory = path.parent().unwrap();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}
