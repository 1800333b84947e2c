//! What happens in the course of days.

use std::time::Duration;

use queue::{TlsLedger, TlsPostState};
use tls_report::{PolicyKind, Report, read};

use crate::scene::{Scene, session};

fn check(report: &Report, good: u64, failed: u64) {
    assert_eq!(report.organization, "Our Relay");
    assert_eq!(report.contact, "postmaster@relay.example");
    assert_eq!(report.policies.len(), 1);
    let policy = &report.policies[0];
    assert_eq!(policy.policy.kind, PolicyKind::Sts);
    assert_eq!(policy.policy.domain, "dest.example");
    assert_eq!((policy.successes, policy.failures), (good, failed));
    let told: u64 = policy.details.iter().map(|detail| detail.count).sum();
    assert_eq!(told, failed);
    if let Some(detail) = policy.details.first() {
        assert_eq!(detail.result.as_str(), "certificate-expired");
        assert_eq!(detail.sending_ip.as_deref(), Some("192.0.2.99"));
        assert_eq!(detail.receiving_ip.as_deref(), Some("192.0.2.1"));
        assert_eq!(detail.reason.as_deref(), Some("it expired"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_sessions_goes_out_by_mail_and_https_within_four_hours_of_its_end() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    scene.wants("mailto:r@dest.example,https://web.dest.example:443/v1?x=1");
    let relay = scene.run();
    for hour in 11..14 {
        scene.until(&format!("2026-01-05T{hour}:00:00Z")).await;
        relay.tally.saw(session(false));
        relay.tally.saw(session(hour == 12));
    }
    scene.until("2026-01-06T00:00:01Z").await;
    relay.tally.saw(session(false));
    assert!(
        scene.queue.mails.lock().is_empty(),
        "not before the day is over"
    );
    scene.until("2026-01-06T04:02:00Z").await;
    let mails = scene.queue.mails.lock().clone();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, "r@dest.example");
    assert_eq!(mails[0].lifetime, Duration::from_secs(86_400));
    let report = read(&mails[0].content).unwrap();
    check(&report, 5, 1);
    assert_eq!(report.start, Some("2026-01-05T00:00:00Z".parse().unwrap()));
    assert_eq!(report.end, Some("2026-01-05T23:59:59Z".parse().unwrap()));
    let posted = scene.posted.lock().clone();
    assert_eq!(posted.len(), 1);
    let (head, body) = &posted[0];
    assert!(head.starts_with("post /v1?x=1 http/1.1\r\n"), "{head}");
    assert!(
        head.contains("content-type: application/tlsrpt+gzip\r\n"),
        "{head}"
    );
    assert_eq!(read(body).unwrap(), report, "everywhere the same");
    // The next day has its own.
    scene.until("2026-01-07T04:02:00Z").await;
    let mails = scene.queue.mails.lock().clone();
    assert_eq!(mails.len(), 2);
    let next = read(&mails[1].content).unwrap();
    check(&next, 1, 0);
    assert_ne!(next.id, report.id);
    // What has gone is shown for a week.
    assert_eq!(scene.gathered().await, 2);
    scene.until("2026-01-14T04:02:00Z").await;
    assert_eq!(scene.gathered().await, 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_nothing_but_the_last_seconds_is_missing_and_nothing_goes_twice() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    scene.wants("mailto:r@dest.example");
    let relay = scene.run();
    relay.tally.saw(session(false));
    tokio::time::sleep(Duration::from_secs(11)).await;
    relay.tally.saw(session(false));
    relay.crash();
    let relay = scene.run();
    relay.tally.saw(session(true));
    scene.until("2026-01-06T04:02:00Z").await;
    relay.crash();
    let relay = scene.run();
    scene.until("2026-01-06T12:00:00Z").await;
    relay.crash();
    let mails = scene.queue.mails.lock().clone();
    assert_eq!(mails.len(), 1);
    check(&read(&mails[0].content).unwrap(), 1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_whose_mail_was_queued_before_a_crash_is_not_queued_again() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    scene.wants("mailto:r@dest.example");
    let relay = scene.run();
    relay.tally.saw(session(false));
    scene.until("2026-01-06T04:02:00Z").await;
    relay.crash();
    // As if the crash had come between the queue and the ledger.
    let ledger = scene.ledger();
    let kept = ledger.all().await.unwrap().remove(0);
    let post = &kept.posts[0];
    assert_eq!(post.state, TlsPostState::Sent);
    let waits = TlsPostState::Waits(scene.world.clock.now());
    ledger
        .posted(kept.key, &post.rua, waits, post.tried.clone())
        .await
        .unwrap();
    let relay = scene.run();
    tokio::time::sleep(Duration::from_secs(120)).await;
    relay.crash();
    assert_eq!(scene.queue.mails.lock().len(), 1);
    let kept = ledger.all().await.unwrap().remove(0);
    assert_eq!(kept.posts[0].state, TlsPostState::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_take_it_is_asked_again_for_a_day() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    scene.wants("https://web.dest.example/");
    *scene.status.lock() = 503;
    let relay = scene.run();
    relay.tally.saw(session(false));
    scene.until("2026-01-06T04:02:00Z").await;
    let tries = scene.posted.lock().len();
    assert!(tries >= 1);
    *scene.status.lock() = 200;
    scene.until("2026-01-06T12:00:00Z").await;
    let all = scene.posted.lock().clone();
    assert!(all.len() > tries);
    assert!(
        all.iter().all(|one| one.1 == all[0].1),
        "the same bytes each time"
    );
    let taken = all.len();
    // Another that never takes one.
    *scene.status.lock() = 404;
    relay.tally.saw(session(false));
    scene.until("2026-01-09T00:00:00Z").await;
    let refused = scene.posted.lock().len() - taken;
    assert!((9..=12).contains(&refused), "{refused} times in 24 hours");
    let kept = scene.ledger().all().await.unwrap();
    let post = &kept.last().unwrap().posts[0];
    assert_eq!(post.state, TlsPostState::Failed);
    assert_eq!(
        post.tried.problem.as_deref(),
        Some("https://web.dest.example/ answers 404")
    );
}

#[tokio::test(start_paused = true)]
async fn who_wants_no_report_gets_none_and_nothing_is_kept_of_it() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    let relay = scene.run();
    relay.tally.saw(session(true));
    scene.until("2026-01-05T11:00:00Z").await;
    assert_eq!(scene.gathered().await, 1);
    scene.until("2026-01-06T04:02:00Z").await;
    assert_eq!(scene.gathered().await, 0);
    assert!(scene.queue.mails.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dns_that_does_not_answer_is_asked_again() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    scene.dns_is_down();
    let relay = scene.run();
    relay.tally.saw(session(false));
    scene.until("2026-01-06T06:00:00Z").await;
    let kept = scene.ledger().all().await.unwrap().remove(0);
    let problem = kept.tried.problem.unwrap();
    assert_eq!(problem, "TXT _smtp._tls.dest.example: no answer: SERVFAIL");
    scene.wants("mailto:nobody@dest.example,mailto:r@dest.example");
    *scene.queue.full.lock() = true;
    scene.until("2026-01-06T12:00:00Z").await;
    assert!(scene.queue.mails.lock().is_empty());
    *scene.queue.full.lock() = false;
    scene.until("2026-01-06T18:00:00Z").await;
    assert_eq!(scene.queue.mails.lock().len(), 1);
    let kept = scene.ledger().all().await.unwrap().remove(0);
    let states: Vec<_> = kept
        .posts
        .iter()
        .map(|p| (p.rua.to_string(), p.state))
        .collect();
    assert_eq!(
        states,
        [
            ("mailto:nobody@dest.example".into(), TlsPostState::Failed),
            ("mailto:r@dest.example".into(), TlsPostState::Sent)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_gathered_goes_at_once_if_the_administrator_wants_it() {
    let scene = Scene::new("2026-01-05T10:00:00Z").await;
    scene.wants("mailto:r@dest.example");
    let relay = scene.run();
    relay.tally.saw(session(false));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(relay.reporter.send_now(None).await.unwrap(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mails = scene.queue.mails.lock().clone();
    let first = read(&mails[0].content).unwrap();
    check(&first, 1, 0);
    assert_eq!(first.end, Some("2026-01-05T10:00:01Z".parse().unwrap()));
    assert_eq!(relay.reporter.send_now(None).await.unwrap(), 0);
    // The rest of the day is another report.
    relay.tally.saw(session(true));
    scene.until("2026-01-06T04:02:00Z").await;
    let mails = scene.queue.mails.lock().clone();
    assert_eq!(mails.len(), 2);
    let rest = read(&mails[1].content).unwrap();
    check(&rest, 0, 1);
    assert_eq!(rest.start, Some("2026-01-05T10:00:02Z".parse().unwrap()));
    let day = Some("2026-01-04".parse().unwrap());
    assert_eq!(relay.reporter.send_now(day).await.unwrap(), 0);
}
