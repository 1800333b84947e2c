//! Logging in at a smart host.

use std::sync::Arc;

use data_encoding::BASE64;
use parking_lot::Mutex;
use queue::RecipientState;
use queue::route::{Identity, Line, Login, Routes, Ways};
use sasl::{Keys, Mechanism, Password, Server, Step};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use world::Stream;

use crate::peer::at;
use crate::relay::{Relay, causes};

const PASSWORD: &str = "s3cret";

/// What the server heard, line by line; what stands in AUTH decoded.
type Heard = Arc<Mutex<Vec<String>>>;

/// A server that takes mail from `anna` alone.
async fn serve(stream: Stream, offers: &'static str, heard: Heard) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut known = false;
    say(&mut stream, "220 smart ESMTP").await?;
    while let Some(line) = hear(&mut stream).await? {
        heard.lock().push(line.clone());
        let mut words = line.split(' ');
        let answer = match words.next().unwrap() {
            "EHLO" if offers.is_empty() => "250 smart".to_owned(),
            "EHLO" => format!("250-smart\r\n250 AUTH {offers}"),
            "AUTH" => {
                let mechanism = Mechanism::find(words.next().unwrap()).unwrap();
                let initial = words.next().map(str::to_owned);
                known = exchange(&mut stream, mechanism, initial).await?;
                match known {
                    true => "235 2.7.0 welcome".to_owned(),
                    false => "535 5.7.8 Authentication credentials invalid".to_owned(),
                }
            }
            "MAIL" if !known => "530 5.7.0 Authentication required".to_owned(),
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                while hear(&mut stream).await?.is_some_and(|line| line != ".") {}
                "250 2.0.0 taken".to_owned()
            }
            _ => "250 2.0.0 ok".to_owned(),
        };
        say(&mut stream, &answer).await?;
    }
    Ok(())
}

async fn exchange(
    stream: &mut BufReader<Stream>,
    mechanism: Mechanism,
    initial: Option<String>,
) -> std::io::Result<bool> {
    let mut server = Server::new(mechanism, "server-nonce");
    let mut said = initial.map(|text| BASE64.decode(text.as_bytes()).unwrap());
    loop {
        let mut step = server.respond(said.as_deref()).unwrap();
        if let Step::Keys { name } = &step {
            assert_eq!(name, "anna");
            let keys = Keys::derive(&Password::new(PASSWORD), b"salt-of-the-test", 4096).unwrap();
            step = server.keys(keys).unwrap();
        }
        match step {
            Step::Challenge(challenge) => {
                let line = format!("334 {}", BASE64.encode(&challenge));
                say(stream, &line).await?;
                let answer = hear(stream).await?.unwrap();
                said = Some(BASE64.decode(answer.as_bytes()).unwrap());
            }
            Step::Check { name, password } => {
                return Ok(name == "anna" && password.expose() == PASSWORD);
            }
            _ => return Ok(true),
        }
    }
}

async fn hear(stream: &mut BufReader<Stream>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Ok(None),
        _ => Ok(Some(line.trim_end().to_owned())),
    }
}

async fn say(stream: &mut BufReader<Stream>, words: &str) -> std::io::Result<()> {
    let line = format!("{words}\r\n");
    stream.get_mut().write_all(line.as_bytes()).await
}

/// Sends one message through a server with these mechanisms; where its recipient stands, the causes, and
/// what the server heard.
async fn through(
    offers: &'static str,
    password: &str,
    unencrypted: bool,
) -> (RecipientState, Vec<&'static str>, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let password_file = place.path().join("password");
    std::fs::write(&password_file, format!("{password}\nnot this\n")).unwrap();
    let mut routes = Routes::default();
    let login = Login {
        user: "anna".into(),
        password_file,
        unencrypted,
    };
    let line = Line {
        to: "smtp://mx3.example:25".parse().unwrap(),
        name: None,
        ways: Ways {
            login: Some(login),
            identity: Identity::default(),
        },
    };
    routes.insert_line("*", line).unwrap();
    let relay = Relay::start_with(routes, |_| {}).await;
    let listener = relay.world.net.listen(at(3)).await.unwrap();
    let heard = Heard::default();
    let hearing = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, offers, hearing.clone()));
        }
    });
    let id = relay.send("s@sender.example", &["b@dest.example"]).await;
    relay.pass(5).await;
    let story = relay.story(id).await;
    let facts = serde_json::to_string(&story.attempts).unwrap();
    let told = ["AGFubmE", PASSWORD]
        .iter()
        .any(|secret| facts.contains(secret));
    assert!(!told, "the story tells no secrets: {facts}");
    (
        story.recipients[0].state,
        causes(&story),
        heard.lock().clone(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_smart_host_hears_who_we_are_and_takes_the_mail() {
    for (offers, first) in [
        ("PLAIN LOGIN SCRAM-SHA-256", "AUTH SCRAM-SHA-256 "),
        ("LOGIN PLAIN", "AUTH PLAIN "),
        ("LOGIN", "AUTH LOGIN"),
    ] {
        let (state, _, heard) = through(offers, PASSWORD, true).await;
        assert_eq!(state, RecipientState::Delivered, "{offers}: {heard:?}");
        assert!(
            heard.iter().any(|line| line.starts_with(first)),
            "{heard:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_ours_to_mend_and_fails_no_mail() {
    let (state, causes, heard) = through("PLAIN", "wrong", true).await;
    assert_eq!(causes, ["auth.failed"], "{heard:?}");
    assert!(
        matches!(state, RecipientState::Queued | RecipientState::Held),
        "{state:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_password_never_goes_over_a_network_in_the_clear_unless_that_is_allowed() {
    let (state, causes, heard) = through("PLAIN LOGIN", PASSWORD, false).await;
    assert_eq!(causes, ["auth.mechanism"]);
    assert!(
        matches!(state, RecipientState::Queued | RecipientState::Held),
        "{state:?}"
    );
    assert!(
        !heard.iter().any(|line| line.starts_with("AUTH")),
        "{heard:?}"
    );
    // SCRAM proves it without saying it.
    let (state, _, heard) = through("PLAIN SCRAM-SHA-256", PASSWORD, false).await;
    assert_eq!(state, RecipientState::Delivered, "{heard:?}");
    let (_, causes, _) = through("", PASSWORD, true).await;
    assert_eq!(causes, ["auth.mechanism"], "it offers no AUTH at all");
}
