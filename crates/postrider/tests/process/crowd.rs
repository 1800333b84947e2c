//! Many clients, and clients that say nonsense.

use std::time::{Duration, Instant};

use peers::{Relay, Sink, allow_open_files, wait_until};

use crate::postrider;
use crate::talk::{Talk, content};

#[test]
fn a_thousand_idle_connections_do_not_keep_mail_out() {
    let sink = Sink::start(Vec::new()).unwrap();
    let config = format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n", sink.port);
    let mut relay = Relay::prepare(postrider(), &config).unwrap();
    // It starts with the limit that most systems give, and raises it.
    relay.wrap(&["prlimit", "--nofile=1024:4096"]);
    relay.run().unwrap();
    allow_open_files(4000).unwrap();
    let mut idle: Vec<Talk> = (0..1000)
        .map(|_| Talk::connect(relay.port).unwrap())
        .collect();
    for talk in &mut idle {
        assert!(talk.reply().unwrap().starts_with("220 "));
    }
    let mut talk = Talk::begin(relay.port).unwrap();
    let reply = talk
        .mail("a@client.example", "b@dest.example", &content("x", 100))
        .unwrap();
    assert!(reply.starts_with("250 "), "{reply}");
    assert_eq!(sink.wait_for(1, Duration::from_secs(30)), 1);
    // They are all still served.
    for talk in &mut idle {
        assert!(talk.ask("NOOP").unwrap().starts_with("250 "));
    }
}

#[test]
fn a_connection_too_many_is_told_to_come_later() {
    let relay = Relay::start(postrider(), "[limits]\nconnections = 10\n").unwrap();
    // The one that looked whether the relay listens may still count.
    let admitted = || {
        wait_until(Duration::from_secs(30), || {
            let mut talk = Talk::connect(relay.port).ok()?;
            talk.reply().ok()?.starts_with("220 ").then_some(talk)
        })
    };
    let mut held: Vec<Talk> = (0..10).map(|_| admitted().unwrap()).collect();
    let reply = Talk::connect(relay.port).unwrap().reply().unwrap();
    assert!(reply.starts_with("421 4."), "{reply}");
    // Whoever goes makes room for the next.
    assert!(held.remove(0).ask("QUIT").unwrap().starts_with("221 "));
    assert!(admitted().is_some(), "{}", relay.log());
}

#[test]
fn nonsense_is_answered_and_told_in_the_log() {
    let mut relay = Relay::start(postrider(), "[log]\nformat = \"json\"\n").unwrap();
    let mut talk = Talk::begin(relay.port).unwrap();
    for (line, answer) in [
        ("FLY ME TO THE MOON", "500 5.5.2 "),
        ("MAIL FROM:<a", "501 5.1.7 "),
        ("MAIL FROM:a@b.example", "501 5.1.7 "),
        ("RCPT TO:<b@dest.example>", "503 5.5.1 "),
        ("MAIL FROM:<a@b.example> SIZE=99999999999", "552 5.3.4 "),
        ("VRFY anna", "252 2."),
        ("DATA", "503 5.5.1 "),
    ] {
        let reply = talk.ask(line).unwrap();
        assert!(reply.starts_with(answer), "{line}: {reply}, not {answer}");
    }
    let long = format!("MAIL FROM:<{}@b.example>", "a".repeat(100_000));
    let reply = talk.ask(&long).unwrap();
    assert!(reply.starts_with("500 5.5."), "{reply}");
    assert!(talk.ask("NOOP").unwrap().starts_with("250 "));
    talk.ask("MAIL FROM:<a@b.example>").unwrap();
    talk.ask("RCPT TO:<b@dest.example>").unwrap();
    talk.ask("DATA").unwrap();
    talk.send(b"Subject: smuggled\r\n\r\nx\n.\nMAIL FROM:<evil@b.example>\r\n.\r\n")
        .unwrap();
    let reply = talk.reply().unwrap();
    assert!(
        reply.starts_with("554 5.6.0 ") || reply.starts_with("550 5.6.0 "),
        "{reply}"
    );
    assert!(relay.recipients().unwrap().is_empty());
    // The log is written beside the work; when the relay has ended it is whole.
    drop(talk);
    assert!(relay.stop().unwrap());
    for line in relay.log().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            event["message"].is_string() && event["level"].is_string(),
            "{line}"
        );
    }
    assert!(relay.log().contains("FLY ME TO THE MOON"));
}

#[test]
fn clients_at_one_byte_a_second_do_not_keep_mail_out() {
    let sink = Sink::start(Vec::new()).unwrap();
    let config = format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n", sink.port);
    let relay = Relay::start(postrider(), &config).unwrap();
    let mut slow: Vec<Talk> = (0..100).map(|_| Talk::begin(relay.port).unwrap()).collect();
    for talk in &mut slow {
        talk.ask("MAIL FROM:<slow@client.example>").unwrap();
        talk.ask("RCPT TO:<b@dest.example>").unwrap();
        assert!(talk.ask("DATA").unwrap().starts_with("354 "));
    }
    let mut talk = Talk::begin(relay.port).unwrap();
    for byte in b"Hi:\r\n" {
        for talk in &mut slow {
            talk.send(&[*byte]).unwrap();
        }
        let begin = Instant::now();
        let reply = talk
            .mail("a@client.example", "b@dest.example", &content("x", 100))
            .unwrap();
        assert!(reply.starts_with("250 "), "{reply}");
        assert!(begin.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_secs(1));
    }
    // Slow is not wrong: what comes to its end in time is taken.
    assert!(slow[0].ask(".").unwrap().starts_with("250 "));
    assert_eq!(sink.wait_for(6, Duration::from_secs(30)), 6);
}

#[test]
fn large_messages_pass_through_without_being_held_in_memory() {
    const BYTES: usize = 25 << 20;
    const AT_ONCE: usize = 4;
    let sink = Sink::start(Vec::new()).unwrap();
    let config = format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n", sink.port);
    let relay = Relay::start(postrider(), &config).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                let mut talk = Talk::begin(relay.port).unwrap();
                let reply = talk.mail(
                    "a@client.example",
                    "b@dest.example",
                    &content("large", BYTES),
                );
                assert!(reply.unwrap().starts_with("250 "));
            });
        }
    });
    assert_eq!(sink.wait_for(AT_ONCE, Duration::from_secs(60)), AT_ONCE);
    for received in sink.received() {
        assert!(received.content.ends_with(&content("large", BYTES)));
    }
    let status = format!("/proc/{}/status", relay.process().unwrap().id());
    let status = std::fs::read_to_string(status).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: usize = peak
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    println!("{AT_ONCE} messages of {BYTES} bytes: at most {peak} KiB of memory");
    assert!(peak < 64 << 10, "{peak} KiB");
}
