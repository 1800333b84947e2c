use std::fmt::Write;

use super::*;
use crate::{LogReader, Sink};

/// Sums up what a log tells.
#[derive(Default)]
struct Reader(Incidents);

impl Sink for Reader {
    fn failed(&mut self, case: Case) {
        let diagnosis = case.diagnose();
        self.0.take(&case, &diagnosis);
    }

    fn delivered(&mut self, domain: &str, at: Option<Timestamp>) {
        self.0.delivered(domain, at);
    }

    fn wants_deliveries(&self) -> bool {
        true
    }
}

fn sum(log: &str) -> Summary {
    let mut reader = Reader::default();
    let mut lines = LogReader::default();
    for line in log.lines() {
        lines.line(line.as_bytes(), 0, &mut reader);
    }
    reader.0.summary()
}

/// A line of Postfix: the minute, the recipient, what came of it.
fn line(log: &mut String, minute: u32, to: &str, outcome: &str) {
    let (hour, minute) = (14 + minute / 60, minute % 60);
    let domain = to.rsplit('@').next().unwrap();
    writeln!(
        log,
        "2026-03-04T{hour:02}:{minute:02}:00Z mail postfix/smtp[1]: 3A1B2C3D4E: to=<{to}>, relay=mx.{domain}[192.0.2.1]:25, delay=1, dsn=0.0.0, status={outcome}"
    )
    .unwrap();
}

const FULL: &str = "deferred (host mx.example.org[192.0.2.1] said: 452 4.3.1 Insufficient system storage (in reply to MAIL FROM command))";
const UNREACHED: &str = "deferred (connect to mx[192.0.2.1]:25: Connection timed out)";
const LISTED: &str = "deferred (host mx[192.0.2.1] said: 450 4.7.1 Client host [198.51.100.1] blocked using zen.example.net (in reply to RCPT TO command))";

#[test]
fn a_full_server_is_their_trouble_and_its_mail_waits() {
    let mut log = String::new();
    for n in 0..41 {
        line(&mut log, 2 + n / 4, &format!("user{n}@example.org"), FULL);
        line(&mut log, 3 + n / 4, "someone@example.net", "sent (250 Ok)");
    }
    let summary = sum(&log);
    assert_eq!(summary.incidents.len(), 1);
    let incident = &summary.incidents[0];
    assert_eq!(incident.cause, Cause::ServerFull);
    assert_eq!(incident.place, Place::Domain("example.org".to_owned()));
    assert_eq!(
        (incident.side, incident.scope),
        (Side::Them, Scope::Destination)
    );
    assert_eq!((incident.waiting, incident.given_up), (41, 0));
    assert_eq!(incident.first.unwrap().to_string(), "2026-03-04T14:02:00Z");
    assert!(!incident.over);
    assert_eq!(incident.examples, ["452 4.3.1 Insufficient system storage"]);
}

#[test]
fn a_delivery_afterwards_ends_an_incident_and_a_failure_begins_it_again() {
    let mut log = String::new();
    line(&mut log, 1, "a@example.org", FULL);
    line(&mut log, 2, "b@example.org", "sent (250 Ok)");
    assert!(sum(&log).incidents[0].over);
    line(&mut log, 3, "c@example.org", FULL);
    assert!(!sum(&log).incidents[0].over);
}

#[test]
fn where_nearly_nothing_can_be_reached_it_is_our_own_line() {
    let mut log = String::new();
    for n in 0..30 {
        line(&mut log, n / 10, &format!("a@dest{n}.example"), UNREACHED);
    }
    line(&mut log, 1, "a@local.example", "sent (250 Ok)");
    let summary = sum(&log);
    assert_eq!(summary.incidents.len(), 1, "{summary:#?}");
    let incident = &summary.incidents[0];
    assert_eq!(incident.cause, Cause::OurLineDown);
    assert_eq!(
        (&incident.place, incident.side),
        (&Place::Everywhere, Side::Us)
    );
    assert_eq!((incident.waiting, incident.failures), (30, 30));
    assert!(!incident.over);
    // When the line works again, the same domains get their mail.
    line(&mut log, 20, "a@dest3.example", "sent (250 Ok)");
    assert!(sum(&log).incidents[0].over);
}

#[test]
fn one_place_out_of_reach_is_theirs() {
    let mut log = String::new();
    for n in 0..30 {
        line(&mut log, n, "a@example.org", UNREACHED);
        line(&mut log, n, &format!("a@dest{n}.example"), "sent (250 Ok)");
    }
    let summary = sum(&log);
    assert_eq!(summary.incidents.len(), 1);
    assert_eq!(summary.incidents[0].side, Side::Them);
    assert_eq!(
        summary.incidents[0].place,
        Place::Domain("example.org".to_owned())
    );
    assert_eq!(
        (
            summary.incidents[0].recipients,
            summary.incidents[0].failures
        ),
        (1, 30)
    );
}

#[test]
fn many_who_refuse_us_for_who_we_are_make_it_ours() {
    let mut log = String::new();
    for n in 0..5 {
        line(&mut log, n, &format!("a@dest{n}.example"), LISTED);
    }
    let summary = sum(&log);
    assert!(
        summary.incidents.iter().all(|i| i.side == Side::Us),
        "{summary:#?}"
    );
}

#[test]
fn what_this_server_turned_away_is_told_apart() {
    let log = "2026-03-04T14:00:00Z mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from c[192.0.2.9]: 550 5.1.1 <x@example.org>: Recipient address rejected: User unknown in local recipient table; from=<s@example.net> to=<x@example.org> proto=ESMTP helo=<c>";
    let summary = sum(log);
    assert_eq!(summary.incidents[0].place, Place::Here);
    assert_eq!(summary.incidents[0].side, Side::Sender);
}

#[test]
fn more_incidents_than_are_kept_are_counted() {
    let mut incidents = Incidents::keeping(10);
    let mut take = |to: &str| {
        let mut case = Case::new(crate::Kind::Log, (0, 0));
        case.recipient = Some(to.to_owned());
        case.words
            .push("452 4.3.1 Insufficient system storage", (0, 37));
        let diagnosis = case.diagnose();
        incidents.take(&case, &diagnosis);
    };
    for n in 0..200 {
        take("a@large.example");
        take(&format!("a@small{n}.example"));
    }
    let summary = incidents.summary();
    assert!(summary.incidents.len() <= 10);
    let kept: u64 = summary.incidents.iter().map(|i| i.failures).sum();
    assert_eq!(kept + summary.other, 400);
    assert_eq!(
        summary.incidents.iter().map(|i| i.failures).max(),
        Some(200)
    );
}

#[test]
fn providers_are_known_by_the_ends_of_their_names() {
    for (host, name) in [
        ("mx1.mail.example.com", "example.com"),
        ("mx.example.co.uk", "example.co.uk"),
        ("example.com.", "example.com"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(provider(host), name);
    }
}
