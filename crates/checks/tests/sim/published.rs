//! What the recipients' side demands of TLS: DANE and MTA-STS.

use std::sync::Arc;

use async_trait::async_trait;
use diagnosis::Cause;
use diagnosis::finding::{Answer, Bearing, Conclusion, Fact, Verdict};
use dns::{RecordData, RecordKind, Tlsa, Unanswered};
use mta_sts::{Failed, Found, Held, Policies, Policy, Trouble};

use crate::stage::{Stage, conclusions, find};

#[derive(Debug)]
pub(crate) struct Told(pub(crate) Found);

#[async_trait]
impl Policies for Told {
    async fn of(&self, _domain: &str) -> Found {
        self.0.clone()
    }
}

async fn stage(found: Found) -> Stage {
    let mut stage = Stage::new();
    stage.settings.mta_sts = Some(Arc::new(Told(found)));
    stage.mx("example.org", &[(10, "a.example.org")]);
    stage.a("a.example.org", "192.0.2.1");
    stage.server("192.0.2.1", &[]).await;
    stage
}

fn sign(stage: &Stage, usage: u8) {
    for name in ["example.org", "a.example.org", "_25._tcp.a.example.org"] {
        stage.dns.sign(name);
    }
    let record = RecordData::Tlsa(Tlsa {
        usage,
        selector: 1,
        matching: 1,
        data: vec![0xab; 32],
    });
    let name = "_25._tcp.a.example.org";
    stage.dns.set(name, RecordKind::Tlsa, Ok(vec![record]));
}

pub(crate) fn policy(mode: &str, mx: &str) -> Found {
    let text = format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n");
    Found {
        held: Some(Arc::new(Held {
            id: "7".into(),
            fetched: "2026-01-01T00:00:00Z".parse().unwrap(),
            policy: Policy::parse(text.as_bytes()).unwrap(),
        })),
        trouble: None,
    }
}

#[tokio::test(start_paused = true)]
async fn published_certificates_are_told_with_the_records() {
    for (usage, conclusion) in [(3, Conclusion::DaneFound), (1, Conclusion::DaneUnusable)] {
        let stage = stage(Found::default()).await;
        sign(&stage, usage);
        let findings = stage.examine("example.org", None).await;
        let finding = find(&findings, conclusion);
        assert_eq!(finding.subject, "a.example.org");
        let record = format!("TLSA {usage} 1 1 {}", "ab".repeat(32));
        let Fact::Asked { name, answer, .. } = &finding.facts[0] else {
            panic!("{finding:?}");
        };
        assert_eq!(name, "_25._tcp.a.example.org");
        assert_eq!(answer, &Answer::Records(vec![record]));
        find(&findings, Conclusion::MtaStsNone);
    }
}

#[tokio::test(start_paused = true)]
async fn records_that_cannot_be_looked_up_are_a_problem_and_none_is_not() {
    let stage = stage(Found::default()).await;
    sign(&stage, 3);
    let name = "_25._tcp.a.example.org";
    stage.fails(name, RecordKind::Tlsa, Unanswered::ServerFailure);
    let findings = stage.examine("example.org", None).await;
    let finding = find(&findings, Conclusion::DaneUnanswered);
    assert_eq!(finding.bearing, Some(Bearing::Supports(Cause::TlsDane)));
    stage.dns.set(name, RecordKind::Tlsa, Ok(Vec::new()));
    let findings = stage.examine("example.org", None).await;
    find(&findings, Conclusion::DaneNone);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_whose_word_does_not_count_is_told() {
    let findings = stage(Found::default())
        .await
        .examine("example.org", None)
        .await;
    find(&findings, Conclusion::DaneNotAsked);
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_told_with_the_servers_that_it_does_not_name() {
    let of = |mode, mx| async move {
        let stage = stage(policy(mode, mx)).await;
        stage.txt("_mta-sts.example.org", &["v=STSv1; id=7"]);
        stage.examine("example.org", None).await
    };
    let findings = of("enforce", "*.example.org").await;
    let finding = find(&findings, Conclusion::MtaStsFound);
    assert_eq!(
        finding.object.as_deref(),
        Some("id 7, mode enforce, mx *.example.org")
    );
    assert!(!conclusions(&findings).contains(&"mta-sts-omits"));
    for (mode, verdict) in [("enforce", Verdict::Problem), ("testing", Verdict::Warning)] {
        let findings = of(mode, "b.example.org").await;
        let finding = find(&findings, Conclusion::MtaStsOmits);
        assert_eq!(
            (&finding.subject[..], finding.verdict),
            ("a.example.org", verdict)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_cannot_be_had_is_told_with_the_reason() {
    let url = "https://mta-sts.example.org/.well-known/mta-sts.txt".to_owned();
    let trouble = Trouble::Status { url, status: 404 };
    let found = Found {
        held: None,
        trouble: Some(Failed {
            id: "7".into(),
            trouble,
        }),
    };
    let findings = stage(found).await.examine("example.org", None).await;
    let finding = find(&findings, Conclusion::MtaStsUnavailable);
    assert!(finding.object.as_ref().unwrap().ends_with("answers 404"));
}
