//! What is known of the DNS, in the form of a cache that is never empty.
//!
//! `mail-auth` takes records from a cache before it asks. Here the cache answers everything: what it
//! does not know is noted, answered with an error for this time, and asked before the next run.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;
use std::sync::Arc;
// The type of a trait of `mail-auth`; no clock is read here.
use std::time;

use dns::{AskError, RecordData, RecordKind, Resolver};
use futures_util::future::join_all;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::{DnsError, DnssecStatus, Error, RecordSet, ResolverCache, Txt};
use parking_lot::Mutex;

/// Names that are asked for one message, at most.
const NAMES: usize = 60;

/// TXT records by name, and the names that were missing.
#[derive(Default)]
pub(crate) struct Known {
    records: HashMap<Box<str>, Txt>,
    missing: Mutex<BTreeSet<String>>,
}

impl Known {
    /// Asks for what was missing; answers whether that was anything.
    pub(crate) async fn learn(&mut self, resolver: &dyn Resolver) -> bool {
        let missing = std::mem::take(&mut *self.missing.lock());
        let room = NAMES.saturating_sub(self.records.len());
        let any = !missing.is_empty();
        for name in missing.iter().skip(room) {
            // A message that needs more is made to need it.
            self.records
                .insert(name.as_str().into(), Txt::Error(not_found()));
        }
        let asked = missing.iter().take(room).map(|name| async move {
            let record = look_up(name, resolver).await;
            (name.as_str().into(), record)
        });
        self.records.extend(join_all(asked).await);
        any
    }
}

async fn look_up(name: &str, resolver: &dyn Resolver) -> Txt {
    let records = match resolver
        .ask(name.trim_end_matches('.'), RecordKind::Txt)
        .await
    {
        Ok(records) => records,
        Err(AskError::NoSuchName | AskError::NotAName { .. }) => return Txt::Error(not_found()),
        Err(AskError::Unanswered { reported, .. }) => {
            return Txt::Error(Error::Dns(DnsError::Resolver(reported)));
        }
    };
    let texts = records.into_iter().filter_map(|record| match record.data {
        RecordData::Txt(text) => Some(text),
        _ => None,
    });
    let texts: Vec<String> = texts.collect();
    if name.starts_with("_dmarc.") {
        // RFC 7489 §6.6.3: other texts are passed over, and several policies are none.
        let policies = texts
            .iter()
            .filter(|t| t.trim_start().starts_with("v=DMARC1"));
        let mut read = policies.map(|text| Dmarc::parse(text.as_bytes()));
        return match (read.next(), read.next()) {
            (Some(policy), None) => policy.into(),
            _ => Txt::Error(not_found()),
        };
    }
    let keys = texts.iter().map(|text| DomainKey::parse(text.as_bytes()));
    let mut read: Vec<_> = keys.collect();
    match read.iter().position(Result::is_ok) {
        Some(at) => read.swap_remove(at).into(),
        None => read
            .pop()
            .map_or_else(|| Txt::Error(not_found()), Txt::from),
    }
}

fn not_found() -> Error {
    Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain))
}

/// The cache as one run sees it.
pub(crate) struct Cache<'a>(pub(crate) &'a Known);

impl ResolverCache<Box<str>, Txt> for Cache<'_> {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(record) = self.0.records.get(name) {
            return Some(record.clone());
        }
        self.0.missing.lock().insert(text_of(name));
        let unknown = DnsError::Resolver("not asked yet".to_owned());
        Some(Txt::Error(Error::Dns(unknown)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: time::Instant) {}
}

/// The text of a name of which only the hash can be taken: what is hashed is its bytes.
fn text_of<Q: Hash + ?Sized>(name: &Q) -> String {
    struct Bytes(Vec<u8>);
    impl Hasher for Bytes {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }
    let mut bytes = Bytes(Vec::new());
    name.hash(&mut bytes);
    // The end of a text is hashed as a byte that no text has.
    let bytes = bytes.0.strip_suffix(&[0xff]).unwrap_or(&bytes.0);
    String::from_utf8_lossy(bytes).into_owned()
}

/// Hosts, of which `mail-auth` wants to know only whether they exist: that is looked at elsewhere.
pub(crate) struct Exists;

impl ResolverCache<Box<str>, RecordSet<Ipv4Addr>> for Exists {
    fn get<Q>(&self, _: &Q) -> Option<RecordSet<Ipv4Addr>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(RecordSet {
            rrset: Arc::from([]),
            dnssec_status: DnssecStatus::Indeterminate,
        })
    }

    fn remove<Q>(&self, _: &Q) -> Option<RecordSet<Ipv4Addr>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: RecordSet<Ipv4Addr>, _: time::Instant) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_what_it_hashes() {
        assert_eq!(
            text_of("s._domainkey.example.org."),
            "s._domainkey.example.org."
        );
    }
}
