//! What is sent, and how the other side fails.

mod problem;
mod read;

use smtp::Reply;

use crate::Stage;
use crate::clock::{Millis, days, minutes};

pub use problem::{Errors, Problem, ProblemKind};

/// Messages and failures: a TOML file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// What it is about, in one line.
    pub title: String,
    /// How many messages.
    pub messages: u32,
    /// Over how long they come in.
    pub over: Millis,
    /// To how many destinations.
    pub destinations: u32,
    /// Groups of destinations with the same servers; what a provider thinks of us holds for all of its.
    pub providers: u32,
    /// Recipients of each destination.
    pub recipients: u32,
    /// How many send.
    pub senders: u32,
    /// How many messages come at once: twenty a second, to one destination.
    pub burst: u32,
    /// How servers fail.
    pub failures: Vec<Failure>,
}

impl Default for Workload {
    fn default() -> Workload {
        Workload {
            title: String::new(),
            messages: 10_000,
            over: days(5),
            destinations: 200,
            providers: 50,
            recipients: 50,
            senders: 50,
            burst: 1,
            failures: Vec::new(),
        }
    }
}

impl Workload {
    /// Reads a TOML file.
    pub fn parse(text: &str) -> Result<Workload, Errors> {
        read::read(text)
    }
}

/// One way in which some of the servers fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// How.
    pub kind: Kind,
    /// Which part of those concerned, in percent: of the destinations, of the providers (listing), of
    /// the recipients (mailbox-full, no-mailbox).
    pub share: u32,
    /// What the server then says.
    pub says: Says,
}

/// What is said where a server fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// A reply, at this step.
    Reply(Stage, Reply),
    /// Nobody answers: the attempt ends with the sender's time-out for a connection.
    Silent,
    /// The connection is refused.
    Refused,
}

/// The ways to fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A triplet of sender, recipient and address of the client is put off.
    Greylisting {
        /// Until so long after its first attempt.
        delay: Millis,
        /// A retry later than this after the first attempt counts as a first one.
        window: Millis,
    },
    /// Out of service for some time.
    Outage(Spells),
    /// The mailbox is full for some time.
    MailboxFull(Spells),
    /// The provider puts us off, for all of its domains, for some time.
    Listing(Spells),
    /// More than so many in a time are put off.
    Rate {
        /// How many are taken.
        count: u32,
        /// In which time; it begins anew each time.
        per: Millis,
        /// Whether those that are put off count too.
        counts_refused: bool,
    },
    /// No more connections at a time than these.
    Connections(u32),
    /// Up and down by turns.
    Flapping {
        /// How long it is up.
        up: (Millis, Millis),
        /// How long it is down.
        down: (Millis, Millis),
    },
    /// Our own line is down for some time: nobody can be reached.
    LineDown(Spells),
    /// There is no such recipient; the server says so each time.
    NoMailbox,
    /// Nothing of it will ever work.
    Dead,
}

impl Kind {
    pub(crate) const NAMES: &'static [&'static str] = &[
        "greylisting",
        "outage",
        "mailbox-full",
        "listing",
        "rate",
        "connections",
        "flapping",
        "line-down",
        "no-mailbox",
        "dead",
    ];
}

/// How often, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spells {
    /// How often while messages come in, at moments that chance chooses.
    pub times: u32,
    /// The shortest.
    pub least: Millis,
    /// The longest.
    pub most: Millis,
    /// Percent of the spells that never end.
    pub never: u32,
}

impl Default for Spells {
    fn default() -> Spells {
        Spells {
            times: 1,
            least: minutes(5),
            most: minutes(30),
            never: 0,
        }
    }
}

macro_rules! workloads {
    ($($name:literal),+ $(,)?) => {
        /// The workloads that come with the program, by name: first those of one failure, then the mix.
        pub const WORKLOADS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../workloads/", $name, ".toml"))),)+
        ];
    };
}

workloads! {
    "healthy",
    "greylisting",
    "greylisting-long",
    "greylisting-told",
    "outage-minutes",
    "outage-hours",
    "outage-days",
    "mailbox-full",
    "rate-minute",
    "rate-hour",
    "listing-hours",
    "listing-days",
    "connections",
    "flapping",
    "line-down",
    "hopeless",
    "mix",
}

impl Workload {
    /// The workload of this name that comes with the program. A test reads all of them.
    #[must_use]
    pub fn named(name: &str) -> Option<Result<Workload, Errors>> {
        let (_, text) = WORKLOADS.iter().find(|(known, _)| *known == name)?;
        Some(Workload::parse(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_that_comes_along_can_be_read() {
        for (name, text) in WORKLOADS {
            let workload =
                Workload::parse(text).unwrap_or_else(|e| panic!("{}", e.render(name, text, false)));
            assert!(!workload.title.is_empty(), "{name}");
            assert_eq!(workload.failures.is_empty(), *name == "healthy", "{name}");
        }
    }

    fn problems(text: &str) -> String {
        Workload::parse(text)
            .unwrap_err()
            .render("w.toml", text, false)
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_place_with_what_to_do() {
        let shown = problems(
            "[workload]\nmesages = 5\n[[failure]]\nkind = \"greylisting\"\nrate = \"5/1m\"\nsays = \"250 ok\"\n",
        );
        for part in [
            "[workload] has no key `mesages`",
            "did you mean `messages`?",
            "[failure] has no key `rate`",
            "The keys are: kind, share, at, says, delay, window",
            "a server that fails does not say this",
            "w.toml:6:8",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }

    #[test]
    fn a_failure_needs_a_kind_and_knows_which_there_are() {
        assert!(problems("[[failure]]\nshare = 5\n").contains("the failure does not say its kind"));
        assert!(problems("[[failure]]\nkind = \"rain\"\n").contains("\"mailbox-full\""));
        assert!(
            problems("[[failure]]\nkind = \"outage\"\nleast = \"2h\"\nmost = \"1h\"\n")
                .contains("the shortest is longer than the longest")
        );
    }
}
