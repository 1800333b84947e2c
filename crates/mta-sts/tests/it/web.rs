//! A web server of policies, over TLS, in a simulated network.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dns::{RecordData, RecordKind, TableResolver};
use mta_sts::{Fetcher, Keeper};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tls::{Connector, Identities, IdentityFiles, Roots};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{RealDisk, SeededRandom, SimNet, Stream, VirtualClock, World};

pub(crate) const DOMAIN: &str = "example.org";

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Says this.
    Say(String),
    /// Says nothing.
    Hang,
    /// Closes the connection.
    Close,
}

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) dns: Arc<TableResolver>,
    pub(crate) reply: Arc<Mutex<Reply>>,
    /// The heads of requests.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) dir: TempDir,
    roots: Roots,
}

fn at() -> SocketAddr {
    "192.0.2.80:443".parse().unwrap()
}

/// An answer of HTTP with this policy.
pub(crate) fn page(policy: &str) -> Reply {
    Reply::Say(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{policy}",
        policy.len()
    ))
}

pub(crate) fn policy(mode: &str, mx: &str, max_age: u32) -> String {
    format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}\n")
}

impl Scene {
    /// The server has a certificate for this name.
    pub(crate) async fn new(name: &str) -> Scene {
        let start = "2026-06-01T00:00:00Z".parse().unwrap();
        let net = Arc::new(SimNet::default());
        let world = World {
            clock: Arc::new(VirtualClock::new(start)),
            random: Arc::new(SeededRandom::new(1)),
            net: net.clone(),
            disk: Arc::new(RealDisk),
            host: Arc::new(world::RealHost),
        };
        let dir = TempDir::new().unwrap();
        let (roots, identities) = identity(&world, dir.path(), name);
        let reply = Arc::new(Mutex::new(Reply::Close));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = world.net.listen(at()).await.unwrap();
        let (acceptor, told, heard) = (identities.acceptor(), reply.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok((stream, _)) = acceptor.accept(stream).await else {
                    continue;
                };
                let reply = told.lock().clone();
                tokio::spawn(answer(stream, reply, heard.clone()));
            }
        });
        let dns = Arc::new(TableResolver::default());
        dns.set_addresses("mta-sts.example.org", Ok(vec![at().ip()]));
        Scene {
            world,
            dns,
            reply,
            asked,
            dir,
            roots,
        }
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        Fetcher {
            world: self.world.clone(),
            resolver: self.dns.clone(),
            connector: Connector::new(&self.world, self.roots.clone()),
            port: 443,
        }
    }

    /// A keeper with the same disk.
    pub(crate) fn keeper(&self) -> Keeper {
        Keeper::open(self.fetcher(), self.dir.path().join("mta-sts")).unwrap()
    }

    pub(crate) fn announce(&self, id: &str) {
        let text = RecordData::Txt(format!("v=STSv1; id={id};"));
        self.dns
            .set("_mta-sts.example.org", RecordKind::Txt, Ok(vec![text]));
    }

    pub(crate) fn publish(&self, id: &str, policy: &str) {
        self.announce(id);
        *self.reply.lock() = page(policy);
    }

    pub(crate) fn requests(&self) -> usize {
        self.asked.lock().len()
    }
}

async fn answer(mut stream: Stream, reply: Reply, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    asked.lock().push(String::from_utf8(head).unwrap());
    match reply {
        Reply::Say(text) => {
            // A client that has heard enough closes.
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.flush().await;
        }
        Reply::Hang => tokio::time::sleep(Duration::from_secs(3600)).await,
        Reply::Close => {}
    }
}

fn identity(world: &World, dir: &Path, name: &str) -> (Roots, Identities) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = dir.join("root.pem");
    std::fs::write(&root, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2028, 1, 1);
    let key = KeyPair::generate().unwrap();
    let files = IdentityFiles {
        certificate: dir.join("web.pem"),
        key: dir.join("web.key"),
    };
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    let roots = Roots::none().and_file(&*world.disk, &root).unwrap();
    (roots, Identities::load(world, vec![files]).unwrap().0)
}
