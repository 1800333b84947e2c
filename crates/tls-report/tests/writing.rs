//! Reports of ours are written as others read them, and read back; a domain says where it wants them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read what it wrote fails"
)]

use mail_parser::{MessageParser, MimeHeaders};
use tls_report::{
    FailureDetail, Letter, Policy, PolicyKind, PolicyReport, Record, RecordProblem, Report,
    ResultType, Rua, filename, looks_like_one, pack, read, to_json,
};

fn ours() -> Report {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    Report {
        organization: "Größe & Relay, Inc.".into(),
        start: Some("2026-01-05T00:00:00Z".parse().unwrap()),
        end: Some("2026-01-05T23:59:59Z".parse().unwrap()),
        contact: "postmaster@relay.example".into(),
        id: "2026-01-05.4f.dest.example@relay.example".into(),
        policies: vec![
            PolicyReport {
                policy: Policy {
                    kind: PolicyKind::Tlsa,
                    lines: texts(&["3 1 1 2A5C"]),
                    domain: "dest.example".into(),
                    mx: texts(&["mx.dest.example"]),
                },
                successes: 5,
                failures: 2,
                details: vec![FailureDetail {
                    result: ResultType::TlsaInvalid,
                    sending_ip: Some("192.0.2.1".into()),
                    mx: Some("mx.dest.example".into()),
                    receiving_ip: Some("192.0.2.11".into()),
                    count: 2,
                    reason: Some("the certificate fits none of the TLSA records".into()),
                    ..FailureDetail::default()
                }],
            },
            PolicyReport {
                policy: Policy {
                    kind: PolicyKind::Sts,
                    lines: texts(&["version: STSv1", "mode: testing", "mx: *.dest.example"]),
                    domain: "dest.example".into(),
                    mx: texts(&["*.dest.example"]),
                },
                successes: 1,
                failures: 0,
                details: Vec::new(),
            },
            PolicyReport {
                policy: Policy {
                    domain: "dest.example".into(),
                    ..Policy::default()
                },
                successes: 3,
                failures: 0,
                details: Vec::new(),
            },
        ],
    }
}

fn letter(report: &Report) -> Letter<'_> {
    Letter {
        report,
        domain: "dest.example",
        from: "tlsrpt@relay.example",
        to: "reports@dest.example",
        date: "2026-01-06T00:10:00Z".parse().unwrap(),
        message_id: "abc@relay.example",
        words: "A report of mäil.\n",
    }
}

#[test]
fn the_json_of_a_report_is_in_the_form_of_the_standard() {
    let json: serde_json::Value = serde_json::from_slice(&to_json(&ours())).unwrap();
    insta::assert_json_snapshot!(json);
}

#[test]
fn a_report_of_ours_is_read_back_plain_packed_and_from_its_mail() {
    let report = ours();
    let json = to_json(&report);
    let mail = letter(&report).to_bytes();
    for input in [&json[..], &pack(&json), &mail] {
        assert_eq!(read(input).unwrap(), report);
        assert!(looks_like_one(input));
    }
    assert_eq!(
        pack(&json),
        pack(&json),
        "the same report is the same bytes"
    );
}

#[test]
fn the_mail_has_the_fields_and_parts_that_the_standard_asks_for() {
    let report = ours();
    let bytes = letter(&report).to_bytes();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let field = |name: &str| mail.header_raw(name).unwrap().trim().to_owned();
    assert_eq!(field("TLS-Report-Domain"), "dest.example");
    assert_eq!(field("TLS-Report-Submitter"), "relay.example");
    assert_eq!(field("TLS-Required"), "No");
    assert_eq!(
        mail.subject().unwrap(),
        "Report Domain: dest.example Submitter: relay.example \
         Report-ID: <2026-01-05.4f.dest.example@relay.example>"
    );
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!(from.address.as_deref(), Some("tlsrpt@relay.example"));
    assert_eq!(from.name.as_deref(), Some("Größe & Relay, Inc."));
    let kind = mail.content_type().unwrap();
    assert_eq!(kind.c_type, "multipart");
    assert_eq!(kind.attribute("report-type"), Some("tlsrpt"));
    let parts: Vec<_> = mail.parts[1..].iter().collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].text_contents(), Some("A report of mäil.\r\n"));
    let packed = parts[1];
    assert_eq!(
        packed.content_type().unwrap().c_subtype.as_deref(),
        Some("tlsrpt+gzip")
    );
    assert_eq!(
        packed.attachment_name(),
        Some(filename(&report, "dest.example").as_str())
    );
    assert!(bytes.is_ascii(), "any server takes it");
    let lines = bytes.split(|byte| *byte == b'\n');
    assert!(lines.clone().all(|line| line.len() < 200));
}

#[test]
fn the_name_of_the_file_tells_who_about_whom_and_when() {
    assert_eq!(
        filename(&ours(), "dest.example"),
        "relay.example!dest.example!1767571200!1767657599!202601054fdestexample.json.gz"
    );
}

#[test]
fn nothing_in_a_report_makes_another_header_field() {
    let mut report = ours();
    report.organization = "Evil\r\nBcc: a@example.org".into();
    report.id = "1\r\nBcc: b@example.org".into();
    let bytes = letter(&report).to_bytes();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert!(
        mail.header("Bcc").is_none(),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
}

#[test]
fn a_domain_says_where_it_wants_reports() {
    let of = |texts: &[&str]| Record::of(texts.iter().copied());
    let mail = |address: &str| Rua::Mail(address.to_owned());
    let web = Rua::Https("https://example.org/v1/tlsrpt".to_owned());
    let places = |text: &str| of(&["v=spf1 -all", text]).unwrap().rua;
    assert_eq!(
        places("v=TLSRPTv1; rua=mailto:a@example.org,https://example.org/v1/tlsrpt"),
        [mail("a@example.org"), web.clone()]
    );
    // §3: fields that are not known are passed over, white space stands where it may.
    assert_eq!(
        places("v=TLSRPTv1 ; x=1 ;rua=https://example.org/v1/tlsrpt , mailto:a@example.org ;"),
        [web, mail("a@example.org")]
    );
    assert_eq!(
        places("v=TLSRPTv1;rua=MAILTO:a%2Bb@example.org?subject=x,mailto:a+b@example.org"),
        [mail("a+b@example.org")]
    );
    for rua in places("v=TLSRPTv1; rua=mailto:a@example.org,https://example.org/v1/tlsrpt") {
        assert_eq!(Rua::parse(&rua.to_string()), Some(rua));
    }
}

#[test]
fn a_record_that_is_none_says_why() {
    let of = |texts: &[&str]| Record::of(texts.iter().copied());
    for texts in [
        &[][..],
        &["v=spf1 -all"],
        &["v=TLSRPTv1"],
        &["v=TLSRPTv12; rua=mailto:a@b.example"],
        &["V=TLSRPTv1; rua=mailto:a@b.example"],
    ] {
        assert_eq!(of(texts), Err(RecordProblem::None), "{texts:?}");
    }
    let several = [
        "v=TLSRPTv1; rua=mailto:a@b.c",
        "v=TLSRPTv1; rua=mailto:d@e.f",
    ];
    assert_eq!(of(&several), Err(RecordProblem::Several { count: 2 }));
    for text in [
        "v=TLSRPTv1;",
        "v=TLSRPTv1; rua=",
        "v=TLSRPTv1; rua=http://a.example/, ftp://b.example",
        "v=TLSRPTv1; rua=mailto:nobody",
        "v=TLSRPTv1; rua=mailto:a@b.example%0d%0aRCPT",
        "v=TLSRPTv1; rua=mailto:a@b.example%2Cc@d.example",
        "v=TLSRPTv1; rua=mailto:%ff@b.example",
    ] {
        let text = text.to_owned();
        assert_eq!(
            of(&[&text]),
            Err(RecordProblem::NoRua { text: text.clone() })
        );
    }
}

#[test]
fn a_record_with_hundreds_of_places_does_not_make_us_send_hundreds() {
    let places: Vec<String> = (0..300).map(|n| format!("mailto:a{n}@b.example")).collect();
    let text = format!("v=TLSRPTv1; rua={}", places.join(","));
    assert_eq!(Record::of([text.as_str()]).unwrap().rua.len(), 8);
}
