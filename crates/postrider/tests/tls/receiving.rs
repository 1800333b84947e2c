//! Clients that send to us over TLS.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Client, Mail, Maildir, Place, Postfix, Relay, free_port, tool, wait_until};

use crate::authority::{Authority, Pair};

const PATIENCE: Duration = Duration::from_secs(60);
const TO: &str = "bert@dest.example";
const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

struct Stage {
    relay: Relay,
    place: Place,
    authority: Authority,
    pair: Pair,
    smtps: u16,
    inbox: Maildir,
}

impl Stage {
    fn new() -> Stage {
        let place = Place::new("tls").unwrap();
        let authority = Authority::new(place.path());
        let pair = authority.issue("relay", "relay.example");
        let smtps = free_port().unwrap();
        let inbox = place.path().join("box");
        let config = format!(
            "smtps = [\"127.0.0.1:{smtps}\"]\n[routes]\n\"*\" = \"maildir:{}\"\n\
             [log]\nformat = \"json\"\n[[tls.certificate]]\nchain = \"{}\"\nkey = \"{}\"\n",
            inbox.display(),
            pair.chain.display(),
            pair.key.display(),
        );
        let relay = Relay::start(Path::new(BINARY), &config).unwrap();
        Stage {
            relay,
            authority,
            pair,
            smtps,
            inbox: Maildir::at(&inbox),
            place,
        }
    }

    fn openssl(&self, port: u16, arguments: &[&str]) -> Command {
        let mut command = Command::new(tool("openssl").unwrap());
        command.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
        command.args(["-servername", "relay.example", "-verify_return_error"]);
        command.arg("-CAfile").arg(&self.authority.file);
        command.args(arguments);
        command
    }

    /// What OpenSSL shows when it says these lines, each after a while.
    fn talk(&self, port: u16, arguments: &[&str], lines: &[&str]) -> String {
        let mut client = self
            .openssl(port, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = client.stdin.take().unwrap();
        for line in lines {
            // s_client takes what comes with one read for one command.
            std::thread::sleep(Duration::from_millis(500));
            // It may have ended already.
            let _ = stdin.write_all(line.as_bytes());
        }
        std::thread::sleep(Duration::from_millis(500));
        drop(stdin);
        // One that waits for an answer which does not come is ended.
        let ended = wait_until(Duration::from_secs(5), || client.try_wait().unwrap());
        if ended.is_none() {
            client.kill().unwrap();
        }
        let output = client.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// The message has arrived; its trace says this.
    fn arrived_with(&self, count: usize, words: &str) {
        let there = wait_until(PATIENCE, || (self.inbox.count() >= count).then_some(()));
        assert!(there.is_some(), "nothing arrived:\n{}", self.relay.log());
        let messages = self.inbox.messages().unwrap();
        let found = messages.iter().any(|message| {
            let text = String::from_utf8_lossy(&message.content);
            text.contains(words)
        });
        assert!(found, "no `{words}` in any message");
    }

    fn logged(&self, words: &[&str]) {
        let found = wait_until(PATIENCE, || {
            let log = self.relay.log();
            let line = |line: &str| words.iter().all(|word| line.contains(word));
            log.lines().any(line).then_some(())
        });
        assert!(found.is_some(), "no {words:?} in\n{}", self.relay.log());
    }
}

fn content() -> &'static [u8] {
    b"From: anna@client.example\r\nSubject: secret\r\n\r\nhello\r\n"
}

#[test]
fn swaks_sends_with_starttls_and_with_tls_from_the_first_byte() {
    let stage = Stage::new();
    for (number, (flag, port)) in [("--tls", stage.relay.port), ("--tlsc", stage.smtps)]
        .into_iter()
        .enumerate()
    {
        let output = Command::new(tool("swaks").unwrap())
            .args(["--server", &format!("127.0.0.1:{port}"), flag])
            .args(["--from", "anna@client.example", "--to", TO])
            .args(["--helo", "client.example", "--tls-verify"])
            .arg("--tls-ca-path")
            .arg(&stage.authority.file)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{flag}: {output:?}");
        assert!(said.contains("~> .") || said.contains("~> QUIT"), "{said}");
        stage.arrived_with(number + 1, " with ESMTPS id ");
    }
}

#[test]
fn msmtp_sends_with_starttls_and_checks_our_name() {
    let stage = Stage::new();
    let message = stage
        .place
        .file("message", "Subject: hi\n\nhello\n")
        .unwrap();
    let output = Command::new(tool("msmtp").unwrap())
        .args(["--host=localhost", &format!("--port={}", stage.relay.port)])
        .args(["--auth=off", "--tls=on", "--tls-starttls=on"])
        .arg(format!(
            "--tls-trust-file={}",
            stage.authority.file.display()
        ))
        .arg("--tls-host-override=relay.example")
        .args(["--from=anna@client.example", "--", TO])
        .stdin(std::fs::File::open(message).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    stage.arrived_with(1, "\ttls TLS_");
}

#[test]
fn postfix_that_insists_on_encryption_delivers_to_us() {
    let stage = Stage::new();
    let config = format!(
        "virtual_mailbox_domains =\nrelayhost = [127.0.0.1]:{}\n\
         smtp_tls_security_level = verify\nsmtp_tls_verify_cert_match = relay.example\n\
         smtp_tls_CAfile = {}\nsmtp_tls_loglevel = 1\n",
        stage.relay.port,
        stage.authority.file.display(),
    );
    let postfix = Postfix::start(&config).unwrap();
    let to = [TO.to_owned()];
    let mail = Mail {
        from: "anna@client.example",
        to: &to,
        content: content(),
    };
    Client::Smtplib
        .send(postfix.port, &mail, stage.place.path(), Path::new(BINARY))
        .unwrap();
    let sent = wait_until(PATIENCE, || {
        postfix.log().contains("status=sent").then_some(())
    });
    assert!(sent.is_some(), "{}", postfix.log());
    assert!(
        postfix
            .log()
            .contains("Verified TLS connection established"),
        "{}",
        postfix.log()
    );
    stage.arrived_with(1, " with ESMTPS id ");
}

#[test]
fn openssl_speaks_tls_1_2_and_1_3_and_nothing_older() {
    let stage = Stage::new();
    for version in ["-tls1_2", "-tls1_3"] {
        let said = stage.talk(stage.smtps, &[version, "-quiet"], &["QUIT\r\n"]);
        assert!(said.contains("220 relay.example"), "{version}: {said}");
    }
    let old = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"];
    let said = stage.talk(stage.smtps, &old, &[]);
    assert!(!said.contains("220 relay.example"), "{said}");
    stage.logged(&["tls-handshake", "no TLS version or cipher in common"]);
}

#[test]
fn a_renegotiation_that_tls_1_2_knows_is_refused() {
    let stage = Stage::new();
    // A lone R has s_client ask for a renegotiation.
    let said = stage.talk(stage.smtps, &["-tls1_2", "-msg"], &["R\n"]);
    assert!(said.contains("RENEGOTIATING"), "{said}");
    assert_eq!(said.matches(", ClientHello").count(), 2, "{said}");
    assert_eq!(said.matches(", ServerHello\n").count(), 1, "{said}");
}

#[test]
fn compression_is_not_agreed_even_with_a_client_that_offers_it() {
    let stage = Stage::new();
    let said = stage.talk(stage.smtps, &["-tls1_2", "-comp"], &["QUIT\r\n"]);
    assert!(said.contains("Compression: NONE"), "{said}");
}

#[test]
fn a_client_that_does_not_trust_us_is_diagnosed_in_our_log() {
    let stage = Stage::new();
    let output = Command::new(tool("openssl").unwrap())
        .args([
            "s_client",
            "-connect",
            &format!("127.0.0.1:{}", stage.relay.port),
        ])
        .args(["-starttls", "smtp", "-verify_return_error"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    stage.logged(&[
        "tls-handshake",
        "unknown_ca",
        "does not trust our certificate",
    ]);
}

#[test]
fn plain_smtp_on_the_port_for_tls_is_diagnosed_in_our_log() {
    let stage = Stage::new();
    let mut client = std::net::TcpStream::connect(("127.0.0.1", stage.smtps)).unwrap();
    client.write_all(b"EHLO client.example\r\n").unwrap();
    stage.logged(&["tls-handshake", "not-tls", "plain SMTP on a port for TLS"]);
}

#[test]
fn a_new_certificate_is_taken_over_while_the_relay_runs_and_a_bad_one_is_not() {
    let stage = Stage::new();
    let reload = || {
        let output = stage.relay.command().arg("reload-certificates").output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    assert_eq!(
        reload(),
        (Some(0), "No certificate has changed.\n".to_owned())
    );

    let before = stage.talk(stage.smtps, &[], &["QUIT\r\n"]);
    stage.authority.issue("other", "relay.example");
    std::fs::copy(stage.place.path().join("other.key"), &stage.pair.key).unwrap();
    let (code, said) = reload();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("does not fit the certificate"), "{said}");
    let kept = stage.talk(stage.smtps, &[], &["QUIT\r\n"]);
    assert_eq!(serial(&before), serial(&kept));

    std::fs::copy(stage.place.path().join("other.pem"), &stage.pair.chain).unwrap();
    // SIGHUP has it look, too.
    let pid = stage.relay.process().unwrap().id().to_string();
    let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
    assert!(sent.success());
    stage.logged(&["a new certificate is in use"]);
    let after = stage.talk(stage.smtps, &[], &["QUIT\r\n"]);
    assert!(after.contains("220 relay.example"), "{after}");
    assert_ne!(serial(&before), serial(&after));
}

/// The certificate in PEM, as OpenSSL shows it.
fn serial(said: &str) -> &str {
    let begin = said
        .find("-----BEGIN CERTIFICATE-----")
        .expect("a certificate");
    let end = said
        .find("-----END CERTIFICATE-----")
        .expect("a certificate");
    &said[begin..end]
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_the_relay_from_starting_and_is_told_by_config_check() {
    let place = Place::new("tls").unwrap();
    let chain = place.file("relay.pem", "nothing\n").unwrap();
    let config = format!("[[tls.certificate]]\nchain = \"{}\"\n", chain.display());
    let relay = Relay::prepare(Path::new(BINARY), &config).unwrap();
    for arguments in [&["serve"][..], &["config", "check"]] {
        let output = relay.command().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let wanted = format!("{}: no certificate in it", chain.display());
        assert!(said.contains(&wanted), "{said}");
    }
}
