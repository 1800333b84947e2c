use diagnosis::facts::BreakKind;
use diagnosis::tls::{CertificateProblem, TlsFailure, TlsSession, Trust};
use tempfile::TempDir;
use tls::{Connector, Identities, IdentityFiles, Roots, ServerSession, Verify};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Stream, World};

use crate::authority::{Authority, files, self_signed, world};

const HOST: &str = "mx.example.org";

struct Scene {
    dir: TempDir,
    world: World,
    authority: Authority,
    identities: Vec<IdentityFiles>,
}

type Met = (
    Result<(Stream, TlsSession), TlsFailure>,
    Result<(Stream, ServerSession), TlsFailure>,
);

impl Scene {
    fn new() -> Scene {
        Scene {
            dir: TempDir::new().unwrap(),
            world: world(),
            authority: Authority::new(),
            identities: Vec::new(),
        }
    }

    fn server(&mut self, pair: &(String, String)) {
        let stem = format!("server{}", self.identities.len());
        self.identities.push(files(self.dir.path(), &stem, pair));
    }

    async fn meet(&self, host: &str, verify: Verify) -> Met {
        let (identities, _) = Identities::load(&self.world, self.identities.clone()).unwrap();
        let roots = Roots::none();
        let file = self.authority.write(self.dir.path());
        let roots = roots.and_file(&*self.world.disk, &file).unwrap();
        let connector = Connector::new(&self.world, roots);
        let (near, far) = tokio::io::duplex(64 * 1024);
        let acceptor = identities.acceptor();
        tokio::join!(
            connector.connect(Stream::Memory(near), host, verify),
            acceptor.accept(Stream::Memory(far)),
        )
    }

    /// What is wrong with a server that shows this, for a client that asks authorities for `HOST`.
    async fn problem_of(&mut self, pair: &(String, String)) -> CertificateProblem {
        self.identities.clear();
        self.server(pair);
        let verify = Verify::Authority(vec![HOST.to_owned()]);
        match self.meet(HOST, verify).await.0 {
            Err(TlsFailure::Certificate { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_verified_session_carries_bytes_both_ways_and_tells_what_it_is() {
    let mut scene = Scene::new();
    let pair = scene.authority.issue(HOST, 2026, 2027);
    scene.server(&pair);
    let verify = Verify::Authority(vec![HOST.to_owned()]);
    let (client, server) = scene.meet(HOST, verify).await;
    let ((mut client, facts), (mut server, served)) = (client.unwrap(), server.unwrap());
    assert_eq!(facts.protocol, "TLSv1.3");
    assert!(facts.cipher.starts_with("TLS_"), "{}", facts.cipher);
    assert_eq!(facts.trust, Trust::Authority { name: HOST.into() });
    let certificate = facts.certificate.unwrap();
    assert_eq!(certificate.names, [HOST]);
    assert_eq!(certificate.issuer, "CN=Test Authority");
    assert_eq!(certificate.not_after, "2027-01-01T00:00:00Z");
    assert_eq!(served.server_name.as_deref(), Some(HOST));
    assert_eq!(
        (served.protocol, served.cipher),
        (facts.protocol, facts.cipher)
    );

    let talk = async {
        client.write_all(b"EHLO a\r\n").await.unwrap();
        client.flush().await.unwrap();
        let mut answer = [0; 5];
        client.read_exact(&mut answer).await.unwrap();
        client.shutdown().await.unwrap();
        answer
    };
    let listen = async {
        let mut got = [0; 8];
        server.read_exact(&mut got).await.unwrap();
        server.write_all(b"250 a").await.unwrap();
        server.flush().await.unwrap();
        let end = server.read(&mut [0]).await.unwrap();
        (got, end)
    };
    let (answer, (got, end)) = tokio::join!(talk, listen);
    assert_eq!((&answer, &got, end), (b"250 a", b"EHLO a\r\n", 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_certificate_is_told_apart() {
    let mut scene = Scene::new();
    let expired = scene.authority.issue(HOST, 2024, 2025);
    assert_eq!(
        scene.problem_of(&expired).await,
        CertificateProblem::Expired {
            since: "2025-01-01T00:00:00Z".into()
        }
    );
    let early = scene.authority.issue(HOST, 2030, 2031);
    assert_eq!(
        scene.problem_of(&early).await,
        CertificateProblem::NotYetValid {
            from: "2030-01-01T00:00:00Z".into()
        }
    );
    let other = scene.authority.issue("other.example.org", 2026, 2027);
    assert_eq!(
        scene.problem_of(&other).await,
        CertificateProblem::NameMismatch {
            wanted: vec![HOST.into()],
            names: vec!["other.example.org".into()],
        }
    );
    assert_eq!(
        scene.problem_of(&self_signed(HOST)).await,
        CertificateProblem::SelfSigned
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_authority_is_named() {
    let mut scene = Scene::new();
    let stranger = Authority::new().issue(HOST, 2026, 2027);
    // Both authorities have the same name, and other keys.
    let problem = scene.problem_of(&stranger).await;
    assert!(
        matches!(
            &problem,
            CertificateProblem::UnknownIssuer { .. } | CertificateProblem::BadSignature
        ),
        "{problem:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_opportunistic_session_takes_any_certificate_and_tells_what_a_check_would_find() {
    let mut scene = Scene::new();
    scene.server(&self_signed("other.example.org"));
    let (client, _) = scene.meet(HOST, Verify::Opportunistic).await;
    let problem = Some(CertificateProblem::SelfSigned);
    assert_eq!(client.unwrap().1.trust, Trust::Opportunistic { problem });

    scene.identities.clear();
    let good = scene.authority.issue(HOST, 2026, 2027);
    scene.server(&good);
    let (client, _) = scene.meet(HOST, Verify::Opportunistic).await;
    let problem = None;
    assert_eq!(client.unwrap().1.trust, Trust::Opportunistic { problem });
}

#[tokio::test(start_paused = true)]
async fn a_fingerprint_holds_for_the_certificate_or_its_key_and_nothing_else() {
    let mut scene = Scene::new();
    scene.server(&self_signed(HOST));
    let (client, _) = scene.meet(HOST, Verify::Opportunistic).await;
    let certificate = client.unwrap().1.certificate.unwrap();
    for sha256 in [certificate.sha256, certificate.key_sha256.to_uppercase()] {
        let verify = Verify::Fingerprint(vec!["00".into(), sha256.clone()]);
        let (client, _) = scene.meet(HOST, verify).await;
        assert_eq!(client.unwrap().1.trust, Trust::Fingerprint { sha256 });
    }
    let wanted = vec!["ab".repeat(32)];
    let (client, _) = scene.meet(HOST, Verify::Fingerprint(wanted.clone())).await;
    let failure = client.unwrap_err();
    assert!(
        matches!(&failure, TlsFailure::Certificate {
            problem: CertificateProblem::WrongFingerprint { wanted: told },
            certificate: Some(_),
        } if *told == wanted),
        "{failure:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_name_that_the_client_asks_for_chooses_the_certificate() {
    let mut scene = Scene::new();
    for name in ["first.example", "mx.example.org", "*.wild.example"] {
        let pair = scene.authority.issue(name, 2026, 2027);
        scene.server(&pair);
    }
    for (asked, shown) in [
        ("mx.example.org", "mx.example.org"),
        ("MX.example.ORG", "mx.example.org"),
        ("a.wild.example", "*.wild.example"),
        ("a.b.wild.example", "first.example"),
        ("unknown.example", "first.example"),
        ("192.0.2.1", "first.example"),
    ] {
        let (client, _) = scene.meet(asked, Verify::Opportunistic).await;
        let certificate = client.unwrap().1.certificate.unwrap();
        assert_eq!(certificate.names, [shown], "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_hears_why_its_certificate_is_not_taken() {
    let mut scene = Scene::new();
    scene.server(&self_signed(HOST));
    let (_, server) = scene
        .meet(HOST, Verify::Authority(vec![HOST.to_owned()]))
        .await;
    let alert = "unknown_ca".to_owned();
    assert_eq!(server.unwrap_err(), TlsFailure::Alert { alert });
}

#[tokio::test(start_paused = true)]
async fn plain_text_and_a_closed_connection_are_told_apart_from_tls() {
    let scene = Scene::new();
    let connector = Connector::new(&scene.world, Roots::none());
    let (near, mut far) = tokio::io::duplex(4096);
    far.write_all(b"454 4.7.0 TLS not available\r\n")
        .await
        .unwrap();
    let met = connector.connect(Stream::Memory(near), HOST, Verify::Opportunistic);
    let failure = met.await.unwrap_err();
    assert!(matches!(failure, TlsFailure::NotTls { .. }), "{failure:?}");

    let (near, far) = tokio::io::duplex(4096);
    drop(far);
    let met = connector.connect(Stream::Memory(near), HOST, Verify::Opportunistic);
    let failure = met.await.unwrap_err();
    assert!(
        matches!(
            failure,
            TlsFailure::Broke(BreakKind::Closed | BreakKind::Reset)
        ),
        "{failure:?}"
    );
}
