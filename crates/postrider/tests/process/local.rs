//! Domains of ours: mailboxes, aliases and forwarding, from tables that change while the relay runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use peers::{Relay, Sink, wait_until};

use crate::postrider;
use crate::talk::{Talk, content};

const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever speaks to it from loopback is a stranger.
const CONFIG: &str = r#"
[relay]
networks = ["192.0.2.0/24"]
[routes]
"home.example" = "smtp://127.0.0.1:{sink}"
"relay.example" = "smtp://127.0.0.1:{sink}"
[local]
postmaster = "bert@ours.example"
aliases = ["file:{dir}/aliases"]
srs_domain = "ours.example"
detail_folders = true
[domains."ours.example"]
mailbox = "maildir:{dir}/mail/{domain}/{user}"
mailboxes = ["file:{dir}/users"]
[domains."relay.example"]
class = "relay"
recipients = ["sqlite:{dir}/none.db?query=SELECT 1 FROM t WHERE k = ?1"]
"#;

struct Stage {
    relay: Relay,
    sink: Sink,
}

fn stage() -> Stage {
    let sink = Sink::start(Vec::new()).unwrap();
    let mut relay = Relay::prepare(postrider(), "").unwrap();
    let dir = relay.directory().to_owned();
    fs::write(
        dir.join("users"),
        "anna quota=2000\nbert\ncarla forward=carla@home.example keep\n",
    )
    .unwrap();
    fs::write(dir.join("aliases"), "# ours\ninfo: anna, bert\n").unwrap();
    let config = CONFIG.replace("{sink}", &sink.port.to_string());
    relay
        .configure(&config.replace("{dir}", dir.to_str().unwrap()))
        .unwrap();
    relay.run().unwrap();
    Stage { relay, sink }
}

impl Stage {
    fn mail(&self, from: &str, to: &str, content: &[u8]) -> String {
        Talk::begin(self.relay.port)
            .unwrap()
            .mail(from, to, content)
            .unwrap()
    }

    /// The mails in the mailbox of a user, once there are so many.
    fn mails(&self, user: &str, count: usize) -> Vec<String> {
        let new = self
            .relay
            .directory()
            .join("mail/ours.example")
            .join(user)
            .join("new");
        wait_until(PATIENCE, || (files(&new).len() >= count).then_some(()));
        let mails = files(&new);
        assert_eq!(mails.len(), count, "{user}: {}", self.relay.log());
        mails
    }
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect()
}

#[test]
fn a_stranger_reaches_mailboxes_and_aliases_and_nothing_else_and_the_story_tells_how() {
    let stage = stage();
    let reply = stage.mail("x@far.example", "Info@ours.example", &content("a", 100));
    let id = reply.strip_prefix("250 2.0.0 Ok: queued as ").unwrap();
    let mail = &stage.mails("anna", 1)[0];
    assert!(mail.starts_with("Return-Path: <x@far.example>\nDelivered-To: anna@ours.example\nX-Original-To: Info@ours.example\nReceived: "), "{mail}");
    stage.mails("bert", 1);
    let story = stage.relay.ask(&["queue", "show", id]).unwrap();
    let story = story.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        story.contains("Info@ours.example became anna@ours.example, bert@ours.example by"),
        "{story}"
    );
    assert!(story.contains("aliases line 2"), "{story}");

    for (to, says) in [
        ("nobody@ours.example", "550 5.1.1 no such recipient here"),
        ("x@far.example", "550 5.7.1 relay access denied"),
        (
            "x@relay.example",
            "451 4.3.0 our table of recipients cannot be asked",
        ),
    ] {
        let reply = stage.mail("x@far.example", to, &content("b", 100));
        assert!(reply.starts_with(says), "{to}: {reply}");
    }
    let told = || {
        let log = stage.relay.log();
        log.contains("unable to open database file").then_some(())
    };
    assert!(
        wait_until(PATIENCE, told).is_some(),
        "{}",
        stage.relay.log()
    );

    // A table that changes holds from then on.
    fs::write(
        stage.relay.directory().join("users"),
        "anna\nbert\nnobody\n",
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(1_100));
    let reply = stage.mail("x@far.example", "nobody@ours.example", &content("c", 100));
    assert!(reply.starts_with("250 "), "{reply}");
    stage.mails("nobody", 1);
}

#[test]
fn a_mailbox_at_its_quota_is_full_for_itself_alone() {
    let stage = stage();
    assert!(
        stage
            .mail("x@far.example", "anna@ours.example", &content("a", 2_500))
            .starts_with("250 ")
    );
    stage.mails("anna", 1);
    let reply = stage.mail("x@far.example", "anna@ours.example", &content("b", 100));
    assert!(reply.starts_with("452 4.2.2 "), "{reply}");
    assert!(
        stage
            .mail("x@far.example", "bert@ours.example", &content("b", 100))
            .starts_with("250 ")
    );
}

#[test]
fn mail_goes_on_with_a_sender_of_ours_and_its_report_comes_back_to_the_sender() {
    let stage = stage();
    let reply = stage.mail("x@home.example", "carla@ours.example", &content("a", 100));
    assert!(reply.starts_with("250 "), "{reply}");
    stage.mails("carla", 1);
    assert_eq!(stage.sink.wait_for(1, PATIENCE), 1);
    let forwarded = stage.sink.received()[0].clone();
    assert_eq!(forwarded.to, ["carla@home.example"]);
    assert!(
        forwarded.from.starts_with("SRS0=") && forwarded.from.ends_with("@ours.example"),
        "{forwarded:?}"
    );
    let secrets = stage.relay.directory().join("data/srs.secrets");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(secrets).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // A bounce comes to that address.
    let reply = stage.mail("", &forwarded.from, &content("bounce", 100));
    assert!(reply.starts_with("250 "), "{reply}");
    assert_eq!(stage.sink.wait_for(2, PATIENCE), 2);
    assert_eq!(stage.sink.received()[1].to, ["x@home.example"]);
    let reply = stage.mail("spam@far.example", &forwarded.from, &content("no", 100));
    assert!(reply.starts_with("550 5.1.1 "), "{reply}");
}
