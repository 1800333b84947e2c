//! The hosts of a scenario, and what happens between them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use peers::{Client, Dovecot, Mail, Maildir, Named, Network, Postfix, Relay, Sink, wait_until};
use serde_json::Value;

use crate::check;
use crate::scenario::{Change, Host, Scenario, Server};

/// Where mail servers listen in these networks.
const PORT: u16 = 2500;
const PATIENCE: Duration = Duration::from_secs(60);
/// What goes on beside: another destination, whose server is well.
const OTHER: &str = "otto@other.example";

enum Running {
    Nothing,
    Postfix(Postfix),
    Sink(Sink),
}

impl Running {
    /// How many copies it has.
    fn arrived(&self) -> usize {
        match self {
            Running::Nothing => 0,
            Running::Postfix(postfix) => postfix.maildir.count(),
            Running::Sink(sink) => sink.received().iter().map(|m| m.to.len()).sum(),
        }
    }
}

pub(crate) struct Stage {
    pub(crate) relay: Relay,
    running: Vec<(String, Running)>,
    other: Sink,
    /// Takes what goes to the senders: reports.
    pub(crate) senders: Sink,
    dovecot: Option<Dovecot>,
    _dns: Named,
    _held: Vec<TcpStream>,
    network: Network,
}

pub(crate) fn play(folder: &Path) -> Result<(), String> {
    let scenario = Scenario::read(folder)?;
    let stage = set_up(&scenario, folder).map_err(|e| e.to_string())?;
    let played = stage.play(&scenario);
    played.map_err(|what| format!("{what}\nour log:\n{}", stage.relay.log()))
}

fn set_up(scenario: &Scenario, folder: &Path) -> peers::Result<Stage> {
    let mut network = Network::new(&["192.0.2.1/32", "2001:db8::1/128"])?;
    for host in &scenario.hosts {
        let addresses: Vec<&str> = host.addresses.iter().map(String::as_str).collect();
        network.host(&host.name, &addresses)?;
    }
    network.host("other", &["192.0.2.99/32"])?;
    let mut running = Vec::new();
    for host in &scenario.hosts {
        let server = network.at(&host.name, || start(host))?;
        running.push((host.name.clone(), server));
    }
    let everywhere = SocketAddr::from(([0, 0, 0, 0], PORT));
    let other = network.at("other", || Sink::start_at(everywhere, Vec::new()))?;
    let senders = Sink::start(Vec::new())?;
    let dns = Named::start_zones(&[
        ("dest.example", &scenario.zone),
        ("other.example", "@ IN MX 10 mx\nmx IN A 192.0.2.99"),
    ])?;
    let dovecot = match &scenario.dovecot {
        Some(more) => {
            let to = scenario.to.iter().map(String::as_str);
            Some(Dovecot::start(to, more)?)
        }
        None => None,
    };
    for change in &scenario.before {
        apply(&network, change)?;
    }
    let mut held = Vec::new();
    for (host, count) in &scenario.held {
        let of = scenario.hosts.iter().find(|h| h.name == *host);
        let address = of
            .and_then(|h| h.addresses.first())
            .cloned()
            .unwrap_or_default();
        let address = address.split('/').next().unwrap_or_default().to_owned();
        for _ in 0..*count {
            let stream = TcpStream::connect((address.as_str(), PORT));
            held.push(stream.map_err(|source| peers::PeerError::System {
                doing: format!("connecting to {host}"),
                source,
            })?);
        }
    }
    let socket = dovecot.as_ref().map(|d| d.socket.display().to_string());
    let extra = std::fs::read_to_string(folder.join("postrider.toml")).unwrap_or_default();
    let config = format!(
        "[dns]\nservers = [\"127.0.0.1:{}\"]\n{}",
        dns.port,
        with_defaults(&extra)
            .replace("{senders}", &senders.port.to_string())
            .replace("{lmtp}", &socket.unwrap_or_default())
    );
    let relay = Relay::start(&PathBuf::from(env!("CARGO_BIN_EXE_postrider")), &config)?;
    Ok(Stage {
        relay,
        running,
        other,
        senders,
        dovecot,
        _dns: dns,
        _held: held,
        network,
    })
}

/// The scenario's configuration, with what all of them have in common.
fn with_defaults(extra: &str) -> String {
    let mut text = String::new();
    for (section, lines) in [
        (
            "[routes]",
            "\"client.example\" = \"smtp://127.0.0.1:{senders}\"\n",
        ),
        ("[delivery]", "smtp_port = 2500\n"),
    ] {
        if !extra.contains(section) {
            text.push_str(&format!("{section}\n{lines}"));
        }
    }
    text + &extra
        .replace(
            "[routes]",
            "[routes]\n\"client.example\" = \"smtp://127.0.0.1:{senders}\"",
        )
        .replace("[delivery]", "[delivery]\nsmtp_port = 2500")
}

fn start(host: &Host) -> peers::Result<Running> {
    let everywhere = SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, PORT));
    Ok(match host.server {
        Server::Nothing => Running::Nothing,
        Server::Postfix => {
            // There is no DNS at that host: asking would only take time.
            let config = format!("smtpd_peername_lookup = no\n{}", host.config);
            Running::Postfix(Postfix::start_at(PORT, &config)?)
        }
        Server::Sink => Running::Sink(Sink::start_at(everywhere, host.rules.clone())?),
    })
}

fn apply(network: &Network, change: &Change) -> peers::Result<()> {
    let arguments: Vec<&str> = change.ip.iter().map(String::as_str).collect();
    network.ip(&change.host, &arguments)
}

impl Stage {
    fn play(&self, scenario: &Scenario) -> Result<(), String> {
        let content = content(scenario);
        self.send(&scenario.from, &scenario.to, content.as_bytes())?;
        let tried = |all: &[Value]| {
            let own = all.iter().filter(|r| r["sender"] == scenario.from.as_str());
            let own: Vec<&Value> = own.collect();
            let tried = |r: &&Value| {
                r["attempts"].as_u64() >= Some(scenario.expect.attempts) && r["state"] != "sending"
            };
            own.len() >= scenario.to.len() && own.iter().all(tried)
        };
        let all = self
            .relay
            .wait(PATIENCE, tried)
            .map_err(|e| e.to_string())?;
        let ours = all.iter().find(|r| r["sender"] == scenario.from.as_str());
        let id = ours.and_then(|r| r["id"].as_str()).unwrap_or_default();
        check::check(self, scenario, id)?;
        if scenario.expect.others_pass {
            self.others_pass()?;
        }
        match &scenario.mended {
            Some(mended) => self.mend(&mended.network, id, scenario),
            None => Ok(()),
        }
    }

    fn send(&self, from: &str, to: &[String], content: &[u8]) -> Result<(), String> {
        let mail = Mail { from, to, content };
        let directory = self.relay.directory();
        let sent = Client::Smtplib.send(self.relay.port, &mail, directory, Path::new("postrider"));
        sent.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Mail for a destination that is well is not held up by the one that is not.
    fn others_pass(&self) -> Result<(), String> {
        let content = b"From: anna@beside.example\r\nSubject: beside\r\n\r\nhello\r\n";
        self.send("anna@beside.example", &[OTHER.to_owned()], content)?;
        match self.other.wait_for(1, Duration::from_secs(10)) {
            1 => Ok(()),
            n => Err(format!(
                "{n} messages for another destination in ten seconds"
            )),
        }
    }

    fn mend(&self, changes: &[Change], id: &str, scenario: &Scenario) -> Result<(), String> {
        for change in changes {
            apply(&self.network, change).map_err(|e| e.to_string())?;
        }
        self.relay
            .ask(&["queue", "retry", id])
            .map_err(|e| e.to_string())?;
        let done = |all: &[Value]| {
            let mut own = all.iter().filter(|r| r["sender"] == scenario.from.as_str());
            own.all(|r| r["state"] == "delivered")
        };
        self.relay.wait(PATIENCE, done).map_err(|e| e.to_string())?;
        let expected = scenario.to.len();
        let arrived = wait_until(PATIENCE, || (self.arrived() >= expected).then_some(()));
        arrived.ok_or_else(|| format!("{} of {expected} have arrived", self.arrived()))
    }

    /// Whether each of these hosts has so many copies.
    pub(crate) fn have_arrived(&self, expected: &BTreeMap<String, usize>) -> Result<(), String> {
        for (host, count) in expected {
            let found = self.running.iter().find(|(name, _)| name == host);
            let (_, running) = found.ok_or_else(|| format!("there is no host {host}"))?;
            let there = || (running.arrived() >= *count).then_some(());
            wait_until(PATIENCE, there);
            if running.arrived() != *count {
                return Err(format!("{host} has {}, not {count}", running.arrived()));
            }
        }
        Ok(())
    }

    /// How many copies the servers of the scenario have.
    fn arrived(&self) -> usize {
        let boxes = self
            .dovecot
            .as_ref()
            .map(|d| &d.maildir)
            .map_or(0, Maildir::count);
        boxes + self.running.iter().map(|(_, r)| r.arrived()).sum::<usize>()
    }
}

fn content(scenario: &Scenario) -> String {
    let given = scenario.content.clone().unwrap_or_else(|| {
        "From: anna@client.example\nSubject: hello\nMessage-ID: <1@client.example>\n\nhello\n"
            .to_owned()
    });
    let mut text = given.replace('\n', "\r\n");
    let line = format!("{}\r\n", "x".repeat(70));
    while text.len() < scenario.size {
        text.push_str(&line);
    }
    text
}
