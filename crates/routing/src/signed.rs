//! What the signed DNS says about a host: whether it is the domain's own word that mail goes there, and
//! which certificates it has (RFC 7672 §2.2).

use dns::{AskError, RecordData, RecordKind, Resolver, Tlsa};

/// What is known to be the domain's own word about one of its hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// That mail goes to this host: its MX record is authentic, or the administrator's route says so.
    pub named: bool,
    /// Where its TLSA records may be; none: DANE does not apply.
    pub tlsa_bases: Vec<String>,
}

/// What was found of TLSA records for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// None, as far as anybody can be sure: DANE does not apply.
    Nothing,
    /// These.
    Records {
        /// Where they are, like `_25._tcp.mx.example.org`.
        name: String,
        /// The TLSA base domain (RFC 7672 §2.2.3).
        base: String,
        /// The records.
        records: Vec<Tlsa>,
    },
    /// There is no valid answer. The host must not be used (RFC 7672 §2.1.2): whoever can suppress an
    /// answer could else suppress encryption.
    Unanswered {
        /// Where they would be.
        name: String,
        /// What the resolver reported.
        reported: String,
    },
}

impl Signed {
    /// RFC 7672 §2.2.1: what is said of a host counts only if it is sure that the domain named it.
    /// Without MX records the domain names itself (§2.2.2), as surely as its addresses are its own.
    pub(crate) fn of(mx_are_authentic: Option<bool>, tlsa_bases: Vec<String>) -> Signed {
        let named = mx_are_authentic.unwrap_or(!tlsa_bases.is_empty());
        let tlsa_bases = if named { tlsa_bases } else { Vec::new() };
        Signed { named, tlsa_bases }
    }

    /// Looks up the TLSA records for this port.
    pub async fn published(&self, port: u16, resolver: &dyn Resolver) -> Published {
        for base in &self.tlsa_bases {
            let name = format!("_{port}._tcp.{base}");
            match resolver.answer(&name, RecordKind::Tlsa).await {
                // RFC 7672 §2.2: what is not signed is not believed, and is as good as nothing.
                Ok(answer) if !answer.authentic => {}
                Ok(answer) => {
                    let tlsa = |data| match data {
                        RecordData::Tlsa(tlsa) => Some(tlsa),
                        _ => None,
                    };
                    let records = answer.records.into_iter().map(|record| record.data);
                    let records: Vec<Tlsa> = records.filter_map(tlsa).collect();
                    if !records.is_empty() {
                        let base = base.clone();
                        return Published::Records {
                            name,
                            base,
                            records,
                        };
                    }
                }
                Err(AskError::NoSuchName | AskError::NotAName { .. }) => {}
                Err(AskError::Unanswered { reported, .. }) => {
                    return Published::Unanswered { name, reported };
                }
            }
        }
        Published::Nothing
    }
}
