//! Failures in which nobody replied: none of them becomes a reply.
#![allow(clippy::unwrap_used)]

use diagnosis::facts::{
    Break, BreakKind, CannotSend, Circumstances, ConnectError, ConnectTry, Local, NoRoute, Outcome,
};
use diagnosis::{
    AddressDead, Cause, Diagnosis, Failure, FailureKind, Finality, Responsible, SaidBy, Scope,
    Stage, diagnose,
};

fn of(stage: Stage, kind: FailureKind) -> Diagnosis {
    let diagnosis = diagnose(
        &Outcome::Failed(Failure { stage, kind }),
        &Circumstances::default(),
    )
    .unwrap();
    assert_eq!((diagnosis.reply, diagnosis.status), (None, None));
    assert_eq!(diagnosis.said_by, SaidBy::Sender);
    assert_ne!(diagnosis.address_dead, AddressDead::True);
    diagnosis
}

fn tried(errors: &[ConnectError]) -> FailureKind {
    let one = |error: &ConnectError| ConnectTry {
        host: "mx.example.org".into(),
        address: "192.0.2.1:25".into(),
        error: *error,
        waited_ms: 10,
    };
    FailureKind::Connect(errors.iter().map(one).collect())
}

fn broken(content_sent: u64) -> Break {
    Break {
        how: BreakKind::Reset,
        content_sent,
        content_size: 5000,
        silent_ms: 12,
        path: None,
    }
}

#[test]
fn a_connection_that_does_not_come_about_is_told_by_how() {
    use ConnectError as E;
    for (errors, cause) in [
        (&[E::Refused][..], Cause::ConnectionRefused),
        (&[E::TimedOut, E::TimedOut], Cause::ConnectionTimeout),
        (&[E::Unreachable], Cause::NetworkUnreachable),
        (&[E::Unreachable, E::Refused], Cause::ConnectionRefused),
        (&[E::Unreachable, E::TimedOut], Cause::ConnectionTimeout),
        (
            &[E::TimedOut, E::TimedOut, E::Refused],
            Cause::ConnectionTimeout,
        ),
        (&[E::Local { os_error: Some(24) }], Cause::LocalFailure),
        (&[], Cause::CannotTell),
    ] {
        let diagnosis = of(Stage::Connect, tried(errors));
        assert_eq!(diagnosis.cause, cause, "{errors:?}");
        assert_eq!(diagnosis.finality, Finality::Transient);
        assert_eq!(diagnosis.evidence.len(), errors.len().max(1));
        let ours = cause == Cause::LocalFailure;
        assert_eq!(
            diagnosis.scope,
            if ours { Scope::Us } else { Scope::Destination }
        );
    }
}

#[test]
fn no_route_is_final_only_where_the_domain_itself_says_so() {
    let domain = || "example.org".to_owned();
    for (no_route, cause, finality) in [
        (
            NoRoute::NoSuchDomain { domain: domain() },
            Cause::DomainUnknown,
            Finality::Permanent,
        ),
        (
            NoRoute::NullMx { domain: domain() },
            Cause::DomainTakesNoMail,
            Finality::Permanent,
        ),
        (
            NoRoute::NoAddress {
                domain: domain(),
                exchangers: vec![],
            },
            Cause::NoMailServer,
            Finality::Permanent,
        ),
        (
            NoRoute::DnsTemporary {
                question: "MX example.org".into(),
                reported: "SERVFAIL".into(),
            },
            Cause::DnsFailing,
            Finality::Transient,
        ),
        (
            NoRoute::LoopsToUs {
                domain: domain(),
                exchanger: "relay.example".into(),
            },
            Cause::RouteToSelf,
            Finality::Transient,
        ),
        (
            NoRoute::NoDomain {
                address: "root".into(),
            },
            Cause::RouteMissing,
            Finality::Transient,
        ),
    ] {
        let kind = FailureKind::NoRoute(no_route);
        let outcome = Outcome::Failed(Failure {
            stage: Stage::Route,
            kind,
        });
        let diagnosis = diagnose(&outcome, &Circumstances::default()).unwrap();
        assert_eq!((diagnosis.cause, diagnosis.finality), (cause, finality));
        assert_eq!((diagnosis.reply, diagnosis.status), (None, None));
    }
}

#[test]
fn a_drop_concerns_the_destination_before_the_message_and_the_message_after_it_began() {
    let early = of(Stage::Hello, FailureKind::Broken(broken(0)));
    let late = of(Stage::Content, FailureKind::Broken(broken(4096)));
    assert_eq!(
        (early.cause, early.scope),
        (Cause::ConnectionDropped, Scope::Destination)
    );
    assert_eq!(
        (late.cause, late.scope),
        (Cause::ConnectionDropped, Scope::Message)
    );
    assert!(
        late.evidence[0].text.contains("4096 of 5000"),
        "the place is told: {late:?}"
    );
}

#[test]
fn an_unknown_outcome_is_called_unknown_and_not_a_drop() {
    let failure = Failure {
        stage: Stage::EndOfData,
        kind: FailureKind::Broken(broken(5000)),
    };
    let diagnosis = diagnose(&Outcome::Unknown(failure), &Circumstances::default()).unwrap();
    assert_eq!(diagnosis.cause, Cause::OutcomeUnknown);
    let failure = Failure {
        stage: Stage::EndOfData,
        kind: FailureKind::Interrupted,
    };
    let diagnosis = diagnose(&Outcome::Unknown(failure), &Circumstances::default()).unwrap();
    assert_eq!(
        (diagnosis.cause, diagnosis.responsible),
        (Cause::OutcomeUnknown, Responsible::Us)
    );
}

#[test]
fn what_the_server_cannot_take_is_returned_and_what_fails_here_is_not() {
    let large = CannotSend::TooLarge {
        size: 30_000_000,
        limit: 10_000_000,
    };
    let diagnosis = of(Stage::Mail, FailureKind::CannotSend(large));
    assert_eq!(
        (diagnosis.cause, diagnosis.finality),
        (Cause::MessageTooLarge, Finality::Permanent)
    );
    for what in [
        CannotSend::EightBit,
        CannotSend::Binary,
        CannotSend::SmtpUtf8,
        CannotSend::RequireTls,
        CannotSend::NotConverted(diagnosis::facts::NotConverted {
            lacking: "8BITMIME".to_owned(),
            part: "part 1 (text/plain)".to_owned(),
            charset: None,
            why: "it is signed".to_owned(),
        }),
        CannotSend::DeliverBy { seconds: 60 },
    ] {
        assert_eq!(
            of(Stage::Mail, FailureKind::CannotSend(what)).finality,
            Finality::Permanent
        );
    }
    let local = Local {
        doing: "writing /var/mail/x".into(),
        reported: "No space left on device".into(),
    };
    let diagnosis = of(Stage::Content, FailureKind::Local(local));
    assert_eq!(
        (diagnosis.cause, diagnosis.finality, diagnosis.scope),
        (Cause::LocalFailure, Finality::Transient, Scope::Us)
    );
}

#[test]
fn expiry_names_what_stood_in_the_way_and_a_loop_its_hosts() {
    let kind = FailureKind::Expired {
        age_secs: 432_000,
        last: Some(Cause::MailboxFull),
        last_reply: None,
    };
    let diagnosis = of(Stage::Rcpt, kind);
    assert_eq!(
        (diagnosis.cause, diagnosis.finality),
        (Cause::QueueExpired, Finality::Permanent)
    );
    assert_eq!(diagnosis.alternatives[0].cause, Cause::MailboxFull);
    let kind = FailureKind::TooManyHops {
        hops: 51,
        limit: 50,
        repeated: vec!["a.example".into(), "b.example".into()],
    };
    let diagnosis = of(Stage::Route, kind);
    assert_eq!(diagnosis.cause, Cause::RouteLoop);
    assert!(diagnosis.evidence[0].text.contains("a.example, b.example"));
}
