//! What a scenario's file says.

use std::path::{Path, PathBuf};

use peers::{Client, Rule};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it shows, in a sentence.
    #[serde(rename = "about")]
    pub(crate) _about: String,
    pub(crate) client: Client,
    /// Hand in to a Postfix that relays through us, not to us.
    #[serde(default)]
    pub(crate) through_postfix: bool,
    #[serde(default = "sender")]
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) to: Vec<String>,
    /// That many recipients `r0@dest.example`, `r1@…` in place of `to`.
    #[serde(default)]
    pub(crate) to_many: usize,
    /// Messages, from the scenario's folder or from `messages/`; `generated:BYTES` is made.
    pub(crate) messages: Vec<String>,
    pub(crate) peer: Peer,
    #[serde(default)]
    pub(crate) expect: Expect,
    /// Where given: after the first attempt, `queue retry` is called, and this is expected in the end.
    pub(crate) after_retry: Option<Expect>,
}

fn sender() -> String {
    "anna@client.example".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) kind: PeerKind,
    /// Lines for its own configuration.
    #[serde(default)]
    pub(crate) config: String,
    /// For the sink.
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
    /// Records of the zone `dest.example`, where a DNS server is wanted.
    pub(crate) zone: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PeerKind {
    Postfix,
    Exim,
    Dovecot,
    Sink,
    /// A port where nothing listens.
    Closed,
    /// No server at all.
    None,
}

/// The outcome; what is not given is that of mail that arrives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    /// Whether the client's mail is taken; else words of its complaint.
    pub(crate) client_told: Option<String>,
    /// Recipients that get the message byte for byte, each once; `None`: all.
    pub(crate) arrives_for: Option<Vec<String>>,
    /// State of the recipients that do not get it.
    pub(crate) state: String,
    /// Cause of it.
    pub(crate) cause: Option<String>,
    /// Words that `queue show` has.
    pub(crate) told: Vec<String>,
    /// Words that the report to the sender has; without any there must be no report.
    pub(crate) report: Vec<String>,
    /// Attempts for each recipient.
    pub(crate) attempts: Option<u64>,
}

impl Default for Expect {
    fn default() -> Expect {
        Expect {
            client_told: None,
            arrives_for: None,
            state: "delivered".to_owned(),
            cause: None,
            told: Vec::new(),
            report: Vec::new(),
            attempts: None,
        }
    }
}

impl Scenario {
    pub(crate) fn read(folder: &Path) -> Result<Scenario, String> {
        let path = folder.join("scenario.toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn recipients(&self) -> Vec<String> {
        match self.to_many {
            0 => self.to.clone(),
            many => (0..many).map(|n| format!("r{n}@dest.example")).collect(),
        }
    }

    /// The messages with CRLF lines.
    pub(crate) fn contents(&self, folder: &Path) -> Result<Vec<Vec<u8>>, String> {
        let content = |name: &String| {
            if let Some(bytes) = name.strip_prefix("generated:") {
                let bytes = bytes
                    .parse()
                    .map_err(|_| format!("no number of bytes: {name}"))?;
                return Ok(peers::generated(bytes));
            }
            let here: PathBuf = folder.join(name);
            let shared = folder.join("../messages").join(name);
            let path = if here.exists() { here } else { shared };
            let read =
                std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(peers::with_crlf(&read))
        };
        self.messages.iter().map(content).collect()
    }
}
