//! The policies of others: files in `peers/`, each with its model, its numbers, where they are
//! documented, and what is in doubt.

mod read;

use crate::policy::{
    ExchangeNumbers, EximNumbers, KumomtaNumbers, PostfixNumbers, SendmailNumbers,
};
use crate::workload::Errors;

/// The schedule of another mail server.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Its name on the command line and in tables.
    pub name: String,
    /// What it is, with the version that was looked at.
    pub title: String,
    /// Where it is documented.
    pub sources: Vec<Source>,
    /// What the documentation leaves open, and what was assumed.
    pub doubts: Vec<String>,
    pub(crate) model: Model,
}

/// Where something is documented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The document and its part.
    pub document: String,
    /// What it says, in our words.
    pub says: String,
}

/// How it works, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Model {
    Postfix(PostfixNumbers),
    Exim(EximNumbers),
    Sendmail(SendmailNumbers),
    Exchange(ExchangeNumbers),
    Kumomta(KumomtaNumbers),
}

impl Model {
    pub(crate) const NAMES: &'static [&'static str] =
        &["postfix", "exim", "sendmail", "exchange", "kumomta"];
}

impl Peer {
    /// Reads a TOML file.
    pub fn parse(text: &str) -> Result<Peer, Errors> {
        read::read(text)
    }
}

macro_rules! peers {
    ($($name:literal),+ $(,)?) => {
        /// The peers that come with the program: name and file.
        pub const PEERS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../peers/", $name, ".toml"))),)+
        ];
    };
}

peers! { "postfix", "exim", "sendmail", "exchange", "kumomta" }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_that_comes_along_can_be_read_and_names_its_sources() {
        for (name, text) in PEERS {
            let peer =
                Peer::parse(text).unwrap_or_else(|e| panic!("{}", e.render(name, text, false)));
            assert_eq!(peer.name, *name);
            assert!(!peer.sources.is_empty() && !peer.title.is_empty(), "{name}");
            assert!(peer.sources.iter().all(|s| !s.says.is_empty()), "{name}");
        }
    }

    #[test]
    fn a_peer_is_read_with_its_own_keys_and_errors_have_their_place() {
        let text = "[peer]\nname = \"mine\"\nmodel = \"postfix\"\n[schedule]\nminimal_backoff_time = \"60\"\nretry_interval = \"5m\"\n";
        let shown = Peer::parse(text).unwrap_err().render("p.toml", text, false);
        assert!(shown.contains("this is no duration"), "{shown}");
        assert!(
            shown.contains("[schedule] has no key `retry_interval`"),
            "{shown}"
        );
        assert!(shown.contains("maximal_queue_lifetime"), "{shown}");
        let none = Peer::parse("[peer]\nname = \"x\"\n").unwrap_err();
        assert!(
            none.render("p", "[peer]\nname = \"x\"\n", false)
                .contains("\"exim\"")
        );
    }

    #[test]
    fn a_retry_rule_is_read_as_exim_writes_it() {
        let rule = |rule: &str| {
            let text =
                format!("[peer]\nname = \"x\"\nmodel = \"exim\"\n[schedule]\nrule = \"{rule}\"\n");
            Peer::parse(&text).map(|peer| match peer.model {
                Model::Exim(numbers) => numbers.rule.len(),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(rule("F,2h,15m; G,16h,1h,1.5; F,4d,6h").unwrap(), 3);
        for wrong in ["", "F,2h", "G,16h,1h", "X,1h,1m", "F,2h,15m; G,16h,1h,zero"] {
            assert!(rule(wrong).is_err(), "{wrong}");
        }
    }
}
