//! Answers that are known to be the domain's own (RFC 4035 §3.2.3), and what DANE needs to know.

use std::net::IpAddr;

use crate::{AskError, Mx, Record, RecordData};

/// Records, and whether the whole way to them is signed and was validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The records, with the aliases that led to them.
    pub records: Vec<Record>,
    /// Whether the resolver, which we trust, has validated all of them.
    pub authentic: bool,
}

/// The mail exchangers of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchangers {
    /// In no particular order.
    pub mx: Vec<Mx>,
    /// Whether they are known to be the domain's own.
    pub authentic: bool,
}

/// A host with its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostAnswer {
    /// Of both families, those of IPv6 first.
    pub addresses: Vec<IpAddr>,
    /// The names under which TLSA records may be looked up, the first that has some counts
    /// (RFC 7672 §2.2.2, §2.2.3). None: DANE does not apply.
    pub tlsa_bases: Vec<String>,
}

/// The TLSA base domains of a host, from the answers for its two kinds of address.
///
/// `alias_is_authentic` is asked only where it matters: where aliases lead out of what is signed.
pub(crate) fn tlsa_bases(host: &str, answers: &[Result<Answer, AskError>]) -> Bases {
    let with_address = |answer: &&Answer| canonical(answer).is_some();
    let positive: Vec<&Answer> = answers.iter().flatten().filter(with_address).collect();
    let Some(canonical) = positive.first().and_then(|answer| canonical(answer)) else {
        return Bases::Known(Vec::new());
    };
    let host = host.to_ascii_lowercase();
    if positive.iter().all(|answer| answer.authentic) {
        // RFC 7672 §2.2.2: the end of the aliases first, then the name as it was given.
        let mut bases = vec![canonical.to_owned()];
        if canonical != host {
            bases.push(host);
        }
        return Bases::Known(bases);
    }
    if canonical == host {
        return Bases::Known(Vec::new());
    }
    Bases::IfAliasIsAuthentic(host)
}

/// What is known of the TLSA base domains.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bases {
    /// These.
    Known(Vec<String>),
    /// RFC 7672 §2.2.2: this one, if the alias itself is in a signed zone.
    IfAliasIsAuthentic(String),
}

fn canonical(answer: &Answer) -> Option<&str> {
    let last = answer.records.iter().rev();
    let mut addresses = last.filter(|record| {
        matches!(record.data, RecordData::A(_) | RecordData::Aaaa(_)) && !record.name.is_empty()
    });
    addresses.next().map(|record| record.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(authentic: bool, aliases: &[(&str, &str)], end: Option<&str>) -> Answer {
        let alias = |(name, target): &(&str, &str)| Record {
            name: (*name).to_owned(),
            data: RecordData::Cname((*target).to_owned()),
        };
        let address = |name: &str| Record {
            name: name.to_owned(),
            data: RecordData::A([192, 0, 2, 1].into()),
        };
        let records = aliases.iter().map(alias).chain(end.map(address));
        Answer {
            records: records.collect(),
            authentic,
        }
    }

    #[test]
    fn a_signed_host_without_aliases_is_its_own_base() {
        let answers = [
            Ok(answer(false, &[], None)),
            Ok(answer(true, &[], Some("mx.example"))),
        ];
        let bases = tlsa_bases("MX.example", &answers);
        assert_eq!(bases, Bases::Known(vec!["mx.example".into()]));
    }

    #[test]
    fn the_end_of_signed_aliases_comes_before_the_name_itself() {
        let answers = [Ok(answer(
            true,
            &[("mx.example", "a.host.example")],
            Some("a.host.example"),
        ))];
        let bases = tlsa_bases("mx.example", &answers);
        let both = vec!["a.host.example".into(), "mx.example".into()];
        assert_eq!(bases, Bases::Known(both));
    }

    #[test]
    fn an_unsigned_end_of_an_alias_leaves_only_the_name_itself() {
        let answers = [Ok(answer(
            false,
            &[("mx.example", "a.host.example")],
            Some("a.host.example"),
        ))];
        assert_eq!(
            tlsa_bases("mx.example", &answers),
            Bases::IfAliasIsAuthentic("mx.example".into())
        );
    }

    #[test]
    fn one_unsigned_family_or_no_address_ends_it() {
        let none = Bases::Known(Vec::new());
        let mixed = [
            Ok(answer(true, &[], Some("mx.example"))),
            Ok(answer(false, &[], Some("mx.example"))),
        ];
        assert_eq!(tlsa_bases("mx.example", &mixed), none);
        let empty = [Ok(answer(true, &[], None)), Err(AskError::NoSuchName)];
        assert_eq!(tlsa_bases("mx.example", &empty), none);
    }
}
