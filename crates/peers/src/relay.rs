//! Postrider itself, as a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::place::{Place, free_port};
use crate::process::{PATIENCE, Process, run, wait_until};
use crate::{PeerError, Result};

/// A running relay with its own data directory.
pub struct Relay {
    binary: PathBuf,
    place: Place,
    config: PathBuf,
    process: Option<Process>,
    /// What its commands are run by (`nsenter …`); nothing: they are run directly.
    wrapper: Vec<String>,
    /// Where it takes SMTP on loopback.
    pub port: u16,
}

impl Relay {
    /// Starts `postrider serve` with this configuration, in which `{self}` stands for its own port.
    pub fn start(binary: &Path, config: &str) -> Result<Relay> {
        let mut relay = Relay::prepare(binary, config)?;
        relay.run()?;
        Ok(relay)
    }

    /// The same without starting it.
    pub fn prepare(binary: &Path, config: &str) -> Result<Relay> {
        let place = Place::new("relay")?;
        let port = free_port()?;
        let config = place.file("postrider.toml", &config_text(port, config))?;
        Ok(Relay {
            binary: binary.to_owned(),
            place,
            config,
            process: None,
            wrapper: Vec::new(),
            port,
        })
    }

    /// Runs all its commands by this one.
    pub fn wrap(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Writes another configuration; it holds from the next start.
    pub fn configure(&self, config: &str) -> Result<()> {
        let text = config_text(self.port, config);
        self.place.file("postrider.toml", &text).map(|_| ())
    }

    /// Starts it, again if it was killed.
    pub fn run(&mut self) -> Result<()> {
        let log = self.place.path().join("log");
        let mut process = Process::start("postrider", self.command().arg("serve"), &log)?;
        process.listening(self.port)?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Asks it to stop and waits for the end; whether it ended well.
    pub fn stop(&mut self) -> Result<bool> {
        match self.process.take() {
            Some(process) => Ok(process.stop()?.success()),
            None => Ok(true),
        }
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Its directory; the queue is in `data` there.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.place.path()
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    /// A command of this relay's program, on its data.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command.arg("--config").arg(&self.config);
        command.arg("--data").arg(self.place.path().join("data"));
        command
            .env_remove("LANG")
            .env_remove("LC_ALL")
            .env_remove("NOTIFY_SOCKET");
        command
    }

    /// What a command prints.
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        run(self.command().args(arguments))
    }

    /// The recipients of all messages, finished ones too, as `queue list --all --json` tells.
    pub fn recipients(&self) -> Result<Vec<Value>> {
        json_lines(&self.ask(&["queue", "list", "--all", "--json"])?)
    }

    /// Waits until the recipients satisfy something; the last look at them.
    pub fn wait(&self, patience: Duration, done: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        let mut last = Ok(Vec::new());
        let reached = wait_until(patience, || {
            last = self.recipients();
            last.as_ref().is_ok_and(|all| done(all)).then_some(())
        });
        let last = last?;
        match reached {
            Some(()) => Ok(last),
            None => Err(PeerError::Failed {
                program: "postrider".to_owned(),
                what: format!("after {patience:?} the queue is {last:#?}\n{}", self.log()),
            }),
        }
    }

    /// Waits until something was tried for every recipient of every message and nothing is under way.
    pub fn settled(&self) -> Result<Vec<Value>> {
        self.wait(PATIENCE, |all| {
            let tried = |r: &Value| r["attempts"].as_u64() > Some(0) && r["state"] != "sending";
            !all.is_empty() && all.iter().all(tried)
        })
    }

    /// The story of a message.
    pub fn show(&self, id: &str) -> Result<Value> {
        let text = self.ask(&["queue", "show", "--json", id])?;
        serde_json::from_str(&text).map_err(|error| not_json(&text, &error))
    }
}

fn config_text(port: u16, more: &str) -> String {
    format!(
        "[server]\nhostname = \"relay.example\"\n[listen]\nsmtp = [\"127.0.0.1:{port}\"]\n{}",
        more.replace("{self}", &port.to_string())
    )
}

fn json_lines(text: &str) -> Result<Vec<Value>> {
    let parse = |line: &str| serde_json::from_str(line).map_err(|error| not_json(line, &error));
    text.lines().map(parse).collect()
}

fn not_json(text: &str, error: &serde_json::Error) -> PeerError {
    PeerError::Failed {
        program: "postrider".to_owned(),
        what: format!("{error}: {text}"),
    }
}
