use diagnosis::finding::{Conclusion, Verdict};
use dns::{AskError, RecordKind, Unanswered};

use crate::stage::{OURS, Stage, find};

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_back_is_confirmed() {
    let stage = Stage::new();
    let findings = stage.examine("example.org", None).await;
    let ptr = find(&findings, Conclusion::PtrConfirmed);
    assert_eq!(
        (ptr.subject.as_str(), ptr.object.as_deref()),
        (OURS, Some("relay.example"))
    );
    find(&findings, Conclusion::HeloResolves);
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_the_reverse_name_is_told_apart() {
    let reverse = dns::reverse_name(OURS.parse().unwrap());
    let stage = Stage::new();
    stage
        .dns
        .set(&reverse, RecordKind::Ptr, Err(AskError::NoSuchName));
    find(
        &stage.examine("example.org", None).await,
        Conclusion::PtrMissing,
    );

    let stage = Stage::new();
    stage.ptr(OURS, "elsewhere.example");
    stage.a("elsewhere.example", "192.0.2.99");
    let findings = stage.examine("example.org", None).await;
    let finding = find(&findings, Conclusion::PtrLeadsElsewhere);
    assert_eq!(finding.object.as_deref(), Some("elsewhere.example"));

    let stage = Stage::new();
    stage.fails(&reverse, RecordKind::Ptr, Unanswered::TimedOut);
    find(
        &stage.examine("example.org", None).await,
        Conclusion::PtrUnanswered,
    );

    let stage = Stage::new();
    stage.ptr(OURS, "slow.example");
    stage.fails("slow.example", RecordKind::A, Unanswered::ServerFailure);
    find(
        &stage.examine("example.org", None).await,
        Conclusion::PtrUnanswered,
    );
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_the_name_that_we_give_is_told_apart() {
    for (hostname, conclusion) in [
        ("localhost", Conclusion::HeloNotAName),
        ("192.0.2.1", Conclusion::HeloNotAName),
        ("gone.example", Conclusion::HeloUnknown),
        ("other.example", Conclusion::HeloLeadsElsewhere),
        ("slow.example", Conclusion::HeloUnanswered),
    ] {
        let mut stage = Stage::new();
        stage.a("other.example", "192.0.2.99");
        stage.fails("slow.example", RecordKind::A, Unanswered::ServerFailure);
        stage.settings.hostname = hostname.into();
        find(&stage.examine("example.org", None).await, conclusion);
    }
}

#[tokio::test(start_paused = true)]
async fn a_private_address_is_not_what_others_see_except_our_neighbours() {
    let mut stage = Stage::new();
    stage.net = std::sync::Arc::default();
    stage.net.add_source("10.1.2.3".parse().unwrap());
    stage.mx("far.example", &[(10, "mx.far.example")]);
    stage.a("mx.far.example", "192.0.2.1");
    stage.mx("near.example", &[(10, "mx.near.example")]);
    stage.a("mx.near.example", "10.1.2.4");
    let far = stage.examine("far.example", Some("relay.example")).await;
    assert_eq!(
        find(&far, Conclusion::OurAddressPrivate).verdict,
        Verdict::CannotTell
    );
    find(&far, Conclusion::HeloNotCompared);
    find(&far, Conclusion::SpfNone);
    let near = stage.examine("near.example", None).await;
    assert_eq!(find(&near, Conclusion::PtrMissing).subject, "10.1.2.3");
    // Whoever knows the address that others see can say so.
    stage.settings.our_addresses = vec![OURS.parse().unwrap()];
    let far = stage.examine("far.example", None).await;
    find(&far, Conclusion::PtrConfirmed);
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_a_way_there_has_no_address() {
    let mut stage = Stage::new();
    stage.net = std::sync::Arc::default();
    stage.net.add_source("2001:db8::7".parse().unwrap());
    stage.a("example.org", "192.0.2.1");
    let findings = stage.examine("example.org", None).await;
    find(&findings, Conclusion::OurAddressUnknown);
}
