use diagnosis::Cause;
use diagnosis::finding::{Bearing, Conclusion, Fact, Finding, Verdict};
use world::Fault;

use crate::stage::{Stage, conclusions, find, request};

async fn with(rules: &'static [(&str, &str)]) -> Vec<Finding> {
    let stage = Stage::new();
    stage.a("example.org", "192.0.2.1");
    stage.server("192.0.2.1", rules).await;
    stage.examine("example.org", None).await
}

const FULL: &[(&str, &str)] = &[(
    "EHLO",
    "250-mx\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 LIMITS RCPTMAX=5 MAILMAX=2",
)];

#[tokio::test(start_paused = true)]
async fn what_a_server_announces_is_told() {
    let findings = with(FULL).await;
    let answers = find(&findings, Conclusion::ServerAnswers);
    assert_eq!(answers.object.as_deref(), Some("mx ESMTP"));
    assert_eq!(answers.subject, "example.org [192.0.2.1:25]");
    find(&findings, Conclusion::TlsAnnounced);
    let size = find(&findings, Conclusion::SizeAnnounced);
    assert_eq!(size.object.as_deref(), Some("1000"));
    let limits = find(&findings, Conclusion::LimitsAnnounced);
    assert_eq!(limits.object.as_deref(), Some("RCPTMAX=5 MAILMAX=2"));
    assert!(!conclusions(&findings).contains(&"no-eight-bit"));

    let findings = with(&[("EHLO", "250-mx\r\n250 SIZE 0")]).await;
    for conclusion in [
        Conclusion::NoEightBit,
        Conclusion::TlsNotAnnounced,
        Conclusion::SizeUnlimited,
        Conclusion::NoLimitsAnnounced,
    ] {
        find(&findings, conclusion);
    }
    let old = with(&[("EHLO", "502 what?")]).await;
    find(&old, Conclusion::NoExtensions);
    find(&old, Conclusion::ServerAnswers);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_held_against_the_limit() {
    let stage = Stage::new();
    stage.a("example.org", "192.0.2.1");
    stage.server("192.0.2.1", FULL).await;
    for (size, conclusion) in [
        (1001, Conclusion::MessageTooLarge),
        (1000, Conclusion::MessageFits),
    ] {
        let mut request = request("example.org", None);
        request.message_size = Some(size);
        find(&stage.checker().examine(&request).await, conclusion);
    }
}

#[tokio::test(start_paused = true)]
async fn every_way_in_which_a_server_does_not_take_mail_is_told_apart() {
    for (rules, conclusion, cause) in [
        (
            &[("", "!")][..],
            Conclusion::ServerDrops,
            Cause::ConnectionDropped,
        ),
        (
            &[("", "…")],
            Conclusion::ServerSilent,
            Cause::ConnectionTimeout,
        ),
        (&[("", "SSH-2.0-x")], Conclusion::NotSmtp, Cause::NotSmtp),
        (
            &[("", "554 5.7.1 your address is listed on a block list")],
            Conclusion::GreetingRefused,
            Cause::ReputationListed,
        ),
        (
            &[("EHLO", "421 4.3.2 closing down")],
            Conclusion::HelloRefused,
            Cause::ServerNotAccepting,
        ),
    ] {
        let findings = with(rules).await;
        let finding = find(&findings, conclusion);
        assert_eq!(
            finding.bearing,
            Some(Bearing::Supports(cause)),
            "{finding:#?}"
        );
        let none = find(&findings, Conclusion::NoServerReached);
        assert_eq!(none.bearing, finding.bearing);
    }
}

#[tokio::test(start_paused = true)]
async fn every_way_in_which_no_connection_comes_about_is_told_apart() {
    for (fault, conclusion) in [
        (Fault::Refused, Conclusion::ConnectionRefused),
        (Fault::Silent, Conclusion::ConnectionSilent),
        (Fault::Unreachable, Conclusion::NetworkUnreachable),
    ] {
        let stage = Stage::new();
        stage.a("example.org", "192.0.2.1");
        stage
            .net
            .set_fault("192.0.2.1:25".parse().unwrap(), Some(fault));
        let findings = stage.examine("example.org", None).await;
        let finding = find(&findings, conclusion);
        assert_eq!(finding.verdict, Verdict::Problem);
        assert!(matches!(finding.facts[0], Fact::NotConnected(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn one_dead_server_beside_a_live_one_is_only_a_warning() {
    let stage = Stage::new();
    stage.mx("example.org", &[(10, "a.example"), (20, "b.example")]);
    stage.a("a.example", "192.0.2.1");
    stage.a("b.example", "192.0.2.2");
    stage.server("192.0.2.2", FULL).await;
    let findings = stage.examine("example.org", None).await;
    let dead = find(&findings, Conclusion::ConnectionRefused);
    assert_eq!(dead.verdict, Verdict::Warning);
    assert!(!conclusions(&findings).contains(&"no-server-reached"));
}

#[tokio::test(start_paused = true)]
async fn an_address_is_asked_for_only_where_that_is_wanted() {
    const SAYS_NO: &[(&str, &str)] = &[("RCPT", "550 5.1.1 no such user"), ("MAIL", "250 ok")];
    for (rules, conclusion) in [
        (SAYS_NO, Conclusion::RecipientRefused),
        (
            &[("RCPT TO:<anna@example.org>", "250 yes")],
            Conclusion::RecipientTaken,
        ),
        (&[("MAIL", "451 4.7.1 later")], Conclusion::ProbeRefused),
        (&[("RCPT", "!")], Conclusion::ProbeBroke),
    ] {
        let stage = Stage::new();
        stage.a("example.org", "192.0.2.1");
        stage.server("192.0.2.1", rules).await;
        let mut request = request("anna@example.org", None);
        request.probe = true;
        let findings = stage.checker().examine(&request).await;
        let finding = find(&findings, conclusion);
        let said =
            |fact: &&Fact| matches!(fact, Fact::Said { command: Some(c), .. } if c == "RSET");
        let reset = finding.facts.iter().any(|fact| said(&fact));
        assert_eq!(reset, conclusion != Conclusion::ProbeBroke, "{finding:#?}");
        request.probe = false;
        let findings = stage.checker().examine(&request).await;
        assert!(!conclusions(&findings).contains(&conclusion.id()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_mailbox_is_the_cause_of_a_refused_probe() {
    let stage = Stage::new();
    stage.a("example.org", "192.0.2.1");
    stage
        .server("192.0.2.1", &[("RCPT", "550 5.1.1 no such user here")])
        .await;
    let mut request = request("anna@example.org", None);
    request.probe = true;
    let findings = stage.checker().examine(&request).await;
    let finding = find(&findings, Conclusion::RecipientRefused);
    let cause = Bearing::Supports(Cause::MailboxUnknown);
    assert_eq!(finding.bearing, Some(cause));
}
