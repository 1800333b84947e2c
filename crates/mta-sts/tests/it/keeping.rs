//! Keeping policies (RFC 8461 §5.1, §10.2).

use std::time::Duration;

use dns::{AskError, RecordKind};
use mta_sts::{Found, Mode, Policies};

use crate::web::{DOMAIN, Reply, Scene, policy};

const HOST: &str = "mta-sts.example.org";
const DAY: u32 = 86_400;

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn mx(found: &Found) -> Vec<String> {
    let held = found.held.as_ref();
    held.map(|held| held.policy.mx.clone()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_announces_nothing_is_not_asked_for_a_policy() {
    let scene = Scene::new(HOST).await;
    *scene.reply.lock() = crate::web::page(&policy("enforce", "mx.example.org", DAY));
    let found = scene.keeper().of(DOMAIN).await;
    assert_eq!(found, Found::default());
    assert_eq!(scene.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_fetched_once_and_again_only_when_its_id_changes() {
    let scene = Scene::new(HOST).await;
    let keeper = scene.keeper();
    scene.publish("1", &policy("enforce", "a.example.org", 30 * DAY));
    for _ in 0..5 {
        assert_eq!(mx(&keeper.of("Example.ORG").await), ["a.example.org"]);
        pass(400).await;
    }
    assert_eq!(scene.requests(), 1);
    scene.publish("2", &policy("testing", "b.example.org", 30 * DAY));
    assert_eq!(mx(&keeper.of(DOMAIN).await), ["b.example.org"]);
    assert_eq!(scene.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kept_policy_survives_a_restart_and_holds_though_all_that_told_of_it_is_gone() {
    let scene = Scene::new(HOST).await;
    scene.publish("1", &policy("enforce", "a.example.org", 10 * DAY));
    scene.keeper().of(DOMAIN).await;
    // The record and the web server are gone, which an attacker could bring about (§10.2).
    *scene.reply.lock() = Reply::Close;
    let name = "_mta-sts.example.org";
    scene
        .dns
        .set(name, RecordKind::Txt, Err(AskError::NoSuchName));
    let keeper = scene.keeper();
    pass(9 * u64::from(DAY)).await;
    let found = keeper.of(DOMAIN).await;
    assert_eq!(mx(&found), ["a.example.org"]);
    assert_eq!(found.held.unwrap().id, "1");
    // With another id announced, too.
    scene.announce("2");
    pass(400).await;
    let found = keeper.of(DOMAIN).await;
    assert_eq!(mx(&found), ["a.example.org"]);
    assert_eq!(found.trouble.unwrap().id, "2");
    // And no longer than it says.
    pass(2 * u64::from(DAY)).await;
    assert_eq!(keeper.of(DOMAIN).await.held, None);
    keeper.look_after().await;
    let left = std::fs::read_dir(scene.dir.path().join("mta-sts"));
    assert_eq!(left.unwrap().count(), 0, "it is gone from the disk");
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_fetched_anew_before_its_time_is_over() {
    let scene = Scene::new(HOST).await;
    let keeper = scene.keeper();
    scene.publish("1", &policy("enforce", "a.example.org", 3 * DAY));
    let first = keeper.of(DOMAIN).await.held.unwrap();
    for _ in 0..26 {
        pass(3600).await;
        keeper.look_after().await;
    }
    assert_eq!(scene.requests(), 2, "after a day");
    let second = keeper.of(DOMAIN).await.held.unwrap();
    assert!(second.fetched > first.fetched);
    assert_eq!(second.policy, first.policy);
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_fetched_is_tried_again_after_five_minutes_and_told() {
    let scene = Scene::new(HOST).await;
    let keeper = scene.keeper();
    scene.announce("1");
    for _ in 0..10 {
        let found = keeper.of(DOMAIN).await;
        assert_eq!((found.held, found.trouble.unwrap().id), (None, "1".into()));
        pass(10).await;
    }
    assert_eq!(scene.requests(), 1);
    pass(300).await;
    scene.publish("1", &policy("none", "a.example.org", DAY));
    let found = keeper.of(DOMAIN).await;
    assert_eq!(found.held.unwrap().policy.mode, Mode::None);
    assert_eq!(found.trouble, None);
}

#[tokio::test(start_paused = true)]
async fn a_web_server_that_hangs_holds_up_its_own_domain_only() {
    let scene = Scene::new(HOST).await;
    scene.announce("1");
    *scene.reply.lock() = Reply::Hang;
    let keeper = scene.keeper();
    let began = tokio::time::Instant::now();
    let hanging = keeper.of(DOMAIN);
    let other = async {
        keeper.of("other.example").await;
        began.elapsed()
    };
    let (found, took) = tokio::join!(hanging, other);
    assert_eq!(took, Duration::ZERO);
    assert!(found.trouble.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_broken_counts_as_none() {
    let scene = Scene::new(HOST).await;
    scene.publish("1", &policy("enforce", "a.example.org", DAY));
    scene.keeper().of(DOMAIN).await;
    let file = scene.dir.path().join("mta-sts/example.org.json");
    assert!(file.exists());
    for text in [
        "",
        "{}",
        "{\"domain\":\"other.example\",\"id\":\"1\",\"fetched\":\"2026-06-01T00:00:00Z\",\"lines\":[]}",
    ] {
        std::fs::write(&file, text).unwrap();
        assert_eq!(mx(&scene.keeper().of(DOMAIN).await), ["a.example.org"]);
    }
    assert_eq!(scene.requests(), 4);
}
