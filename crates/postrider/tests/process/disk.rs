//! A disk of 8 MB: the relay says so in time, keeps what it has taken, and goes on when there is room.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use peers::{ClosedPort, Process, Relay, Sink, wait_until};

use crate::postrider;
use crate::talk::{Talk, content, token};

/// A tmpfs on the relay's data directory, in a mount namespace of its own.
struct SmallDisk {
    _process: Process,
}

impl SmallDisk {
    fn mount(relay: &mut Relay) -> SmallDisk {
        let data = relay.directory().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let ready = relay.directory().join("mounted");
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=8m tmpfs \"$1\" && touch \"$2\" && exec sleep infinity",
            "sh",
        ]);
        command.arg(&data).arg(&ready);
        let log = relay.directory().join("mount.log");
        let process = Process::start("unshare (mounting needs root)", &mut command, &log).unwrap();
        let there = wait_until(Duration::from_secs(20), || ready.exists().then_some(()));
        assert!(
            there.is_some(),
            "no tmpfs: {}",
            std::fs::read_to_string(log).unwrap()
        );
        relay.wrap(&[
            "nsenter",
            "--mount",
            "--target",
            &process.id().to_string(),
            "--",
        ]);
        SmallDisk { _process: process }
    }
}

#[test]
fn with_the_default_reserve_a_small_disk_takes_nothing_and_says_so() {
    let mut relay = Relay::prepare(postrider(), "").unwrap();
    let disk = SmallDisk::mount(&mut relay);
    relay.run().unwrap();
    let mut talk = Talk::begin(relay.port).unwrap();
    let reply = talk.ask("MAIL FROM:<anna@client.example>").unwrap();
    assert!(reply.starts_with("452 4.3.1 "), "{reply}");
    assert_eq!(talk.ask("NOOP").unwrap().get(..3), Some("250"));
    assert!(relay.stop().unwrap());
    drop(disk);
}

#[test]
fn a_full_disk_loses_nothing_that_was_taken() {
    let closed = ClosedPort::take().unwrap();
    let config = |port| {
        format!("[limits]\nmin_free = \"512 KiB\"\n[routes]\n\"*\" = \"smtp://127.0.0.1:{port}\"\n")
    };
    let mut relay = Relay::prepare(postrider(), &config(closed.port)).unwrap();
    let disk = SmallDisk::mount(&mut relay);
    relay.run().unwrap();

    let mut accepted = BTreeSet::new();
    let mut refusals = Vec::new();
    let mut talk = Talk::begin(relay.port).unwrap();
    // Small ones lie in the database, large ones in files; far more of them than there is room.
    for number in 0..400 {
        let (token, bytes) = (
            format!("m{number}"),
            if number % 2 == 0 { 3_000 } else { 150_000 },
        );
        let reply = talk
            .mail(
                "anna@client.example",
                "bert@dest.example",
                &content(&token, bytes),
            )
            .unwrap();
        match reply.get(..3) {
            Some("250") => {
                accepted.insert(token);
            }
            Some("452" | "451") => refusals.push(reply),
            _ => panic!("{reply}"),
        }
    }
    assert!(accepted.len() > 20, "only {} fit", accepted.len());
    assert!(
        refusals.iter().any(|r| r.starts_with("452 4.3.1 ")),
        "{refusals:?}"
    );
    assert!(refusals.len() > 100, "only {} refused", refusals.len());

    // Commands work on a full disk, and after a kill all is there again.
    assert!(
        relay
            .ask(&["queue", "list"])
            .unwrap()
            .contains("server.connection-refused")
    );
    relay.kill();
    let sink = Sink::start(Vec::new()).unwrap();
    relay.configure(&config(sink.port)).unwrap();
    relay.run().unwrap();
    let taken = sink.wait_for(accepted.len(), Duration::from_secs(60));
    let arrived: BTreeSet<_> = sink.received().iter().map(|m| token(&m.content)).collect();
    let lost: Vec<_> = accepted.difference(&arrived).collect();
    assert!(
        lost.is_empty(),
        "{taken} arrived, lost: {lost:?}\n{}",
        relay.log()
    );
    // There is room again.
    let mut talk = Talk::begin(relay.port).unwrap();
    let again = wait_until(Duration::from_secs(60), || {
        let reply = talk.mail(
            "anna@client.example",
            "bert@dest.example",
            &content("later", 3_000),
        );
        reply.unwrap().starts_with("250").then_some(())
    });
    assert!(again.is_some(), "no room again\n{}", relay.log());
    assert!(!relay.log().contains("panicked"), "{}", relay.log());
    assert!(relay.stop().unwrap());
    println!(
        "{} accepted and arrived, {} refused",
        accepted.len(),
        refusals.len()
    );
    drop(disk);
}
