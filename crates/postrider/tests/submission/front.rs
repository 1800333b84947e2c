//! Clients that speak for others, and servers next door: swaks and Postfix.

use std::time::Duration;

use peers::{Client, Mail, Postfix, wait_until};

use crate::stage::{Stage, swaks};

#[test]
fn swaks_speaks_for_another_client_by_xclient() {
    let stage = Stage::start("[listen.trusted]\nxclient = [\"127.0.0.0/8\"]");
    let server = format!("127.0.0.1:{}", stage.relay.port);
    let told = [
        "--xclient-addr",
        "127.9.9.9",
        "--xclient-helo",
        "real.example",
        "--xclient-proto",
        "ESMTP",
    ];
    swaks(&server, &told).unwrap();
    let text = stage.arrived(1);
    assert!(text.contains("([127.9.9.9])"), "{text}");
    let said = swaks(&server, &["--xclient-addr", "192.0.2.7"]).unwrap_err();
    assert!(
        said.contains("550 5.7.1 relay access denied: [192.0.2.7]"),
        "{said}"
    );
    swaks(
        &server,
        &[
            "--xclient-addr",
            "192.0.2.7",
            "--xclient-login",
            "anna@client.example",
        ],
    )
    .unwrap();
    let text = stage.arrived(2);
    assert!(
        text.contains("([192.0.2.7])") && text.contains(" with ESMTPA id "),
        "{text}"
    );
}

#[test]
fn swaks_speaks_for_another_client_by_both_versions_of_proxy() {
    let stage = Stage::start("[listen.trusted]\nproxy = [\"127.0.0.2/32\"]");
    let server = format!("127.0.0.1:{}", stage.relay.port);
    for (count, version) in ["1", "2"].into_iter().enumerate() {
        let header = |source: &'static str| {
            [
                "--local-interface",
                "127.0.0.2",
                "--proxy-version",
                version,
                "--proxy-family",
                "TCP4",
            ]
            .into_iter()
            .chain(["--proxy-source", source, "--proxy-source-port", "4711"])
            .chain(["--proxy-dest", "127.0.0.1", "--proxy-dest-port", "25"])
            .map(|word| {
                if version == "2" && word == "TCP4" {
                    "AF_INET"
                } else {
                    word
                }
            })
            .collect::<Vec<&str>>()
        };
        swaks(&server, &header("127.7.7.7")).unwrap();
        assert!(stage.arrived(count + 1).contains("([127.7.7.7])"));
        let said = swaks(&server, &header("192.0.2.7")).unwrap_err();
        assert!(
            said.contains("550 5.7.1 relay access denied: [192.0.2.7]"),
            "{said}"
        );
    }
    assert!(swaks(&server, &["--local-interface", "127.0.0.2"]).is_err());
    stage.logs("no-proxy-header");
}

#[test]
fn swaks_hands_in_mail_by_lmtp_over_tcp_and_a_unix_socket() {
    let stage = Stage::start("");
    let to = [
        "--protocol",
        "LMTP",
        "--to",
        "bert@dest.example,carla@dest.example",
    ];
    let said = swaks(&format!("127.0.0.1:{}", stage.lmtp), &to).unwrap();
    assert!(
        said.matches("250 2.0.0 Ok: queued as ").count() >= 1,
        "{said}"
    );
    stage.arrived(2);
    let socket = stage.relay.directory().join("lmtp").display().to_string();
    let mut command = std::process::Command::new(peers::tool("swaks").unwrap());
    command.args([
        "--socket",
        &socket,
        "--protocol",
        "LMTP",
        "--from",
        "anna@client.example",
    ]);
    peers::run(command.args(["--to", "bert@dest.example"])).unwrap();
    assert!(stage.arrived(3).contains(" with LMTP id "));
}

#[test]
fn postfix_hands_in_mail_by_lmtp_and_knows_what_became_of_each_recipient() {
    let stage = Stage::start("");
    let config = format!(
        "virtual_mailbox_domains =\ndefault_transport = lmtp:inet:127.0.0.1:{}\n",
        stage.lmtp
    );
    let postfix = Postfix::start(&config).unwrap();
    let to: Vec<String> = ["bert", "carla"]
        .map(|name| format!("{name}@dest.example"))
        .into();
    let mail = Mail {
        from: "anna@client.example",
        to: &to,
        content: b"Subject: hello\r\n\r\nhello\r\n",
    };
    let directory = stage.relay.directory();
    Client::Smtplib
        .send(
            postfix.port,
            &mail,
            directory,
            std::path::Path::new("postrider"),
        )
        .unwrap();
    assert!(stage.arrived(2).contains(" with LMTP id "));
    let sent = wait_until(Duration::from_secs(30), || {
        let log = postfix.log();
        let sent = log.matches("status=sent (250 2.0.0 Ok: queued as ").count();
        (sent == 2).then_some(())
    });
    assert!(sent.is_some(), "{}", postfix.log());
}
