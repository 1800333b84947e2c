//! Signing as an administrator sets it up: keys by `postrider dkim`, their records pasted into a zone of
//! BIND, mail through real Postfixes; and what arrives there verified by dkimpy and by OpenDKIM.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

#[path = "../process/talk.rs"]
#[allow(dead_code, reason = "more than is used here")]
mod talk;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use peers::{Maildir, Milter, Named, Postfix, Relay, wait_until, with_crlf};
use serde_json::Value;
use talk::Talk;

const PATIENCE: Duration = Duration::from_secs(120);

/// What `dkim new` prints is what is pasted into a zone.
fn new_key(relay: &Relay, arguments: &[&str]) -> String {
    let all = [&["dkim", "new"], arguments].concat();
    relay.ask(&all).unwrap()
}

fn list(relay: &Relay) -> Vec<Value> {
    // It ends with 1 where a key does not sign.
    let output = relay.command().args(["dkim", "list", "--json"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn only(maildir: &Maildir, count: usize) -> Vec<Vec<u8>> {
    let there = wait_until(PATIENCE, || (maildir.count() == count).then_some(()));
    assert!(there.is_some(), "{} of {count}", maildir.count());
    let all = maildir.messages().unwrap().into_iter();
    all.map(|message| with_crlf(&message.content)).collect()
}

/// What dkimpy finds of each signature, with the keys that BIND has.
fn dkimpy(message: &[u8], dns: u16) -> Vec<String> {
    let program = r"
import subprocess, sys, dkim, re
def answer(name, timeout=5):
    asked = ['dig', '+short', '@127.0.0.1', '-p', sys.argv[1], 'TXT', name.decode()]
    said = subprocess.run(asked, capture_output=True, check=True).stdout
    return b''.join(re.findall(rb'\x22([^\x22]*)\x22', said)) or None
message = sys.stdin.buffer.read()
for index in range(message.split(b'\r\n\r\n')[0].count(b'DKIM-Signature:')):
    one = dkim.DKIM(message)
    try: held = one.verify(idx=index, dnsfunc=answer)
    except dkim.DKIMException as error: held = repr(error)
    print(one.signature_fields[b'd'].decode(), one.signature_fields[b's'].decode(), held)
";
    use std::io::Write as _;
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", program, &dns.to_string()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(message).unwrap();
    let output = python.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn text(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}

/// Mail of a client in the networks of the relay.
fn send(relay: &Relay, from: &str, to: &[&str], content: &[u8]) {
    let mut talk = Talk::begin(relay.port).unwrap();
    for to in to {
        let reply = talk.mail(from, to, content).unwrap();
        assert!(reply.starts_with("250 "), "{reply}\n{}", relay.log());
    }
}

const CONTENT: &[u8] = b"From: Anna <anna@example.org>\r\nTo: bert@dest.example\r\n\
    Subject: hello\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-15\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\n\xc9\xe9n  caf\xe9 \r\n\r\n..\r\nend \t \r\n \r\n\r\n";

#[test]
fn what_arrives_is_signed_in_the_form_in_which_it_arrives() {
    let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
    let zone = [
        new_key(&relay, &["example.org"]),
        new_key(&relay, &["example.org", "--algorithm", "ed25519"]),
    ];
    let host = new_key(&relay, &["relay.example", "--selector", "s1"]);
    let named = Named::start_zones(&[
        ("example.org", &zone.concat()),
        ("relay.example", &host),
        ("other.example", ""),
    ])
    .unwrap();
    let keys = list(&relay);
    let records: Vec<(String, String)> = keys
        .iter()
        .map(|key| {
            let name = key["record"].as_str().unwrap().to_owned();
            let asked = [
                "+short",
                "@127.0.0.1",
                "-p",
                &named.port.to_string(),
                "TXT",
                &name,
            ];
            let said = Command::new("dig").args(asked).output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            (name, said.trim().replace("\" \"", "").replace('"', ""))
        })
        .collect();
    let opendkim = Milter::opendkim_verifier(&records).unwrap();
    let domains = "virtual_mailbox_domains = dest.example, seven.example, example.org\n";
    let eight = Postfix::start(&format!(
        "{domains}smtpd_milters = inet:127.0.0.1:{}\n",
        opendkim.port
    ))
    .unwrap();
    let seven = Postfix::start(&format!(
        "{domains}smtpd_discard_ehlo_keywords = 8bitmime, smtputf8, chunking\n\
         smtpd_milters = inet:127.0.0.1:{}\n",
        opendkim.port
    ))
    .unwrap();
    relay
        .configure(&format!(
            "[dns]\nservers = [\"127.0.0.1:{}\"]\n[routes]\n\
             \"seven.example\" = \"smtp://127.0.0.1:{}\"\n\"*\" = \"smtp://127.0.0.1:{}\"\n",
            named.port, seven.port, eight.port
        ))
        .unwrap();
    relay.run().unwrap();
    let well = list(&relay);
    assert!(
        well.iter()
            .all(|key| key["published"] == "match" && key["signs"] == true),
        "{well:#?}"
    );

    send(
        &relay,
        "anna@example.org",
        &["bert@dest.example", "bert@seven.example"],
        CONTENT,
    );
    let arrived = [only(&eight.maildir, 1), only(&seven.maildir, 1)].concat();
    assert!(arrived[0].windows(5).any(|five| five == b"caf\xe9 "));
    assert!(
        text(&arrived[1]).contains("caf=E9"),
        "{}",
        text(&arrived[1])
    );
    for message in &arrived {
        let found = dkimpy(message, named.port);
        let domains: Vec<&str> = found.iter().filter_map(|l| l.split(' ').next()).collect();
        assert_eq!(domains, ["example.org"; 2], "{}", text(message));
        assert!(
            found.iter().all(|line| line.ends_with(" True")),
            "{found:?} {}",
            text(message)
        );
        // OpenDKIM of Debian knows both kinds.
        let unfolded = text(message).replace("\r\n\t", " ");
        let results = unfolded
            .lines()
            .find(|l| l.starts_with("Authentication-Results:"));
        let passes = results.map_or(0, |line| line.matches("dkim=pass").count());
        assert!(passes >= 1 && !unfolded.contains("dkim=fail"), "{unfolded}");
    }
    // The story tells it.
    let id = relay.recipients().unwrap()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let story = relay.ask(&["queue", "show", "--lang", "en", &id]).unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(story.contains("signed with DKIM: example.org ("), "{story}");

    // Nothing is signed for an author of whom we have no key, whoever hands it in.
    let other = text(CONTENT).replace("anna@example.org", "anna@other.example");
    send(
        &relay,
        "anna@example.org",
        &["bert@dest.example"],
        other.as_bytes(),
    );
    let unsigned = only(&eight.maildir, 2);
    let unsigned: Vec<String> = unsigned.iter().map(|m| text(m)).collect();
    let strange = unsigned
        .iter()
        .find(|m| m.contains("other.example"))
        .unwrap();
    assert!(!strange.contains("DKIM-Signature"), "{strange}");

    // A report of ours is signed by the name that it is from.
    send(
        &relay,
        "anna@example.org",
        &["nobody@dest.example"],
        CONTENT,
    );
    let all = only(&eight.maildir, 3);
    let report = all
        .iter()
        .find(|m| text(m).contains("MAILER-DAEMON@relay.example"));
    let report = report.unwrap();
    assert_eq!(
        dkimpy(report, named.port)[0],
        "relay.example s1 True",
        "{}",
        text(report)
    );
}

#[test]
fn a_key_signs_while_its_record_is_published_and_a_new_one_takes_over_when_it_is_seen() {
    let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
    let first = new_key(&relay, &["example.org", "--selector", "one"]);
    let mut named = Named::start("example.org", "").unwrap();
    let dns = named.port;
    let postfix = Postfix::start("").unwrap();
    let config = format!(
        "[dns]\nservers = [\"127.0.0.1:{}\"]\n[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n\
         [dkim]\ncheck_every = \"1s\"\n",
        named.port, postfix.port
    );
    relay.configure(&config).unwrap();
    relay.run().unwrap();
    let told = relay.command().args(["dkim", "list"]).output().unwrap();
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("record missing, does not sign")
            && told.contains("one._domainkey.example.org. IN TXT ("),
        "{told}"
    );
    send(&relay, "anna@example.org", &["bert@dest.example"], CONTENT);
    let message = only(&postfix.maildir, 1).remove(0);
    assert!(
        !text(&message).contains("DKIM-Signature"),
        "{}",
        text(&message)
    );
    let id = relay.recipients().unwrap()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let story = relay.ask(&["queue", "show", "--lang", "en", &id]).unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        story.contains("not signed with DKIM: the record of one._domainkey.example.org"),
        "{story}"
    );

    // Published, it signs: the relay sees it by itself.
    named.publish("example.org", &first).unwrap();
    let state = relay.directory().join("data/dkim/example.org");
    let noted = |file: &str, word: &str| {
        let path = state.join(file);
        let reached = wait_until(PATIENCE, || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            text.contains(word).then_some(())
        });
        assert!(reached.is_some(), "{file}: {word}\n{}", relay.log());
    };
    noted("one.toml", "published = ");
    let selector_of_the_next = |count: usize| {
        send(&relay, "anna@example.org", &["bert@dest.example"], CONTENT);
        let all = only(&postfix.maildir, count);
        let newest: Vec<String> = all.iter().flat_map(|m| dkimpy(m, dns)).collect();
        assert!(
            newest.iter().all(|line| line.ends_with(" True")),
            "{newest:?}"
        );
        newest
    };
    assert_eq!(selector_of_the_next(2), ["example.org one True"]);

    // The new key waits; the old one signs meanwhile.
    let second = relay.ask(&["dkim", "rotate", "example.org"]).unwrap();
    let again = relay
        .command()
        .args(["dkim", "rotate", "example.org"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8(again.stderr)
            .unwrap()
            .contains("is not published yet")
    );
    let read = wait_until(PATIENCE, || {
        relay
            .log()
            .contains("have changed and were read")
            .then_some(())
    });
    assert!(read.is_some(), "{}", relay.log());
    assert_eq!(selector_of_the_next(3), ["example.org one True"; 2]);

    // Seen, it takes over; the old record stays for mail on its way, and is told as removable then.
    let lines: String = [first, second].concat();
    named.publish("example.org", &lines).unwrap();
    noted("one.toml", "replaced = ");
    let found = selector_of_the_next(4);
    let new = found.iter().filter(|line| !line.contains(" one ")).count();
    assert_eq!((found.len(), new), (3, 1), "{found:?}");
    let told = relay.ask(&["dkim", "list"]).unwrap();
    assert!(told.contains("leave this record published until"), "{told}");
    let new = list(&relay)
        .iter()
        .find(|key| key["signs"] == true)
        .map(|key| key["selector"].as_str().unwrap().to_owned());
    let arguments = ["dkim", "remove", "example.org", &new.unwrap()];
    let refused = relay.command().args(arguments).output().unwrap();
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.contains("is the key that signs"), "{refused}");
    relay
        .configure(&format!("{config}keep = \"0s\"\n"))
        .unwrap();
    let told = relay.ask(&["dkim", "list"]).unwrap();
    assert!(told.contains("dkim remove example.org one"), "{told}");
    relay
        .ask(&["dkim", "remove", "example.org", "one"])
        .unwrap();
    assert_eq!(list(&relay).len(), 1);
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt as _;
    let relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
    new_key(&relay, &["example.org", "--selector", "one"]);
    let path = relay.directory().join("data/dkim/example.org/one.pem");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = relay.command().arg("serve").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("chmod 600") && told.contains("one.pem"),
        "{told}"
    );
}

#[test]
fn rules_change_what_is_sent_before_it_is_signed_and_leave_what_others_have_signed() {
    let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
    let zone = new_key(&relay, &["example.org", "--selector", "s1"]);
    let named = Named::start("example.org", &zone).unwrap();
    let domains = "virtual_mailbox_domains = dest.example, seven.example\n";
    let eight = Postfix::start(domains).unwrap();
    let seven = Postfix::start(&format!(
        "{domains}smtpd_discard_ehlo_keywords = 8bitmime, smtputf8, chunking\n"
    ))
    .unwrap();
    let config = format!(
        r#"
[dns]
servers = ["127.0.0.1:{dns}"]
[routes]
"seven.example" = "smtp://127.0.0.1:{seven}"
"*" = "smtp://127.0.0.1:{eight}"
[[rewrite]]
name = "masquerade"
sender = [".internal.example"]
map = {{ "@web.internal.example" = "@example.org" }}
[[rewrite]]
name = "tidy"
recipient = ["dest.example"]
remove = ["X-Internal"]
set = {{ "Organization" = "Example" }}
"#,
        dns = named.port,
        seven = seven.port,
        eight = eight.port
    );
    relay.configure(&config).unwrap();
    relay.run().unwrap();
    let from = "anna@web.internal.example";
    let content = text(CONTENT).replace('\u{fffd}', "\u{e9}").replace(
        "From: Anna <anna@example.org>\r\n",
        "From: \"Anna, anna@web.internal.example\"\r\n <anna@web.internal.example>\r\nX-Internal: secret\r\n",
    );
    send(
        &relay,
        from,
        &["bert@dest.example", "bert@seven.example"],
        content.as_bytes(),
    );
    let arrived = [only(&eight.maildir, 1), only(&seven.maildir, 1)].concat();
    for (message, tidy) in arrived.iter().zip([true, false]) {
        let found = text(message);
        let kept = "From: \"Anna, anna@web.internal.example\"\r\n <anna@example.org>\r\n";
        assert!(found.contains(kept), "{found}");
        assert_eq!(found.contains("Organization: Example\r\n"), tidy, "{found}");
        assert_eq!(found.contains("X-Internal"), !tidy, "{found}");
        assert!(found.contains("Return-Path: <anna@example.org>"), "{found}");
        assert_eq!(
            dkimpy(message, named.port),
            ["example.org s1 True"],
            "{found}"
        );
    }

    // What others have signed stays, and that is told.
    let signed = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=From:To; bh=AA==; b=AA==\r\n{content}"
    );
    let ascii = signed.replace('\u{e9}', "e").replace("8bit", "7bit");
    send(&relay, from, &["bert@dest.example"], ascii.as_bytes());
    let all = only(&eight.maildir, 2);
    let kept = all
        .iter()
        .find(|m| text(m).contains("d=x.example"))
        .unwrap();
    assert!(
        text(kept).contains("\r\n <anna@web.internal.example>"),
        "{}",
        text(kept)
    );
    assert!(
        text(kept).contains("Organization: Example"),
        "{}",
        text(kept)
    );
    let rows = relay.recipients().unwrap();
    let last = rows
        .iter()
        .max_by_key(|row| row["id"].as_str().unwrap().to_owned());
    let id = last.unwrap()["id"].as_str().unwrap().to_owned();
    let story = relay.ask(&["queue", "show", "--lang", "en", &id]).unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "changed by the administrator's rules: tidy",
        "the rule masquerade is left out: From is signed by somebody else",
    ] {
        assert!(story.contains(told), "{story}");
    }
}
