//! What holds for any log, whatever stands in it.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Case, Intake};

use super::LogReader;

/// Lines of every format.
const SAMPLES: &[&str] = &[
    "Mar  4 14:02:11 mail postfix/smtp[4711]: 3A1B2C3D4E: to=<anna@example.org>, orig_to=<a@example.com>, relay=mx.example.org[192.0.2.1]:25, delay=3.2, delays=0.1/0/2/1.1, dsn=4.2.2, status=deferred (host mx.example.org[192.0.2.1] said: 452 4.2.2 <anna@example.org> Mailbox full (in reply to RCPT TO command))",
    "2026-03-04T14:02:11+01:00 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@example.org>, relay=none, delay=30, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection timed out)",
    "Mar  4 14:02:11 mail postfix/smtp[1]: 3A1B2C3D4E: to=<a@example.org>, relay=mx[192.0.2.1]:25, dsn=2.0.0, status=sent (250 Ok)",
    "Mar  4 14:02:11 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from c[192.0.2.9]: 554 5.7.1 <x@example.org>: Relay access denied; from=<s@example.net> to=<x@example.org> proto=ESMTP helo=<c>",
    "Mar  4 14:02:11 mail postfix/qmgr[1]: 3A1B2C3D4E: from=<me@example.com>, status=expired, returned to sender",
    "2026-03-04 14:02:11 1tABcd-0000xx-1Y ** anna@example.org <w@example.com> R=dnslookup T=remote_smtp H=mx.example.org [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<anna@example.org>: 550 5.1.1 No such user",
    "2026-03-04 14:02:11 1tABcd-0000xx-1Y == d@example.org R=dnslookup T=remote_smtp defer (110): Connection timed out",
    "2026-03-04 14:02:11 H=(client) [192.0.2.9] F=<s@example.net> rejected RCPT <x@example.org>: relay not permitted",
    "Mar  4 14:02:11 mail sm-mta[1]: 624D2B1c001234: to=<a@example.org>,<b@example.org>, delay=00:00:02, mailer=esmtp, relay=mx.example.org. [192.0.2.1], dsn=5.1.1, reply=550 5.1.1 <a@example.org>... User unknown, stat=User unknown",
    "Mar  4 14:02:11 mail smtpd[123]: 5d1c mta delivery evpid=12 from=<me@example.com> to=<a@example.org> rcpt=<-> relay=\"192.0.2.1 (mx.example.org)\" delay=2s result=\"PermFail\" stat=\"550 5.1.1 no such user\"",
    "@4000000065a1b2c30000000a starting delivery 5: msg 123 to remote a@example.org",
    "@4000000065a1b2c30000000b delivery 5: failure: 192.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.1.1_No/Giving_up_on_192.0.2.1./",
    "2026-03-04T13:02:11.123Z [NOTICE] [A1-1.1.1] [outbound] recipient <a@example.org> rejected: 550 5.1.1 No such user",
    "{\"type\":\"TransientFailure\",\"recipient\":\"a@example.org\",\"response\":{\"code\":451,\"enhanced_code\":{\"class\":4,\"subject\":7,\"detail\":1},\"content\":\"Greylisted, \\\"please\\\" wait\",\"command\":\"RCPT TO:<a@example.org>\"},\"peer_address\":{\"name\":\"mx.example.org.\",\"addr\":\"192.0.2.1\"},\"timestamp\":1772632931}",
    "2026-03-04T13:02:11.123456Z  WARN not delivered id=019f recipient=a@example.org destination=example.org cause=\"mailbox.full\" stage=\"rcpt\" decision=\"retry\" said=\"452 4.2.2 Mailbox full\" why=\"The mailbox is full.\"",
    "{\"timestamp\":\"2026-03-04T13:02:11Z\",\"level\":\"WARN\",\"message\":\"not delivered\",\"recipient\":\"a@example.org\",\"said\":\"452 4.2.2 \\u00fcber\"}",
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context",
    "2026-03-04T13:02:11.123Z,Out,S1,1,198.51.100.1:4233,192.0.2.1:25,>,RCPT TO:<a@example.org>,",
    "2026-03-04T13:02:11.123Z,Out,S1,2,198.51.100.1:4233,192.0.2.1:25,<,\"550 5.1.1 User, unknown\",",
    "#Fields: date-time,server-hostname,source,event-id,message-id,recipient-address,recipient-status,sender-address",
    "2026-03-04T13:02:11.123Z,ex1,SMTP,FAIL,<m@example.com>,a@example.org;b@example.org,\"[{LED=550 5.1.1 no};{FQDN=mx}];[{LED=552 5.2.2 full};{FQDN=mx}]\",me@example.com",
];

/// A sample, perhaps damaged: a piece cut out of it, bytes put in.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let damage = (
        any::<prop::sample::Index>(),
        0usize..40,
        vec(any::<u8>(), 0..6),
    );
    let damaged = (prop::sample::select(SAMPLES), prop::option::of(damage));
    damaged.prop_map(|(sample, damage)| {
        let mut bytes = sample.as_bytes().to_vec();
        if let Some((at, length, put)) = damage {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes.retain(|b| *b != b'\n');
        bytes
    })
}

/// Places are within the line, those of the evidence too.
fn check(case: &Case, start: usize, end: usize) {
    let within = |(from, to): (usize, usize)| {
        assert!(
            start <= from && from <= to && to <= end,
            "{from}..{to} of {start}..{end}"
        );
    };
    within(case.span);
    case.reply.iter().for_each(|reply| within(reply.span));
    case.status.iter().for_each(|status| within(status.span));
    for evidence in case.diagnose().evidence {
        evidence.span.into_iter().for_each(within);
    }
}

fn read_in_pieces(input: &[u8], pieces: &[usize]) -> Vec<String> {
    let mut intake = Intake::new();
    let mut cases: Vec<Case> = Vec::new();
    let mut rest = input;
    for piece in pieces {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        intake.push(now, &mut cases);
        rest = later;
    }
    intake.push(rest, &mut cases);
    intake.finish(&mut cases);
    cases.iter().map(|case| format!("{case:?}")).collect()
}

proptest! {
    #[test]
    fn any_bytes_are_taken_as_lines(lines in vec(vec(any::<u8>(), 0..200), 0..8)) {
        let mut reader = LogReader::default();
        let mut cases: Vec<Case> = Vec::new();
        for line in &lines {
            super::look(line);
            reader.line(line, 7, &mut cases);
        }
    }

    #[test]
    fn whatever_is_found_in_a_line_has_its_place_there(lines in vec(line(), 1..12)) {
        let mut reader = LogReader::default();
        let mut at = 0;
        for line in &lines {
            super::look(line);
            let mut cases: Vec<Case> = Vec::new();
            reader.line(line, at, &mut cases);
            for case in &cases {
                check(case, at, at + line.len());
            }
            at += line.len() + 1;
        }
    }

    #[test]
    fn a_log_is_the_same_in_whatever_pieces_it_comes(
        lines in vec(line(), 1..12),
        pieces in vec(0usize..300, 0..12),
    ) {
        let mut log = SAMPLES[..6].join("\n").into_bytes();
        for line in &lines {
            log.push(b'\n');
            log.extend_from_slice(line);
        }
        let whole = read_in_pieces(&log, &[]);
        prop_assert!(whole.len() >= 5);
        prop_assert_eq!(read_in_pieces(&log, &pieces), whole);
    }
}

#[test]
fn a_log_larger_than_what_is_looked_at_is_the_same_in_pieces() {
    let log = SAMPLES.join("\n").repeat(60).into_bytes();
    let pieces: Vec<usize> = (1..400).map(|n| n * 37 % 997).collect();
    let whole = read_in_pieces(&log, &[]);
    assert!(log.len() > 64 * 1024 && whole.len() > 500);
    assert_eq!(read_in_pieces(&log, &pieces), whole);
}
