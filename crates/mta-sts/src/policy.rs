//! What a policy says (RFC 8461 §3.2).

use std::fmt;
use std::time::Duration;

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What is to be done about a server that is not as demanded.
    pub mode: Mode,
    /// The exchangers, in lower case; one that begins with `*.` stands for all with one label there.
    pub mx: Vec<String>,
    /// How long it holds after it was fetched.
    pub max_age: Duration,
    /// Its lines, as they came.
    pub lines: Vec<String>,
}

/// What is to be done about a server that is not as demanded (§5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It gets no mail.
    Enforce,
    /// It is reported, and gets mail as without a policy.
    Testing,
    /// There is no policy any more.
    None,
}

impl Mode {
    /// As in a policy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not text.
    #[error("the policy is no text in UTF-8")]
    NotText,
    /// A line is no `key: value`.
    #[error("line {line} of the policy is no `key: value`: `{text}`")]
    NotAField {
        /// Which, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A field that must be there is not.
    #[error("the policy has no `{field}`")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A field says something that it may not.
    #[error("the policy says `{field}: {value}`; {wanted} is wanted")]
    Unknown {
        /// Its name.
        field: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        wanted: &'static str,
    },
}

/// §3.2: about a year.
const LONGEST: u64 = 31_557_600;
/// Of a line that is wrong, so much is told.
const TOLD: usize = 100;

impl Policy {
    /// Reads it.
    pub fn parse(bytes: &[u8]) -> Result<Policy, PolicyError> {
        let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::NotText)?;
        let lines = text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l));
        let lines: Vec<&str> = lines.collect();
        let mut fields = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            if line.trim_matches([' ', '\t']).is_empty() {
                continue;
            }
            let field = line.split_once(':').filter(|(key, _)| is_key(key));
            let Some((key, value)) = field else {
                return Err(PolicyError::NotAField {
                    line: number + 1,
                    text: told(line),
                });
            };
            fields.push((key, value.trim_matches([' ', '\t'])));
        }
        // §3.2: of a field that is repeated, the first counts.
        let first = |field: &'static str| {
            let found = fields.iter().find(|(key, _)| *key == field);
            found
                .map(|(_, value)| *value)
                .ok_or(PolicyError::Missing { field })
        };
        let version = first("version")?;
        if version != "STSv1" {
            return Err(unknown("version", version, "`STSv1`"));
        }
        let mode = match first("mode")? {
            "enforce" => Mode::Enforce,
            "testing" => Mode::Testing,
            "none" => Mode::None,
            other => return Err(unknown("mode", other, "`enforce`, `testing` or `none`")),
        };
        let seconds = first("max_age")?;
        let max_age = max_age(seconds)
            .ok_or_else(|| unknown("max_age", seconds, "a number of seconds up to 31557600"))?;
        let mut mx = Vec::new();
        for (_, pattern) in fields.iter().filter(|(key, _)| *key == "mx") {
            let pattern = pattern.to_ascii_lowercase();
            if !is_pattern(&pattern) {
                return Err(unknown("mx", &pattern, "a host name, or `*.` and a domain"));
            }
            mx.push(pattern);
        }
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::Missing { field: "mx" });
        }
        let kept = lines.iter().filter(|line| !line.is_empty());
        Ok(Policy {
            mode,
            mx,
            max_age,
            lines: kept.map(|line| (*line).to_owned()).collect(),
        })
    }

    /// Whether an exchanger is one that the policy names (§4.1).
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.mx
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                // RFC 6125 §6.4.3: the wildcard is the whole leftmost label, and one label only.
                Some(domain) => host
                    .split_once('.')
                    .is_some_and(|(label, rest)| !label.is_empty() && rest == domain),
                None => *pattern == host,
            })
    }
}

fn unknown(field: &'static str, value: &str, wanted: &'static str) -> PolicyError {
    PolicyError::Unknown {
        field,
        value: told(value),
        wanted,
    }
}

fn told(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(TOLD)
        .collect()
}

/// §3.2, `sts-policy-ext-name`.
fn is_key(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=32).contains(&key.len())
        && key.bytes().all(plain)
        && key.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn max_age(text: &str) -> Option<Duration> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds: u64 = digits.then(|| text.parse().ok())??;
    (seconds <= LONGEST).then(|| Duration::from_secs(seconds))
}

fn is_pattern(pattern: &str) -> bool {
    let name = pattern.strip_prefix("*.").unwrap_or(pattern);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n\
        mx: *.example.net\r\nmx: Backupmx.Example.com\r\nmax_age: 604800\r\n";

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let policy = Policy::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(policy.mode, Mode::Enforce);
        assert_eq!(policy.max_age, Duration::from_secs(604_800));
        let mx = ["mail.example.com", "*.example.net", "backupmx.example.com"];
        assert_eq!(policy.mx, mx);
        assert_eq!(policy.lines.len(), 6);
        assert_eq!(policy.lines[4], "mx: Backupmx.Example.com");
    }

    #[test]
    fn bare_line_feeds_other_fields_and_repeated_ones_are_borne() {
        let text =
            "mode:testing\nversion:\tSTSv1 \nx-new: 1:2\nmx:a.example\n\nmax_age:0\nmode:none\n";
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (policy.mode, policy.max_age),
            (Mode::Testing, Duration::ZERO)
        );
        let none = Policy::parse(b"version: STSv1\nmode: none\nmax_age: 5").unwrap();
        assert_eq!((none.mode, none.mx.len()), (Mode::None, 0));
    }

    #[test]
    fn each_mistake_is_told_with_its_place() {
        let told = |text: &str| Policy::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(told(""), "the policy has no `version`");
        assert_eq!(
            told("version: STSv1\n<html>\n"),
            "line 2 of the policy is no `key: value`: `<html>`"
        );
        assert_eq!(
            told(&GOOD.replace("STSv1", "STSv2")),
            "the policy says `version: STSv2`; `STSv1` is wanted"
        );
        assert_eq!(
            told(&GOOD.replace("enforce", "Enforce")),
            "the policy says `mode: Enforce`; `enforce`, `testing` or `none` is wanted"
        );
        for age in ["-1", "31557601", "1e3", "", "99999999999999999999"] {
            let text = told(&GOOD.replace("604800", age));
            assert!(
                text.contains("a number of seconds up to 31557600"),
                "{text}"
            );
        }
        for mx in ["*", "*.", "a.*.example", "*.*.example", "a b", "a..b", ""] {
            let text = told(&GOOD.replace("mail.example.com", mx));
            assert!(
                text.contains("a host name, or `*.` and a domain"),
                "{mx}: {text}"
            );
        }
        assert_eq!(
            told("version: STSv1\nmode: testing\nmax_age: 1"),
            "the policy has no `mx`"
        );
        assert_eq!(Policy::parse(b"version: \xff"), Err(PolicyError::NotText));
    }

    #[test]
    fn a_wildcard_stands_for_one_label_on_the_left() {
        let policy = Policy::parse(GOOD.as_bytes()).unwrap();
        for host in ["mail.example.com", "MAIL.example.com.", "mx1.example.net"] {
            assert!(policy.names(host), "{host}");
        }
        for host in [
            "example.net",
            "a.b.example.net",
            ".example.net",
            "x.mail.example.com",
            "other.example.com",
            "",
        ] {
            assert!(!policy.names(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_makes_it_fall(bytes in prop::collection::vec(any::<u8>(), 0..300), host in ".{0,40}") {
            if let Ok(policy) = Policy::parse(&bytes) {
                let _ = policy.names(&host);
            }
        }

        #[test]
        fn what_is_kept_of_a_policy_reads_the_same(mx in "[a-z]{1,9}\\.example", age in 0..=LONGEST) {
            let text = format!("version: STSv1\r\nmode: enforce\r\nmx: {mx}\r\nmax_age: {age}\r\n");
            let policy = Policy::parse(text.as_bytes()).unwrap();
            let again = Policy::parse(policy.lines.join("\n").as_bytes()).unwrap();
            prop_assert_eq!(again, policy);
        }
    }
}
