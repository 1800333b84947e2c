//! `postrider dkim list`: each key, whether its record is published, and what is to be done.

use jiff::Timestamp;
use serde_json::json;
use signing::{Algorithm, NotSigning, Published, StoredKey, choose, look, record_name, zone_lines};

use super::{DkimError, Place};

/// Answers whether all is well.
pub(super) fn list(place: &Place, only: Option<&str>, json: bool) -> Result<bool, DkimError> {
    let mut keys = place.keys()?;
    keys.retain(|key| only.is_none_or(|domain| key.domain == domain));
    if keys.is_empty() && !json {
        println!(
            "there are no keys in {}: `postrider dkim new DOMAIN` makes one",
            place.store.path().display()
        );
        return Ok(true);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DkimError::Runtime)?;
    let found: Vec<Published> = runtime.block_on(async {
        let resolver = dns::SystemResolver::new(&place.config.dns.servers)?;
        let looking = keys
            .iter()
            .map(|key| look(&key.selector, &key.domain, &key.key, &resolver));
        Ok::<_, DkimError>(futures_util::future::join_all(looking).await)
    })?;
    let published = |(key, found): (&StoredKey, &Published)| match found {
        Published::Matches => true,
        Published::Unanswered { .. } => key.state.published.is_some(),
        Published::Missing | Published::Differs(_) => false,
    };
    let flags: Vec<bool> = keys.iter().zip(&found).map(published).collect();
    let of: Vec<(&StoredKey, bool)> = keys.iter().zip(flags).collect();
    let mut well = true;
    let mut last = "";
    for ((key, found), standing) in keys.iter().zip(&found).zip(choose(&of)) {
        let line = Line {
            key,
            found,
            standing,
            removable: removable(place, key, standing),
            now: place.now,
        };
        well &= !line.is_problem();
        if json {
            println!(
                "{}",
                serde_json::to_string(&line.json(place)).map_err(DkimError::Json)?
            );
            continue;
        }
        if key.domain != last {
            println!("{}", key.domain);
            last = &key.domain;
        }
        line.print()?;
    }
    Ok(well)
}

/// From when on a replaced key may go.
fn removable(
    place: &Place,
    key: &StoredKey,
    standing: Result<(), NotSigning>,
) -> Option<Timestamp> {
    let replaced = key
        .state
        .replaced
        .filter(|_| standing == Err(NotSigning::Replaced))?;
    let keep = place.config.dkim.keep;
    Some(replaced.checked_add(keep).unwrap_or(Timestamp::MAX))
}

struct Line<'a> {
    key: &'a StoredKey,
    found: &'a Published,
    standing: Result<(), NotSigning>,
    removable: Option<Timestamp>,
    now: Timestamp,
}

impl Line<'_> {
    fn is_problem(&self) -> bool {
        self.standing == Err(NotSigning::NotPublished)
    }

    fn published(&self) -> &'static str {
        match self.found {
            Published::Matches => "match",
            Published::Missing => "missing",
            Published::Differs(_) => "differs",
            Published::Unanswered { .. } => "unanswered",
        }
    }

    fn json(&self, place: &Place) -> serde_json::Value {
        let key = self.key;
        let why = match self.found {
            Published::Differs(how) => Some(how.to_string()),
            Published::Unanswered { reported } => Some(reported.clone()),
            Published::Matches | Published::Missing => None,
        };
        json!({
            "domain": key.domain,
            "selector": key.selector,
            "algorithm": key.key.algorithm().as_str(),
            "bits": key.key.bits(),
            "record": record_name(&key.selector, &key.domain),
            "made": key.state.made,
            "published": self.published(),
            "why": why,
            "published_since": key.state.published,
            "signs": self.standing.is_ok(),
            "replaced": key.state.replaced,
            "removable": self.removable,
            "file": place.store.file(&key.domain, &key.selector),
        })
    }

    fn print(&self) -> Result<(), DkimError> {
        let key = self.key;
        let kind = match (key.key.algorithm(), key.key.bits()) {
            (Algorithm::Rsa, Some(bits)) => format!("rsa-sha256, {bits} bits"),
            (algorithm, _) => algorithm.as_str().to_owned(),
        };
        let days = (self.now.as_second() - key.state.made.as_second()) / 86_400;
        let age = match days {
            0 => "made today".to_owned(),
            1 => "1 day old".to_owned(),
            days => format!("{days} days old"),
        };
        let does = match self.standing {
            Ok(()) => "signs",
            Err(NotSigning::NotPublished) => "does not sign",
            Err(NotSigning::Replaced) => "replaced",
        };
        println!(
            "  {}  {kind}, {age}: record {}, {does}",
            key.selector,
            self.published()
        );
        match self.found {
            Published::Matches => self.print_removal(),
            Published::Missing => {
                println!("    publish this record, and it signs as soon as the relay sees it:");
                self.print_record()?;
            }
            Published::Differs(how) => {
                println!("    {how}; make it this, and it signs as soon as the relay sees it:");
                self.print_record()?;
            }
            Published::Unanswered { reported } => {
                println!("    whether it is published cannot be told now: {reported}");
            }
        }
        Ok(())
    }

    fn print_record(&self) -> Result<(), DkimError> {
        let lines = zone_lines(&self.key.selector, &self.key.domain, &self.key.key)?;
        for line in lines.lines() {
            println!("      {line}");
        }
        if let Some(bits) = self.key.key.bits().filter(|bits| *bits < 2048) {
            println!(
                "    {bits} bits are few (RFC 8301 wants 2048): `postrider dkim rotate` makes a better key"
            );
        }
        Ok(())
    }

    fn print_removal(&self) {
        if let Some(when) = self.removable {
            let (domain, selector) = (&self.key.domain, &self.key.selector);
            if when <= self.now {
                println!(
                    "    no mail needs it any more: remove the record {} and then the key, `postrider dkim remove {domain} {selector}`",
                    record_name(selector, domain)
                );
            } else {
                let when = when.strftime("%Y-%m-%d");
                println!(
                    "    a newer key signs; leave this record published until {when}, for mail on its way"
                );
            }
        } else if self.standing.is_err() {
            println!(
                "    a newer key signs as soon as the relay has seen it; leave this record published"
            );
        }
    }
}
