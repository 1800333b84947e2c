//! Reports of others are read, and what is no report is told.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its samples fails"
)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tls_report::{LIMIT, PolicyKind, Problem, looks_like_one, read};

const RFC: &[u8] = include_bytes!("samples/rfc8460-appendix-b.json");
const ONE: &[u8] = include_bytes!("samples/large-provider-one-success.json");
const TWO: &[u8] = include_bytes!("samples/large-provider-two-policies.json");

fn pack(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// A report in a mail as RFC 8460 §5.3 has it.
fn mail() -> Vec<u8> {
    let packed = data_encoding::BASE64.encode(&pack(RFC));
    let lines: Vec<&str> = packed
        .as_bytes()
        .chunks(76)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    format!(
        "From: tlsrpt@mail.sender.example.com\r\nDate: Fri, May 09 2017 16:54:30 -0800\r\n\
         To: mts-sts-tlsrpt@example.net\r\n\
         Subject: Report Domain: example.net Submitter: mail.sender.example.com Report-ID: <735ff.e317+bf22029@example.net>\r\n\
         TLS-Report-Domain: example.net\r\nTLS-Report-Submitter: mail.sender.example.com\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n\
         \tboundary=\"----=_NextPart_000_024E_01CC9B0A.AFE54C00\"\r\nContent-Language: en-us\r\n\r\n\
         This is a multipart message in MIME format.\r\n\r\n\
         ------=_NextPart_000_024E_01CC9B0A.AFE54C00\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\
         Content-Transfer-Encoding: 7bit\r\n\r\nThis is an aggregate TLS report from mail.sender.example.com\r\n\r\n\
         ------=_NextPart_000_024E_01CC9B0A.AFE54C00\r\nContent-Type: application/tlsrpt+gzip\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n\
         \tfilename=\"mail.sender.example!example.com!1013662812!1013749130.json.gz\"\r\n\r\n{}\r\n\
         ------=_NextPart_000_024E_01CC9B0A.AFE54C00--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}

#[test]
fn the_example_of_the_standard_is_read() {
    let report = read(RFC).unwrap();
    assert_eq!(report.organization, "Company-X");
    assert_eq!(report.start, Some("2016-04-01T00:00:00Z".parse().unwrap()));
    let policy = &report.policies[0];
    assert_eq!((policy.successes, policy.failures), (5326, 303));
    assert_eq!(policy.policy.kind, PolicyKind::Sts);
    assert_eq!(policy.policy.mx, ["*.mail.company-y.example"]);
    let results: Vec<&str> = policy.details.iter().map(|d| d.result.as_str()).collect();
    let expected = [
        "certificate-expired",
        "starttls-not-supported",
        "validation-failure",
    ];
    assert_eq!(results, expected);
    let reason = policy.details[2].reason.as_deref();
    assert_eq!(reason, Some("X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"));
}

#[test]
fn what_large_senders_do_differently_is_read_as_well() {
    let report = read(ONE).unwrap();
    assert_eq!(report.policies[0].successes, 7);
    assert!(report.policies[0].details.is_empty());
    let report = read(TWO).unwrap();
    assert_eq!(report.policies[0].details[0].sending_ip, None);
    let dane = &report.policies[1];
    assert_eq!((dane.successes, dane.failures), (3, 0));
    assert_eq!(dane.policy.mx, ["mx.example.org"]);
}

#[test]
fn a_report_is_read_plain_packed_and_from_its_mail() {
    let report = read(RFC).unwrap();
    for input in [pack(RFC), mail()] {
        assert_eq!(read(&input).unwrap(), report);
        assert!(looks_like_one(&input));
    }
    assert!(looks_like_one(RFC) && looks_like_one(ONE));
    assert!(!looks_like_one(
        b"From: a@example.org\r\nSubject: tls\r\n\r\nhello\r\n"
    ));
    assert!(!looks_like_one(b"{\"a\": 1}"));
    assert!(!looks_like_one(&pack(
        b"Jan  5 10:00:00 mail postfix/smtp[99]: 3F0A2B1C3D: to=<b@example.org>"
    )));
}

#[test]
fn what_is_no_report_is_told_with_its_place() {
    let problem = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    assert!(problem("{\"policies\": [").starts_with("it is no JSON: EOF"));
    assert_eq!(
        problem("{}"),
        "policies: a list of policies must stand there"
    );
    assert_eq!(
        problem("{\"policies\": [3]}"),
        "policies[0]: an object must stand there"
    );
    assert_eq!(
        problem("{\"policies\": [{\"summary\": {\"total-successful-session-count\": -1}}]}"),
        "policies[0].summary.total-successful-session-count: a number of sessions must stand there"
    );
    assert_eq!(read(b"Subject: x\r\n\r\nhello\r\n"), Err(Problem::NoPart));
    let mut cut = pack(RFC);
    cut.truncate(100);
    assert!(matches!(read(&cut), Err(Problem::Gzip { .. })));
}

#[test]
fn a_few_bytes_that_claim_to_be_a_flood_are_refused() {
    let bomb = pack(&vec![b' '; LIMIT + 1]);
    assert!(bomb.len() < 100_000);
    assert_eq!(read(&bomb), Err(Problem::TooLarge { limit: LIMIT }));
    // Bombs within one another stay what they are: the inner one is no JSON.
    assert!(matches!(read(&pack(&bomb)), Err(Problem::Json { .. })));
}
