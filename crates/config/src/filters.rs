//! Who is asked before mail is taken: `[authentication]`, `[block_lists]`, `[[block_list]]`, `[[filter]]`.

mod read;
mod show;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use read::read;
pub(crate) use show::write;

use crate::Network;

/// Everybody who is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filtering {
    /// `[authentication]`
    pub authentication: Authentication,
    /// `[block_lists]` and `[[block_list]]`
    pub block_lists: BlockLists,
    /// `[[filter]]`, in order.
    pub filters: Vec<Filter>,
}

/// Whether mail is from whom it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Authentication {
    /// Whether it is looked at.
    pub enabled: bool,
    /// Our name in `Authentication-Results`; `None`: the relay's.
    pub name: Option<String>,
    /// Whether mail is refused where DMARC asks for it.
    pub enforce_dmarc: bool,
    /// Whether mail is held where DMARC asks for quarantine.
    pub hold_quarantine: bool,
    /// Whether mail is refused when SPF alone says so.
    pub refuse_spf_fail: bool,
    /// Domains whose ARC seals are believed.
    pub trusted_sealers: Vec<String>,
    /// What is common to all filters.
    pub asking: Asking,
}

/// Lists of clients and domains.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockLists {
    /// The lists.
    pub lists: Vec<BlockList>,
    /// From which sum of weights on mail is refused.
    pub refuse_at: u32,
    /// Whether clients are told at RCPT, and not in place of the greeting.
    pub at_rcpt: bool,
    /// How long a list may take.
    pub patience: Duration,
    /// Clients that are not looked up.
    pub exempt: Vec<Network>,
}

/// One list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockList {
    /// Its zone.
    pub zone: String,
    /// What it is asked about.
    pub of: ListOf,
    /// What an entry weighs.
    pub weight: u32,
    /// The answers that count, with their weight; none: every answer.
    pub codes: BTreeMap<Ipv4Addr, u32>,
}

/// What a list is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListOf {
    /// The client's address.
    #[default]
    Client,
    /// The sender's domain.
    Sender,
    /// The name given at EHLO.
    Helo,
}

/// What is common to all filters.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// How long each stage may take.
    pub timeout: Duration,
    /// Whether mail passes when the filter fails.
    pub pass_on_failure: bool,
    /// Clients that are not asked about.
    pub exempt: Vec<Network>,
}

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: FilterKind,
    /// Where it is.
    pub place: FilterPlace,
    /// What is common to all.
    pub asking: Asking,
    /// Bytes of a message that it is asked about, at most.
    pub max_size: u64,
    /// Whether larger messages are refused, and not let through.
    pub refuse_larger: bool,
    /// For a hook: when it is asked.
    pub stages: Vec<String>,
}

/// Kinds of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterKind {
    /// clamd.
    ClamAv,
    /// rspamd.
    Rspamd,
    /// A milter.
    Milter,
    /// A hook of the administrator's own.
    Http,
}

const KINDS: &[&str] = &["clamav", "rspamd", "milter", "http"];
const KIND_VALUES: [FilterKind; 4] = [
    FilterKind::ClamAv,
    FilterKind::Rspamd,
    FilterKind::Milter,
    FilterKind::Http,
];
const STAGES: [&str; 5] = ["connect", "helo", "mail", "rcpt", "content"];

/// Where a filter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterPlace {
    /// An address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
    /// A URL: an address and port, and a path.
    Url(SocketAddr, String),
}

impl fmt::Display for FilterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilterPlace::Tcp(address) => address.fmt(f),
            FilterPlace::Unix(path) => write!(f, "unix:{}", path.display()),
            FilterPlace::Url(address, path) => write!(f, "http://{address}{path}"),
        }
    }
}

impl Default for Authentication {
    fn default() -> Authentication {
        Authentication {
            enabled: false,
            name: None,
            enforce_dmarc: false,
            hold_quarantine: false,
            refuse_spf_fail: false,
            trusted_sealers: Vec::new(),
            asking: Asking {
                timeout: Duration::from_secs(20),
                pass_on_failure: true,
                exempt: Network::loopback(),
            },
        }
    }
}

impl Default for BlockLists {
    fn default() -> BlockLists {
        BlockLists {
            lists: Vec::new(),
            refuse_at: 1,
            at_rcpt: false,
            patience: Duration::from_secs(5),
            exempt: Network::loopback(),
        }
    }
}

impl Filter {
    fn new(kind: FilterKind) -> Filter {
        Filter {
            name: String::new(),
            kind,
            place: FilterPlace::Unix(PathBuf::new()),
            asking: Asking {
                timeout: Duration::from_secs(60),
                pass_on_failure: false,
                exempt: Vec::new(),
            },
            max_size: 25 << 20,
            refuse_larger: false,
            stages: vec!["rcpt".to_owned()],
        }
    }
}

/// What can be wrong here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterProblem {
    /// A key is missing.
    Missing(&'static str),
    /// The text is no place.
    NotAPlace,
    /// The text is no URL.
    NotAUrl,
    /// The text is no answer of a list.
    NotACode,
    /// The text is no stage.
    NotAStage,
    /// The text is no name of a filter.
    NotAName,
    /// The name is taken.
    Twice,
}

impl FilterProblem {
    /// What is allowed.
    pub(crate) fn help(self) -> String {
        match self {
            FilterProblem::Missing("name") => "write `name = \"…\"`: logs and replies call it so".into(),
            FilterProblem::Missing("zone") => "write `zone = \"…\"`, like \"zen.spamhaus.org\"".into(),
            FilterProblem::Missing("kind") => format!("write `kind = …`, one of {}", KINDS.join(", ")),
            FilterProblem::Missing(_) => "write `address = \"127.0.0.1:3310\"` or `\"unix:/path\"`; for kind \"http\", \"http://127.0.0.1:8080/path\"".into(),
            FilterProblem::NotAPlace => "write an address and port, \"127.0.0.1:3310\", or \"unix:/path\"; names are not looked up here".into(),
            FilterProblem::NotAUrl => "write \"http://127.0.0.1:8080/path\", with an address and a port; names are not looked up here".into(),
            FilterProblem::NotACode => "write the answer, and its weight if it has its own: \"127.0.0.4\" or \"127.0.0.4=3\"".into(),
            FilterProblem::NotAStage => format!("write one of {}", STAGES.join(", ")),
            FilterProblem::NotAName => "use letters, digits and hyphens".into(),
            FilterProblem::Twice => "give each filter a name of its own".into(),
        }
    }
}

impl fmt::Display for FilterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilterProblem::Missing(key) => write!(f, "`{key}` is missing here"),
            FilterProblem::NotAPlace => f.write_str("this is no place where a filter can be"),
            FilterProblem::NotAUrl => f.write_str("this is no URL that can be asked"),
            FilterProblem::NotACode => f.write_str("this is no answer of a block list"),
            FilterProblem::NotAStage => f.write_str("this is no stage"),
            FilterProblem::NotAName => f.write_str("this is no name for a filter"),
            FilterProblem::Twice => f.write_str("two filters have this name"),
        }
    }
}
