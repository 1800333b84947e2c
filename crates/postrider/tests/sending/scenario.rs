//! What a scenario's file says.

use std::collections::BTreeMap;
use std::path::Path;

use peers::Rule;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it shows, in a sentence.
    #[serde(rename = "about")]
    _about: String,
    /// The hosts, each a network namespace.
    #[serde(default, rename = "host")]
    pub(crate) hosts: Vec<Host>,
    /// What the DNS knows of `dest.example`, as in a zone file.
    #[serde(default)]
    pub(crate) zone: String,
    /// Mailboxes of a Dovecot, which is reached as `{lmtp}` in `postrider.toml`.
    #[serde(default)]
    pub(crate) dovecot: Option<String>,
    /// What is done to the network before anything is sent.
    #[serde(default)]
    pub(crate) before: Vec<Change>,
    /// Connections from us to a host that are open all the while.
    #[serde(default)]
    pub(crate) held: BTreeMap<String, usize>,
    pub(crate) to: Vec<String>,
    #[serde(default = "sender")]
    pub(crate) from: String,
    /// Header fields and body; a small message where there is none.
    #[serde(default)]
    pub(crate) content: Option<String>,
    /// Bytes of body to add.
    #[serde(default)]
    pub(crate) size: usize,
    pub(crate) expect: Expect,
    /// What is mended, and then everything arrives.
    #[serde(default)]
    pub(crate) mended: Option<Mended>,
}

fn sender() -> String {
    "anna@client.example".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// Its addresses, with prefix lengths.
    pub(crate) addresses: Vec<String>,
    #[serde(default)]
    pub(crate) server: Server,
    /// Further lines of a Postfix's `main.cf`.
    #[serde(default)]
    pub(crate) config: String,
    /// What a sink does.
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
}

/// What listens on port 2500 of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Server {
    #[default]
    Nothing,
    Postfix,
    Sink,
}

/// `ip` at a host; `h` is home, where the relay is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) host: String,
    pub(crate) ip: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// The cause for the first recipient, or for those of `only`; empty: delivered.
    #[serde(default)]
    pub(crate) cause: String,
    /// Who must act.
    #[serde(default)]
    pub(crate) responsible: String,
    #[serde(default = "queued")]
    pub(crate) state: String,
    /// The recipients that it is about; without it all. The others are delivered.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// How many seconds after the attempt the next is planned: at least and at most.
    #[serde(default)]
    pub(crate) wait: Option<(f64, f64)>,
    /// How many messages a host's server has in the end.
    #[serde(default)]
    pub(crate) arrived: BTreeMap<String, usize>,
    /// The hosts that were tried, in order.
    #[serde(default)]
    pub(crate) tried: Option<Vec<String>>,
    /// Attempts after which it is looked at.
    #[serde(default = "one")]
    pub(crate) attempts: u64,
    /// The explanation's headline.
    #[serde(default)]
    pub(crate) headline: String,
    /// Words that the story has.
    #[serde(default)]
    pub(crate) told: Vec<String>,
    /// What the relay finds when it looks at the cause itself.
    #[serde(default)]
    pub(crate) found: Vec<String>,
    /// Words of the report to the sender.
    #[serde(default)]
    pub(crate) report: Vec<String>,
    /// Whether mail to another destination goes out at once all the same.
    #[serde(default = "yes")]
    pub(crate) others_pass: bool,
}

fn queued() -> String {
    "queued".to_owned()
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mended {
    pub(crate) network: Vec<Change>,
}

impl Scenario {
    pub(crate) fn read(folder: &Path) -> Result<Scenario, String> {
        let path = folder.join("scenario.toml");
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }
}
