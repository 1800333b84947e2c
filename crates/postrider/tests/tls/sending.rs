//! Servers to which we send over TLS.

use std::path::Path;
use std::time::Duration;

use peers::{Client, Mail, Place, Postfix, Relay, free_port, wait_until};

use crate::authority::Authority;

const PATIENCE: Duration = Duration::from_secs(60);
const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

struct Stage {
    place: Place,
    authority: Authority,
    postfix: Postfix,
}

impl Stage {
    /// A Postfix that offers STARTTLS with a certificate of ours for this name.
    fn new(name: &str) -> Stage {
        let place = Place::new("tls").unwrap();
        let authority = Authority::new(place.path());
        let pair = authority.issue("postfix", name);
        let config = format!(
            "smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\n\
             smtpd_tls_received_header = yes\nsmtpd_tls_chain_files = {}, {}\n",
            pair.key.display(),
            pair.chain.display(),
        );
        Stage {
            postfix: Postfix::start(&config).unwrap(),
            authority,
            place,
        }
    }

    fn relay(&self, more: &str) -> Relay {
        let config = format!(
            "[routes]\n\"*\" = \"smtp://localhost:{}\"\n{more}",
            self.postfix.port
        );
        Relay::start(Path::new(BINARY), &config).unwrap()
    }

    fn trusting(&self) -> String {
        let file = self.authority.file.display();
        format!("[tls]\nauthorities = [\"{file}\"]\n")
    }

    /// Sends a message; its story in words.
    fn story(&self, relay: &Relay) -> String {
        let to = ["bert@dest.example".to_owned()];
        let mail = Mail {
            from: "anna@client.example",
            to: &to,
            content: b"Subject: secret\r\n\r\nhello\r\n",
        };
        let sent = Client::Smtplib.send(relay.port, &mail, self.place.path(), Path::new(BINARY));
        sent.unwrap();
        let settled = relay.settled().unwrap();
        let id = settled[0]["id"].as_str().unwrap().to_owned();
        let story = relay.ask(&["queue", "show", "--lang", "en", &id]).unwrap();
        // Its lines are broken to fit a screen.
        story.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn arrived(&self) -> String {
        let there = || (self.postfix.maildir.count() > 0).then_some(());
        assert!(
            wait_until(PATIENCE, there).is_some(),
            "{}",
            self.postfix.log()
        );
        let messages = self.postfix.maildir.messages().unwrap();
        String::from_utf8_lossy(&messages[0].content).into_owned()
    }
}

#[test]
fn postfix_gets_mail_encrypted_although_nobody_vouches_for_it() {
    let stage = Stage::new("mx.dest.example");
    let relay = stage.relay("");
    let story = stage.story(&relay);
    assert!(story.contains("encrypted with TLSv1.3 (TLS_"), "{story}");
    assert!(
        story.contains("would not have been shown: the certificate"),
        "{story}"
    );
    assert!(
        stage.arrived().contains("(using TLSv1.3 with cipher"),
        "{story}"
    );
}

#[test]
fn postfix_shows_who_it_is_where_that_is_demanded() {
    let stage = Stage::new("localhost");
    let policy = "[tls.policy.localhost]\nlevel = \"verify\"\n";
    let relay = stage.relay(&format!("{}{policy}", stage.trusting()));
    let story = stage.story(&relay);
    assert!(
        story.contains("an authority vouches for localhost"),
        "{story}"
    );
    stage.arrived();
}

#[test]
fn mail_waits_for_a_server_with_a_certificate_for_another_name_and_the_story_names_both() {
    let stage = Stage::new("mx.elsewhere.example");
    let policy = "[tls.policy.localhost]\nlevel = \"verify\"\n";
    let relay = stage.relay(&format!("{}{policy}", stage.trusting()));
    let story = stage.story(&relay);
    let wanted = "the certificate is for mx.elsewhere.example, not for localhost";
    assert!(story.contains(wanted), "{story}");
    assert!(story.contains("tls.certificate"), "{story}");
    assert_eq!(stage.postfix.maildir.count(), 0);
    let log = relay.log();
    assert!(log.contains("tls.certificate"), "{log}");
}

#[test]
fn a_relay_of_ours_is_a_smart_host_under_tls_from_the_first_byte() {
    let stage = Stage::new("localhost");
    let pair = stage.authority.issue("smart", "localhost");
    let port = free_port().unwrap();
    let config = format!(
        "smtps = [\"127.0.0.1:{port}\"]\n[routes]\n\"*\" = \"smtp://localhost:{}\"\n\
         [delivery]\ntls = \"off\"\n[[tls.certificate]]\nchain = \"{}\"\nkey = \"{}\"\n",
        stage.postfix.port,
        pair.chain.display(),
        pair.key.display(),
    );
    let _smart = Relay::start(Path::new(BINARY), &config).unwrap();
    let config = format!(
        "[routes]\n\"*\" = \"smtps://localhost:{port}\"\n[delivery]\ntls = \"verify\"\n{}",
        stage.trusting()
    );
    let relay = Relay::start(Path::new(BINARY), &config).unwrap();
    let story = stage.story(&relay);
    assert!(
        story.contains("an authority vouches for localhost"),
        "{story}"
    );
    let arrived = stage.arrived();
    assert!(arrived.contains(" with ESMTPS id "), "{arrived}");
}
