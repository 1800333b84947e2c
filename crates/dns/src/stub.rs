//! Asking a validating resolver, and hearing whether an answer is authentic.
//!
//! The library's own resolver asks without wanting to know: a validating resolver then leaves the AD
//! bit out (RFC 6840 §5.7). Here it is asked for, and heard in the same answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::StreamExt;
use hickory_proto::op::{DnsRequest, DnsRequestOptions, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::DnsHandle;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::{Hosts, NameServerPool, PoolContext, ResponseCache, TlsConfig, TtlConfig};
use tokio::time::Instant;

/// Records with the aliases that lead to them, and whether all of it is authentic.
type Answered = Result<(Vec<Record>, bool), NetError>;

/// Asks trusted servers.
pub(crate) struct Stub {
    pool: NameServerPool<TokioRuntimeProvider>,
    cache: ResponseCache,
    /// Names that this machine knows by itself.
    hosts: Option<Hosts>,
    attempts: usize,
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub").finish_non_exhaustive()
    }
}

/// Aliases that are followed, at most.
const ALIASES: usize = 16;

/// The resolver that Docker puts into a container. It hands on what any other says, from another
/// machine: loopback tells nothing there.
const DOCKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 11));

/// RFC 7672 §2.2: what a resolver says is worth as much as the way to it, so that it is believed by
/// itself only on this machine.
pub(crate) fn is_trusted(servers: &[IpAddr]) -> bool {
    !servers.is_empty() && servers.iter().all(|s| s.is_loopback() && *s != DOCKER)
}

impl Stub {
    pub(crate) fn new(
        servers: Vec<NameServerConfig>,
        options: ResolverOpts,
        with_hosts: bool,
    ) -> Result<Stub, NetError> {
        let cache = ResponseCache::new(options.cache_size, TtlConfig::from_opts(&options));
        let attempts = options.attempts.max(1);
        let hosts = match with_hosts {
            true => Some(Hosts::from_system()?),
            false => None,
        };
        let context = Arc::new(PoolContext::new(options, TlsConfig::new()?));
        let runtime = TokioRuntimeProvider::default();
        Ok(Stub {
            pool: NameServerPool::from_config(servers, context, runtime),
            cache,
            hosts,
            attempts,
        })
    }

    /// Asks. `None`: it is not a question for a server, or the server does not go all the way: the
    /// library's resolver knows what to do.
    pub(crate) async fn ask(&self, name: &Name, kind: RecordType) -> Option<Answered> {
        let query = Query::query(name.clone(), kind);
        if name.is_localhost() || self.is_known_here(&query) {
            return None;
        }
        let now = Instant::now().into_std();
        let found = match self.cache.get(&query, now) {
            Some(cached) => cached,
            None => {
                let found = self.send(&query).await;
                self.cache.insert(query, found.clone(), now);
                found
            }
        };
        match found {
            Ok(message) => read(&message, name, kind),
            Err(error) => Some(Err(error)),
        }
    }

    fn is_known_here(&self, query: &Query) -> bool {
        let hosts = self.hosts.as_ref();
        hosts.is_some_and(|hosts| hosts.lookup_static_host(query).is_some())
    }

    async fn send(&self, query: &Query) -> Result<Message, NetError> {
        let mut options = DnsRequestOptions::default();
        options.use_edns = true;
        let mut last = NetError::NoConnections;
        for _ in 0..self.attempts {
            let mut request = DnsRequest::from_query(query.clone(), options);
            // RFC 6840 §5.7: we want to know.
            request.metadata.authentic_data = true;
            let response = match self.pool.send(request).next().await {
                Some(Ok(response)) => DnsError::from_response(response).map_err(NetError::from),
                Some(Err(error)) => Err(error),
                None => Err(NetError::NoConnections),
            };
            match response {
                Ok(response) => return Ok(response.into_message()),
                Err(error @ (NetError::Timeout | NetError::Io(_) | NetError::NoConnections)) => {
                    last = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

/// Follows the aliases of one message to the records; what is beside that way says nothing.
fn read(message: &Message, name: &Name, kind: RecordType) -> Option<Answered> {
    let authentic = message.metadata.authentic_data;
    let (mut way, mut at) = (Vec::new(), name.clone());
    for _ in 0..ALIASES {
        let here = |record: &&Record| record.name == at;
        let own = message.answers.iter().filter(here);
        let own: Vec<Record> = own.filter(|r| r.record_type() == kind).cloned().collect();
        if !own.is_empty() {
            way.extend(own);
            return Some(Ok((way, authentic)));
        }
        let alias = message.answers.iter().filter(here).find_map(|record| {
            let RData::CNAME(target) = &record.data else {
                return None;
            };
            Some((record.clone(), target.0.clone()))
        });
        let Some((record, target)) = alias else {
            break;
        };
        way.push(record);
        at = target;
    }
    match message.metadata.response_code {
        ResponseCode::NXDomain => {
            let query = Query::query(name.clone(), kind);
            let none = hickory_resolver::net::NoRecords::new(query, ResponseCode::NXDomain);
            Some(Err(none.into()))
        }
        // RFC 2308 §2.2: the alias leads to a name without such records.
        _ if message.metadata.recursion_available => Some(Ok((way, authentic))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_resolvers_on_this_machine_are_believed_by_themselves() {
        let trusted = |all: &[&str]| {
            let all: Vec<IpAddr> = all.iter().map(|a| a.parse().unwrap()).collect();
            is_trusted(&all)
        };
        assert!(trusted(&["127.0.0.1", "::1"]));
        assert!(trusted(&["127.0.0.53"]));
        assert!(!trusted(&["127.0.0.1", "192.0.2.1"]));
        assert!(!trusted(&["127.0.0.11"]), "Docker's");
        assert!(!trusted(&[]));
    }
}
