use diagnosis::Cause;
use diagnosis::facts::RouteStep;
use diagnosis::finding::{Bearing, Conclusion, Fact, Verdict};
use dns::{RecordKind, Unanswered};

use crate::stage::{Stage, conclusions, find};

#[tokio::test(start_paused = true)]
async fn a_domain_in_order_is_fine_and_its_route_is_shown_step_by_step() {
    let stage = Stage::new();
    stage.mx(
        "example.org",
        &[(20, "b.example.org"), (10, "a.example.org")],
    );
    stage.a("a.example.org", "192.0.2.1");
    stage.a("b.example.org", "192.0.2.2");
    stage.server("192.0.2.1", &[]).await;
    stage.server("192.0.2.2", &[]).await;
    let findings = stage.examine("anna@example.org", None).await;
    let worst = findings.iter().map(|f| f.verdict).max().unwrap();
    // The servers of this stage announce nothing.
    assert_eq!(worst, Verdict::Warning, "{findings:#?}");
    let route = find(&findings, Conclusion::RouteFound);
    assert_eq!(route.object.as_deref(), Some("2"));
    let steps: Vec<&RouteStep> = route
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Route(step) => Some(step),
            _ => None,
        })
        .collect();
    assert!(matches!(
        steps[0],
        RouteStep::Configured { pattern: None, .. }
    ));
    assert!(matches!(steps[1], RouteStep::Exchangers { records, .. } if records[0].0 == 10));
    assert!(matches!(steps[2], RouteStep::Host(host) if host.name == "a.example.org"));
    find(&findings, Conclusion::DomainHasServers);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_goes_by_sender_and_header_is_shown_with_who_we_are_there() {
    let mut stage = Stage::new();
    stage.a("bulk.example", "192.0.2.1");
    let mut routes = queue::route::Routes::default();
    let identity = queue::route::Identity {
        source: vec!["192.0.2.77".parse().unwrap()],
        helo: None,
    };
    let line = queue::route::Line {
        to: "smtp://bulk.example:25".parse().unwrap(),
        name: Some("bulk".into()),
        ways: queue::route::Ways {
            login: None,
            identity,
        },
    };
    let rule = queue::route::Rule {
        sender: Some("news.example".parse().unwrap()),
        recipient: None,
        header: Some(("X-Stream".into(), "bulk".into())),
        line,
    };
    routes.push(rule).unwrap();
    stage.settings.routes = std::sync::Arc::new(routes);
    let mut request = crate::stage::request("anna@example.org", None);
    let sender = checks::Subject::parse("news.example").unwrap();
    request.sender = checks::Sender::of(&sender, Vec::new(), true);
    request.header = vec![("X-Stream".into(), "bulk".into())];
    let findings = stage.checker().examine(&request).await;
    let route = find(&findings, Conclusion::RouteFound);
    let configured = RouteStep::Configured {
        pattern: Some("[[route]] 1: sender news.example, X-Stream: bulk".into()),
        next_hop: "smtp://bulk.example:25".into(),
    };
    assert_eq!(route.facts[0], Fact::Route(configured));
    let who = RouteStep::As {
        user: None,
        helo: None,
        source: vec!["192.0.2.77".into()],
    };
    assert_eq!(route.facts[1], Fact::Route(who));
    request.header.clear();
    let findings = stage.checker().examine(&request).await;
    assert!(
        !conclusions(&findings).contains(&"route-found"),
        "the rule does not hold"
    );
}

#[tokio::test(start_paused = true)]
async fn every_way_in_which_a_domain_takes_no_mail_is_told_apart() {
    let stage = Stage::new();
    stage.mx("null.example", &[(0, "")]);
    stage.txt("empty.example", &["hello"]);
    stage.mx("gone.example", &[(10, "nowhere.example")]);
    for (domain, conclusion, cause) in [
        (
            "none.example",
            Conclusion::DomainUnknown,
            Cause::DomainUnknown,
        ),
        (
            "null.example",
            Conclusion::DomainTakesNoMail,
            Cause::DomainTakesNoMail,
        ),
        (
            "empty.example",
            Conclusion::DomainHasNoServer,
            Cause::NoMailServer,
        ),
        (
            "gone.example",
            Conclusion::ServersHaveNoAddress,
            Cause::NoMailServer,
        ),
    ] {
        let findings = stage.examine(domain, None).await;
        let finding = find(&findings, conclusion);
        assert_eq!(finding.verdict, Verdict::Problem, "{domain}");
        assert_eq!(finding.bearing, Some(Bearing::Supports(cause)), "{domain}");
        assert!(!finding.remedies.is_empty(), "{domain}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_ways_in_which_the_dns_gives_no_answer_are_told_apart() {
    for (how, conclusion, verdict) in [
        (
            Unanswered::ServerFailure,
            Conclusion::DnsFails,
            Verdict::Problem,
        ),
        (
            Unanswered::Refused,
            Conclusion::DnsRefuses,
            Verdict::Problem,
        ),
        (
            Unanswered::TimedOut,
            Conclusion::DnsSilent,
            Verdict::CannotTell,
        ),
        (
            Unanswered::Unreachable,
            Conclusion::DnsUnreachable,
            Verdict::CannotTell,
        ),
        (
            Unanswered::Other,
            Conclusion::DnsUnclear,
            Verdict::CannotTell,
        ),
    ] {
        let stage = Stage::new();
        stage.fails("example.org", RecordKind::Mx, how);
        let findings = stage.examine("example.org", None).await;
        assert_eq!(find(&findings, conclusion).verdict, verdict, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn odd_exchangers_are_named() {
    let stage = Stage::new();
    stage.mx(
        "odd.example",
        &[
            (0, ""),
            (10, "192.0.2.8"),
            (10, "localhost"),
            (10, "alias.example"),
            (10, "inside.example"),
            (10, "missing.example"),
        ],
    );
    stage.cname("alias.example", "real.example");
    stage.a("real.example", "192.0.2.1");
    stage.a("inside.example", "10.0.0.1");
    let findings = stage.examine("odd.example", None).await;
    for (conclusion, object) in [
        (Conclusion::NullMxBesideOthers, None),
        (Conclusion::MxIsAddress, Some("192.0.2.8")),
        (Conclusion::MxIsLocalhost, Some("localhost")),
        (Conclusion::MxIsAlias, Some("alias.example")),
        (Conclusion::MxNotPublic, Some("inside.example")),
        (Conclusion::ServerHasNoAddress, Some("missing.example")),
    ] {
        assert_eq!(find(&findings, conclusion).object.as_deref(), object);
    }
}

#[tokio::test(start_paused = true)]
async fn a_domain_without_mx_is_its_own_server_and_a_literal_needs_no_dns() {
    let stage = Stage::new();
    stage.a("host.example", "192.0.2.1");
    stage.server("192.0.2.1", &[]).await;
    for (subject, conclusion) in [
        ("host.example", Conclusion::DomainIsItsServer),
        ("anna@[192.0.2.1]", Conclusion::DomainIsAddress),
    ] {
        let findings = stage.examine(subject, None).await;
        find(&findings, conclusion);
        find(&findings, Conclusion::ServerAnswers);
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_to_ourselves_and_a_route_to_nowhere_are_our_own_problem() {
    let mut stage = Stage::new();
    stage.mx("loop.example", &[(10, "relay.example")]);
    let findings = stage.examine("loop.example", None).await;
    let finding = find(&findings, Conclusion::RouteToSelf);
    assert_eq!(finding.object.as_deref(), Some("relay.example"));

    stage.route("example.org", "smtp://gone.example:25");
    let findings = stage.examine("example.org", None).await;
    find(&findings, Conclusion::RouteHostUnknown);
    // Where the mail goes our way, the DNS of the domain does not matter.
    assert!(!conclusions(&findings).contains(&"domain-unknown"));

    stage.route("box.example", "maildir:/var/mail/box");
    let findings = stage.examine("box.example", None).await;
    find(&findings, Conclusion::RouteToMaildir);
}

#[tokio::test(start_paused = true)]
async fn a_dead_resolver_is_our_line_and_nothing_else_is_asked() {
    for how in [Unanswered::TimedOut, Unanswered::Unreachable] {
        let stage = Stage::new();
        stage.fails(".", RecordKind::Ns, how);
        let findings = stage.examine("example.org", None).await;
        assert_eq!(conclusions(&findings), ["line-down"]);
        assert_eq!(
            findings[0].bearing,
            Some(Bearing::Supports(Cause::OurLineDown))
        );
    }
    // A refusal is an answer too.
    let stage = Stage::new();
    stage.fails(".", RecordKind::Ns, Unanswered::Refused);
    let findings = stage.examine("example.org", None).await;
    find(&findings, Conclusion::LineWorks);
}
