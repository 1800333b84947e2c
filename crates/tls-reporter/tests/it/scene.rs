//! A relay that counts, a DNS, a queue that takes mail, and a web server that takes reports.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diagnosis::tls_policy::{Applied, AppliedPolicy, ResultType, Server, Shortfall, StsFacts};
use dns::{AskError, RecordData, RecordKind, TableResolver, Unanswered};
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::{StoreError, TlsLedger};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use store_sqlite::SqliteTlsLedger;
use tempfile::TempDir;
use tls::{Acceptor, Connector, Identities, IdentityFiles, Roots};
use tls_reporter::{Outbox, OutboxError, Outgoing, Reporter, Settings, Tally};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{RealDisk, SeededRandom, SimNet, Stream, VirtualClock, World};

pub(crate) const DOMAIN: &str = "dest.example";
pub(crate) const RECORD: &str = "_smtp._tls.dest.example";

/// A queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) mails: Mutex<Vec<Outgoing>>,
    /// It answers so.
    pub(crate) full: Mutex<bool>,
}

#[async_trait]
impl Outbox for Queue {
    async fn hand_in(&self, mail: Outgoing) -> Result<(), OutboxError> {
        if *self.full.lock() {
            return Err(OutboxError::Store(StoreError::Full {
                path: "queue.db".into(),
                reported: "no space".into(),
            }));
        }
        if mail.to.starts_with("nobody") {
            return Err(OutboxError::Never("no address".into()));
        }
        let mut mails = self.mails.lock();
        if mails.iter().all(|known| known.id != mail.id) {
            mails.push(mail);
        }
        Ok(())
    }
}

/// What the web server was given: head and body.
pub(crate) type Posted = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) dns: Arc<TableResolver>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) posted: Posted,
    /// What the web server answers.
    pub(crate) status: Arc<Mutex<u16>>,
    dir: TempDir,
}

/// A relay, running.
pub(crate) struct Running {
    pub(crate) tally: Arc<Tally>,
    pub(crate) reporter: Arc<Reporter>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// It ends without a word.
    pub(crate) fn crash(self) {
        self.task.abort();
    }
}

impl Scene {
    pub(crate) async fn new(start: &str) -> Scene {
        let net = Arc::new(SimNet::default());
        let world = World {
            clock: Arc::new(VirtualClock::new(start.parse().unwrap())),
            random: Arc::new(SeededRandom::new(1)),
            net,
            disk: Arc::new(RealDisk),
            host: Arc::new(world::RealHost),
        };
        let dir = TempDir::new().unwrap();
        let dns = Arc::new(TableResolver::default());
        let at: SocketAddr = "192.0.2.80:443".parse().unwrap();
        dns.set_addresses("web.dest.example", Ok(vec![at.ip()]));
        let posted = Posted::default();
        let status = Arc::new(Mutex::new(201));
        let listener = world.net.listen(at).await.unwrap();
        let (acceptor, heard, says) =
            (acceptor(&world, dir.path()), posted.clone(), status.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok((stream, _)) = acceptor.accept(stream).await {
                    let status = *says.lock();
                    tokio::spawn(take(stream, status, heard.clone()));
                }
            }
        });
        Scene {
            world,
            dns,
            queue: Arc::default(),
            posted,
            status,
            dir,
        }
    }

    pub(crate) fn ledger(&self) -> SqliteTlsLedger {
        SqliteTlsLedger::open(self.dir.path()).unwrap()
    }

    pub(crate) fn run(&self) -> Running {
        let tally = Arc::new(Tally::new(self.world.clock.clone()));
        let settings = Settings {
            organization: "Our Relay".into(),
            contact: "postmaster@relay.example".into(),
            from: "tlsrpt@relay.example".into(),
        };
        let connector = Connector::new(&self.world, Roots::none());
        let reporter = Reporter::new(
            settings,
            (self.world.clone(), self.dns.clone(), connector),
            Arc::new(self.ledger()),
            self.queue.clone(),
            tally.clone(),
        );
        let reporter = Arc::new(reporter);
        let running = reporter.clone();
        let task = tokio::spawn(async move { running.run().await });
        Running {
            tally,
            reporter,
            task,
        }
    }

    pub(crate) fn wants(&self, rua: &str) {
        let text = RecordData::Txt(format!("v=TLSRPTv1; rua={rua}"));
        self.dns.set(RECORD, RecordKind::Txt, Ok(vec![text]));
    }

    pub(crate) fn dns_is_down(&self) {
        let down = AskError::Unanswered {
            how: Unanswered::ServerFailure,
            reported: "SERVFAIL".into(),
        };
        self.dns.set(RECORD, RecordKind::Txt, Err(down));
    }

    pub(crate) async fn until(&self, time: &str) {
        let time: Timestamp = time.parse().unwrap();
        let left = time.duration_since(self.world.clock.now());
        tokio::time::sleep(Duration::try_from(left).unwrap()).await;
    }

    pub(crate) async fn gathered(&self) -> usize {
        self.ledger().all().await.unwrap().len()
    }
}

pub(crate) fn session(failed: bool) -> Applied {
    Applied {
        domain: DOMAIN.into(),
        policy: AppliedPolicy::Sts(StsFacts {
            id: "1".into(),
            lines: vec!["version: STSv1".into(), "mode: enforce".into()],
            mx: vec!["mx.dest.example".into()],
        }),
        server: Some(Server {
            host: "mx.dest.example".into(),
            address: "192.0.2.1:25".into(),
            from: Some("192.0.2.99".into()),
        }),
        outcome: match failed {
            false => Ok(()),
            true => Err(Shortfall {
                result: ResultType::CertificateExpired,
                reason: "it expired".into(),
            }),
        },
    }
}

async fn take(mut stream: Stream, status: u16, posted: Posted) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    posted.lock().push((head, body));
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

/// With a certificate that nobody vouches for.
fn acceptor(world: &World, dir: &Path) -> Acceptor {
    let mut params = CertificateParams::new(vec!["web.dest.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    let key = KeyPair::generate().unwrap();
    let files = IdentityFiles {
        certificate: dir.join("web.pem"),
        key: dir.join("web.key"),
    };
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    Identities::load(world, vec![files]).unwrap().0.acceptor()
}
