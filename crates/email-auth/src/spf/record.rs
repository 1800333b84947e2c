//! An SPF record in its terms (RFC 7208 §4.6, §5, §6, §12).

use std::net::{Ipv4Addr, Ipv6Addr};

use diagnosis::finding::Defect;

use super::expand;

/// What a mechanism that matches says (RFC 7208 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

/// A mechanism (RFC 7208 §5). `domain` is a domain-spec with macros; `None`: the record's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whom another record lets send.
    Include(String),
    /// The addresses of a host.
    A(Option<String>, Prefixes),
    /// Those of a domain's exchangers.
    Mx(Option<String>, Prefixes),
    /// Those whose name is below a domain.
    Ptr(Option<String>),
    /// A network.
    Ip4(Ipv4Addr, u8),
    /// A network.
    Ip6(Ipv6Addr, u8),
    /// Anybody, where a name exists.
    Exists(String),
}

/// Prefix lengths of both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Of IPv4.
    pub v4: u8,
    /// Of IPv6.
    pub v6: u8,
}

const WHOLE: Prefixes = Prefixes { v4: 32, v6: 128 };

/// A directive as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// All of it.
    pub text: String,
    /// What it says.
    pub qualifier: Qualifier,
    /// Of whom.
    pub mechanism: Mechanism,
}

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// In their order.
    pub directives: Vec<Directive>,
    /// `redirect=`, without the name.
    pub redirect: Option<String>,
}

/// What is wrong with a record, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What.
    pub defect: Defect,
    /// Where.
    pub term: String,
}

/// Whether a text is an SPF record (RFC 7208 §4.5): the version alone or before a space.
pub fn is_record(text: &str) -> bool {
    let version = text
        .get(..6)
        .is_some_and(|v| v.eq_ignore_ascii_case("v=spf1"));
    version && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// Reads a text for which [`is_record`] holds.
pub fn parse(text: &str) -> Result<Record, Flaw> {
    let mut record = Record::default();
    let mut explained = false;
    for term in text
        .get(6..)
        .unwrap_or_default()
        .split(' ')
        .filter(|t| !t.is_empty())
    {
        let flaw = |defect| Flaw {
            defect,
            term: term.to_owned(),
        };
        match modifier(term) {
            Some((name, value)) => {
                // RFC 7208 §6: these two at most once; others are passed over where they keep to the
                // grammar (§12).
                let twice = match name.to_ascii_lowercase().as_str() {
                    "redirect" => record.redirect.replace(value.to_owned()).is_some(),
                    "exp" => std::mem::replace(&mut explained, true),
                    _ if expand::is_macro_string(value, true) => continue,
                    _ => return Err(flaw(Defect::BadValue)),
                };
                if twice {
                    return Err(flaw(Defect::Twice));
                }
                check_spec(value).map_err(flaw)?;
            }
            None => {
                let directive = directive(term).map_err(flaw)?;
                record.directives.push(directive);
            }
        }
    }
    Ok(record)
}

/// `name=value`; the name has no `:` or `/` before the `=` (RFC 7208 §4.6.1).
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest = chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    (first && rest).then_some((name, value))
}

fn directive(term: &str) -> Result<Directive, Defect> {
    let (qualifier, rest) = match term.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, &term[1..]),
        Some(b'-') => (Qualifier::Fail, &term[1..]),
        Some(b'~') => (Qualifier::SoftFail, &term[1..]),
        Some(b'?') => (Qualifier::Neutral, &term[1..]),
        _ => (Qualifier::Pass, term),
    };
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if argument.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(needed(argument)?),
        "exists" => Mechanism::Exists(needed(argument)?),
        "a" => {
            let (domain, prefixes) = domain_and_prefixes(argument)?;
            Mechanism::A(domain, prefixes)
        }
        "mx" => {
            let (domain, prefixes) = domain_and_prefixes(argument)?;
            Mechanism::Mx(domain, prefixes)
        }
        "ptr" if argument.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(needed(argument)?)),
        "ip4" => {
            let (address, prefix) = network(argument, 32)?;
            Mechanism::Ip4(address, prefix)
        }
        "ip6" => {
            let (address, prefix) = network(argument, 128)?;
            Mechanism::Ip6(address, prefix)
        }
        "all" => return Err(Defect::BadValue),
        _ => return Err(Defect::UnknownTerm),
    };
    Ok(Directive {
        text: term.to_owned(),
        qualifier,
        mechanism,
    })
}

fn check_spec(spec: &str) -> Result<(), Defect> {
    match (spec.is_empty(), expand::is_domain_spec(spec)) {
        (true, _) => Err(Defect::MissingValue),
        (false, true) => Ok(()),
        (false, false) => Err(Defect::BadValue),
    }
}

fn needed(argument: &str) -> Result<String, Defect> {
    let spec = argument.strip_prefix(':').ok_or(Defect::MissingValue)?;
    check_spec(spec)?;
    Ok(spec.to_owned())
}

/// `[:domain][/v4][//v6]` (RFC 7208 §5.3, §5.4).
fn domain_and_prefixes(argument: &str) -> Result<(Option<String>, Prefixes), Defect> {
    let mut prefixes = WHOLE;
    let mut rest = argument;
    // A domain may hold a slash too: a prefix is what stands behind the last one and could be a number.
    if let Some((before, v6)) = rest.rsplit_once("//")
        && is_number(v6)
    {
        prefixes.v6 = prefix(v6, 128)?;
        rest = before;
    }
    if let Some((before, v4)) = rest.rsplit_once('/')
        && is_number(v4)
    {
        prefixes.v4 = prefix(v4, 32)?;
        rest = before;
    }
    match rest.is_empty() {
        true => Ok((None, prefixes)),
        false => Ok((Some(needed(rest)?), prefixes)),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn prefix(text: &str, most: u8) -> Result<u8, Defect> {
    let digits = is_number(text);
    // RFC 7208 §5.6: no leading zeros.
    let plain = text.len() == 1 || !text.starts_with('0');
    let value = text.parse().ok().filter(|value| *value <= most);
    value.filter(|_| digits && plain).ok_or(Defect::BadValue)
}

fn network<A: std::str::FromStr>(argument: &str, most: u8) -> Result<(A, u8), Defect> {
    let text = argument.strip_prefix(':').ok_or(Defect::MissingValue)?;
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, prefix(length, most)?),
        None => (text, most),
    };
    let address = address.parse().map_err(|_| Defect::BadValue)?;
    Ok((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_term_by_term() {
        let text = "v=spf1 a mx:mail.%{d}/24//64 ip4:192.0.2.0/24 -ip6:2001:db8::/32 ?exists:%{ir}.x.example redirect=_spf.example.org";
        let record = parse(text).unwrap();
        assert_eq!(record.redirect.as_deref(), Some("_spf.example.org"));
        let mechanisms: Vec<_> = record.directives.iter().map(|d| &d.mechanism).collect();
        assert_eq!(mechanisms[0], &Mechanism::A(None, WHOLE));
        let prefixes = Prefixes { v4: 24, v6: 64 };
        assert_eq!(
            mechanisms[1],
            &Mechanism::Mx(Some("mail.%{d}".into()), prefixes)
        );
        assert_eq!(record.directives[3].qualifier, Qualifier::Fail);
        assert_eq!(record.directives[4].qualifier, Qualifier::Neutral);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, defect, term) in [
            (
                "v=spf1 ip4:192.0.2.300 -all",
                Defect::BadValue,
                "ip4:192.0.2.300",
            ),
            (
                "v=spf1 ip4:192.0.2.0/33",
                Defect::BadValue,
                "ip4:192.0.2.0/33",
            ),
            (
                "v=spf1 ip:192.0.2.1 -all",
                Defect::UnknownTerm,
                "ip:192.0.2.1",
            ),
            ("v=spf1 include -all", Defect::MissingValue, "include"),
            ("v=spf1 all:x", Defect::BadValue, "all:x"),
            (
                "v=spf1 redirect=a.b redirect=c.d",
                Defect::Twice,
                "redirect=c.d",
            ),
            ("v=spf1 exists:%{z}.b", Defect::BadValue, "exists:%{z}.b"),
            ("v=spf1 a/024", Defect::BadValue, "a/024"),
        ] {
            let flaw = parse(text).unwrap_err();
            assert_eq!((flaw.defect, flaw.term.as_str()), (defect, term), "{text}");
        }
        assert!(is_record("v=spf1") && is_record("V=SPF1 -all"));
        assert!(!is_record("v=spf10 -all") && !is_record("spf2.0/pra"));
    }
}
