//! The DMARC policy of a domain (RFC 7489 §6.3).

use diagnosis::finding::{Conclusion, Defect, Finding};
use dns::{AskError, RecordData, RecordKind, Resolver};

use crate::asker::Asker;
use crate::tags::{Flaw, Tags, flaw};

/// Looks up the policy at the domain, and where it has none at those above it. Without the list of
/// public suffixes, every parent of two labels or more is tried, nearest first.
pub(crate) async fn check(domain: &str, resolver: &dyn Resolver) -> Finding {
    let mut asker = Asker::new(resolver);
    let mut at = domain;
    loop {
        let texts = match asker.ask(&format!("_dmarc.{at}"), RecordKind::Txt).await {
            Ok(records) => records,
            Err(AskError::NoSuchName | AskError::NotAName { .. }) => Vec::new(),
            Err(AskError::Unanswered { .. }) => {
                return Finding::new(Conclusion::DmarcUnanswered, domain).facts(asker.take());
            }
        };
        let texts = texts.into_iter().filter_map(|record| match record.data {
            RecordData::Txt(text) => Some(text),
            _ => None,
        });
        // §6.6.3: records that do not begin with the version are passed over.
        let records: Vec<String> = texts.filter(|text| is_record(text)).collect();
        match &records[..] {
            [] => {}
            [record] => return judge(domain, at, record, asker),
            [_, _, ..] => {
                asker.note(flaw(Defect::Several, at).into());
                return Finding::new(Conclusion::DmarcBroken, domain).facts(asker.take());
            }
        }
        match at.split_once('.') {
            Some((_, parent)) if parent.contains('.') => at = parent,
            _ => return Finding::new(Conclusion::DmarcNone, domain).facts(asker.take()),
        }
    }
}

fn is_record(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first
        .split_once('=')
        .is_some_and(|(name, value)| name.trim() == "v" && value.trim() == "DMARC1")
}

fn judge(domain: &str, at: &str, record: &str, mut asker: Asker<'_>) -> Finding {
    match policy(record, domain == at) {
        Ok(policy) => {
            let finding = Finding::new(Conclusion::DmarcFound, domain);
            finding.object(policy).facts(asker.take())
        }
        Err(flaw) => {
            asker.note(flaw.into());
            Finding::new(Conclusion::DmarcBroken, domain).facts(asker.take())
        }
    }
}

/// The policy that holds: `p`, or `sp` for a domain below the one with the record.
fn policy(record: &str, own: bool) -> Result<&str, Flaw> {
    let tags = Tags::read(record)?;
    let one_of = |name: &str, allowed: &[&str]| match tags.get(name) {
        Some(value) if !allowed.iter().any(|a| a.eq_ignore_ascii_case(value)) => {
            Err(flaw(Defect::BadValue, &format!("{name}={value}")))
        }
        value => Ok(value),
    };
    let policies = ["none", "quarantine", "reject"];
    let p = one_of("p", &policies)?;
    let sp = one_of("sp", &policies)?;
    one_of("adkim", &["r", "s"])?;
    one_of("aspf", &["r", "s"])?;
    if let Some(percent) = tags.get("pct")
        && !percent.parse::<u8>().is_ok_and(|n| n <= 100)
    {
        return Err(flaw(Defect::BadValue, &format!("pct={percent}")));
    }
    let p = p.ok_or_else(|| flaw(Defect::MissingValue, "p="))?;
    Ok(if own { p } else { sp.unwrap_or(p) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_read_and_what_is_wrong_is_named() {
        assert_eq!(policy("v=DMARC1; p=reject; sp=none", true), Ok("reject"));
        assert_eq!(policy("v=DMARC1; p=reject; sp=none", false), Ok("none"));
        assert_eq!(
            policy("v=DMARC1;p=quarantine;pct=20;", false),
            Ok("quarantine")
        );
        for (text, expected, place) in [
            ("v=DMARC1", Defect::MissingValue, "p="),
            ("v=DMARC1; p=block", Defect::BadValue, "p=block"),
            ("v=DMARC1; p=none; pct=200", Defect::BadValue, "pct=200"),
            ("v=DMARC1; p=none; p=none", Defect::Twice, "p=none"),
            ("v=DMARC1; p", Defect::MissingValue, "p"),
        ] {
            assert_eq!(policy(text, true), Err(flaw(expected, place)), "{text}");
        }
    }
}
