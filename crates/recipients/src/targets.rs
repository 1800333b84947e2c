//! What stands beside a key: targets of an alias, or what a mailbox has.

use queue::MailboxQuota;
use smtp::Address;

/// What an alias names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address.
    Address(Address),
    /// The mailbox of this address, past its aliases (`\name`).
    Mailbox(Address),
    /// The targets in a file (`:include:/path`).
    Include(String),
}

/// Reads the targets of an alias; a bare name is in `domain`.
pub fn targets(value: &str, domain: &str) -> Result<Vec<Target>, String> {
    let mut found = Vec::new();
    for part in parts(value) {
        let part = part.trim();
        if !part.is_empty() {
            found.push(target(part, domain)?);
        }
    }
    if found.is_empty() {
        return Err("it names nobody".to_owned());
    }
    Ok(found)
}

/// Splits at commas that stand in no quotes.
fn parts(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(move |c: char| {
            let splits = c == ',' && !quoted;
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => {}
            }
            splits
        })
        .collect()
}

fn target(text: &str, domain: &str) -> Result<Target, String> {
    if let Some(path) = text.strip_prefix(":include:") {
        let path = path.trim();
        if !path.starts_with('/') {
            return Err(format!(
                "`{text}` needs an absolute path: `:include:/etc/postrider/list`"
            ));
        }
        return Ok(Target::Include(path.to_owned()));
    }
    let bare = text.trim_start_matches('"');
    if bare.starts_with('|') {
        return Err(format!(
            "`{text}`: commands are not run; a route can name an LMTP server"
        ));
    }
    if bare.starts_with('/') || bare.starts_with(':') {
        return Err(format!(
            "`{text}`: only addresses, names and `:include:/path` can stand here"
        ));
    }
    let (literal, name) = match text.strip_prefix('\\') {
        Some(name) => (true, name),
        None => (false, text),
    };
    let whole = match has_domain(name) {
        true => name.to_owned(),
        false => format!("{name}@{domain}"),
    };
    let address = Address::parse(&whole, true).map_err(|error| format!("`{text}`: {error}"))?;
    Ok(match literal {
        true => Target::Mailbox(address),
        false => Target::Address(address),
    })
}

/// Whether an `@` stands outside quotes.
fn has_domain(name: &str) -> bool {
    let after_quotes = match name.starts_with('"') {
        true => name.rfind('"').unwrap_or(0),
        false => 0,
    };
    name.get(after_quotes..)
        .is_some_and(|rest| rest.contains('@'))
}

/// What a mailbox has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxOptions {
    /// What it may hold, where that is its own.
    pub quota: Option<MailboxQuota>,
    /// Where its mail goes on to.
    pub forward: Vec<Target>,
    /// Whether a copy of what goes on stays.
    pub keep: bool,
}

/// Reads what a mailbox has: `quota=10MiB messages=1000 forward=a@b,c@d keep`, in any order, or nothing.
/// Words that begin with `#` end it.
pub fn mailbox_options(value: &str, domain: &str) -> Result<MailboxOptions, String> {
    let mut options = MailboxOptions::default();
    for word in value.split_ascii_whitespace() {
        if word.starts_with('#') {
            break;
        }
        let number = |text: &str, what: &str| {
            size(text).ok_or_else(|| format!("`{word}` is no {what}: `quota=10MiB messages=1000`"))
        };
        if let Some(text) = word.strip_prefix("quota=") {
            options.quota.get_or_insert_default().bytes = number(text, "size")?;
        } else if let Some(text) = word.strip_prefix("messages=") {
            let count = text.parse().ok().map_or_else(|| number("", "number"), Ok)?;
            options.quota.get_or_insert_default().messages = count;
        } else if let Some(text) = word.strip_prefix("forward=") {
            options.forward = targets(text, domain)?;
        } else if word == "keep" {
            options.keep = true;
        } else {
            return Err(format!(
                "`{word}`: only `quota=`, `messages=`, `forward=` and `keep` can stand here"
            ));
        }
    }
    if options.keep && options.forward.is_empty() {
        return Err(
            "`keep` says that a copy stays of what is forwarded: `forward=` is missing".into(),
        );
    }
    Ok(options)
}

const UNITS: [(&str, u64); 10] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("", 1),
];

/// `10MiB`, `2G` (as 2GiB), `5000000`.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn targets_are_addresses_names_mailboxes_and_lists() {
        let read = targets(
            "anna, bert@b.example,\\carla, \"d, e\"@x.example, :include:/etc/list,,",
            "ours.example",
        );
        let expected = vec![
            Target::Address(address("anna@ours.example")),
            Target::Address(address("bert@b.example")),
            Target::Mailbox(address("carla@ours.example")),
            Target::Address(address("\"d, e\"@x.example")),
            Target::Include("/etc/list".into()),
        ];
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn commands_files_and_what_is_no_address_are_refused_with_the_reason() {
        for (value, says) in [
            ("|/bin/vacation", "commands are not run"),
            ("\"|/bin/x y\"", "commands are not run"),
            ("/var/mail/anna", "only addresses"),
            (":fail: gone", "only addresses"),
            (":include:list", "absolute path"),
            ("a b@x", "`a b@x`"),
            ("", "names nobody"),
            (" , ", "names nobody"),
        ] {
            let error = targets(value, "ours.example").unwrap_err();
            assert!(error.contains(says), "{value}: {error}");
        }
    }

    #[test]
    fn what_a_mailbox_has_stands_in_words() {
        let options = mailbox_options("quota=10MiB messages=5 forward=anna@home.example keep", "x");
        let expected = MailboxOptions {
            quota: Some(MailboxQuota {
                bytes: 10 << 20,
                messages: 5,
            }),
            forward: vec![Target::Address(address("anna@home.example"))],
            keep: true,
        };
        assert_eq!(options, Ok(expected));
        let none = Ok(MailboxOptions::default());
        assert_eq!(mailbox_options("", "x"), none);
        assert_eq!(mailbox_options("# Anna of the office", "x"), none);
        for wrong in [
            "quota=big",
            "messages=",
            "keep",
            "shell=/bin/sh",
            "quota=99999999999G",
        ] {
            assert!(mailbox_options(wrong, "x").is_err(), "{wrong}");
        }
    }
}
