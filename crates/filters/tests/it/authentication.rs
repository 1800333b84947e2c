//! SPF, DKIM, DMARC and ARC, with mail that is signed here.

use std::sync::Arc;

use dns::{RecordData, RecordKind, Resolver, TableResolver};
use email_auth::Verifier;
use filters::{Authentication, Enforce};
use screening::{Answer, Reason, Stage, Verdict};

use crate::stage::{Mail, refused};

/// The filter, which notes and enforces nothing.
pub(crate) fn filter(resolver: Arc<dyn Resolver>) -> Authentication {
    Authentication {
        verifier: Verifier::new().unwrap(),
        resolver,
        server: "relay.example".into(),
        enforce: Enforce::Nothing,
        hold_quarantine: false,
        refuse_spf_fail: false,
        trusted_sealers: Vec::new(),
    }
}

/// The field that a message gets, unfolded.
pub(crate) async fn verified(mail: &Mail, resolver: Arc<dyn Resolver>) -> String {
    let answer = mail.ask(&filter(resolver), Stage::Content).await.unwrap();
    field_of(mail, &answer).await
}

async fn field_of(mail: &Mail, answer: &Answer) -> String {
    let mut message = mail.message.clone();
    for edit in &answer.edits {
        message.edit(edit);
    }
    let field = message.header().fields().first().unwrap();
    assert!(field.is("Authentication-Results"));
    String::from_utf8_lossy(field.value()).replace("\r\n\t", " ")
}

fn table(records: &[(&str, &str)]) -> Arc<TableResolver> {
    let table = TableResolver::default();
    for (name, text) in records {
        let text = RecordData::Txt((*text).to_owned());
        table.set(name, RecordKind::Txt, Ok(vec![text]));
    }
    Arc::new(table)
}

const PLAIN: &str = "From: Anna <anna@client.example>\r\nTo: bert@example.org\r\n\r\nhello\r\n";

#[tokio::test]
async fn what_dmarc_asks_for_is_done_where_it_is_enforced() {
    for (policy, spf, enforce, hold, expected) in [
        ("reject", "-all", Enforce::Dmarc, false, "reject"),
        (
            "reject",
            "ip4:192.0.2.1 -all",
            Enforce::Dmarc,
            false,
            "pass",
        ),
        ("reject", "-all", Enforce::Nothing, false, "pass"),
        ("quarantine", "-all", Enforce::Dmarc, true, "hold"),
        ("quarantine", "-all", Enforce::Dmarc, false, "pass"),
        ("none", "-all", Enforce::Dmarc, true, "pass"),
    ] {
        let (spf, policy) = (format!("v=spf1 {spf}"), format!("v=DMARC1; p={policy}"));
        let resolver = table(&[("client.example", &spf), ("_dmarc.client.example", &policy)]);
        let filter = Authentication {
            enforce,
            hold_quarantine: hold,
            ..filter(resolver)
        };
        let mail = Mail::new(PLAIN).await;
        let answer = mail.ask(&filter, Stage::Content).await.unwrap();
        let domain = || "client.example".to_owned();
        match (expected, &answer.verdict) {
            ("reject", Verdict::Reject(_)) => {
                assert_eq!(
                    refused(&answer.verdict).0,
                    &Reason::Dmarc { domain: domain() }
                );
            }
            ("hold", Verdict::Hold(reason)) => {
                assert_eq!(reason, &Reason::Dmarc { domain: domain() });
            }
            ("pass", Verdict::Pass) => {}
            (_, verdict) => panic!("{policy} {spf}: {verdict:?}"),
        }
        let field = field_of(&mail, &answer).await;
        let passes = spf.contains("192.0.2.1");
        assert!(field.starts_with(" relay.example; spf="), "{field}");
        assert!(
            field.contains(if passes { "dmarc=pass" } else { "dmarc=fail" }),
            "{field}"
        );
        assert!(field.contains("dkim=none"), "{field}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_put_off_only_where_it_matters() {
    let resolver = table(&[("client.example", "v=spf1 -all")]);
    let unanswered = dns::AskError::Unanswered {
        how: dns::Unanswered::TimedOut,
        reported: "time out".into(),
    };
    resolver.set("_dmarc.client.example", RecordKind::Txt, Err(unanswered));
    let mail = Mail::new(PLAIN).await;
    for (enforce, deferred) in [(Enforce::Dmarc, true), (Enforce::Nothing, false)] {
        let filter = Authentication {
            enforce,
            ..filter(resolver.clone())
        };
        let answer = mail.ask(&filter, Stage::Content).await.unwrap();
        assert_eq!(matches!(answer.verdict, Verdict::Defer(_)), deferred);
        assert!(field_of(&mail, &answer).await.contains("dmarc=temperror"));
    }
}

#[tokio::test]
async fn spf_alone_refuses_only_where_it_is_told_to_and_dmarc_is_silent() {
    let mail = Mail::new(PLAIN).await;
    for (records, refuses) in [
        (&[("client.example", "v=spf1 -all")][..], true),
        (&[("client.example", "v=spf1 ~all")], false),
        (
            &[
                ("client.example", "v=spf1 -all"),
                ("_dmarc.client.example", "v=DMARC1; p=none"),
            ],
            false,
        ),
    ] {
        let filter = Authentication {
            refuse_spf_fail: true,
            ..filter(table(records))
        };
        let verdict = mail.ask(&filter, Stage::Content).await.unwrap().verdict;
        assert_eq!(
            matches!(verdict, Verdict::Reject(_)),
            refuses,
            "{records:?}"
        );
    }
}

#[tokio::test]
async fn fields_that_claim_to_be_ours_go_and_those_of_others_stay() {
    let forged = "Authentication-Results: relay.example; spf=pass\r\n\
                  Authentication-Results: other.example; spf=pass\r\n\
                  authentication-results: (x) RELAY.example 1; dmarc=pass\r\n";
    let mut mail = Mail::new(&format!("{forged}{PLAIN}")).await;
    let answer = mail.ask(&filter(table(&[])), Stage::Content).await.unwrap();
    for edit in &answer.edits {
        mail.message.edit(edit);
    }
    let text = mail.text().await;
    assert_eq!(
        text.to_lowercase()
            .matches("authentication-results:")
            .count(),
        2,
        "{text}"
    );
    assert!(text.ends_with(&format!(
        "Authentication-Results: other.example; spf=pass\r\n{PLAIN}"
    )));
    assert!(
        text.starts_with("Authentication-Results: relay.example;\r\n\tspf=none"),
        "{text}"
    );
}

#[tokio::test]
async fn names_that_a_client_chose_cannot_forge_the_field() {
    let mut mail = Mail::new(PLAIN).await;
    mail.client.helo = Some("x; dkim=pass\r\nBcc: evil".into());
    mail.envelope.sender = smtp::Address::null();
    let field = verified(&mail, table(&[])).await;
    assert!(
        !field.contains("Bcc: evil\r\n") && !field.contains("; dkim=pass"),
        "{field}"
    );
}

/// The message and keys of RFC 8463 appendix A, with both of its signatures.
const RFC_8463: &str = concat!(
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n",
    " d=football.example.com; i=@football.example.com;\r\n",
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n",
    " subject : date : message-id : from : subject : date;\r\n",
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n",
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n",
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n",
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n",
    " d=football.example.com; i=@football.example.com;\r\n",
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n",
    " date : message-id : from : subject : date;\r\n",
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n",
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n",
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n",
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n",
    "From: Joe SixPack <joe@football.example.com>\r\n",
    "To: Suzie Q <suzie@shopping.example.net>\r\n",
    "Subject: Is dinner ready?\r\n",
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n",
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n",
    "\r\n",
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n",
);

fn football() -> Arc<TableResolver> {
    table(&[
        (
            "brisbane._domainkey.football.example.com",
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        ),
        (
            "test._domainkey.football.example.com",
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        ),
    ])
}

#[tokio::test]
async fn both_signatures_of_rfc_8463_hold_and_a_changed_body_breaks_them() {
    let mail = Mail::new(RFC_8463).await;
    let field = verified(&mail, football()).await;
    assert!(
        field.contains("dkim=pass header.i=@football.example.com header.s=brisbane"),
        "{field}"
    );
    assert!(
        field.contains("dkim=pass header.i=@football.example.com header.s=test"),
        "{field}"
    );
    let changed = Mail::new(&RFC_8463.replace("lost", "won")).await;
    let field = verified(&changed, football()).await;
    assert!(
        field.contains("dkim=neutral") && !field.contains("dkim=pass"),
        "{field}"
    );
    let changed = Mail::new(&RFC_8463.replace("dinner", "supper")).await;
    let field = verified(&changed, football()).await;
    assert!(
        field.contains("dkim=fail") && !field.contains("dkim=pass"),
        "{field}"
    );
}

#[tokio::test]
async fn a_signature_that_is_aligned_makes_dmarc_pass_without_spf() {
    let resolver = football();
    let text = |text: &str| Ok(vec![RecordData::Txt(text.to_owned())]);
    resolver.set(
        "_dmarc.example.com",
        RecordKind::Txt,
        text("v=DMARC1; p=reject"),
    );
    for (from, passes) in [("football.example.com", true), ("other.example.com", false)] {
        let mail = Mail::new(RFC_8463).await;
        let filter = Authentication {
            enforce: Enforce::Dmarc,
            ..filter(resolver.clone())
        };
        let mail = match passes {
            true => mail,
            false => {
                Mail::new(&RFC_8463.replace("joe@football.example.com", &format!("joe@{from}")))
                    .await
            }
        };
        let verdict = mail.ask(&filter, Stage::Content).await.unwrap().verdict;
        assert_eq!(
            matches!(verdict, Verdict::Pass),
            passes,
            "{from}: {verdict:?}"
        );
    }
}

#[tokio::test]
async fn a_message_with_a_thousand_signatures_asks_for_ten_keys_at_most() {
    let one = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d0.example; s=s; h=from; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=AAAA\r\n";
    let many: String = (0..1_000)
        .map(|n| one.replace("d0", &format!("d{n}")))
        .collect();
    let body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    let mail = Mail::new(&format!("{many}From: a@client.example\r\n\r\n{body}")).await;
    let counting = Arc::new(Counting(table(&[]), parking_lot::Mutex::default()));
    let field = verified(&mail, counting.clone()).await;
    assert_eq!(field.matches("dkim=").count(), 10, "{field}");
    let asked = counting.1.lock().clone();
    let keys = asked.iter().filter(|name| name.contains("_domainkey"));
    assert_eq!(keys.count(), 10, "{asked:?}");
    assert!(asked.len() < 30, "{asked:?}");
}

/// Writes down what is asked.
struct Counting(Arc<TableResolver>, parking_lot::Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Resolver for Counting {
    async fn mx(&self, domain: &str) -> Result<Vec<dns::Mx>, dns::DnsError> {
        self.0.mx(domain).await
    }
    async fn addresses(&self, host: &str) -> Result<Vec<std::net::IpAddr>, dns::DnsError> {
        self.0.addresses(host).await
    }
    async fn ask(&self, name: &str, kind: RecordKind) -> Result<Vec<dns::Record>, dns::AskError> {
        self.1.lock().push(name.to_owned());
        self.0.ask(name, kind).await
    }
}

/// Seals a message as a list would that saw DMARC pass, and changed nothing after it; with its key.
fn sealed(text: &str, domain: &str, saw: &str) -> (String, RecordData) {
    use mail_auth::arc::ArcSealer;
    use mail_auth::common::crypto::Ed25519Key;
    use mail_auth::common::headers::HeaderWriter;
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let public = data_encoding::BASE64.encode(&key.public_key());
    let message = mail_auth::AuthenticatedMessage::parse(text.as_bytes()).unwrap();
    let dmarc = mail_auth::DmarcOutput::default()
        .with_domain("client.example")
        .with_spf_result(match saw {
            "pass" => mail_auth::DmarcResult::Pass,
            _ => mail_auth::DmarcResult::Fail(mail_auth::Error::NotAligned),
        });
    let results = mail_auth::AuthenticationResults::new(domain).with_dmarc_result(&dmarc);
    let before = mail_auth::ArcOutput::default();
    let set = ArcSealer::from_key(key)
        .domain(domain)
        .selector("seal")
        .headers(["From", "To", "Subject"])
        .seal(&message, &results, &before)
        .unwrap();
    let key = RecordData::Txt(format!("v=DKIM1; k=ed25519; p={public}"));
    (format!("{}{text}", set.to_header()), key)
}

#[tokio::test]
async fn a_sealer_that_is_trusted_saves_mail_that_it_saw_pass_and_no_other() {
    for (trusted, saw, changed, passes) in [
        (&["list.example"][..], "pass", false, true),
        (&["other.example"], "pass", false, false),
        (&["list.example"], "fail", false, false),
        (&["list.example"], "pass", true, false),
    ] {
        let (mut text, key) = sealed(PLAIN, "list.example", saw);
        if changed {
            text = text.replace("hello", "goodbye");
        }
        let resolver = table(&[
            ("client.example", "v=spf1 -all"),
            ("_dmarc.client.example", "v=DMARC1; p=reject"),
        ]);
        resolver.set(
            "seal._domainkey.list.example",
            RecordKind::Txt,
            Ok(vec![key]),
        );
        let filter = Authentication {
            enforce: Enforce::Dmarc,
            trusted_sealers: trusted.iter().map(|t| (*t).to_owned()).collect(),
            ..filter(resolver)
        };
        let mail = Mail::new(&text).await;
        let answer = mail.ask(&filter, Stage::Content).await.unwrap();
        let verdict = answer.verdict;
        assert_eq!(
            verdict == Verdict::Pass,
            passes,
            "{trusted:?} {saw} {changed}: {verdict:?}\n{text}"
        );
    }
}
