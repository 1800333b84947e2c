//! STARTTLS and certificates, with real handshakes over a network within the process.

use std::sync::Arc;

use checks::{Demand, OwnListener};
use diagnosis::finding::{Bearing, Conclusion, Fact, Finding, Verdict};
use diagnosis::tls::Certificate;
use diagnosis::{Cause, Check, Remedy};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tls::{Connector, Identities, IdentityFiles, Roots};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use world::{Fault, Net, Stream, VirtualClock, World};

use crate::stage::{Stage, conclusions, find};

/// A server's certificate and how it behaves.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// The years in which it is valid.
    pub(crate) years: (i32, i32),
    pub(crate) self_signed: bool,
    pub(crate) starttls: &'static str,
    /// It offers TLS and speaks none.
    pub(crate) mute: bool,
}

pub(crate) const GOOD: Server = Server {
    name: "example.org",
    years: (2025, 2030),
    self_signed: false,
    starttls: "220 go",
    mute: false,
};

pub(crate) struct Place {
    pub(crate) stage: Stage,
    directory: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

fn world() -> World {
    World {
        clock: Arc::new(VirtualClock::new("2026-01-01T00:00:00Z".parse().unwrap())),
        ..World::real()
    }
}

impl Place {
    pub(crate) fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Each authority has a name of its own.
        let name = directory.path().display().to_string();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = directory.path().join("authority.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        let world = world();
        let roots = Roots::none().and_file(&*world.disk, &file).unwrap();
        let mut stage = Stage::new();
        stage.settings.connector = Some(Connector::new(&world, roots));
        stage.a("example.org", "192.0.2.1");
        Place {
            stage,
            directory,
            issuer: Issuer::new(params, key),
        }
    }

    /// Starts it; answers what its certificate says.
    pub(crate) async fn serve(&self, address: &str, server: Server) -> Certificate {
        let mut params = CertificateParams::new(vec![server.name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let common_name = rcgen::DnType::CommonName;
        params.distinguished_name.push(common_name, server.name);
        params.not_before = date_time_ymd(server.years.0, 1, 1);
        params.not_after = date_time_ymd(server.years.1, 1, 10);
        let key = KeyPair::generate().unwrap();
        let certificate = match server.self_signed {
            true => params.self_signed(&key).unwrap(),
            false => params.signed_by(&key, &self.issuer).unwrap(),
        };
        let file = self.directory.path().join(address.replace([':', '.'], "-"));
        std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
        let files = vec![IdentityFiles {
            certificate: file.clone(),
            key: file,
        }];
        let (identities, _) = Identities::load(&world(), files).unwrap();
        let listener = self
            .stage
            .net
            .listen(address.parse().unwrap())
            .await
            .unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, identities.clone(), server));
            }
        });
        tls::describe(certificate.der()).unwrap()
    }

    async fn examine(&self) -> Vec<Finding> {
        self.stage.examine("example.org", None).await
    }

    async fn with(server: Server) -> Vec<Finding> {
        let place = Place::new();
        place.serve("192.0.2.1:25", server).await;
        place.examine().await
    }
}

async fn talk(stream: Stream, identities: Identities, server: Server) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mx ESMTP\r\n").await.ok()?;
    let mut tls = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer = match line.get(..4)? {
            "EHLO" if tls => "250-mx\r\n250 SIZE 77",
            "EHLO" => "250-mx\r\n250-SIZE 1000\r\n250 STARTTLS",
            "STAR" => server.starttls,
            _ => "250 ok",
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.write_all(b"\r\n").await.ok()?;
        if line.starts_with("STAR") && answer.starts_with("220") {
            let mut plain = stream.into_inner();
            if server.mute {
                plain.write_all(b"what?\r\n").await.ok()?;
                return None;
            }
            let (secured, _) = identities.acceptor().accept(plain).await.ok()?;
            stream = BufReader::new(secured);
            tls = true;
        }
    }
}

#[tokio::test]
async fn a_good_certificate_is_told_with_its_time_and_evidence_and_what_holds_under_tls_counts() {
    let findings = Place::with(GOOD).await;
    let good = find(&findings, Conclusion::CertificateGood);
    assert_eq!(good.object.as_deref(), Some("2030-01-10T00:00:00Z"));
    assert_eq!(good.bearing, Some(Bearing::RulesOut(Cause::TlsCertificate)));
    let works = find(&findings, Conclusion::TlsWorks);
    let Fact::Secured(session) = &works.facts[0] else {
        panic!("{works:?}");
    };
    assert_eq!(session.certificate.as_ref().unwrap().names, ["example.org"]);
    assert!(
        works
            .object
            .as_deref()
            .unwrap()
            .starts_with("TLSv1.3, TLS_")
    );
    // What was announced in the clear is forgotten (RFC 3207 §4.2).
    let size = find(&findings, Conclusion::SizeAnnounced);
    assert_eq!(size.object.as_deref(), Some("77"));
    assert!(find(&findings, Conclusion::TlsAnnounced).verdict == Verdict::Fine);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_certificate_is_told_apart() {
    for (server, expected) in [
        (
            Server {
                years: (2020, 2025),
                ..GOOD
            },
            &[Conclusion::CertificateExpired][..],
        ),
        (
            Server {
                years: (2027, 2030),
                ..GOOD
            },
            &[Conclusion::CertificateNotYetValid],
        ),
        (
            Server {
                years: (2025, 2026),
                ..GOOD
            },
            &[Conclusion::CertificateEndsSoon],
        ),
        (
            Server {
                name: "else.example",
                ..GOOD
            },
            &[Conclusion::CertificateOtherName],
        ),
        (
            Server {
                self_signed: true,
                ..GOOD
            },
            &[Conclusion::CertificateSelfSigned],
        ),
        (
            Server {
                self_signed: true,
                name: "else.example",
                ..GOOD
            },
            &[
                Conclusion::CertificateSelfSigned,
                Conclusion::CertificateOtherName,
            ],
        ),
    ] {
        let findings = Place::with(server).await;
        for conclusion in expected {
            let finding = find(&findings, *conclusion);
            assert_eq!(finding.verdict, Verdict::Warning, "{finding:?}");
        }
        assert!(!conclusions(&findings).contains(&"certificate-good"));
        find(&findings, Conclusion::TlsWorks);
    }
    let place = Place::new();
    let other = Place::new();
    // An authority that this machine does not know.
    other.serve("192.0.2.9:25", GOOD).await;
    let listener = place
        .stage
        .net
        .listen("192.0.2.1:25".parse().unwrap())
        .await
        .unwrap();
    let far = Arc::clone(&other.stage.net);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let to = world::Peer::Tcp("192.0.2.9:25".parse().unwrap());
            let mut far = far.connect(&to).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    find(&place.examine().await, Conclusion::CertificateUnknownIssuer);
}

#[tokio::test]
async fn encryption_that_does_not_come_about_is_a_problem_only_where_it_is_demanded() {
    for (server, conclusion) in [
        (
            Server {
                starttls: "454 4.7.0 no key",
                ..GOOD
            },
            Conclusion::TlsRefused,
        ),
        (Server { mute: true, ..GOOD }, Conclusion::TlsHandshakeFails),
    ] {
        for (demand, verdict) in [
            (Demand::Nothing, Verdict::Warning),
            (Demand::Encryption, Verdict::Problem),
        ] {
            let mut place = Place::new();
            let demands = &mut place.stage.settings.demands.by_domain;
            demands.insert("example.org".to_owned(), demand);
            place.serve("192.0.2.1:25", server).await;
            let findings = place.examine().await;
            let finding = find(&findings, conclusion);
            assert_eq!(finding.verdict, verdict);
            assert_eq!(finding.bearing, Some(Bearing::Supports(Cause::TlsFailed)));
            find(&findings, Conclusion::ServerAnswers);
            // The rest is asked in the clear.
            find(&findings, Conclusion::LargeGetsThrough);
        }
    }
}

#[tokio::test]
async fn our_own_listeners_are_looked_at_where_the_domain_is_ours() {
    let mut place = Place::new();
    place.stage.mx("ours.example", &[(10, "mx.ours.example")]);
    place.stage.a("mx.ours.example", "192.0.2.1");
    place.stage.settings.own_listeners = vec![OwnListener {
        address: "192.0.2.7:25".parse().unwrap(),
        implicit: false,
        for_servers: true,
    }];
    place
        .serve(
            "192.0.2.7:25",
            Server {
                name: "other.example",
                ..GOOD
            },
        )
        .await;
    let findings = place.stage.examine("ours.example", None).await;
    let ours = |f: &&Finding| f.subject == "mx.ours.example [192.0.2.7:25, ours]";
    assert!(findings.iter().find(ours).is_none(), "it is not ours yet");
    place
        .stage
        .settings
        .own_domains
        .insert("ours.example".to_owned());
    let findings = place.stage.examine("ours.example", None).await;
    let named = find(&findings, Conclusion::CertificateOtherName);
    assert!(ours(&named), "{named:?}");
    assert_eq!(named.remedies, [Remedy::RenewCertificate]);
    assert_eq!((named.bearing, named.check), (None, Check::StartTls));
}

#[tokio::test(start_paused = true)]
async fn a_way_that_loses_large_packets_is_told_from_one_that_does_not() {
    for (fault, conclusion) in [
        (None, Conclusion::LargeGetsThrough),
        (Some(Fault::LosesLarger(1200)), Conclusion::LargeGetsLost),
    ] {
        let stage = Stage::new();
        stage.a("example.org", "192.0.2.1");
        stage.server("192.0.2.1", &[]).await;
        stage.net.set_fault("192.0.2.1:25".parse().unwrap(), fault);
        let findings = stage.examine("example.org", None).await;
        find(&findings, Conclusion::ServerAnswers);
        let finding = find(&findings, conclusion);
        assert_eq!(finding.object.as_deref(), Some("1465"));
        let lost = conclusion == Conclusion::LargeGetsLost;
        assert_eq!(finding.remedies.contains(&Remedy::MendPathMtu), lost);
    }
}
