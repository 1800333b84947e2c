//! A relay that delivers into a Maildir, and clients that talk to it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{Maildir, Relay, free_port, run, tool, wait_until};

pub(crate) struct Stage {
    pub(crate) relay: Relay,
    pub(crate) inbox: Maildir,
    /// Its port for users.
    pub(crate) submission: u16,
    /// Its port for LMTP.
    pub(crate) lmtp: u16,
}

impl Stage {
    /// A relay with these further lines of its configuration; `{dir}` stands for its directory.
    pub(crate) fn start(more: &str) -> Stage {
        let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
        let directory = relay.directory().display().to_string();
        let (submission, lmtp) = (free_port().unwrap(), free_port().unwrap());
        let for_users = match more.contains("[auth]") {
            true => format!("submission = [\"127.0.0.1:{submission}\"]"),
            false => String::new(),
        };
        let config = format!(
            "{for_users}\n\
             lmtp = [\"127.0.0.1:{lmtp}\", \"unix:{directory}/lmtp\"]\n\
             {more}\n[routes]\n\"*\" = \"maildir:{directory}/box\"\n[log]\nformat = \"json\"\n"
        );
        relay
            .configure(&config.replace("{dir}", &directory))
            .unwrap();
        let inbox = Maildir::at(&relay.directory().join("box"));
        if more.contains("/users") {
            user(&relay, &["add", "anna@client.example"], "secret\n").unwrap();
        }
        relay.run().unwrap();
        Stage {
            relay,
            inbox,
            submission,
            lmtp,
        }
    }

    /// Waits until the log has this.
    #[track_caller]
    pub(crate) fn logs(&self, what: &str) {
        let found = wait_until(Duration::from_secs(30), || {
            self.relay.log().contains(what).then_some(())
        });
        assert!(found.is_some(), "no `{what}` in:\n{}", self.relay.log());
    }

    /// Waits until so many messages have arrived; all of them, one after another.
    #[track_caller]
    pub(crate) fn arrived(&self, count: usize) -> String {
        let there = wait_until(Duration::from_secs(30), || {
            (self.inbox.count() >= count).then_some(())
        });
        assert!(
            there.is_some(),
            "{} arrived:\n{}",
            self.inbox.count(),
            self.relay.log()
        );
        let all = self.inbox.messages().unwrap();
        assert_eq!(all.len(), count);
        let texts = all.iter().map(|one| String::from_utf8_lossy(&one.content));
        texts.collect()
    }
}

/// Runs `postrider user` with this standard input; what it prints.
pub(crate) fn user(relay: &Relay, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = relay.command();
    command.arg("user").args(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that asks for no password may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// swaks from anna to bert; `Err` has the whole talk too.
pub(crate) fn swaks(server: &str, more: &[&str]) -> Result<String, String> {
    let mut command = Command::new(tool("swaks").unwrap());
    let usual = [
        "--from",
        "anna@client.example",
        "--to",
        "bert@dest.example",
        "--helo",
        "client.example",
    ];
    command.args(["--server", server]).args(usual).args(more);
    run(&mut command).map_err(|error| error.to_string())
}
