//! The real resolver: hickory, asking the configured servers or those of `/etc/resolv.conf`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as HickoryError, NetError};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver as Hickory, TokioResolver};

use crate::Unanswered;
use crate::stub::{Stub, is_trusted};
use crate::{Answer, AskError, DnsError, Mx, Record, RecordData, RecordKind, Resolver, Tlsa};

/// Asks real name servers.
#[derive(Debug)]
pub struct SystemResolver {
    hickory: TokioResolver,
    /// Where the servers are trusted: what asks them whether their answers are authentic.
    stub: Option<Stub>,
    servers: Vec<String>,
}

/// The resolver could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the DNS resolver cannot be set up from {source_of_servers}: {reported}")]
pub struct SetupError {
    /// Where the servers were to come from.
    pub source_of_servers: &'static str,
    /// What the resolver reported.
    pub reported: String,
}

const TIMEOUT: Duration = Duration::from_secs(5);

impl SystemResolver {
    /// Asks `servers`; if there are none, those of the system's configuration.
    ///
    /// What they say of the authenticity of an answer is believed where all of them are on this
    /// machine. To be called within a tokio runtime.
    pub fn new(servers: &[SocketAddr]) -> Result<SystemResolver, SetupError> {
        SystemResolver::trusting(servers, None)
    }

    /// The same; `trust` says whether what the servers say of the authenticity of an answer (the AD
    /// bit, RFC 4035 §3.2.3) is believed. `None`: where all of them are on this machine.
    pub fn trusting(
        servers: &[SocketAddr],
        trust: Option<bool>,
    ) -> Result<SystemResolver, SetupError> {
        let failed = |source_of_servers| {
            move |error: NetError| SetupError {
                source_of_servers,
                reported: error.to_string(),
            }
        };
        let (config, options) = if servers.is_empty() {
            let (config, options) = read_system_conf().map_err(failed("/etc/resolv.conf"))?;
            (config, Some(options))
        } else {
            let servers = servers.iter().map(name_server).collect();
            (ResolverConfig::from_parts(None, Vec::new(), servers), None)
        };
        let asked = match servers.is_empty() {
            true => config
                .name_servers()
                .iter()
                .map(|s| s.ip.to_string())
                .collect(),
            false => servers.iter().map(ToString::to_string).collect(),
        };
        let addresses: Vec<IpAddr> = config.name_servers().iter().map(|s| s.ip).collect();
        let trusted = trust.unwrap_or_else(|| is_trusted(&addresses));
        let name_servers = config.name_servers().to_vec();
        let runtime = TokioRuntimeProvider::default();
        let mut builder = Hickory::builder_with_config(config, runtime);
        if let Some(options) = options {
            *builder.options_mut() = options;
        }
        set_options(builder.options_mut(), servers.is_empty());
        let options = builder.options_mut().clone();
        let stub = trusted.then(|| Stub::new(name_servers, options, servers.is_empty()));
        let stub = stub.transpose().map_err(failed("[dns] servers"))?;
        let hickory = builder.build().map_err(failed("[dns] servers"))?;
        Ok(SystemResolver {
            hickory,
            stub,
            servers: asked,
        })
    }

    async fn look_up(&self, name: &str, kind: RecordKind) -> Result<Answer, AskError> {
        let not_a_name = |reported| AskError::NotAName { reported };
        let mut asked = Name::from_utf8(name).map_err(|e| not_a_name(e.to_string()))?;
        // A final dot: mail domains are absolute names, no search list applies (RFC 5321 §2.3.5).
        asked.set_fqdn(true);
        let kind = record_type(kind);
        if let Some(stub) = &self.stub
            && let Some(answered) = stub.ask(&asked, kind).await
        {
            return match answered {
                Ok((records, authentic)) => Ok(Answer {
                    records: records.iter().filter_map(record).collect(),
                    authentic,
                }),
                Err(error) => no_records(&error),
            };
        }
        match self.hickory.lookup(asked, kind).await {
            Ok(lookup) => Ok(Answer {
                records: lookup.answers().iter().filter_map(record).collect(),
                authentic: false,
            }),
            Err(error) => no_records(&error),
        }
    }

    async fn data(&self, name: &str, kind: RecordKind) -> Result<Vec<RecordData>, DnsError> {
        let records = self.look_up(name, kind).await;
        records
            .map(|answer| answer.records.into_iter().map(|r| r.data).collect())
            .map_err(|error| error.of(name, kind))
    }
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Ptr => RecordType::PTR,
        RecordKind::Soa => RecordType::SOA,
        RecordKind::Tlsa => RecordType::TLSA,
        RecordKind::Txt => RecordType::TXT,
    }
}

/// Records of other kinds (signatures) say nothing to us.
fn record(found: &hickory_proto::rr::Record) -> Option<Record> {
    let data = match &found.data {
        RData::A(a) => RecordData::A(a.0),
        RData::AAAA(aaaa) => RecordData::Aaaa(aaaa.0),
        RData::CNAME(name) => RecordData::Cname(host_name(&name.0)),
        RData::MX(mx) => RecordData::Mx(Mx {
            preference: mx.preference,
            exchange: host_name(&mx.exchange),
        }),
        RData::NS(name) => RecordData::Ns(host_name(&name.0)),
        RData::PTR(name) => RecordData::Ptr(host_name(&name.0)),
        RData::SOA(soa) => RecordData::Soa {
            server: host_name(&soa.mname),
            contact: host_name(&soa.rname),
        },
        RData::TLSA(tlsa) => RecordData::Tlsa(Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        }),
        RData::TXT(txt) => {
            let bytes: Vec<u8> = txt
                .txt_data
                .iter()
                .flat_map(|s| s.iter().copied())
                .collect();
            RecordData::Txt(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => return None,
    };
    Some(Record {
        name: host_name(&found.name),
        data,
    })
}

/// What an error of the library amounts to; that there are no records is an answer.
fn no_records(error: &NetError) -> Result<Answer, AskError> {
    if error.is_nx_domain() {
        Err(AskError::NoSuchName)
    } else if error.is_no_records_found() {
        Ok(Answer::default())
    } else {
        Err(AskError::Unanswered {
            how: unanswered(error),
            reported: error.to_string(),
        })
    }
}

fn unanswered(error: &NetError) -> Unanswered {
    match error {
        NetError::Timeout => Unanswered::TimedOut,
        NetError::Dns(HickoryError::ResponseCode(ResponseCode::ServFail)) => {
            Unanswered::ServerFailure
        }
        NetError::Dns(HickoryError::ResponseCode(ResponseCode::Refused)) => Unanswered::Refused,
        NetError::Io(_) | NetError::NoConnections => Unanswered::Unreachable,
        _ => Unanswered::Other,
    }
}

fn set_options(options: &mut ResolverOpts, system: bool) {
    options.timeout = TIMEOUT;
    options.attempts = 2;
    options.cache_size = 4096;
    if !system {
        options.use_hosts_file = ResolveHosts::Never;
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    // Answers "no such name" of the configured server are believed: it is the administrator's.
    NameServerConfig::new(
        address.ip(),
        true,
        vec![
            with_port(ConnectionConfig::udp()),
            with_port(ConnectionConfig::tcp()),
        ],
    )
}

fn host_name(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsError> {
        let answers = self.data(domain, RecordKind::Mx).await?;
        let exchanger = |data| match data {
            RecordData::Mx(mx) => Some(mx),
            _ => None,
        };
        Ok(answers.into_iter().filter_map(exchanger).collect())
    }

    async fn ask(&self, name: &str, kind: RecordKind) -> Result<Vec<Record>, AskError> {
        Ok(self.look_up(name, kind).await?.records)
    }

    fn authenticates(&self) -> bool {
        self.stub.is_some()
    }

    async fn answer(&self, name: &str, kind: RecordKind) -> Result<Answer, AskError> {
        self.look_up(name, kind).await
    }

    fn servers(&self) -> Vec<String> {
        self.servers.clone()
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        let v6 = self.data(host, RecordKind::Aaaa).await;
        let v4 = self.data(host, RecordKind::A).await;
        let found: Vec<IpAddr> = [&v6, &v4]
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(RecordData::address)
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // Trouble in either family outranks "does not exist" in the other: it may hide an address.
        match (v6, v4) {
            (Err(trouble @ DnsError::Temporary { .. }), _)
            | (_, Err(trouble @ DnsError::Temporary { .. }))
            | (Err(trouble), _)
            | (_, Err(trouble)) => Err(trouble),
            (Ok(_), Ok(_)) => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server that answers every question with one response code (RFC 1035 §4.1.1).
    fn server_that_says(code: u8) -> SocketAddr {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut packet) {
                packet[2] |= 0x80;
                packet[3] = packet[3] & 0xF0 | code;
                if socket.send_to(&packet[..length], client).is_err() {
                    break;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn the_kinds_of_no_answer_are_told_apart() {
        for (server, expected) in [
            (server_that_says(2), Unanswered::ServerFailure),
            (server_that_says(5), Unanswered::Refused),
        ] {
            let resolver = SystemResolver::new(&[server]).unwrap();
            let answer = resolver.ask("example.org", RecordKind::Txt).await;
            assert!(
                matches!(&answer, Err(AskError::Unanswered { how, .. }) if *how == expected),
                "{expected:?}: {answer:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_fails_is_trouble_and_not_a_missing_name() {
        let resolver = SystemResolver::new(&[server_that_says(2)]).unwrap();
        let answer = resolver.mx("example.org").await;
        assert!(
            matches!(answer, Err(DnsError::Temporary { .. })),
            "{answer:?}"
        );
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_said_not_to_exist() {
        let resolver = SystemResolver::new(&[server_that_says(3)]).unwrap();
        let missing = DnsError::NoSuchName {
            name: "example.org".into(),
        };
        assert_eq!(resolver.mx("example.org").await, Err(missing.clone()));
        assert_eq!(resolver.addresses("example.org").await, Err(missing));
    }

    #[tokio::test]
    async fn a_name_that_is_none_is_told_apart() {
        let resolver = SystemResolver::new(&["127.0.0.1:9".parse().unwrap()]).unwrap();
        let long = "a".repeat(64);
        let answer = resolver.mx(&long).await;
        assert!(
            matches!(answer, Err(DnsError::NotAName { .. })),
            "{answer:?}"
        );
    }
}
