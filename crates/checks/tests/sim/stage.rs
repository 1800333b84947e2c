//! A world with a DNS and servers that say what they are told.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use checks::{BlockList, Checker, Listed, Request, Sender, Settings, Subject};
use diagnosis::finding::{Conclusion, Finding};
use dns::{AskError, Mx, RecordData, RecordKind, TableResolver, Unanswered};
use queue::route::Routes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Net, RealDisk, SeededRandom, SimHost, SimNet, VirtualClock, World};

pub(crate) const OURS: &str = "203.0.113.7";

pub(crate) struct Stage {
    pub(crate) dns: Arc<TableResolver>,
    pub(crate) net: Arc<SimNet>,
    pub(crate) settings: Settings,
}

pub(crate) fn unanswered(how: Unanswered) -> AskError {
    AskError::Unanswered {
        how,
        reported: "told so".into(),
    }
}

impl Stage {
    /// A relay at 203.0.113.7 called relay.example, with everything about it in order.
    pub(crate) fn new() -> Stage {
        let stage = Stage {
            dns: Arc::new(TableResolver::default()),
            net: Arc::new(SimNet::default()),
            settings: Settings {
                hostname: "relay.example".into(),
                ..Settings::default()
            },
        };
        stage.net.add_source(OURS.parse().unwrap());
        stage.a("relay.example", OURS);
        stage.ptr(OURS, "relay.example");
        stage
    }

    pub(crate) fn mx(&self, domain: &str, records: &[(u16, &str)]) {
        let record = |(preference, exchange): &(u16, &str)| {
            RecordData::Mx(Mx {
                preference: *preference,
                exchange: (*exchange).to_owned(),
            })
        };
        let records = records.iter().map(record).collect();
        self.dns.set(domain, RecordKind::Mx, Ok(records));
    }

    pub(crate) fn a(&self, name: &str, address: &str) {
        let (kind, data) = match address.parse().unwrap() {
            IpAddr::V4(v4) => (RecordKind::A, RecordData::A(v4)),
            IpAddr::V6(v6) => (RecordKind::Aaaa, RecordData::Aaaa(v6)),
        };
        self.dns.set(name, kind, Ok(vec![data]));
    }

    pub(crate) fn ptr(&self, address: &str, name: &str) {
        let data = RecordData::Ptr(name.to_owned());
        let reverse = dns::reverse_name(address.parse().unwrap());
        self.dns.set(&reverse, RecordKind::Ptr, Ok(vec![data]));
    }

    pub(crate) fn cname(&self, name: &str, target: &str) {
        let data = RecordData::Cname(target.to_owned());
        self.dns.set(name, RecordKind::Cname, Ok(vec![data]));
    }

    pub(crate) fn txt(&self, name: &str, texts: &[&str]) {
        let data = texts.iter().map(|t| RecordData::Txt((*t).to_owned()));
        self.dns.set(name, RecordKind::Txt, Ok(data.collect()));
    }

    pub(crate) fn fails(&self, name: &str, kind: RecordKind, how: Unanswered) {
        self.dns.set(name, kind, Err(unanswered(how)));
    }

    pub(crate) fn lists(&mut self, zones: &[(&str, Listed)]) {
        let list = |(zone, of): &(&str, Listed)| BlockList {
            zone: (*zone).to_owned(),
            of: *of,
        };
        self.settings.block_lists = zones.iter().map(list).collect();
    }

    pub(crate) fn route(&mut self, domain: &str, hop: &str) {
        let mut routes = Routes::default();
        routes.insert(domain, hop.parse().unwrap());
        self.settings.routes = Arc::new(routes);
    }

    pub(crate) fn checker(&self) -> Checker {
        let world = World {
            clock: Arc::new(VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap())),
            random: Arc::new(SeededRandom::new(1)),
            net: self.net.clone(),
            disk: Arc::new(RealDisk),
            host: Arc::new(SimHost::default()),
        };
        Checker::new(world, self.dns.clone(), self.settings.clone())
    }

    pub(crate) async fn examine(&self, subject: &str, sender: Option<&str>) -> Vec<Finding> {
        let sender = sender.map(|text| {
            Sender::of(&Subject::parse(text).unwrap(), vec!["s1".into()], true).unwrap()
        });
        self.checker().examine(&request(subject, sender)).await
    }

    /// A server that answers each line by the first rule whose prefix it has; `220` and `250`
    /// otherwise. A rule for the empty prefix is the greeting; `!` closes, `…` says nothing.
    pub(crate) async fn server(&self, address: &str, rules: &'static [(&str, &str)]) {
        let address: SocketAddr = format!("{address}:25").parse().unwrap();
        let listener = self.net.listen(address).await.unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, rules));
            }
        });
    }
}

pub(crate) fn request(subject: &str, sender: Option<Sender>) -> Request {
    Request {
        subject: Subject::parse(subject).unwrap(),
        sender,
        probe: false,
        message_size: None,
        header: Vec::new(),
    }
}

async fn serve(mut stream: world::Stream, rules: &[(&str, &str)]) {
    let answer = |line: &str| {
        let mut fitting = rules.iter().filter(|(prefix, _)| match prefix.is_empty() {
            true => line.is_empty(),
            false => line.starts_with(prefix),
        });
        let usual = if line.is_empty() {
            "220 mx ESMTP"
        } else {
            "250 ok"
        };
        fitting.next().map_or(usual, |(_, answer)| *answer)
    };
    let mut line = String::new();
    loop {
        match answer(&line) {
            "!" => return,
            "…" => tokio::time::sleep(Duration::from_secs(86_400)).await,
            text => {
                if stream
                    .write_all(format!("{text}\r\n").as_bytes())
                    .await
                    .is_err()
                {
                    return;
                }
            }
        }
        line.clear();
        loop {
            match stream.read_u8().await {
                Ok(b'\n') => break,
                Ok(b'\r') => {}
                Ok(byte) => line.push(char::from(byte)),
                Err(_) => return,
            }
        }
    }
}

pub(crate) fn conclusions(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|f| f.conclusion.id()).collect()
}

pub(crate) fn find(findings: &[Finding], conclusion: Conclusion) -> &Finding {
    let found = findings.iter().find(|f| f.conclusion == conclusion);
    match found {
        Some(finding) => finding,
        None => panic!(
            "{} is not among {:?}",
            conclusion.id(),
            conclusions(findings)
        ),
    }
}
