//! Header fields, and whose message it is.

use mail_parser::{Address, MessageParser};
use mime_convert::field::name;

pub(crate) fn is(field: &[u8], wanted: &str) -> bool {
    name(field).eq_ignore_ascii_case(wanted.as_bytes())
}

/// Why nobody can be held to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAuthor {
    /// No From, or none that can be read.
    None,
    /// Several From fields, or addresses in several domains.
    Several,
}

/// The domain of the author, in ASCII and lower case.
pub(crate) fn author_domain(fields: &[&[u8]]) -> Result<String, NoAuthor> {
    let mut from = fields.iter().filter(|field| is(field, "From"));
    let field = from.next().ok_or(NoAuthor::None)?;
    // RFC 5322 §3.6: one; which of several a reader is shown, nobody knows (RFC 6376 §8.15).
    if from.next().is_some() {
        return Err(NoAuthor::Several);
    }
    let parsed = MessageParser::default().parse_headers(*field);
    let parsed = parsed.ok_or(NoAuthor::None)?;
    let mut domains: Vec<String> = match parsed.from() {
        Some(Address::List(list)) => list.iter().filter_map(domain).collect(),
        Some(Address::Group(groups)) => {
            let all = groups.iter().flat_map(|group| &group.addresses);
            all.filter_map(domain).collect()
        }
        None => Vec::new(),
    };
    domains.sort();
    domains.dedup();
    match domains.pop() {
        None => Err(NoAuthor::None),
        Some(_) if !domains.is_empty() => Err(NoAuthor::Several),
        Some(domain) => Ok(domain),
    }
}

fn domain(address: &mail_parser::Addr<'_>) -> Option<String> {
    let (_, domain) = address.address.as_deref()?.rsplit_once('@')?;
    // RFC 8616 §3: `d=` in A-labels means the same everywhere.
    let ascii = idna::domain_to_ascii(domain.trim()).ok()?;
    Some(ascii.to_ascii_lowercase()).filter(|domain| !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mime_convert::field::fields;

    #[test]
    fn the_author_is_in_one_domain_or_nobody_is() {
        let table: [(&str, Result<&str, NoAuthor>); 9] = [
            ("From: anna@Example.ORG\r\n", Ok("example.org")),
            (
                "from : \"Anna, b@x.example\"\r\n <anna@example.org>\r\n",
                Ok("example.org"),
            ),
            ("From: a@example.org, b@example.org\r\n", Ok("example.org")),
            (
                "From: anna@b\u{fc}cher.example\r\n",
                Ok("xn--bcher-kva.example"),
            ),
            (
                "From: a@example.org, b@example.com\r\n",
                Err(NoAuthor::Several),
            ),
            (
                "From: a@example.org\r\nFROM: a@example.org\r\n",
                Err(NoAuthor::Several),
            ),
            ("Subject: x\r\n", Err(NoAuthor::None)),
            ("From: anna\r\n", Err(NoAuthor::None)),
            ("From:\r\n", Err(NoAuthor::None)),
        ];
        for (header, expected) in table {
            let found = author_domain(&fields(header.as_bytes()));
            assert_eq!(found.as_deref().map_err(|e| *e), expected, "{header}");
        }
    }

    #[test]
    fn fields_keep_their_folded_lines() {
        let header = b"A: 1\r\n\t2\r\n 3\r\nB: 4\r\nC:\r\n";
        let found = fields(header);
        assert_eq!(
            found,
            [&b"A: 1\r\n\t2\r\n 3\r\n"[..], b"B: 4\r\n", b"C:\r\n"]
        );
        assert!(fields(b"").is_empty());
    }
}
