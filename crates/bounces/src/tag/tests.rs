//! Return addresses, made and known again.

use std::sync::Arc;

use proptest::prelude::*;
use queue::{BodyKind, DestinationKey, Options, Origin, RecipientState, Rewritten};

use super::*;

pub(crate) fn paths() -> ReturnPaths {
    paths_of(Per::Recipient, &["news@a.example", "b.example"])
}

fn paths_of(per: Per, senders: &[&str]) -> ReturnPaths {
    let senders = senders.iter().filter_map(|text| SenderPattern::read(text));
    ReturnPaths::new(vec![b"first".to_vec()])
        .in_domain("Bounces.example", "b", (per, senders.collect()), DAYS * 14)
        .reading(&["fbl@ours.example".parse().unwrap()])
}

const DAYS: Duration = Duration::from_secs(86_400);

pub(crate) fn message(sender: &str) -> Message {
    Message {
        id: MessageId::new(1_700_000_000_000, &[7; 10]),
        sender: Address::parse(sender, true).unwrap(),
        received_at: at(0),
        expires_at: at(5 * 86_400),
        size: 1,
        body_kind: BodyKind::SevenBit,
        smtputf8: false,
        hops: 1,
        kind: MessageKind::Mail,
        origin: Origin {
            client: "local".into(),
            helo: None,
            protocol: "SMTP".into(),
            about: None,
        },
        options: Options::default(),
    }
}

pub(crate) fn recipient(index: u32, address: &str) -> Recipient {
    Recipient {
        index,
        address: Address::parse(address, true).unwrap(),
        destination: DestinationKey::new("mx:c.example"),
        state: RecipientState::Delivered,
        next_attempt: None,
        attempts: 1,
        last: None,
        basis: None,
        rewritten: None,
        options: queue::RecipientOptions::default(),
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

#[test]
fn a_return_address_tells_its_message_and_recipient_in_any_case() {
    let made = paths().path_for(&message("news@A.example"), &recipient(12, "x@c.example"));
    let made = made.unwrap();
    assert!(made.as_str().ends_with("@bounces.example"), "{made}");
    assert!(
        made.local().len() <= 64 && made.local().starts_with("b+"),
        "{made}"
    );
    let tag = Tag {
        message: message("").id,
        recipient: Some(12),
    };
    assert_eq!(paths().tag(&made, at(0)), Some(Ok(tag)));
    let upper: Address = made.as_str().to_uppercase().parse().unwrap();
    assert_eq!(paths().tag(&upper, at(0)), Some(Ok(tag)));
    let text = format!("return-path: <{}>\r\n", made.as_str());
    assert_eq!(paths().find_in(&text), Some(tag));
    let longer = format!("<{}.evil.example>", made.as_str());
    assert_eq!(paths().find_in(&longer), None);
}

#[test]
fn per_message_all_recipients_share_one() {
    let paths = paths_of(Per::Message, &["*"]);
    let made = |n| paths.path_for(&message("a@a.example"), &recipient(n, "x@c.example"));
    assert_eq!(made(0), made(1));
    let tag = paths.tag(&made(0).unwrap(), at(0)).unwrap().unwrap();
    assert_eq!(tag.recipient, None);
}

#[test]
fn null_senders_reports_and_others_keep_their_reverse_path() {
    let path = |message: &Message| paths().path_for(message, &recipient(0, "x@c.example"));
    assert!(path(&message("any@b.example")).is_some());
    assert_eq!(path(&message("")), None);
    assert_eq!(path(&message("anna@a.example")), None);
    assert_eq!(path(&message("x@sub.b.example")), None);
    let report = Message {
        kind: MessageKind::Report,
        ..message("any@b.example")
    };
    assert_eq!(path(&report), None);
    let all = paths_of(Per::Recipient, &["*"]);
    let read = message("fbl@ours.example");
    assert_eq!(all.path_for(&read, &recipient(0, "x@c.example")), None);
    let own = all.path_for(&message("a@b.example"), &recipient(0, "x@c.example"));
    let again = message(own.unwrap().as_str());
    assert_eq!(all.path_for(&again, &recipient(0, "x@c.example")), None);
}

#[test]
fn the_sender_of_a_forwarded_copy_decides_where_it_has_one() {
    let mut forwarded = recipient(0, "x@c.example");
    let sender = Some("list-owner@b.example".parse().unwrap());
    forwarded.rewritten = Rewritten::of(sender, None).map(Arc::new);
    assert!(
        paths()
            .path_for(&message("z@z.example"), &forwarded)
            .is_some()
    );
}

#[test]
fn what_is_forged_old_or_broken_is_told() {
    let made = paths()
        .path_for(&message("news@a.example"), &recipient(1, "x@c.example"))
        .unwrap();
    let day = 86_400;
    assert!(paths().tag(&made, at(14 * day)).unwrap().is_ok());
    let old = paths().tag(&made, at(14 * day + 1));
    assert_eq!(old, Some(Err(TagError::Old)));
    let forged = |from: &str, to: &str| {
        let text = made.as_str().replacen(from, to, 1);
        paths().tag(&text.parse().unwrap(), at(0))
    };
    assert_eq!(forged("-1-", "-2-"), Some(Err(TagError::Code)));
    assert_eq!(forged("-1-", "-"), Some(Err(TagError::Code)));
    assert_eq!(forged("-1-", "-x-"), Some(Err(TagError::Form)));
    assert_eq!(forged("b+", "c+"), None);
    let text: Address = "b+@bounces.example".parse().unwrap();
    assert_eq!(paths().tag(&text, at(0)), Some(Err(TagError::Form)));
    let elsewhere: Address = "b+x@other.example".parse().unwrap();
    assert_eq!(paths().tag(&elsewhere, at(0)), None);
}

#[test]
fn a_new_secret_makes_and_the_old_one_still_counts() {
    let made = paths()
        .path_for(&message("news@a.example"), &recipient(1, "x@c.example"))
        .unwrap();
    let mut rotated = paths();
    rotated.secrets.insert(0, b"second".to_vec());
    assert!(rotated.tag(&made, at(0)).unwrap().is_ok());
    rotated.secrets.pop();
    assert_eq!(rotated.tag(&made, at(0)), Some(Err(TagError::Code)));
}

proptest! {
    #[test]
    fn any_local_part_is_read_without_a_panic(local in "[bB]\\+[a-z0-9+=-]{0,50}") {
        if let Ok(address) = format!("{local}@bounces.example").parse::<Address>() {
            let told = paths().tag(&address, at(0));
            prop_assert!(told.is_some_and(|tag| tag.is_err()));
        }
    }

    #[test]
    fn any_text_is_searched_without_a_panic(text in ".{0,200}b\\+.{0,200}") {
        prop_assert_eq!(paths().find_in(&text.to_lowercase()), None);
    }
}
