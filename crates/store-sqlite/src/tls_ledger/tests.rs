use std::time::Duration;

use super::*;
use tls_report::{FailureDetail, Policy, PolicyKind, ResultType};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn session(domain: &str, day: &str, reason: Option<&str>) -> TlsSession {
    TlsSession {
        day: day.parse().unwrap(),
        policy: Policy {
            kind: PolicyKind::Sts,
            lines: vec!["version: STSv1".into()],
            domain: domain.to_owned(),
            mx: vec!["*.example".into()],
        },
        failure: reason.map(|reason| FailureDetail {
            result: ResultType::CertificateExpired,
            mx: Some("mx.a.example".into()),
            receiving_ip: Some("192.0.2.1".into()),
            reason: Some(reason.to_owned()),
            ..FailureDetail::default()
        }),
    }
}

async fn counted(ledger: &SqliteTlsLedger) -> Vec<(String, u64, u64, usize)> {
    let all = ledger.all().await.unwrap().into_iter();
    all.map(|report| {
        let policy = &report.policies[0];
        let details = policy.details.len();
        (report.domain, policy.successes, policy.failures, details)
    })
    .collect()
}

async fn close_all(ledger: &SqliteTlsLedger, end: &str, due: &str) {
    let open = ledger.open(Days::All).await.unwrap();
    let closed = open.into_iter().map(|open| ClosedTlsReport {
        id: format!("{}@relay.example", open.key),
        key: open.key,
        end: at(end),
        due: at(due),
    });
    ledger.close(closed.collect()).await.unwrap();
}

#[tokio::test]
async fn sessions_are_added_up_by_domain_and_day_and_are_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    let day = "2026-01-05";
    for _ in 0..2 {
        let batch = vec![
            (session("a.example", day, None), 3),
            (session("a.example", day, Some("over")), 2),
            (session("a.example", day, Some("other")), 1),
            (session("b.example", day, None), 1),
        ];
        assert_eq!(ledger.add(batch).await.unwrap(), Beyond::default());
    }
    drop(ledger);
    let ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    let expected = [("a.example".into(), 6, 6, 2), ("b.example".into(), 2, 0, 0)];
    assert_eq!(counted(&ledger).await, expected);
    let details = &ledger.all().await.unwrap()[0].policies[0].details;
    assert_eq!(
        (details[0].count, details[0].reason.as_deref()),
        (4, Some("over"))
    );
    assert_eq!(
        details[0].sending_ip, None,
        "what is not known is not there"
    );
}

#[tokio::test]
async fn what_comes_after_a_report_was_closed_begins_another_of_the_same_day() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    let day = "2026-01-05";
    let one = vec![(session("a.example", day, None), 1)];
    ledger.add(one.clone()).await.unwrap();
    close_all(&ledger, "2026-01-05T12:00:00Z", "2026-01-05T12:00:00Z").await;
    ledger.add(one).await.unwrap();
    let all = ledger.all().await.unwrap();
    let times: Vec<_> = all.iter().map(|r| (r.start, r.end)).collect();
    let noon = at("2026-01-05T12:00:00Z");
    assert_eq!(
        times,
        [
            (at("2026-01-05T00:00:00Z"), Some(noon)),
            (noon + Duration::from_secs(1), None)
        ]
    );
}

#[tokio::test]
async fn what_finds_no_room_is_told_and_takes_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    ledger.limits = Limits {
        reports: 2,
        policies: 1,
        details: 1,
        all_details: 2,
    };
    let day = "2026-01-05";
    let mut other_policy = session("a.example", day, None);
    other_policy.policy.kind = PolicyKind::None;
    let batch = vec![
        (session("a.example", day, Some("1")), 1),
        (session("a.example", day, Some("2")), 5),
        (session("b.example", day, None), 1),
        (session("c.example", day, None), 7),
        (other_policy, 11),
        (session("a.example", day, Some("1")), 1),
    ];
    let beyond = ledger.add(batch).await.unwrap();
    assert_eq!((beyond.sessions, beyond.details), (18, 5));
    let expected = [("a.example".into(), 0, 7, 1), ("b.example".into(), 1, 0, 0)];
    assert_eq!(counted(&ledger).await, expected);
}

#[tokio::test]
async fn a_report_goes_its_way_step_by_step_and_is_forgotten_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    let batch = vec![
        (session("a.example", "2026-01-05", None), 1),
        (session("b.example", "2026-01-05", None), 1),
    ];
    ledger.add(batch).await.unwrap();
    let due = at("2026-01-06T02:00:00Z");
    close_all(&ledger, "2026-01-05T23:59:59Z", "2026-01-06T02:00:00Z").await;
    let before = due - Duration::from_secs(1);
    assert_eq!(ledger.due(before, 10).await.unwrap(), []);
    let keys: Vec<i64> = ledger.all().await.unwrap().iter().map(|r| r.key).collect();
    assert_eq!(ledger.due(due, 10).await.unwrap().len(), 2);
    ledger.remove(keys[1]).await.unwrap();
    let (mail, web) = (
        Rua::Mail("r@a.example".into()),
        Rua::Https("https://a.example/".into()),
    );
    let id = MessageId::from_bytes([7; 16]);
    let places = vec![(mail.clone(), id), (web.clone(), id)];
    ledger.address(keys[0], places, due).await.unwrap();
    let none = Tried::default();
    let post = |rua: &Rua, tried: &Tried| DueTlsReport::Post {
        key: keys[0],
        rua: rua.clone(),
        message: id,
        tried: tried.clone(),
    };
    let waiting = ledger.due(due, 10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.contains(&post(&mail, &none)) && waiting.contains(&post(&web, &none)));
    ledger
        .posted(keys[0], &mail, TlsPostState::Sent, none)
        .await
        .unwrap();
    let tried = Tried {
        since: Some(due),
        times: 1,
        problem: Some("503".into()),
    };
    let later = due + Duration::from_secs(300);
    let waits = TlsPostState::Waits(later);
    ledger
        .posted(keys[0], &web, waits, tried.clone())
        .await
        .unwrap();
    drop(ledger);
    let ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    assert_eq!(ledger.due(due, 10).await.unwrap(), []);
    assert_eq!(ledger.due(later, 10).await.unwrap(), [post(&web, &tried)]);
    let end = at("2026-01-14T00:00:00Z");
    assert_eq!(ledger.forget(end).await.unwrap(), 0, "one still waits");
    ledger
        .posted(keys[0], &web, TlsPostState::Failed, tried)
        .await
        .unwrap();
    assert_eq!(ledger.forget(end).await.unwrap(), 1);
    assert_eq!(ledger.all().await.unwrap(), []);
    let left: i64 = ledger
        .beside
        .with(|conn| {
            Ok(conn.query_row(
                "SELECT (SELECT count(*) FROM policy) + (SELECT count(*) FROM post)",
                [],
                |row| row.get(0),
            )?)
        })
        .await
        .unwrap();
    assert_eq!(left, 0, "nothing of it is left");
}

#[tokio::test]
async fn the_administrator_has_what_waits_go_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteTlsLedger::open(dir.path()).unwrap();
    for day in ["2026-01-05", "2026-01-06"] {
        let batch = vec![(session("a.example", day, None), 1)];
        ledger.add(batch).await.unwrap();
    }
    close_all(&ledger, "2026-01-06T23:59:59Z", "2026-01-07T04:00:00Z").await;
    let now = at("2026-01-07T01:00:00Z");
    let day = Some("2026-01-05".parse().unwrap());
    assert_eq!(ledger.hasten(day, now).await.unwrap(), 1);
    assert_eq!(ledger.due(now, 10).await.unwrap().len(), 1);
    assert_eq!(ledger.hasten(None, now).await.unwrap(), 2);
    assert_eq!(ledger.due(now, 10).await.unwrap().len(), 2);
}
