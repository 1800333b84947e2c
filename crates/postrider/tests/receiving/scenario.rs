//! What a scenario says, and how it is played.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use peers::{Maildir, Relay, free_port, wait_until};
use serde::Deserialize;

use crate::clients::Sender;
use crate::logins;

const PATIENCE: Duration = Duration::from_secs(60);
/// How often, and for how long each, mail is waited for that a server is to bring again.
const ROUNDS: usize = 12;
const ROUND: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it shows, in a sentence.
    #[serde(rename = "about")]
    _about: String,
    /// How the reply begins that the clients hear.
    reply: String,
    /// The reason that our log gives.
    reason: String,
    #[serde(default = "everybody")]
    pub(crate) clients: Vec<Who>,
    /// Clients that act on the reply and do not log it.
    #[serde(default)]
    unlogged: Vec<Who>,
    /// How many recipients the message has.
    #[serde(default = "one")]
    recipients: usize,
    /// Header fields of the message, each with its line end.
    #[serde(default)]
    header: String,
    /// The clients come to the port for users, which is `{submission}` in the configuration.
    #[serde(default)]
    submission: bool,
    /// As whom the clients log in.
    login: Option<Login>,
    /// The reverse-path, where it is not anna's.
    from: Option<String>,
    /// The mail is not to come again: its sender is told at once.
    #[serde(default, rename = "final")]
    ends: bool,
    #[serde(default)]
    before: Changes,
    #[serde(default)]
    after: Changes,
}

/// A user and a password.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

fn everybody() -> Vec<Who> {
    vec![Who::Swaks, Who::Postfix, Who::Exim]
}

fn one() -> usize {
    1
}

/// A client that hands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Who {
    Swaks,
    /// Says what it hears, as swaks does.
    Msmtp,
    Postfix,
    Exim,
}

/// What is done to the relay. Connections of `before` are closed afterwards, and `after.toml`, where
/// there is one, becomes the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Changes {
    /// Commands of `postrider`.
    run: Vec<Vec<String>>,
    /// Users to make beforehand; afterwards, whose password becomes this.
    users: Vec<Login>,
    /// Times to log in with a wrong password.
    wrong_logins: usize,
    /// Empty files to make in the relay's directory.
    touch: Vec<PathBuf>,
    /// Directories to make there.
    directories: Vec<PathBuf>,
    /// Files and empty directories to remove there.
    remove: Vec<PathBuf>,
    /// Messages of about a kilobyte to hand in.
    messages: usize,
    /// Connections to open.
    connections: usize,
    /// Seconds to wait.
    wait: u64,
}

impl Scenario {
    pub(crate) fn read(folder: &Path) -> Result<Scenario, String> {
        let path = folder.join("scenario.toml");
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn to(&self) -> Vec<String> {
        let address = |n: usize| format!("bert{n}@dest.example");
        (0..self.recipients).map(address).collect()
    }
}

/// The relay's configuration: what stands in the folder, and a log that a machine reads.
fn config(folder: &Path, name: &str, directory: &Path, submission: u16) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    let text = text.replace("{dir}", &directory.display().to_string());
    let text = text.replace("{submission}", &format!("127.0.0.1:{submission}"));
    Some(format!("{text}\n[log]\nformat = \"json\"\n"))
}

pub(crate) fn play(folder: &Path, who: Who) -> Result<(), String> {
    let scenario = Scenario::read(folder)?;
    let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "")
        .map_err(|e| e.to_string())?;
    let played = play_on(&mut relay, &scenario, folder, who);
    played.map_err(|what| format!("{what}\nour log:\n{}", relay.log()))
}

fn play_on(relay: &mut Relay, scenario: &Scenario, folder: &Path, who: Who) -> Result<(), String> {
    let directory = relay.directory().to_owned();
    let submission = free_port().map_err(|e| e.to_string())?;
    let begin = config(folder, "postrider.toml", &directory, submission);
    relay
        .configure(&begin.ok_or("no postrider.toml")?)
        .map_err(|e| e.to_string())?;
    // A file of users that is configured is to be there.
    logins::set(relay, "add", &scenario.before.users)?;
    relay.run().map_err(|e| e.to_string())?;
    let inbox = Maildir::at(&directory.join("box"));
    let port = match scenario.submission {
        true => submission,
        false => relay.port,
    };
    let held = change(relay, &scenario.before, &inbox)?;
    logins::fail(port, scenario.before.wrong_logins)?;
    let before = inbox.count();

    let content = format!(
        "{}From: anna@client.example\r\nSubject: {who:?}\r\n\r\nhello\r\n",
        scenario.header.replace('\n', "\r\n")
    );
    let mut sender = Sender::new(who, port, &directory, scenario.login.as_ref())?;
    sender.from.clone_from(&scenario.from);
    let to = scenario.to();
    sender.send(&to, content.as_bytes())?;
    if !scenario.unlogged.contains(&who) {
        sender.heard(&scenario.reply, scenario.ends)?;
    }
    logged(relay, scenario)?;
    let arrived = inbox.messages().map_err(|e| e.to_string())?;
    if scenario.recipients == 1 && arrived.iter().any(|m| to.contains(&m.recipient)) {
        return Err("it was refused, and yet it has arrived".to_owned());
    }
    if scenario.ends {
        return sender.gave_up();
    }

    drop(held);
    change(relay, &scenario.after, &inbox)?;
    logins::set(relay, "passwd", &scenario.after.users)?;
    if let Some(after) = config(folder, "after.toml", &directory, submission) {
        relay.stop().map_err(|e| e.to_string())?;
        relay.configure(&after).map_err(|e| e.to_string())?;
        relay.run().map_err(|e| e.to_string())?;
    }
    sender.again(&to, content.as_bytes())?;
    // A server that is still busy with a message passes over it when it is told to go through its queue.
    let arrived = (0..ROUNDS).any(|_| {
        let there = || (inbox.count() - before >= to.len()).then_some(());
        let there = wait_until(ROUND, there).is_some();
        there || sender.nudge().is_err()
    });
    if !arrived {
        let count = inbox.count() - before;
        return Err(format!(
            "{count} of {} have arrived; the client's log:\n{}",
            to.len(),
            sender.log()
        ));
    }
    each_once(&inbox, &to)
}

fn each_once(inbox: &Maildir, to: &[String]) -> Result<(), String> {
    let arrived = inbox.messages().map_err(|e| e.to_string())?;
    for address in to {
        let copies = arrived.iter().filter(|m| m.recipient == *address).count();
        if copies != 1 {
            return Err(format!("{address} has it {copies} times"));
        }
    }
    Ok(())
}

/// Our own decision stands in our log, with its reason and the reply.
fn logged(relay: &Relay, scenario: &Scenario) -> Result<(), String> {
    let found = wait_until(PATIENCE, || {
        let log = relay.log();
        let events = log.lines().filter_map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(event)
        });
        let ours = |event: &serde_json::Value| {
            event["reason"] == scenario.reason.as_str()
                && event["reply"]
                    .as_str()
                    .is_some_and(|reply| reply.starts_with(&scenario.reply))
        };
        events.into_iter().any(|event| ours(&event)).then_some(())
    });
    found.ok_or_else(|| format!("our log has no decision `{}`", scenario.reason))
}

fn change(relay: &Relay, changes: &Changes, inbox: &Maildir) -> Result<Vec<TcpStream>, String> {
    let directory = relay.directory();
    for path in &changes.directories {
        fs::create_dir_all(directory.join(path)).map_err(|e| e.to_string())?;
    }
    for path in &changes.touch {
        fs::write(directory.join(path), "").map_err(|e| e.to_string())?;
    }
    for path in changes.remove.iter().map(|path| directory.join(path)) {
        let removed = if path.is_dir() {
            fs::remove_dir(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|e| e.to_string())?;
    }
    for command in &changes.run {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        relay.ask(&words).map_err(|e| e.to_string())?;
    }
    for number in 1..=changes.messages {
        hand_in(relay.port).map_err(|e| e.to_string())?;
        let there = wait_until(PATIENCE, || (inbox.count() >= number).then_some(()));
        there.ok_or("a message that comes before did not arrive")?;
    }
    let mut held = Vec::new();
    for _ in 0..changes.connections {
        // The probe that found the relay listening may still hold a place.
        let stream = wait_until(PATIENCE, || greeted(relay.port));
        held.push(stream.ok_or("no connection before")?);
    }
    std::thread::sleep(Duration::from_secs(changes.wait));
    Ok(held)
}

/// A connection that was welcomed.
fn greeted(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let mut greeting = String::new();
    BufReader::new(&stream).read_line(&mut greeting).ok()?;
    greeting.starts_with("220 ").then_some(stream)
}

/// A message of about a kilobyte, from a plain client that announces no size.
fn hand_in(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let filler = "0123456789abcdef\r\n".repeat(55);
    write!(
        stream,
        "EHLO client.example\r\nMAIL FROM:<first@client.example>\r\nRCPT TO:<first@dest.example>\r\n\
         DATA\r\n"
    )?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    for line in &mut lines {
        if line?.starts_with("354") {
            break;
        }
    }
    write!(stream, "Subject: first\r\n\r\n{filler}.\r\nQUIT\r\n")?;
    let answer = lines.next().transpose()?.unwrap_or_default();
    assert!(answer.starts_with("250 "), "{answer}");
    Ok(())
}
