//! Killed again and again under load, the relay loses nothing that it has answered 250 for, and sends
//! twice only what it says it could not know about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use peers::{Relay, Sink};

use crate::postrider;
use crate::talk::{Talk, content, token};

const KILLS: usize = 200;
const CLIENTS: usize = 4;
/// Every so many messages one is too large for the database and lies in a file.
const LARGE_EVERY: usize = 20;
const LARGE: usize = 200_000;

/// What the clients do and know.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    sent: AtomicUsize,
    /// Tokens of messages that were answered with 250.
    accepted: Mutex<BTreeSet<String>>,
}

impl Load {
    /// Hands in messages until it is over, and connects again whenever the relay has died.
    fn run(&self, port: u16) {
        while !self.over.load(Ordering::SeqCst) {
            if let Ok(mut talk) = Talk::begin(port) {
                // Ends with the relay's death.
                let _ = self.session(&mut talk);
            }
            std::thread::yield_now();
        }
    }

    fn session(&self, talk: &mut Talk) -> std::io::Result<()> {
        while !self.over.load(Ordering::SeqCst) {
            let number = self.sent.fetch_add(1, Ordering::SeqCst);
            let bytes = if number.is_multiple_of(LARGE_EVERY) {
                LARGE
            } else {
                1000
            };
            let token = format!("m{number}");
            let reply = talk.mail(
                "anna@client.example",
                "bert@dest.example",
                &content(&token, bytes),
            )?;
            assert!(reply.starts_with("250 "), "{reply}");
            self.accepted.lock().unwrap().insert(token);
        }
        Ok(())
    }
}

#[test]
fn two_hundred_kills_under_load_lose_nothing_and_duplicates_are_told() {
    let sink = Sink::start(Vec::new()).unwrap();
    let config = format!(
        "[limits]\nmin_free = \"1 MiB\"\n[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n",
        sink.port
    );
    let mut relay = Relay::start(postrider(), &config).unwrap();
    let load = Load::default();
    let port = relay.port;
    std::thread::scope(|threads| {
        for _ in 0..CLIENTS {
            threads.spawn(|| load.run(port));
        }
        for kill in 0..KILLS {
            // From the first moments after the start to well into the load.
            std::thread::sleep(Duration::from_millis(5 + (kill as u64 * 37) % 120));
            relay.kill();
            relay.run().unwrap();
        }
        load.over.store(true, Ordering::SeqCst);
    });
    // What was interrupted waits for some minutes; we do not.
    let all = drain(&relay);
    assert!(relay.stop().unwrap());

    let accepted = load.accepted.into_inner().unwrap();
    assert!(
        accepted.len() > 10 * KILLS,
        "hardly any load: {}",
        accepted.len()
    );
    let mut times: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in sink.received() {
        times
            .entry(token(&message.content))
            .or_default()
            .push(id(&message.content));
    }
    let lost: Vec<_> = accepted
        .iter()
        .filter(|token| !times.contains_key(*token))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost: {lost:?}\n{all}",
        lost.len(),
        accepted.len()
    );

    let twice: Vec<&Vec<String>> = times.values().filter(|ids| ids.len() > 1).collect();
    for ids in &twice {
        let story = relay.ask(&["queue", "show", &ids[0]]).unwrap();
        // However its lines are broken.
        let words = story.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("not known whether the message arrived")
                && words.contains("bert@dest.example: not known; the relay stopped before"),
            "sent {} times, and nothing says why:\n{story}",
            ids.len()
        );
        // An attempt that was cut off is not called delivered.
        let delivered = words.matches("= bert@dest.example: delivered").count();
        assert_eq!(delivered, 1, "{story}");
    }
    let log = relay.log();
    assert!(
        !log.contains("panicked") && !log.contains("passed to somebody else"),
        "{log}"
    );
    println!(
        "{KILLS} kills: {} accepted, {} arrived, {} of them twice, each of those reported as interrupted",
        accepted.len(),
        times.len(),
        twice.len()
    );
}

/// Has everything tried that waits, until nothing does; the queue's last state.
fn drain(relay: &Relay) -> String {
    let drained = relay.wait(Duration::from_secs(120), |all| {
        let waiting = all
            .iter()
            .filter(|r| r["state"] == "queued" && r["attempts"] != 0);
        let ids: BTreeSet<_> = waiting.filter_map(|r| r["id"].as_str()).collect();
        for id in ids {
            // It may be on its way already.
            let _ = relay.ask(&["queue", "retry", id]);
        }
        all.iter().all(|r| r["state"] == "delivered")
    });
    format!(
        "{:?}",
        drained
            .unwrap()
            .iter()
            .filter(|r| r["state"] != "delivered")
            .count()
    )
}

/// The queue's name for a message, from the trace header.
fn id(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(&content[..content.len().min(1000)]).into_owned();
    let id = text.split_once(" id ").map(|(_, rest)| rest);
    let id = id.and_then(|rest| rest.split([';', '\r', '\n', ' ']).next());
    id.unwrap_or_default().to_owned()
}
