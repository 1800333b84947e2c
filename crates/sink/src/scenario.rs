//! The library of scenarios: scripts that come with the sink, one file each in `scenarios/`.

use crate::script::{Errors, Script};

/// A script with a name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name, as `--scenario` takes it.
    pub name: &'static str,
    /// The script.
    pub text: &'static str,
}

impl Scenario {
    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Scenario> {
        SCENARIOS.iter().find(|known| known.name == name).copied()
    }

    /// The script, read. A test reads all of them.
    pub fn script(&self) -> Result<Script, Errors> {
        Script::parse(self.text)
    }
}

macro_rules! scenarios {
    ($($name:literal),+ $(,)?) => {
        /// All of them: first the fifteen in the order of their page, then others.
        pub const SCENARIOS: &[Scenario] = &[
            $(Scenario { name: $name, text: include_str!(concat!("../scenarios/", $name, ".toml")) },)+
        ];
    };
}

scenarios! {
    "dropped",
    "unavailable",
    "mailbox-full",
    "disk-full",
    "queue-stopped",
    "no-answer",
    "dropped-in-content",
    "loop",
    "expires",
    "no-route",
    "mailbox-busy",
    "local-error",
    "insufficient-storage",
    "charset",
    "greylisting",
    "greylisting-attempts",
    "silent",
    "silent-after-dot",
    "dropped-after-dot",
    "lost-after-dot",
    "slow",
    "tarpit",
    "garbage",
    "too-many-connections",
    "rate-limited",
    "recipients-rate",
    "quota",
    "too-large",
    "too-large-unannounced",
    "loop-by-hops",
    "unknown-user",
    "unknown-user-late",
    "one-bad-recipient",
    "blocked",
    "spam",
    "dmarc",
    "vague",
    "disagree",
    "multi-line",
    "shutdown",
    "flaky",
    "in-turn",
    "no-extensions",
    "no-8bit",
    "starttls-refused",
    "starttls-broken",
    "starttls-garbage",
    "starttls",
    "starttls-required",
    "starttls-dropped",
    "starttls-injection",
    "tls-alert",
    "tls-cut",
    "tls-stalled",
    "tls-expired",
    "tls-wrong-name",
    "tls-self-signed",
    "tls-unknown-authority",
    "tls-too-old",
    "auth-refused",
    "auth-unavailable",
    "auth-required",
    "lmtp-one-full",
    "dropped-at-quit",
}
