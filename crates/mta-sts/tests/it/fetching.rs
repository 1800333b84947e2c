//! Fetching a policy (RFC 8461 §3.3).

use diagnosis::tls::{CertificateProblem, TlsFailure};
use diagnosis::tls_policy::ResultType;
use mta_sts::{Mode, NoAnswer, Trouble};

use crate::web::{DOMAIN, Reply, Scene, page, policy};

const HOST: &str = "mta-sts.example.org";

async fn trouble(scene: &Scene, reply: Reply) -> Trouble {
    *scene.reply.lock() = reply;
    scene.fetcher().fetch(DOMAIN).await.unwrap_err()
}

fn says(status: &str, headers: &str) -> Reply {
    let body = policy("enforce", "mx.example.org", 600);
    Reply::Say(format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_fetched_from_its_place_over_tls() {
    let scene = Scene::new(HOST).await;
    *scene.reply.lock() = page(&policy("enforce", "mx.example.org", 600));
    let policy = scene.fetcher().fetch(DOMAIN).await.unwrap();
    assert_eq!(policy.mode, Mode::Enforce);
    let asked = scene.asked.lock()[0].clone();
    assert!(
        asked.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(asked.contains("host: mta-sts.example.org\r\n"), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn redirects_are_not_followed_and_only_200_and_plain_text_count() {
    let scene = Scene::new(HOST).await;
    let text = "Content-Type: text/plain\r\n";
    let elsewhere = format!("{text}Location: https://mta-sts.example.org/other\r\n");
    for (status, headers) in [
        ("301 Moved", &elsewhere[..]),
        ("404 Not Found", text),
        ("204 None", text),
    ] {
        let found = trouble(&scene, says(status, headers)).await;
        assert!(
            matches!(&found, Trouble::Status { .. }),
            "{status}: {found:?}"
        );
        assert_eq!(found.shortfall().result, ResultType::StsPolicyFetchError);
    }
    assert_eq!(scene.requests(), 3, "each was asked once");
    for kind in ["Content-Type: text/html\r\n", ""] {
        let found = trouble(&scene, says("200 OK", kind)).await;
        assert!(matches!(&found, Trouble::NotPlainText { .. }), "{found:?}");
        assert_eq!(found.shortfall().result, ResultType::StsPolicyInvalid);
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_for_another_name_is_not_taken() {
    let scene = Scene::new("www.example.org").await;
    let found = trouble(&scene, page(&policy("enforce", "mx.example.org", 600))).await;
    let Trouble::NoAnswer(NoAnswer::Tls {
        failure: TlsFailure::Certificate { problem, .. },
        ..
    }) = &found
    else {
        panic!("{found:?}");
    };
    assert!(matches!(problem, CertificateProblem::NameMismatch { .. }));
    assert_eq!(found.shortfall().result, ResultType::StsWebpkiInvalid);
    assert_eq!(scene.requests(), 0, "nothing was asked of it");
}

#[tokio::test(start_paused = true)]
async fn size_and_time_have_limits() {
    let scene = Scene::new(HOST).await;
    let mut large = policy("enforce", "mx.example.org", 600);
    while large.len() <= 64 << 10 {
        large.push_str("mx: another.example.org\n");
    }
    let found = trouble(&scene, page(&large)).await;
    assert!(
        matches!(&found, Trouble::NoAnswer(NoAnswer::Http { .. })),
        "{found:?}"
    );

    let before = tokio::time::Instant::now();
    let found = trouble(&scene, Reply::Hang).await;
    assert!(
        matches!(&found, Trouble::NoAnswer(NoAnswer::TimedOut { .. })),
        "{found:?}"
    );
    assert_eq!(before.elapsed().as_secs(), 30);

    let found = trouble(&scene, Reply::Close).await;
    assert!(
        matches!(&found, Trouble::NoAnswer(NoAnswer::Http { .. })),
        "{found:?}"
    );
    let found = trouble(&scene, Reply::Say("220 mail.example.org ESMTP\r\n".into())).await;
    assert!(
        matches!(&found, Trouble::NoAnswer(NoAnswer::Http { .. })),
        "{found:?}"
    );
    let found = trouble(&scene, page("<html>")).await;
    assert!(matches!(&found, Trouble::Policy { .. }), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_there_is_named() {
    let scene = Scene::new(HOST).await;
    let found = scene.fetcher().fetch("other.example").await.unwrap_err();
    assert!(
        matches!(&found, Trouble::NoAnswer(NoAnswer::Host { host, .. }) if host == "mta-sts.other.example"),
        "{found:?}"
    );
    let gone = "192.0.2.81".parse().unwrap();
    scene.dns.set_addresses(HOST, Ok(vec![gone]));
    let found = scene.fetcher().fetch(DOMAIN).await.unwrap_err();
    assert!(
        matches!(&found, Trouble::NoAnswer(NoAnswer::Connect { address, .. }) if address == "192.0.2.81:443"),
        "{found:?}"
    );
}
