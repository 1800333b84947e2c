//! Servers judged by what their domain publishes (RFC 7672, RFC 8461), by the relay's own verifier.

use std::sync::Arc;

use checks::{Demand, Subject};
use diagnosis::finding::{Bearing, Conclusion, Fact, Finding, Verdict};
use diagnosis::tls::Certificate;
use diagnosis::{Cause, Check, Remedy};
use dns::{RecordData, RecordKind, Tlsa};
use mta_sts::Found;

use crate::encryption::{GOOD, Place, Server};
use crate::published::{Told, policy};
use crate::stage::{conclusions, find};

const MX: &str = "mx.example.org";
const TLSA: &str = "_25._tcp.mx.example.org";

/// A server for which an authority vouches.
const VOUCHED: Server = Server { name: MX, ..GOOD };
/// One that only DANE takes.
const OWN: Server = Server {
    self_signed: true,
    ..VOUCHED
};

/// What is published of the certificate.
#[derive(Clone, Copy, Debug)]
enum Record {
    None,
    Fits,
    /// That of the key before.
    Rolled,
    /// One that leans on public authorities.
    Unusable,
}

async fn place(server: Server, record: Record, found: Found) -> (Place, Certificate) {
    let mut place = Place::new();
    place.stage.settings.mta_sts = Some(Arc::new(Told(found)));
    place.stage.mx("example.org", &[(10, MX)]);
    place.stage.a(MX, "192.0.2.1");
    let certificate = place.serve("192.0.2.1:25", server).await;
    for name in ["example.org", MX, TLSA] {
        place.stage.dns.sign(name);
    }
    let hex = |hex: &str| data_of(hex);
    let (usage, data) = match record {
        Record::None => return (place, certificate),
        Record::Fits => (3, hex(&certificate.key_sha256)),
        Record::Rolled => (3, vec![0xab; 32]),
        Record::Unusable => (1, hex(&certificate.key_sha256)),
    };
    let tlsa = RecordData::Tlsa(Tlsa {
        usage,
        selector: 1,
        matching: 1,
        data,
    });
    place.stage.dns.set(TLSA, RecordKind::Tlsa, Ok(vec![tlsa]));
    (place, certificate)
}

fn data_of(hex: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// What is said of the server by what is published, with its verdict.
fn judged(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    let of = |f: &&Finding| {
        let id = f.conclusion.id();
        f.check == Check::StartTls
            && ["dane-", "mta-sts-", "goes-by-"]
                .iter()
                .any(|p| id.starts_with(p))
    };
    let findings = findings.iter().filter(of);
    findings.map(|f| (f.conclusion.id(), f.verdict)).collect()
}

/// A server, what is published of it, and what is said of it then.
type Case = (Server, Record, Found, &'static [(&'static str, Verdict)]);

fn cases() -> [Case; 12] {
    use Verdict::{Fine, Problem, Warning};
    let enforce = || policy("enforce", "*.example.org");
    let testing = || policy("testing", "*.example.org");
    let mute = Server { mute: true, ..OWN };
    [
        (VOUCHED, Record::None, Found::default(), &[]),
        (
            OWN,
            Record::Fits,
            Found::default(),
            &[("goes-by-dane", Fine), ("dane-met", Fine)],
        ),
        (
            VOUCHED,
            Record::Rolled,
            Found::default(),
            &[("goes-by-dane", Fine), ("dane-not-met", Problem)],
        ),
        (
            VOUCHED,
            Record::None,
            enforce(),
            &[("goes-by-mta-sts", Fine), ("mta-sts-met", Fine)],
        ),
        (
            OWN,
            Record::None,
            enforce(),
            &[("goes-by-mta-sts", Fine), ("mta-sts-certificate", Problem)],
        ),
        // DANE goes first: the policy's demand holds for others alone, and the other way round.
        (
            OWN,
            Record::Fits,
            enforce(),
            &[
                ("goes-by-dane", Fine),
                ("dane-met", Fine),
                ("mta-sts-certificate", Warning),
            ],
        ),
        (
            VOUCHED,
            Record::Rolled,
            enforce(),
            &[
                ("goes-by-dane", Fine),
                ("dane-not-met", Problem),
                ("mta-sts-met", Fine),
            ],
        ),
        // Records that verify nothing leave it to the policy.
        (
            OWN,
            Record::Unusable,
            enforce(),
            &[("goes-by-mta-sts", Fine), ("mta-sts-certificate", Problem)],
        ),
        (
            OWN,
            Record::None,
            testing(),
            &[("goes-by-testing", Fine), ("mta-sts-certificate", Warning)],
        ),
        (
            mute,
            Record::Fits,
            enforce(),
            &[
                ("goes-by-dane", Fine),
                ("dane-unencrypted", Problem),
                ("mta-sts-unencrypted", Warning),
            ],
        ),
        (
            mute,
            Record::None,
            enforce(),
            &[("goes-by-mta-sts", Fine), ("mta-sts-unencrypted", Problem)],
        ),
        // A server that the policy does not name is told as such, whatever it shows.
        (
            VOUCHED,
            Record::None,
            policy("enforce", "mx.elsewhere.example"),
            &[("goes-by-mta-sts", Fine)],
        ),
    ]
}

#[tokio::test]
async fn each_server_is_held_to_both_and_what_the_relay_goes_by_decides_what_it_is_worth() {
    for (n, (server, record, found, expected)) in cases().into_iter().enumerate() {
        let (place, _) = place(server, record, found).await;
        let findings = place.stage.examine("example.org", None).await;
        assert_eq!(judged(&findings), expected, "case {n}: {record:?}");
    }
}

#[tokio::test]
async fn a_finding_names_the_records_the_certificate_and_the_record_that_would_fit() {
    let (place, certificate) = place(VOUCHED, Record::Rolled, Found::default()).await;
    let findings = place.stage.examine("example.org", None).await;
    let finding = find(&findings, Conclusion::DaneNotMet);
    let fits = format!("{TLSA}. IN TLSA 3 1 1 {}", certificate.key_sha256);
    assert_eq!(finding.object, Some(fits));
    assert_eq!(finding.subject, "mx.example.org [192.0.2.1:25]");
    assert_eq!(finding.bearing, Some(Bearing::Supports(Cause::TlsDane)));
    assert!(finding.remedies.contains(&Remedy::AskReceiver));
    let asked = |f: &Fact| matches!(f, Fact::Asked { name, .. } if name == TLSA);
    assert!(finding.facts.iter().any(asked), "{finding:?}");
    let shown = |f: &Fact| matches!(f, Fact::Secured(session) if session.certificate.as_ref() == Some(&certificate));
    assert!(finding.facts.iter().any(shown), "{finding:?}");
    // What else is wrong with a certificate is nothing to DANE.
    let (other, _) = self::place(OWN, Record::Fits, Found::default()).await;
    let findings = other.stage.examine("example.org", None).await;
    let own = find(&findings, Conclusion::CertificateSelfSigned);
    assert_eq!(own.verdict, Verdict::Warning);
    assert!(findings.iter().all(|f| f.verdict < Verdict::Problem));
}

#[tokio::test]
async fn what_the_administrator_says_goes_before_what_is_published() {
    for switch in ["policy", "dane", "off"] {
        let (mut place, _) = place(OWN, Record::Rolled, Found::default()).await;
        let settings = &mut place.stage.settings;
        match switch {
            "policy" => {
                let demands = &mut settings.demands.by_domain;
                demands.insert("example.org".to_owned(), Demand::Encryption);
            }
            "dane" => settings.dane = false,
            _ => settings.demands.off = true,
        }
        let findings = place.stage.examine("example.org", None).await;
        let expected = [
            ("goes-by-our-configuration", Verdict::Fine),
            ("dane-not-met", Verdict::Warning),
        ];
        assert_eq!(judged(&findings), expected, "{switch}");
    }
}

#[tokio::test]
async fn what_a_policy_or_the_signed_dns_demands_makes_a_warning_a_problem() {
    let (place, _) = place(OWN, Record::None, policy("enforce", MX)).await;
    let findings = place.stage.examine("example.org", None).await;
    let own = find(&findings, Conclusion::CertificateSelfSigned);
    assert_eq!(own.verdict, Verdict::Problem);
}

#[tokio::test]
async fn the_check_that_the_relay_makes_for_a_cause_has_the_judgement() {
    for (cause, record, found, conclusion) in [
        (
            Cause::TlsDane,
            Record::Rolled,
            Found::default(),
            Conclusion::DaneNotMet,
        ),
        (
            Cause::TlsMtaSts,
            Record::None,
            policy("enforce", MX),
            Conclusion::MtaStsCertificate,
        ),
    ] {
        assert!(cause.checks().contains(&Check::StartTls), "{cause:?}");
        let (place, _) = place(OWN, record, found).await;
        let subject = Subject::parse("anna@example.org").unwrap();
        let checker = place.stage.checker();
        let made = checker.verify(Check::StartTls, &subject, None).await;
        let findings = made.unwrap();
        let told = find(&findings, conclusion);
        assert_eq!(told.bearing, Some(Bearing::Supports(cause)));
        assert!(conclusions(&findings).contains(&"tls-works"));
    }
}
