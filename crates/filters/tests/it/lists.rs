//! Block lists: from a table on the paused clock, and from a BIND.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use dns::{AskError, RecordData, RecordKind, Resolver, SystemResolver, TableResolver, Unanswered};
use filters::{BlockList, BlockLists, Subject, When};
use screening::{Answer, Listing, Reason, Stage, Verdict};
use world::{RealClock, VirtualClock};

use crate::stage::{Mail, refused};

fn list(zone: &str, score: f64) -> BlockList {
    BlockList {
        zone: zone.into(),
        subject: Subject::Client,
        score,
        codes: BTreeMap::new(),
    }
}

fn lists(resolver: Arc<dyn Resolver>, lists: Vec<BlockList>) -> BlockLists {
    BlockLists {
        resolver,
        clock: Arc::new(RealClock),
        lists,
        threshold: 1.0,
        when: When::Connect,
        patience: Duration::from_secs(5),
        resting: Arc::default(),
    }
}

fn a(octets: [u8; 4]) -> RecordData {
    RecordData::A(Ipv4Addr::from(octets))
}

/// A table that has 192.0.2.1 on a list.
fn table(zone: &str, answer: [u8; 4]) -> TableResolver {
    let table = TableResolver::default();
    table.set(
        &format!("1.2.0.192.{zone}"),
        RecordKind::A,
        Ok(vec![a(answer)]),
    );
    table
}

async fn verdict(filter: &BlockLists, client: &str, stage: Stage) -> Verdict {
    let mut mail = Mail::new("x: y\r\n").await;
    mail.client.address = client.parse().unwrap();
    mail.ask(filter, stage).await.unwrap().verdict
}

#[tokio::test]
async fn a_client_on_a_list_is_refused_with_the_lists_name_and_reason_over_both_families() {
    let table = table("bl.example", [127, 0, 0, 2]);
    let why = RecordData::Txt("see https://bl.example/?192.0.2.1".into());
    table.set("1.2.0.192.bl.example", RecordKind::Txt, Ok(vec![why]));
    let six = dns::reversed("2001:db8::1".parse().unwrap());
    table.set(
        &format!("{six}.bl.example"),
        RecordKind::A,
        Ok(vec![a([127, 0, 0, 3])]),
    );
    let filter = lists(Arc::new(table), vec![list("bl.example", 1.0)]);
    let listed = verdict(&filter, "192.0.2.1:1", Stage::Connect).await;
    let listing = Listing {
        zone: "bl.example".into(),
        entry: "192.0.2.1".into(),
        text: Some("see https://bl.example/?192.0.2.1".into()),
    };
    assert_eq!(refused(&listed).0, &Reason::Listed(vec![listing]));
    let six = verdict(&filter, "[2001:db8::1]:1", Stage::Connect).await;
    assert!(matches!(refused(&six).0, Reason::Listed(all) if all[0].entry == "2001:db8::1"));
    assert_eq!(
        verdict(&filter, "192.0.2.2:1", Stage::Connect).await,
        Verdict::Pass
    );
}

#[tokio::test]
async fn weights_add_up_and_only_the_answers_that_were_chosen_count() {
    let table = table("one.example", [127, 0, 0, 10]);
    table.set(
        "1.2.0.192.two.example",
        RecordKind::A,
        Ok(vec![a([127, 0, 0, 2])]),
    );
    let table: Arc<TableResolver> = Arc::new(table);
    let coded = BlockList {
        codes: BTreeMap::from([(Ipv4Addr::new(127, 0, 0, 4), 1.0)]),
        ..list("one.example", 1.0)
    };
    let filter = lists(table.clone(), vec![coded, list("two.example", 0.5)]);
    assert_eq!(
        verdict(&filter, "192.0.2.1:1", Stage::Connect).await,
        Verdict::Pass
    );
    let filter = lists(
        table,
        vec![list("one.example", 0.5), list("two.example", 0.5)],
    );
    let listed = verdict(&filter, "192.0.2.1:1", Stage::Connect).await;
    assert!(matches!(refused(&listed).0, Reason::Listed(all) if all.len() == 2));
}

#[tokio::test]
async fn a_list_that_answers_everything_or_refuses_us_is_passed_over() {
    let refuses = table("refuses.example", [127, 255, 255, 254]);
    let bought = table("bought.example", [203, 0, 113, 9]);
    let all = table("all.example", [127, 0, 0, 2]);
    all.set(
        "1.0.0.127.all.example",
        RecordKind::A,
        Ok(vec![a([127, 0, 0, 2])]),
    );
    for (zone, table) in [
        ("refuses.example", refuses),
        ("bought.example", bought),
        ("all.example", all),
    ] {
        let filter = lists(Arc::new(table), vec![list(zone, 1.0)]);
        let passed = verdict(&filter, "192.0.2.1:1", Stage::Connect).await;
        assert_eq!(passed, Verdict::Pass, "{zone}");
        assert!(filter.resting.lock().contains_key(zone), "{zone}");
    }
}

/// A resolver that never answers.
struct Silent;

#[async_trait::async_trait]
impl Resolver for Silent {
    async fn mx(&self, _: &str) -> Result<Vec<dns::Mx>, dns::DnsError> {
        std::future::pending().await
    }
    async fn addresses(&self, _: &str) -> Result<Vec<std::net::IpAddr>, dns::DnsError> {
        std::future::pending().await
    }
    async fn ask(&self, _: &str, _: RecordKind) -> Result<Vec<dns::Record>, AskError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_does_not_answer_delays_one_client_and_rests_for_a_minute() {
    let clock = VirtualClock::new("2026-11-24T02:00:00Z".parse().unwrap());
    let filter = BlockLists {
        clock: Arc::new(clock),
        ..lists(Arc::new(Silent), vec![list("slow.example", 1.0)])
    };
    let took = async || {
        let began = tokio::time::Instant::now();
        assert_eq!(
            verdict(&filter, "192.0.2.1:1", Stage::Connect).await,
            Verdict::Pass
        );
        began.elapsed().as_secs()
    };
    assert_eq!((took().await, took().await), (5, 0));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(took().await, 5);
    let broken = TableResolver::default();
    let unanswered = AskError::Unanswered {
        how: Unanswered::ServerFailure,
        reported: "SERVFAIL".into(),
    };
    broken.set("1.2.0.192.bl.example", RecordKind::A, Err(unanswered));
    let filter = lists(Arc::new(broken), vec![list("bl.example", 1.0)]);
    assert_eq!(
        verdict(&filter, "192.0.2.1:1", Stage::Connect).await,
        Verdict::Pass
    );
}

#[tokio::test]
async fn domains_of_sender_and_helo_are_looked_up_at_the_recipient() {
    let table = TableResolver::default();
    table.set(
        "client.example.dbl.example",
        RecordKind::A,
        Ok(vec![a([127, 0, 1, 2])]),
    );
    let table: Arc<TableResolver> = Arc::new(table);
    for subject in [Subject::Sender, Subject::Helo] {
        let domains = BlockList {
            subject,
            ..list("dbl.example", 1.0)
        };
        let filter = lists(table.clone(), vec![domains]);
        let mut mail = Mail::new("x: y\r\n").await;
        let listed = mail.ask(&filter, Stage::Rcpt).await.unwrap().verdict;
        assert!(
            matches!(refused(&listed).0, Reason::Listed(all) if all[0].entry == "client.example")
        );
        mail.client.helo = Some("[192.0.2.1]".into());
        mail.envelope.sender = smtp::Address::null();
        assert_eq!(mail.ask(&filter, Stage::Rcpt).await, Ok(Answer::pass()));
    }
}

#[tokio::test]
async fn what_a_list_says_is_kept_for_its_time_also_that_there_is_no_entry() {
    let named = peers::Named::start(
        "bl.example",
        "1.2.0.192 IN A 127.0.0.2\n1.2.0.192 IN TXT \"spam source\"",
    )
    .unwrap();
    let server = ([127, 0, 0, 1], named.port).into();
    let resolver = Arc::new(SystemResolver::new(&[server]).unwrap());
    let filter = lists(resolver, vec![list("bl.example", 1.0)]);
    let ask = async || {
        let listed = verdict(&filter, "192.0.2.1:1", Stage::Connect).await;
        let Reason::Listed(all) = refused(&listed).0.clone() else {
            panic!("{listed:?}");
        };
        assert_eq!(all[0].text.as_deref(), Some("spam source"));
        assert_eq!(
            verdict(&filter, "192.0.2.9:1", Stage::Connect).await,
            Verdict::Pass
        );
    };
    ask().await;
    drop(named);
    // Nobody is there to ask any more: the answers are those of before.
    ask().await;
    assert!(filter.resting.lock().is_empty());
}
