//! What the sender asked for is kept with the message.

use queue::{BodyKind, Deadline, Options, RecipientOptions, Store};
use smtp::envelope::{ByMode, EnvelopeId, Notify, OriginalRecipient, Priority, Return};

use crate::stage::{Stage, id};

#[tokio::test]
async fn what_the_sender_asked_for_outlives_a_crash() {
    let stage = Stage::new();
    let body = stage.content(id(1), 100).await.unwrap();
    let mut new = stage.message(id(1), body, &["b@example.org", "c@example.org"]);
    let options = Options {
        envelope_id: EnvelopeId::parse("QQ314159"),
        ret: Some(Return::Headers),
        require_tls: true,
        priority: Priority::new(3),
        deliver_by: Some(Deadline {
            at: stage.now,
            mode: ByMode::Return,
            trace: false,
        }),
        hold_until: Some(stage.now),
        submitter: Some("anna@example.org".parse().unwrap()),
    };
    let asked = RecipientOptions {
        expanded: Some(queue::Expanded::List),
        notify: Some(Notify::NEVER),
        original: OriginalRecipient::parse("rfc822;bert@example.org"),
    };
    new.message.options = options.clone();
    new.message.body_kind = BodyKind::Binary;
    new.recipients[0].options = asked.clone();
    stage.store.accept(new).await.unwrap();

    let stage = stage.crash();
    let story = stage.store.story(id(1)).await.unwrap();
    assert_eq!(story.message.options, options);
    assert_eq!(story.message.body_kind, BodyKind::Binary);
    assert_eq!(story.recipients[0].options, asked);
    assert_eq!(story.recipients[1].options, RecipientOptions::default());
    assert_eq!(story.recipients[0].basis, Some(queue::Basis::SenderAsked));
}
