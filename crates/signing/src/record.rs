//! What is published of a key (RFC 6376 §3.6).

use data_encoding::BASE64;
use dns::{AskError, RecordData, RecordKind, Resolver};

use crate::key::{Algorithm, Key, KeyError};

/// The name at which a selector's record is.
#[must_use]
pub fn record_name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// The record's text.
pub fn record_text(key: &Key) -> Result<String, KeyError> {
    let kind = key.algorithm().key_type();
    let public = BASE64.encode(&key.public()?);
    Ok(format!("v=DKIM1; k={kind}; p={public}"))
}

/// The record as BIND takes it in a zone file: the whole name, and strings of 255 bytes at most
/// (RFC 1035 §3.3.14), each on its line.
pub fn zone_lines(selector: &str, domain: &str, key: &Key) -> Result<String, KeyError> {
    let text = record_text(key)?;
    let mut lines = format!("{}. IN TXT (\n", record_name(selector, domain));
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(LONGEST_STRING));
        lines.push_str(&format!("    \"{piece}\"\n"));
        rest = after;
    }
    lines.push_str("    )\n");
    Ok(lines)
}

/// 255 are allowed; what is pasted into forms is easier to look at in shorter ones.
const LONGEST_STRING: usize = 200;

/// What was found at the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// This key.
    Matches,
    /// Nothing.
    Missing,
    /// Something else.
    Differs(Differs),
    /// Nobody answered: it may be there.
    Unanswered {
        /// What the resolver reported.
        reported: String,
    },
}

/// In what way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differs {
    /// Several records: verifiers do as they like (RFC 6376 §3.6.2.2).
    Several(usize),
    /// The key is revoked: `p=` is empty.
    Revoked,
    /// Another key.
    OtherKey,
    /// A key of another kind, or one that is not for mail or not for SHA-256.
    OtherUse {
        /// The tag that says so.
        tag: String,
    },
    /// It cannot be read.
    Unreadable,
}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Differs::Several(count) => write!(f, "{count} records are there, and one must be"),
            Differs::Revoked => f.write_str("the record revokes the key: its p= is empty"),
            Differs::OtherKey => f.write_str("the record has another key"),
            Differs::OtherUse { tag } => write!(f, "the record says {tag}"),
            Differs::Unreadable => f.write_str("the record is no DKIM key"),
        }
    }
}

/// Looks at what is published.
pub async fn look(selector: &str, domain: &str, key: &Key, resolver: &dyn Resolver) -> Published {
    let name = record_name(selector, domain);
    let records = match resolver.ask(&name, RecordKind::Txt).await {
        Ok(records) => records,
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => return Published::Missing,
        Err(AskError::Unanswered { reported, .. }) => return Published::Unanswered { reported },
    };
    let texts: Vec<String> = records
        .into_iter()
        .filter_map(|record| match record.data {
            RecordData::Txt(text) => Some(text),
            _ => None,
        })
        .collect();
    match texts.as_slice() {
        [] => Published::Missing,
        [text] => match differs(text, key) {
            None => Published::Matches,
            Some(how) => Published::Differs(how),
        },
        several => Published::Differs(Differs::Several(several.len())),
    }
}

/// In what way a record is not this key's.
fn differs(text: &str, key: &Key) -> Option<Differs> {
    let mut tags: Vec<(&str, String)> = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let Some((tag, value)) = part.split_once('=') else {
            return Some(Differs::Unreadable);
        };
        // RFC 6376 §3.2: white space around is nothing, and within a key it is none of it.
        let value: String = value.split_ascii_whitespace().collect();
        tags.push((tag.trim(), value));
    }
    let value = |name: &str| {
        tags.iter()
            .find(|(tag, _)| *tag == name)
            .map(|(_, v)| v.as_str())
    };
    let Some(public) = value("p") else {
        return Some(Differs::Unreadable);
    };
    if value("v").is_some_and(|version| version != "DKIM1") {
        return Some(Differs::Unreadable);
    }
    if public.is_empty() {
        return Some(Differs::Revoked);
    }
    let other = |name: &str, value: &str| Differs::OtherUse {
        tag: format!("{name}={value}"),
    };
    // RFC 6376 §3.6.1: `rsa` where nothing is said.
    let kind = value("k").unwrap_or("rsa");
    if kind != key.algorithm().key_type() {
        return Some(other("k", kind));
    }
    let allows = |list: &str, wanted: &str| list.split(':').any(|one| one == wanted || one == "*");
    if let Some(list) = value("h").filter(|list| !allows(list, "sha256")) {
        return Some(other("h", list));
    }
    if let Some(list) = value("s").filter(|list| !allows(list, "email")) {
        return Some(other("s", list));
    }
    let Ok(public) = BASE64.decode(public.as_bytes()) else {
        return Some(Differs::Unreadable);
    };
    match key.public() {
        Ok(ours) if is_same(key.algorithm(), &ours, &public) => None,
        _ => Some(Differs::OtherKey),
    }
}

/// Some publish the bare RSAPublicKey, which is the end of the SubjectPublicKeyInfo.
fn is_same(algorithm: Algorithm, ours: &[u8], published: &[u8]) -> bool {
    const LEAST: usize = 100;
    match algorithm {
        Algorithm::Rsa => ours == published || published.len() > LEAST && ours.ends_with(published),
        Algorithm::Ed25519 => ours == published,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_ours_however_it_is_written_and_else_is_told_in_what_way_not() {
        let key = Key::generate(Algorithm::Rsa).unwrap();
        let text = record_text(&key).unwrap();
        let public = text.split_once("p=").unwrap().1;
        let (front, back) = public.split_at(100);
        for same in [
            text.clone(),
            format!("p={public}"),
            format!(" v=DKIM1 ;k=rsa; s=email:x; h=sha1:sha256 ; t=y; p={front} {back};"),
            format!("v=DKIM1; s=*; p={public}"),
        ] {
            assert_eq!(differs(&same, &key), None, "{same}");
        }
        let other = record_text(&Key::generate(Algorithm::Rsa).unwrap()).unwrap();
        let use_of = |tag: &str| Differs::OtherUse {
            tag: tag.to_owned(),
        };
        for (text, how) in [
            (other, Differs::OtherKey),
            ("v=DKIM1; p=".to_owned(), Differs::Revoked),
            ("v=DKIM1; k=rsa".to_owned(), Differs::Unreadable),
            ("hello".to_owned(), Differs::Unreadable),
            (format!("v=DKIM2; p={public}"), Differs::Unreadable),
            (format!("k=ed25519; p={public}"), use_of("k=ed25519")),
            (format!("h=sha1; p={public}"), use_of("h=sha1")),
            (format!("s=tlsrpt; p={public}"), use_of("s=tlsrpt")),
            (format!("p={front}"), Differs::OtherKey),
        ] {
            assert_eq!(differs(&text, &key), Some(how), "{text}");
        }
    }

    #[test]
    fn the_lines_for_a_zone_are_in_strings_that_fit() {
        let key = Key::generate(Algorithm::Rsa).unwrap();
        let lines = zone_lines("s1", "example.org", &key).unwrap();
        assert!(lines.starts_with("s1._domainkey.example.org. IN TXT (\n"));
        let strings: Vec<&str> = lines
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'))
            .collect();
        assert!(strings.len() > 1 && strings.iter().all(|s| s.len() <= 255));
        assert_eq!(strings.concat(), record_text(&key).unwrap());
    }
}
