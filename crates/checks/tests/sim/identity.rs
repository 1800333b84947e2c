use diagnosis::finding::{Conclusion, Defect, Fact, Finding, SpfOutcome, Verdict};
use dns::{RecordKind, Unanswered};

use crate::stage::{Stage, find, request};

/// A sender's domain with a server and this SPF record.
fn stage(record: &str) -> Stage {
    let stage = Stage::new();
    stage.mx("sender.example", &[(10, "mx.sender.example")]);
    stage.a("mx.sender.example", "192.0.2.50");
    stage.txt("sender.example", &["unrelated", record]);
    stage
}

async fn spf(stage: &Stage) -> Finding {
    let findings = stage
        .examine("example.org", Some("anna@sender.example"))
        .await;
    let spf = findings
        .iter()
        .find(|f| f.conclusion.id().starts_with("spf-"));
    spf.unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn spf_is_evaluated_for_our_address_term_by_term() {
    for (record, conclusion) in [
        ("v=spf1 ip4:203.0.113.0/24 -all", Conclusion::SpfPass),
        ("v=spf1 ip4:203.0.113.8/31 -all", Conclusion::SpfFail),
        ("v=spf1 ip4:203.0.113.6/31 -all", Conclusion::SpfPass),
        ("v=spf1 ip6:2001:db8::/32 ~all", Conclusion::SpfSoftFail),
        ("v=spf1 ?all", Conclusion::SpfNeutral),
        ("v=spf1", Conclusion::SpfNeutral),
        ("v=spf1 mx -all", Conclusion::SpfFail),
        ("v=spf1 mx/0 -all", Conclusion::SpfPass),
        ("v=spf1 a:relay.example -all", Conclusion::SpfPass),
        ("v=spf1 include:other.example -all", Conclusion::SpfPass),
        ("v=spf1 -include:other.example ?all", Conclusion::SpfFail),
        ("v=spf1 include:closed.example ?all", Conclusion::SpfNeutral),
        ("v=spf1 redirect=closed.example", Conclusion::SpfFail),
        ("v=spf1 exists:%{ir}.ok.example -all", Conclusion::SpfPass),
        (
            "v=spf1 exists:%{l}.%{d}.ok.example -all",
            Conclusion::SpfPass,
        ),
        ("v=spf1 ptr:relay.example -all", Conclusion::SpfPass),
        ("v=spf1 ptr:other.example -all", Conclusion::SpfFail),
        ("v=spf1 ptr:example -all", Conclusion::SpfBroken),
        ("v=spf1 x=%{c} +all", Conclusion::SpfPass),
        ("v=spfx", Conclusion::SpfNone),
        ("v=spf1 ip4:203.0.113 -all", Conclusion::SpfBroken),
        ("v=spf1 include:none.example -all", Conclusion::SpfBroken),
        ("v=spf1 redirect=none.example", Conclusion::SpfBroken),
        ("v=spf1 include:sender.example -all", Conclusion::SpfBroken),
        (
            "v=spf1 include:slow.example -all",
            Conclusion::SpfUnanswered,
        ),
        (
            "v=spf1 a:v1.example a:v2.example a:v3.example ?all",
            Conclusion::SpfBroken,
        ),
        (
            "v=spf1 a:relay.example/32 mx mx mx mx mx mx mx mx mx mx mx -all",
            Conclusion::SpfPass,
        ),
        (
            "v=spf1 mx mx mx mx mx mx mx mx mx mx mx -all",
            Conclusion::SpfBroken,
        ),
    ] {
        let stage = stage(record);
        stage.txt("other.example", &["v=spf1 ip4:203.0.113.7 -all"]);
        stage.txt("closed.example", &["v=spf1 -all"]);
        stage.a("7.113.0.203.ok.example", "127.0.0.2");
        stage.a("anna.sender.example.ok.example", "127.0.0.2");
        stage.fails("slow.example", RecordKind::Txt, Unanswered::ServerFailure);
        assert_eq!(spf(&stage).await.conclusion, conclusion, "{record}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_terms_on_the_way_and_what_is_wrong_are_evidence() {
    let stage1 = stage("v=spf1 ip4:192.0.2.1 include:other.example -all");
    stage1.txt("other.example", &["v=spf1 ip4:203.0.113.7"]);
    let terms: Vec<(String, SpfOutcome)> = spf(&stage1)
        .await
        .facts
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::SpfTerm { term, outcome, .. } => Some((term, outcome)),
            _ => None,
        })
        .collect();
    let expected = [
        ("ip4:192.0.2.1", SpfOutcome::Passes),
        ("include:other.example", SpfOutcome::LeadsOn),
        ("ip4:203.0.113.7", SpfOutcome::Matches),
        ("include:other.example", SpfOutcome::Matches),
    ];
    assert_eq!(
        terms,
        expected.map(|(term, outcome)| (term.to_owned(), outcome))
    );

    let finding = spf(&stage("v=spf1 ipv4:203.0.113.7 -all")).await;
    let defect = Fact::Defect {
        defect: Defect::UnknownTerm,
        text: "ipv4:203.0.113.7".into(),
    };
    assert!(finding.facts.contains(&defect), "{finding:#?}");

    let two = stage("v=spf1 -all");
    two.txt("sender.example", &["v=spf1 -all", "v=spf1 +all"]);
    assert_eq!(spf(&two).await.conclusion, Conclusion::SpfBroken);
}

#[tokio::test(start_paused = true)]
async fn dmarc_is_looked_for_at_the_domain_and_above_it() {
    for (name, record, conclusion) in [
        (
            "_dmarc.sender.example",
            "v=DMARC1; p=reject",
            Conclusion::DmarcFound,
        ),
        (
            "_dmarc.sender.example",
            "v=DMARC1; p=maybe",
            Conclusion::DmarcBroken,
        ),
        (
            "_dmarc.sender.example",
            "v=DMARC2; p=reject",
            Conclusion::DmarcNone,
        ),
        (
            "_dmarc.elsewhere.example",
            "v=DMARC1; p=reject",
            Conclusion::DmarcNone,
        ),
    ] {
        let stage = stage("v=spf1 -all");
        stage.txt(name, &[record]);
        let findings = stage.examine("example.org", Some("sender.example")).await;
        find(&findings, conclusion);
    }
    let stage1 = stage("v=spf1 -all");
    stage1.txt("_dmarc.sender.example", &["v=DMARC1; p=none; sp=reject"]);
    stage1.a("news.sender.example", "192.0.2.1");
    let findings = stage1
        .examine("example.org", Some("news.sender.example"))
        .await;
    let found = find(&findings, Conclusion::DmarcFound);
    assert_eq!(found.object.as_deref(), Some("reject"));

    let stage2 = stage("v=spf1 -all");
    stage2.fails(
        "_dmarc.sender.example",
        RecordKind::Txt,
        Unanswered::TimedOut,
    );
    let findings = stage2.examine("example.org", Some("sender.example")).await;
    find(&findings, Conclusion::DmarcUnanswered);
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_selector_is_looked_up() {
    let name = "s1._domainkey.sender.example";
    for (records, conclusion) in [
        (
            &["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="][..],
            Conclusion::DkimKeyFound,
        ),
        (&["v=DKIM1; p="], Conclusion::DkimKeyRevoked),
        (&["v=DKIM1; p=!"], Conclusion::DkimKeyBroken),
        (&["p=", "p="], Conclusion::DkimKeyBroken),
        (&[], Conclusion::DkimKeyMissing),
    ] {
        let stage = stage("v=spf1 -all");
        stage.txt(name, records);
        let findings = stage.examine("example.org", Some("sender.example")).await;
        assert_eq!(find(&findings, conclusion).subject, name);
    }
    let stage = stage("v=spf1 -all");
    stage.fails(name, RecordKind::Txt, Unanswered::ServerFailure);
    let findings = stage.examine("example.org", Some("sender.example")).await;
    find(&findings, Conclusion::DkimUnanswered);
}

#[tokio::test(start_paused = true)]
async fn a_senders_domain_needs_somewhere_for_answers_to_go() {
    let stage = stage("v=spf1 -all");
    stage.mx("null.example", &[(0, "")]);
    stage.fails("slow.example", RecordKind::Mx, Unanswered::ServerFailure);
    for (domain, conclusion) in [
        ("sender.example", Conclusion::SenderDomainReachable),
        ("gone.example", Conclusion::SenderDomainUnknown),
        ("null.example", Conclusion::SenderTakesNoMail),
        ("slow.example", Conclusion::SenderUnanswered),
    ] {
        find(
            &stage.examine("example.org", Some(domain)).await,
            conclusion,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_alarmed_about_a_domain_that_nobody_said_we_send_for() {
    let stage = stage("v=spf1 -all");
    let request = {
        let mut request = request("sender.example", None);
        request.sender = checks::Sender::of(&request.subject, Vec::new(), false);
        request
    };
    let findings = stage.checker().examine(&request).await;
    assert_eq!(
        find(&findings, Conclusion::SpfFail).verdict,
        Verdict::Warning
    );
}
