//! STARTTLS (RFC 3207) and TLS from the first byte (RFC 8314).

use std::time::Duration;

use ::tls::{Connector, Identities, IdentityFiles, Roots, Verify};
use reception::{Door, Role, Settings};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use crate::support::{Client, LOCAL, Relay, settings, world};
use crate::users::Stage;

/// A certificate in files, and settings that use it.
fn secure_settings() -> (Settings, TempDir) {
    let dir = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["relay.example".to_owned()]).unwrap();
    let files = IdentityFiles {
        certificate: dir.path().join("relay.pem"),
        key: dir.path().join("relay.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let (identities, _) = Identities::load(&world(), vec![files]).unwrap();
    let settings = Settings {
        tls: Some(identities.acceptor()),
        ..settings()
    };
    (settings, dir)
}

fn implicit_tls() -> Door {
    Door {
        implicit_tls: true,
        ..Door::default()
    }
}

impl Client {
    async fn secure(&mut self) {
        let connector = Connector::new(&world(), Roots::none());
        let plain = self.stream.detach();
        let met = connector.connect(plain, "relay.example", Verify::Opportunistic);
        self.stream = met.await.unwrap().0;
    }

    async fn starttls(&mut self) {
        self.ask("STARTTLS", "220 2.0.0").await;
        self.secure().await;
    }
}

#[tokio::test(start_paused = true)]
async fn starttls_is_announced_where_there_is_a_certificate_and_not_under_tls() {
    let relay = Relay::start(settings());
    let mut client = relay.connect_from(LOCAL).await;
    client.expect("220 ").await;
    let plain = client.ask("EHLO client.example", "250").await;
    assert!(!plain.contains("STARTTLS"), "{plain}");
    client.ask("STARTTLS", "502 5.5.1").await;

    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.connect_from(LOCAL).await;
    client.expect("220 ").await;
    let plain = client.ask("EHLO client.example", "250").await;
    assert!(plain.contains("-STARTTLS\r\n"), "{plain}");
    client.starttls().await;
    let secure = client.ask("EHLO client.example", "250").await;
    assert!(!secure.contains("STARTTLS"), "{secure}");
    client.ask("STARTTLS", "503 5.5.1").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_over_tls_says_so_in_its_trace() {
    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.session().await;
    client.starttls().await;
    client.ask("EHLO client.example", "250").await;
    client.up_to_data().await;
    client.ask("Subject: hi\r\n\r\nhello\r\n.", "250 ").await;
    let (message, text) = relay.store.only();
    assert_eq!(message.message.origin.protocol, "ESMTPS");
    assert!(text.contains(" with ESMTPS id "), "{text}");
    let cipher = "\r\n\ttls TLS_AES_256_GCM_SHA384 (TLSv1.3);\r\n";
    assert!(text.contains(cipher), "{text}");
}

#[tokio::test(start_paused = true)]
async fn starttls_forgets_ehlo_and_the_transaction() {
    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    client.ask("RCPT TO:<b@example.org>", "250 ").await;
    client.starttls().await;
    client.ask("DATA", "503 5.5.1").await;
    client.ask("RCPT TO:<b@example.org>", "503 5.5.1").await;
    client
        .ask("MAIL FROM:<a@client.example>", "503 5.5.1")
        .await;
    client.ask("EHLO client.example", "250").await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
}

/// CVE-2011-0411: what an attacker puts behind STARTTLS in the clear must not be taken for the
/// client's own words under TLS.
#[tokio::test(start_paused = true)]
async fn starttls_command_injection_is_not_carried_into_the_secure_session() {
    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.session().await;
    let injected = b"STARTTLS\r\nEHLO attacker.example\r\nMAIL FROM:<evil@attacker.example>\r\n\
        RCPT TO:<b@example.org>\r\nDATA\r\n";
    client.send(injected).await;
    client.expect("220 2.0.0").await;
    client.secure().await;
    // The first thing that is answered is what the client says now.
    client.ask("NOOP", "250 2.0.0").await;
    client
        .ask("MAIL FROM:<a@client.example>", "503 5.5.1")
        .await;
    client.ask("QUIT", "221 ").await;
    assert_eq!(relay.store.messages().len(), 0);
    relay.nothing_left().await;
}

#[tokio::test(start_paused = true)]
async fn commands_that_come_late_behind_starttls_end_the_connection() {
    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.session().await;
    client.ask("STARTTLS", "220 2.0.0").await;
    client.send(b"EHLO attacker.example\r\nNOOP\r\n").await;
    // An alert is what comes back, and no reply.
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).await.unwrap();
    assert!(!rest.starts_with(b"250"), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn tls_from_the_first_byte_greets_under_tls() {
    let (settings, _dir) = secure_settings();
    let mut relay = Relay::start(settings);
    relay.serve_at(implicit_tls());
    let mut client = relay.connect_from(LOCAL).await;
    client.secure().await;
    client.expect("220 relay.example").await;
    let announced = client.ask("EHLO client.example", "250").await;
    assert!(!announced.contains("STARTTLS"), "{announced}");
    client.up_to_data().await;
    client.ask("Subject: hi\r\n\r\nhello\r\n.", "250 ").await;
    assert_eq!(relay.store.only().0.message.origin.protocol, "ESMTPS");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_takes_too_long_ends_and_counts_as_a_connection_until_then() {
    let (settings, _dir) = secure_settings();
    let settings = Settings {
        max_connections: 1,
        handshake_timeout: Duration::from_secs(10),
        ..settings
    };
    let mut relay = Relay::start(settings);
    relay.serve_at(implicit_tls());
    let began = tokio::time::Instant::now();
    let mut silent = relay.connect_from(LOCAL).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    // Beyond the limit there is not even a handshake.
    let mut second = relay.connect_from(LOCAL).await;
    assert_eq!(second.stream.read(&mut [0; 64]).await.unwrap_or(0), 0);
    assert_eq!(silent.stream.read(&mut [0; 64]).await.unwrap_or(0), 0);
    assert_eq!(began.elapsed().as_secs(), 10);
    let mut third = relay.connect_from(LOCAL).await;
    third.secure().await;
    third.expect("220 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_handshake() {
    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.session().await;
    client.ask("STARTTLS", "220 2.0.0").await;
    let began = tokio::time::Instant::now();
    relay.stop.send(true).unwrap();
    assert_eq!(client.stream.read(&mut [0; 64]).await.unwrap_or(0), 0);
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_large_message_comes_through_tls_whole() {
    let (settings, _dir) = secure_settings();
    let relay = Relay::start(settings);
    let mut client = relay.session().await;
    client.starttls().await;
    client.ask("EHLO client.example", "250").await;
    client.up_to_data().await;
    let line = format!("{}\r\n", "x".repeat(70));
    let content = line.repeat(30_000);
    client.send(content.as_bytes()).await;
    client.ask(".", "250 ").await;
    let (_, text) = relay.store.only();
    assert!(text.ends_with(&content));
}

#[tokio::test(start_paused = true)]
async fn a_password_may_be_sent_under_tls_and_a_login_before_it_is_forgotten() {
    let (settings, _dir) = secure_settings();
    let stage = Stage::with(Role::Submission, settings);
    let mut client = stage.relay.connect_from("192.0.2.7:5000").await;
    client.expect("220 ").await;
    let clear = client.ask("EHLO client.example", "250").await;
    assert!(!clear.contains(" PLAIN"), "{clear}");
    client.starttls().await;
    let secure = client.ask("EHLO client.example", "250").await;
    assert!(secure.contains(" PLAIN"), "{secure}");
    // "\0bert\0word"
    client.ask("AUTH PLAIN AGJlcnQAd29yZA==", "235 2.7.0").await;

    let mut client = stage.relay.connect_from(LOCAL).await;
    client.expect("220 ").await;
    client.ask("EHLO client.example", "250").await;
    client.ask("AUTH PLAIN AGJlcnQAd29yZA==", "235 2.7.0").await;
    client.starttls().await;
    client.ask("EHLO client.example", "250").await;
    client
        .ask("MAIL FROM:<bert@client.example>", "530 5.7.0")
        .await;
}
