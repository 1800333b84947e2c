//! Hooks over HTTP.

use filters::Hook;
use screening::{Answer, Codes, Edit, Reason, Stage, Verdict};
use serde_json::Value;
use world::World;

use crate::stage::{Mail, http, local, refused, scripted};

/// Asks a hook that answers this JSON; what it was posted, and what came of it.
async fn asked(stage: Stage, answer: Vec<u8>) -> (String, Result<Answer, screening::Failure>) {
    // A request ends with the last brace of its JSON.
    let whole = |heard: &[u8]| {
        let text = String::from_utf8_lossy(heard);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        body.is_some_and(|body| serde_json::from_str::<Value>(&body).is_ok())
    };
    let (port, heard) = scripted(whole, answer).await;
    let place = ("policy.example".to_owned(), "/mail?x=1".to_owned());
    let hook = Hook::new(World::real(), local(port), place, Stage::ALL);
    let mail = Mail::new("Subject: hello\r\nTo: b\r\n\r\nbody\r\n").await;
    let answer = mail.ask(&hook, stage).await;
    (String::from_utf8(heard.await.unwrap()).unwrap(), answer)
}

#[tokio::test]
async fn a_hook_is_told_how_the_connection_is_encrypted_and_who_the_user_is() {
    let whole = |heard: &[u8]| heard.ends_with(b"}");
    let (port, heard) = scripted(whole, http(ACCEPT)).await;
    let place = ("policy.example".to_owned(), "/".to_owned());
    let hook = Hook::new(World::real(), local(port), place, Stage::ALL);
    let mut mail = Mail::new("Subject: hello\r\n\r\nbody\r\n").await;
    mail.log_in_under_tls();
    mail.ask(&hook, Stage::Mail).await.unwrap();
    let heard = String::from_utf8(heard.await.unwrap()).unwrap();
    let (_, body) = heard.split_once("\r\n\r\n").unwrap();
    let told: Value = serde_json::from_str(body).unwrap();
    let tls = serde_json::json!(
        {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "bits": 256}
    );
    assert_eq!(told["client"]["tls"], tls);
    assert_eq!(told["client"]["authenticated"], "anna");
    assert_eq!(told["client"]["mechanism"], "SCRAM-SHA-256");
}

const ACCEPT: &str = "{\"action\":\"accept\"}";

#[tokio::test]
async fn a_hook_is_told_what_is_known_at_its_stage() {
    for stage in Stage::ALL {
        let (heard, answer) = asked(stage, http(ACCEPT)).await;
        assert_eq!(answer, Ok(Answer::pass()));
        assert!(heard.starts_with("POST /mail?x=1 HTTP/1.1\r\n"), "{heard}");
        assert!(heard.contains("policy.example\r\n"), "{heard}");
        let (_, body) = heard.split_once("\r\n\r\n").unwrap();
        let told: Value = serde_json::from_str(body).unwrap();
        assert_eq!(told["stage"], stage.as_str());
        assert_eq!(told["server"], "relay.example");
        assert_eq!(told["client"]["address"], "192.0.2.1");
        assert_eq!(told["client"]["tls"], Value::Null);
        let since = |first: Stage, value: Value| match stage >= first {
            true => value,
            false => Value::Null,
        };
        assert_eq!(
            told["sender"],
            since(Stage::Mail, "anna@client.example".into())
        );
        assert_eq!(
            told["headers"],
            since(
                Stage::Content,
                serde_json::json!([["Subject", " hello"], ["To", " b"]])
            )
        );
        let recipient = Value::from("bert@example.org");
        let at_rcpt = if stage == Stage::Rcpt {
            recipient
        } else {
            Value::Null
        };
        assert_eq!(told["recipient"], at_rcpt);
    }
}

#[tokio::test]
async fn a_hook_may_refuse_in_its_own_words_hold_discard_and_change_the_header() {
    let (_, answer) = asked(
        Stage::Rcpt,
        http(
            "{\"action\":\"reject\",\"code\":553,\"status\":\"5.1.8\",\"text\":\"no such sender\"}",
        ),
    )
    .await;
    let verdict = answer.unwrap().verdict;
    let (reason, codes) = refused(&verdict);
    assert_eq!(codes, Codes::new(553, 1, 8));
    assert_eq!(reason, &Reason::Said("no such sender".into()));
    let (_, answer) = asked(
        Stage::Content,
        http("{\"action\":\"hold\",\"add_headers\":[[\"X-Why\",\"odd\\nBcc: x\"]],\"remove_headers\":[\"Subject\"]}"),
    )
    .await;
    let answer = answer.unwrap();
    assert_eq!(answer.verdict, Verdict::Hold(Reason::Said(String::new())));
    let Edit::Add(field) = &answer.edits[1] else {
        panic!("{:?}", answer.edits);
    };
    assert_eq!(field.raw(), &b"X-Why: odd\r\n\tBcc: x\r\n"[..]);
}

#[tokio::test]
async fn an_answer_that_does_not_keep_to_the_schema_is_a_failure() {
    for answer in [
        http("{\"action\":\"explode\"}"),
        http("{\"action\":\"accept\",\"wrong\":1}"),
        http("{\"action\":\"reject\",\"code\":250}"),
        http("{\"action\":\"reject\",\"code\":451}"),
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_vec(),
        http("{}"),
    ] {
        let (_, answer) = asked(Stage::Mail, answer).await;
        assert!(answer.is_err(), "{answer:?}");
    }
}
