//! What a route says besides where it leads.

use std::time::Duration;

use diagnosis::facts::StepKind;
use queue::RecipientState;
use queue::route::{Identity, Line, NextHop, Routes, Ways};

use crate::peer::at;
use crate::relay::{Relay, states};

fn from(source: &str, helo: &str, name: &str) -> Line {
    Line {
        to: NextHop::Mx,
        name: Some(name.to_owned()),
        ways: Ways {
            login: None,
            identity: Identity {
                source: vec![source.parse().unwrap()],
                helo: Some(helo.to_owned()),
            },
        },
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_says_from_where_we_come_and_by_which_name() {
    let mut routes = Routes::default();
    let bulk = from("192.0.2.77", "bulk.example", "bulk");
    routes.insert_line("example.org", bulk).unwrap();
    let relay = Relay::start_with(routes, |settings| {
        settings.identity.helo = Some("usual.example".to_owned());
    })
    .await;
    for own in ["192.0.2.66", "192.0.2.77"] {
        relay.net.add_source(own.parse().unwrap());
    }
    let one = relay.willing_peer(1).await;
    let three = relay.willing_peer(3).await;
    let id = relay
        .send("s@sender.example", &["a@example.org", "b@other.example"])
        .await;
    let story = relay.settled(id).await;
    assert_eq!(states(&story), [RecipientState::Delivered; 2]);
    assert_eq!(one.hellos(), ["bulk.example"]);
    assert_eq!(three.hellos(), ["usual.example"]);
    let chosen = |key: &str| {
        let attempt = story
            .attempts
            .iter()
            .find(|a| a.destination.as_str() == key)
            .unwrap();
        attempt
            .attempt
            .steps
            .iter()
            .find_map(|step| match &step.what {
                StepKind::Connected { from, .. } => Some(from.clone()),
                _ => None,
            })
    };
    assert_eq!(
        chosen("mx:example.org#bulk"),
        Some(Some("192.0.2.77".to_owned()))
    );
    assert_eq!(chosen("mx:other.example"), Some(None), "the system chose");
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_waited_for_no_longer_than_the_administrator_says() {
    let relay = Relay::start_with(Routes::default(), |settings| {
        settings.reply_timeout = Duration::from_secs(20);
    })
    .await;
    let silent = relay.world.net.listen(at(3)).await.unwrap();
    let _mute = tokio::spawn(async move {
        let (_stream, _) = silent.accept().await.unwrap();
        std::future::pending::<()>().await;
    });
    let id = relay.send("s@sender.example", &["b@other.example"]).await;
    relay.pass(25).await;
    let story = relay.story(id).await;
    assert_eq!(story.attempts.len(), 1, "{story:#?}");
    assert_eq!(
        story.recipients[0].last.as_ref().unwrap().cause.id(),
        "connection.dropped"
    );
}
