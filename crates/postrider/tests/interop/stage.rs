//! The servers of a scenario, and what happens between them.

use std::path::{Path, PathBuf};

use peers::{ClosedPort, Dovecot, Exim, Mail, Named, PeerError, Postfix, Relay, Result, Sink};

use crate::scenario::{PeerKind, Scenario};

pub(crate) enum Server {
    Postfix(Postfix),
    Exim(Exim),
    Dovecot(Dovecot),
    Sink(Sink),
    Closed(ClosedPort),
    None,
}

impl Server {
    fn port(&self) -> u16 {
        match self {
            Server::Postfix(postfix) => postfix.port,
            Server::Exim(exim) => exim.port,
            Server::Dovecot(dovecot) => dovecot.port,
            Server::Sink(sink) => sink.port,
            Server::Closed(closed) => closed.port,
            Server::None => 0,
        }
    }
}

pub(crate) struct Stage {
    pub(crate) relay: Relay,
    pub(crate) server: Server,
    /// Takes what goes to the senders: reports.
    pub(crate) senders: Sink,
    /// Relays through us, where the scenario has one.
    pub(crate) front: Option<Postfix>,
    pub(crate) contents: Vec<Vec<u8>>,
    /// What the clients said that were refused.
    pub(crate) refusals: std::sync::Mutex<Vec<String>>,
    _dns: Option<Named>,
}

fn postrider() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_postrider"))
}

impl Stage {
    pub(crate) fn set_up(scenario: &Scenario, folder: &Path) -> Result<Stage> {
        let contents = scenario
            .contents(folder)
            .map_err(|what| PeerError::Failed {
                program: "scenario".to_owned(),
                what,
            })?;
        let peer = &scenario.peer;
        let server = match peer.kind {
            PeerKind::Postfix => Server::Postfix(Postfix::start(&peer.config)?),
            PeerKind::Exim => Server::Exim(Exim::start(&peer.config)?),
            PeerKind::Dovecot => {
                let recipients = scenario.recipients();
                Server::Dovecot(Dovecot::start(
                    recipients.iter().map(String::as_str),
                    &peer.config,
                )?)
            }
            PeerKind::Sink => Server::Sink(Sink::start(peer.rules.clone())?),
            PeerKind::Closed => Server::Closed(ClosedPort::take()?),
            PeerKind::None => Server::None,
        };
        let senders = Sink::start(Vec::new())?;
        let dns = match &peer.zone {
            Some(records) => Some(Named::start("dest.example", records)?),
            None => None,
        };
        let path = folder.join("postrider.toml");
        let config = std::fs::read_to_string(&path).map_err(|source| PeerError::System {
            doing: format!("reading {}", path.display()),
            source,
        })?;
        let socket = match &server {
            Server::Dovecot(dovecot) => dovecot.socket.display().to_string(),
            _ => String::new(),
        };
        let config = config
            .replace("{port}", &server.port().to_string())
            .replace("{senders}", &senders.port.to_string())
            .replace("{socket}", &socket)
            .replace("{dns}", &dns.as_ref().map_or(0, |dns| dns.port).to_string());
        let relay = Relay::start(&postrider(), &config)?;
        let front = match scenario.through_postfix {
            true => Some(Postfix::start(&format!(
                "virtual_mailbox_domains =\nrelayhost = [127.0.0.1]:{}\nsmtp_destination_recipient_limit = 1000",
                relay.port
            ))?),
            false => None,
        };
        Ok(Stage {
            relay,
            server,
            senders,
            front,
            contents,
            refusals: std::sync::Mutex::default(),
            _dns: dns,
        })
    }

    /// Hands in the messages and waits until each recipient was tried.
    pub(crate) fn play(&self, scenario: &Scenario) -> Result<()> {
        let to = scenario.recipients();
        let port = self
            .front
            .as_ref()
            .map_or(self.relay.port, |postfix| postfix.port);
        for content in &self.contents {
            let mail = Mail {
                from: &scenario.from,
                to: &to,
                content,
            };
            let sent = scenario
                .client
                .send(port, &mail, self.relay.directory(), &postrider());
            match (sent, &scenario.expect.client_told) {
                (Ok(_), _) => {}
                (Err(error), Some(_)) => self.refusals.lock().unwrap().push(error.to_string()),
                (Err(error), None) => return Err(error),
            }
        }
        if scenario.expect.client_told.is_some() {
            return Ok(());
        }
        let expected = self.contents.len() * to.len();
        let own = |all: &[serde_json::Value]| all.iter().filter(|r| r["sender"] != "").count();
        self.relay.wait(std::time::Duration::from_secs(60), |all| {
            own(all) >= expected
        })?;
        let tried = self.relay.settled()?;
        if scenario.after_retry.is_some() {
            let mut waiting: Vec<&str> = tried
                .iter()
                .filter(|r| r["state"] == "queued")
                .filter_map(|r| r["id"].as_str())
                .collect();
            waiting.dedup();
            for id in waiting {
                self.relay.ask(&["queue", "retry", id])?;
            }
            self.relay.wait(std::time::Duration::from_secs(60), |all| {
                all.iter()
                    .all(|r| r["state"] != "queued" && r["state"] != "sending")
            })?;
        }
        Ok(())
    }
}
