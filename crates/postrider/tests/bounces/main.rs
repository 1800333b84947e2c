//! What comes back, end to end: the relay hands mail to a real Postfix, which takes it, meets a refusal
//! behind, and reports to the return address; the relay reads the report.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its stage fails"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use peers::{Act, Client, Mail, Maildir, Postfix, Relay, Rule, Sink, run, tool, wait_until};
use serde_json::Value;

const SENDER: &str = "anna@ours.example";
const GONE: &str = "gone@away.example";
const WELL: &str = "well@away.example";
const PATIENCE: Duration = Duration::from_secs(90);

struct Stage {
    relay: Relay,
    postfix: Postfix,
    /// Behind Postfix: knows everybody but `gone`.
    behind: Sink,
    /// Of the sender.
    inbox: Maildir,
}

impl Stage {
    fn start() -> Stage {
        let behind = Sink::start(vec![Rule {
            at: "rcpt".to_owned(),
            only: "gone@".to_owned(),
            times: None,
            after: 0,
            act: Act::Reply("550 5.1.1 no mailbox of that name here".to_owned()),
        }])
        .unwrap();
        let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
        let postfix = Postfix::start(&format!(
            "transport_maps = inline:{{ {{away.example = smtp:[127.0.0.1]:{}}}, \
             {{bounces.ours.example = smtp:[127.0.0.1]:{}}} }}\n",
            behind.port, relay.port
        ))
        .unwrap();
        let directory = relay.directory().display().to_string();
        let config = format!(
            "[routes]\n\"away.example\" = \"smtp://127.0.0.1:{}\"\n\"ours.example\" = \"maildir:{directory}/box\"\n\
             [bounces]\ndomain = \"bounces.ours.example\"\nsenders = [\"ours.example\"]\n\
             addresses = [\"fbl@ours.example\"]\nothers_to = \"postmaster@ours.example\"\n\
             [suppression]\nkeep = \"30d\"\n",
            postfix.port
        );
        relay.configure(&config).unwrap();
        relay.run().unwrap();
        let inbox = Maildir::at(&relay.directory().join("box"));
        Stage {
            relay,
            postfix,
            behind,
            inbox,
        }
    }

    fn send(&self, from: &str, to: &[&str], content: &str) {
        let to: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        let content = content.replace('\n', "\r\n");
        let mail = Mail {
            from,
            to: &to,
            content: content.as_bytes(),
        };
        let directory = self.relay.directory();
        Client::Smtplib
            .send(self.relay.port, &mail, directory, Path::new("postrider"))
            .unwrap();
    }

    /// What came back, as `postrider bounces --json` tells, once so much has.
    #[track_caller]
    fn came_back(&self, count: usize) -> Vec<Value> {
        let mut last = Vec::new();
        let reached = wait_until(PATIENCE, || {
            last = lines(&self.relay.ask(&["bounces", "--json"]).unwrap());
            (last.len() >= count).then_some(())
        });
        assert!(
            reached.is_some() && last.len() == count,
            "{last:#?}\n{}\n{}",
            self.relay.log(),
            self.postfix.log()
        );
        last
    }

    /// What the sender has got, once so much has arrived.
    #[track_caller]
    fn arrived(&self, count: usize) -> Vec<String> {
        let there = wait_until(PATIENCE, || (self.inbox.count() >= count).then_some(()));
        assert!(there.is_some(), "{}", self.relay.log());
        let all = self.inbox.messages().unwrap();
        assert_eq!(all.len(), count);
        let texts = all.iter().map(|one| String::from_utf8_lossy(&one.content));
        texts.map(|text| text.into_owned()).collect()
    }

    fn swaks(&self, from: &str, to: &str) -> String {
        let mut command = Command::new(tool("swaks").unwrap());
        command.args(["--server", &format!("127.0.0.1:{}", self.relay.port)]);
        command.args(["--from", from, "--to", to, "--helo", "client.example"]);
        match run(&mut command) {
            Ok(talk) => talk,
            Err(error) => error.to_string(),
        }
    }

    fn suppressed(&self) -> Vec<Value> {
        lines(&self.relay.ask(&["suppression", "list", "--json"]).unwrap())
    }
}

fn lines(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}

const MESSAGE: &str =
    "From: anna@ours.example\nTo: all\nSubject: hello\nMessage-ID: <1@ours.example>\n\nhello\n";

#[test]
fn a_report_of_postfix_is_joined_explained_to_the_sender_once_and_suppresses_the_recipient() {
    let stage = Stage::start();
    stage.send(SENDER, &[GONE, WELL], MESSAGE);
    let back = stage.came_back(1);
    let row = &back[0];
    assert_eq!(row["recipient"], GONE, "{row:#}");
    assert_eq!(row["sender"], SENDER);
    assert_eq!(
        (&row["kind"], &row["joined_by"]),
        (&"failure".into(), &"return_address".into())
    );
    assert_eq!(
        (&row["cause"], &row["suppressed"]),
        (&"mailbox.unknown".into(), &true.into())
    );
    let id = row["id"].as_str().unwrap();

    // Both went on, each with a return address of its own; the one who is there has the message.
    let all = stage.relay.recipients().unwrap();
    let own: Vec<&Value> = all.iter().filter(|r| r["id"] == id).collect();
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|r| r["state"] == "delivered"), "{own:#?}");
    assert_eq!(stage.behind.wait_for(1, PATIENCE), 1);
    let well = &stage.behind.received()[0];
    assert!(
        well.from.starts_with("b+") && well.from.ends_with("@bounces.ours.example"),
        "{}",
        well.from
    );

    let told = stage.arrived(1).remove(0);
    for words in [
        "Subject: Not delivered: gone@away.example\n",
        "Later a report came back",
        "no mailbox of that name here",
        "Action: failed\n",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let story = stage.relay.ask(&["queue", "show", id]).unwrap();
    assert!(
        story.contains("delivered") && story.contains("Came back"),
        "{story}"
    );
    let story = stage
        .relay
        .ask(&["queue", "show", "--lang", "nl", id])
        .unwrap();
    assert!(story.contains("Kwam terug"), "{story}");

    let list = stage.suppressed();
    assert_eq!(list.len(), 1, "{list:#?}");
    assert_eq!(
        (&list[0]["address"], &list[0]["source"]),
        (&GONE.into(), &"bounce".into())
    );
    for (lang, words) in [("en", "so says the report"), ("nl", "dat zegt de melding")] {
        let shown = stage
            .relay
            .ask(&["suppression", "show", GONE, "--lang", lang])
            .unwrap();
        assert!(
            shown.contains(words) && shown.contains("no mailbox of that name"),
            "{shown}"
        );
    }
    let refused = stage.swaks(SENDER, GONE);
    assert!(
        refused.contains("550 5.7.1") && refused.contains("came back for mailbox.unknown"),
        "{refused}"
    );
}

#[test]
fn a_forged_return_address_is_refused_before_content_an_answer_counts_for_nothing_and_a_complaint_suppresses()
 {
    let stage = Stage::start();
    stage.send(SENDER, &[WELL], MESSAGE);
    assert_eq!(stage.behind.wait_for(1, PATIENCE), 1);
    let path = stage.behind.received()[0].from.clone();

    let forged = path.replace("-0-", "-1-");
    let refused = stage.swaks("<>", &forged);
    assert!(
        refused.contains("550 5.1.1") && refused.contains("its code is not ours"),
        "{refused}"
    );
    let answer = format!(
        "From: {WELL}\nAuto-Submitted: auto-replied\nSubject: Out of office\n\n550 5.1.1 user unknown\n"
    );
    stage.send("", &[&path], &answer);
    let back = stage.came_back(1);
    assert_eq!(
        (&back[0]["kind"], &back[0]["cause"]),
        (&"answer".into(), &Value::Null)
    );
    assert!(stage.suppressed().is_empty());
    let passed_on = stage.arrived(1).remove(0);
    assert!(passed_on.contains("Subject: Out of office"), "{passed_on}");

    let complaint = format!(
        "From: staff@away.example\nTo: fbl@ours.example\nSubject: complaint\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n\
         --b\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n\
         --b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n\
         Original-Mail-From: <{path}>\nOriginal-Rcpt-To: <{WELL}>\n\n\
         --b\nContent-Type: message/rfc822\n\nFrom: {SENDER}\nSubject: hello\n\nhello\n--b--\n"
    );
    stage.send("staff@away.example", &["fbl@ours.example"], &complaint);
    let back = stage.came_back(2);
    assert_eq!(
        (&back[0]["kind"], &back[0]["recipient"]),
        (&"complaint".into(), &WELL.into())
    );
    let list = stage.suppressed();
    assert_eq!(
        (&list[0]["source"], &list[0]["cause"]),
        (&"complaint".into(), &"feedback.complaint".into())
    );
    assert_eq!(stage.inbox.count(), 1, "the complaint has its reader");
}
