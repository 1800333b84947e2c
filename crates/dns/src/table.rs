//! A resolver that answers from a table.

use std::collections::HashMap;
use std::net::IpAddr;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{DnsError, Mx, Resolver};

/// Answers from a table that a simulation may change as it goes.
#[derive(Debug, Default)]
pub struct TableResolver {
    mx: Mutex<HashMap<String, Result<Vec<Mx>, DnsError>>>,
    addresses: Mutex<HashMap<String, Result<Vec<IpAddr>, DnsError>>>,
}

impl TableResolver {
    /// Sets the answer for the exchangers of a domain.
    pub fn set_mx(&self, domain: &str, answer: Result<Vec<Mx>, DnsError>) {
        self.mx.lock().insert(domain.to_owned(), answer);
    }

    /// Sets the answer for the addresses of a host.
    pub fn set_addresses(&self, host: &str, answer: Result<Vec<IpAddr>, DnsError>) {
        self.addresses.lock().insert(host.to_owned(), answer);
    }
}

#[async_trait]
impl Resolver for TableResolver {
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsError> {
        let known = self.mx.lock().get(domain).cloned();
        match known {
            Some(answer) => answer,
            // RFC 2308 §2.2: a name that has other records exists; it just has no MX.
            None if self.addresses.lock().contains_key(domain) => Ok(Vec::new()),
            None => Err(DnsError::NoSuchName {
                name: domain.to_owned(),
            }),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let known = self.addresses.lock().get(host).cloned();
        match known {
            Some(answer) => answer,
            None if self.mx.lock().contains_key(host) => Ok(Vec::new()),
            None => Err(DnsError::NoSuchName {
                name: host.to_owned(),
            }),
        }
    }
}
