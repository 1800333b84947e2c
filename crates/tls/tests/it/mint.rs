//! Certificates that we make ourselves.

use std::sync::Arc;
use std::time::Duration;

use diagnosis::tls::{CertificateProblem, TlsFailure, Trust};
use tempfile::TempDir;
use tls::{Acceptor, Authority, Connector, Minted, Roots, Terms, Validity, Verify, Versions};
use world::{Stream, World};

use crate::authority::world;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn names() -> Vec<String> {
    vec!["mx.example.org".to_owned(), "127.0.0.1".to_owned()]
}

/// Valid for a month around now.
fn now(world: &World) -> Validity {
    let now = world.clock.now();
    Validity {
        from: now.checked_sub(15 * DAY).unwrap(),
        until: now.checked_add(15 * DAY).unwrap(),
    }
}

/// What a client that trusts the authority finds, and the server's protocol.
async fn meet(
    world: &World,
    authority: &Authority,
    shown: &Minted,
    versions: Versions,
) -> (Result<Trust, TlsFailure>, Option<String>) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let roots = Roots::none().and_file(&*world.disk, &file).unwrap();
    let terms = Terms {
        versions,
        ask_client: true,
    };
    let clock = Arc::clone(&world.clock);
    let acceptor = Acceptor::with(&shown.shown().unwrap(), clock, terms).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let verify = Verify::Authority(vec!["mx.example.org".to_owned()]);
    let connector = Connector::new(world, roots);
    let (client, server) = tokio::join!(
        connector.connect(Stream::Memory(near), "mx.example.org", verify),
        acceptor.accept(Stream::Memory(far)),
    );
    let server = server.ok().map(|(_, session)| session.protocol);
    (client.map(|(_, session)| session.trust), server)
}

#[tokio::test]
async fn who_trusts_the_authority_trusts_what_it_issued_and_nothing_else() {
    let world = world();
    let authority = Authority::new("Ours", now(&world)).unwrap();
    let good = authority.issue(&names(), now(&world)).unwrap();
    let (trust, protocol) = meet(&world, &authority, &good, Versions::Only12).await;
    let name = "mx.example.org".to_owned();
    assert_eq!(trust.unwrap(), Trust::Authority { name });
    assert_eq!(protocol.as_deref(), Some("TLSv1.2"));

    let alone = Minted::self_signed(&names(), now(&world)).unwrap();
    let (trust, _) = meet(&world, &authority, &alone, Versions::Both).await;
    let problem = CertificateProblem::SelfSigned;
    assert!(matches!(trust, Err(TlsFailure::Certificate { problem: p, .. }) if p == problem));

    let over = Validity {
        until: world.clock.now().checked_sub(2 * DAY).unwrap(),
        ..now(&world)
    };
    let expired = authority.issue(&names(), over).unwrap();
    let (trust, _) = meet(&world, &authority, &expired, Versions::Both).await;
    assert!(matches!(
        trust,
        Err(TlsFailure::Certificate {
            problem: CertificateProblem::Expired { .. },
            ..
        })
    ));
}

#[test]
fn a_name_that_is_none_is_told() {
    let world = world();
    let error = Minted::self_signed(&["caf\u{e9}.example".to_owned()], now(&world)).unwrap_err();
    assert!(error.to_string().contains("caf\u{e9}.example"), "{error}");
}
