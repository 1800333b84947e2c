//! Starting and stopping.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use peers::{ClosedPort, Relay, wait_until};

use crate::postrider;
use crate::talk::{Talk, content};

fn said(command: &mut Command) -> (Option<i32>, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn a_second_server_on_the_same_queue_is_told_why_it_may_not() {
    let relay = Relay::start(postrider(), "").unwrap();
    let (status, text) = said(relay.command().arg("serve"));
    assert_eq!(status, Some(1));
    assert!(
        text.contains("One data directory serves one relay"),
        "{text}"
    );
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let relay = Relay::start(postrider(), "").unwrap();
    let other = Relay::prepare(postrider(), "").unwrap();
    let config = other.directory().join("postrider.toml");
    std::fs::write(
        &config,
        format!("[listen]\nsmtp = [\"127.0.0.1:{}\"]\n", relay.port),
    )
    .unwrap();
    let (status, text) = said(other.command().arg("serve"));
    assert_eq!(status, Some(1));
    assert!(
        text.contains(&format!("cannot listen on 127.0.0.1:{}", relay.port)),
        "{text}"
    );
    assert!(text.contains("choose another port"), "{text}");
}

#[test]
fn a_wrong_configuration_is_shown_with_its_place_and_what_is_allowed() {
    let relay = Relay::prepare(
        postrider(),
        "[queue]\nlifetime = \"five days\"\nlifetme = \"5d\"\n",
    )
    .unwrap();
    for command in [&["serve"][..], &["config", "check"]] {
        let (status, text) = said(relay.command().args(command));
        assert_eq!(status, Some(1));
        for words in ["five days", "^", "lifetme", "lifetime"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn the_configuration_in_force_reads_back() {
    let mut relay = Relay::prepare(
        postrider(),
        "[routes]\n\"a.example\" = \"smtp://127.0.0.1:1\"\n",
    )
    .unwrap();
    let shown = relay.ask(&["config", "show"]).unwrap();
    std::fs::write(relay.directory().join("postrider.toml"), &shown).unwrap();
    assert_eq!(relay.ask(&["config", "show"]).unwrap(), shown);
    assert!(
        relay
            .ask(&["config", "check"])
            .unwrap()
            .contains("can be used")
    );
    relay.run().unwrap();
}

#[test]
fn systemd_is_told_when_the_relay_is_ready_and_when_it_stops() {
    let mut relay = Relay::prepare(postrider(), "").unwrap();
    let path = relay.directory().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    relay.wrap(&["env", &format!("NOTIFY_SOCKET={}", path.display())]);
    relay.run().unwrap();
    let mut buffer = [0; 200];
    let mut told = || {
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert!(told().contains("READY=1"));
    assert!(relay.stop().unwrap());
    assert!(told().contains("STOPPING=1"));
}

#[test]
fn a_stop_lets_a_session_end_its_message_and_keeps_the_queue() {
    let closed = ClosedPort::take().unwrap();
    let config = format!("[routes]\n\"*\" = \"smtp://127.0.0.1:{}\"\n", closed.port);
    let mut relay = Relay::start(postrider(), &config).unwrap();
    let mut talk = Talk::begin(relay.port).unwrap();
    talk.ask("MAIL FROM:<anna@client.example>").unwrap();
    talk.ask("RCPT TO:<bert@dest.example>").unwrap();
    assert!(talk.ask("DATA").unwrap().starts_with("354"));
    talk.send(&content("half", 500)).unwrap();
    let port = relay.port;
    let stopping = std::thread::spawn(move || {
        let ended_well = relay.stop().unwrap();
        (relay, ended_well)
    });
    let closes = wait_until(Duration::from_secs(30), || {
        std::net::TcpStream::connect(("127.0.0.1", port))
            .is_err()
            .then_some(())
    });
    assert!(closes.is_some(), "it still takes connections");
    let reply = talk.ask(".").unwrap();
    assert!(reply.starts_with("250 "), "{reply}");
    let (mut relay, ended_well) = stopping.join().unwrap();
    assert!(ended_well);
    assert!(relay.log().contains("stopped"));
    assert_eq!(relay.recipients().unwrap().len(), 1);
    relay.run().unwrap();
    assert_eq!(relay.settled().unwrap().len(), 1);
}
