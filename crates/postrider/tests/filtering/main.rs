//! The relay as its users run it, with everything behind it that is asked before mail is taken: BIND,
//! clamd, rspamd and a milter.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

#[path = "../process/talk.rs"]
#[allow(dead_code, reason = "more than is used here")]
mod talk;

use std::path::Path;
use std::time::Duration;

use peers::{Clamd, Maildir, Milter, Named, Relay, Rspamd, eicar, wait_until};
use talk::Talk;

const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that is asked.
struct Stage {
    relay: Relay,
    inbox: Maildir,
    _named: Named,
    _clamd: Clamd,
    _rspamd: Rspamd,
    _milter: Milter,
}

const MILTER: &str = r#"
import sys, Milter
class M(Milter.Base):
    def header(self, name, value):
        if name == 'Subject': self.subject = value.strip()
        return Milter.CONTINUE
    def eom(self):
        if self.subject == 'odd': self.quarantine('looks odd')
        self.addheader('X-Milter', 'seen')
        return Milter.CONTINUE
Milter.factory = M
Milter.set_flags(Milter.ADDHDRS | Milter.QUARANTINE)
Milter.runmilter('test', 'inet:%s@127.0.0.1' % sys.argv[1], 240)
"#;

fn stage() -> Stage {
    let named = Named::start_zones(&[
        // The walk up from a domain to its policy (RFC 9989 §4.10) asks here too.
        ("example", ""),
        (
            "strict.example",
            "@ IN TXT \"v=spf1 -all\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"",
        ),
        (
            "open.example",
            "@ IN TXT \"v=spf1 ip4:127.0.0.1 -all\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"",
        ),
        (
            "dbl.example",
            "listed.example IN A 127.0.1.2\nlisted.example IN TXT \"seen in spam\"",
        ),
        ("listed.example", ""),
    ])
    .unwrap();
    let (clamd, rspamd) = (Clamd::start(1 << 20).unwrap(), Rspamd::start().unwrap());
    let milter = Milter::python(MILTER).unwrap();
    let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
    let directory = relay.directory().to_owned();
    let config = format!(
        r#"
[routes]
"*" = "maildir:{inbox}"
[dns]
servers = ["127.0.0.1:{dns}"]
[authentication]
enabled = true
enforce = "dmarc"
exempt = []
[block_lists]
exempt = []
[[block_list]]
zone = "dbl.example"
of = "sender"
[[filter]]
name = "clamav"
kind = "clamav"
address = "unix:{clamd}"
[[filter]]
name = "rspamd"
kind = "rspamd"
address = "127.0.0.1:{rspamd}"
[[filter]]
name = "guard"
kind = "milter"
address = "127.0.0.1:{milter}"
[log]
format = "json"
"#,
        inbox = directory.join("box").display(),
        dns = named.port,
        clamd = clamd.socket.display(),
        rspamd = rspamd.port,
        milter = milter.port,
    );
    relay.configure(&config).unwrap();
    relay.run().unwrap();
    Stage {
        inbox: Maildir::at(&directory.join("box")),
        relay,
        _named: named,
        _clamd: clamd,
        _rspamd: rspamd,
        _milter: milter,
    }
}

impl Stage {
    fn send(&self, from: &str, subject: &str, body: &str) -> String {
        let content = format!("From: <{from}>\r\nSubject: {subject}\r\n\r\n{body}\r\n");
        let mut talk = Talk::begin(self.relay.port).unwrap();
        talk.mail(from, "bert@dest.example", content.as_bytes())
            .unwrap()
    }

    /// Whether the log says that it was our decision, for this reason.
    fn logged(&self, reason: &str) -> bool {
        let said = format!("\"reason\":\"{reason}\"");
        wait_until(PATIENCE, || self.relay.log().contains(&said).then_some(())).is_some()
    }
}

#[test]
fn mail_goes_by_everybody_who_is_asked_and_each_refusal_says_whose_it_is() {
    let stage = stage();
    let reply = stage.send("anna@open.example", "hello", "plain");
    assert!(reply.starts_with("250 "), "{reply}\n{}", stage.relay.log());
    let there = wait_until(PATIENCE, || (stage.inbox.count() == 1).then_some(()));
    assert!(there.is_some(), "{}", stage.relay.log());
    let arrived = stage.inbox.messages().unwrap();
    let text = String::from_utf8_lossy(&arrived[0].content).replace("\r\n", "\n");
    for field in [
        "Authentication-Results: relay.example;\n",
        "spf=pass",
        "dmarc=pass header.from=open.example",
        "\nX-Milter: seen\n",
    ] {
        assert!(text.contains(field), "{field}: {text}");
    }
    for (from, subject, body, reply, reason) in [
        (
            "anna@strict.example",
            "x",
            "x",
            "550 5.7.26 DMARC of strict.example",
            "dmarc",
        ),
        (
            "anna@listed.example",
            "x",
            "x",
            "550 5.7.1 the domain listed.example is on the block list dbl.example (seen in spam)",
            "listed",
        ),
        (
            "anna@open.example",
            "x",
            &eicar(),
            "550 5.7.1 the message contains malware: Eicar-Test",
            "infected",
        ),
        (
            "anna@open.example",
            "awful",
            "x",
            "550 5.7.1 the message looks like spam: score 20.0",
            "spam",
        ),
        (
            "anna@open.example",
            "grey",
            "x",
            "451 4.7.1 greylisted by the filter rspamd",
            "filter-greylisted",
        ),
    ] {
        let said = stage.send(from, subject, body);
        assert!(said.starts_with(reply), "{said}");
        assert!(stage.logged(reason), "{reason}: {}", stage.relay.log());
    }
    let reply = stage.send("anna@open.example", "odd", "x");
    assert!(reply.starts_with("250 "), "{reply}");
    let held = stage.relay.wait(PATIENCE, |rows| {
        rows.iter().any(|row| row["state"] == "held")
    });
    let held = held.unwrap();
    let id = held.iter().find(|row| row["state"] == "held").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (lang, words) in [
        ("en", "held, as the filter guard asked: “looks odd”"),
        (
            "nl",
            "vastgehouden, zoals het filter guard vroeg: “looks odd”",
        ),
    ] {
        let story = ["queue", "show", "--lang", lang, &id];
        let story = stage.relay.ask(&story).unwrap();
        let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(story.contains(words), "{story}");
    }
    let story = stage.relay.ask(&["queue", "show", "--json", &id]).unwrap();
    let story: serde_json::Value = serde_json::from_str(&story).unwrap();
    let why = serde_json::json!({"quarantined": {"filter": "guard", "why": {"said": {"text": "looks odd"}}}});
    let events = story["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["kind"] == why), "{story}");
    assert_eq!(stage.inbox.count(), 1);
    stage.relay.ask(&["queue", "release", &id]).unwrap();
    let there = wait_until(PATIENCE, || (stage.inbox.count() == 2).then_some(()));
    assert!(there.is_some(), "{}", stage.relay.log());
}
