//! Mail and commands that are refused, with the reason.

use std::sync::Arc;

use queue::route::Routes;
use reception::Settings;

use crate::support::{LOCAL, Relay, settings, without_trace};

#[tokio::test(start_paused = true)]
async fn a_client_outside_the_networks_can_send_to_nobody() {
    let mut routes = Routes::default();
    routes.insert("example.org", "smtp://127.0.0.1:9".parse().unwrap());
    let relay = Relay::start(Settings {
        routes: Arc::new(routes),
        ..settings()
    });
    let mut client = relay.session_from("192.0.2.7:5000").await;
    client.ask("MAIL FROM:<a@example.org>", "250 ").await;
    for to in [
        "b@example.org",
        "b@example.com",
        "postmaster",
        "b%example.com@example.org",
    ] {
        let reply = client.ask(&format!("RCPT TO:<{to}>"), "550 5.7.1 ").await;
        assert!(
            reply.contains("[192.0.2.7] is not in [relay] networks"),
            "{reply}"
        );
    }
    client.ask("DATA", "554 ").await;
    assert!(relay.store.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn networks_decide_who_may_relay() {
    let relay = Relay::start(Settings {
        relay_networks: vec![
            "192.0.2.0/24".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        ..settings()
    });
    for (from, answer) in [
        ("192.0.2.7:1", "250 "),
        ("[::ffff:192.0.2.7]:1", "250 "),
        ("[2001:db8::1]:1", "250 "),
        ("192.0.3.7:1", "550 5.7.1 "),
        ("[::1]:1", "550 5.7.1 "),
        (LOCAL, "550 5.7.1 "),
    ] {
        let mut client = relay.session_from(from).await;
        client.ask("MAIL FROM:<a@client.example>", "250 ").await;
        client.ask("RCPT TO:<b@example.org>", answer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn postmaster_without_a_domain_goes_where_the_star_route_goes_or_nowhere() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<>", "250 ").await;
    let reply = client.ask("RCPT TO:<Postmaster>", "550 5.1.2 ").await;
    assert!(reply.contains("no route \"*\""), "{reply}");

    let mut routes = Routes::default();
    routes.insert("*", "smtp://127.0.0.1:9".parse().unwrap());
    let relay = Relay::start(Settings {
        routes: Arc::new(routes),
        ..settings()
    });
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<>", "250 ").await;
    client.ask("RCPT TO:<Postmaster>", "250 ").await;
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    let (kept, _) = relay.store.only();
    assert_eq!(
        kept.recipients[0].destination.as_str(),
        "smtp://127.0.0.1:9"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_declared_too_large_is_refused_before_it_is_sent() {
    let relay = Relay::start(Settings {
        max_message_size: 10_000,
        ..settings()
    });
    let mut client = relay.session().await;
    client
        .ask("MAIL FROM:<a@client.example> SIZE=10001", "552 5.3.4")
        .await;
    client
        .ask("MAIL FROM:<a@client.example> SIZE=10000", "250 ")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_grows_too_large_is_refused_at_its_end_and_the_session_goes_on() {
    let relay = Relay::start(Settings {
        max_message_size: 10_000,
        ..settings()
    });
    let mut client = relay.session().await;
    client.up_to_data().await;
    for _ in 0..300 {
        client
            .send(format!("{}\r\n", "x".repeat(98)).as_bytes())
            .await;
    }
    client.send(b".\r\n").await;
    client.expect("552 5.3.4").await;
    relay.nothing_left().await;
    client.up_to_data().await;
    client.send(b"small\r\n.\r\n").await;
    client.expect("250 ").await;
    assert_eq!(without_trace(&relay.store.only().1), "small\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_loops_is_refused_with_the_hosts_that_repeat() {
    let relay = Relay::start(Settings {
        max_hops: 5,
        ..settings()
    });
    let mut client = relay.session().await;
    for (hops, answer) in [(5, "250 "), (6, "554 5.4.6 ")] {
        client.up_to_data().await;
        for hop in 0..hops {
            let host = if hop % 2 == 0 {
                "ping.example"
            } else {
                "pong.example"
            };
            client
                .send(format!("Received: from x\r\n\tby {host} with SMTP; date\r\n").as_bytes())
                .await;
        }
        client.send(b"Subject: x\r\n\r\nx\r\n.\r\n").await;
        let reply = client.expect(answer).await;
        if hops == 6 {
            assert!(reply.contains("passed 6 hosts, 5 are allowed"), "{reply}");
            assert!(reply.contains("ping.example, pong.example"), "{reply}");
        }
    }
    relay.nothing_left().await;
    assert_eq!(relay.store.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bare_newline_in_the_content_is_refused() {
    for body in ["a\nb\r\n.\r\n", "a\rb\r\n.\r\n"] {
        let relay = Relay::start(settings());
        let mut client = relay.session().await;
        client.up_to_data().await;
        client.send(body.as_bytes()).await;
        let reply = client.reply().await;
        assert!(reply.starts_with('5'), "{reply}");
        relay.nothing_left().await;
        assert!(relay.store.messages().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn no_published_smuggling_gets_a_second_message_in() {
    let smuggled =
        "MAIL FROM:<evil@client.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nevil\r\n.\r\n";
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r.\r\n",
        "\r\n.\r\r\n",
        "\r\n\0.\r\n",
    ] {
        let relay = Relay::start(settings());
        let mut client = relay.session().await;
        client.up_to_data().await;
        client.send(format!("good{end}{smuggled}").as_bytes()).await;
        client.reply().await;
        drop(client);
        relay.nothing_left().await;
        for kept in relay.store.messages() {
            assert_eq!(kept.message.sender.as_str(), "a@client.example", "{end:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_commands_and_wrong_order_are_answered_and_the_session_goes_on() {
    let relay = Relay::start(settings());
    let mut client = relay.connect_from(LOCAL).await;
    client.expect("220 ").await;
    client.ask("MAIL FROM:<a@client.example>", "503 ").await;
    client.ask("EHLO client.example", "250").await;
    for (line, answer) in [
        ("FLY ME", "500 "),
        ("", "500 "),
        ("MAIL", "501 "),
        ("MAIL FROM:<a@b> NONSENSE=1", "555 "),
        ("RCPT TO:<b@example.org>", "503 "),
        ("DATA", "503 "),
        ("EXPN list", "5"),
        ("VRFY b", "252 "),
        ("NOOP", "250 "),
        ("RSET", "250 "),
    ] {
        client.ask(line, answer).await;
    }
    client.up_to_data().await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
}

#[tokio::test(start_paused = true)]
async fn an_over_long_line_is_answered_once_and_the_session_goes_on() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    let long = "x".repeat(100_000);
    client.say(&long).await;
    client.expect("500 ").await;
    client.up_to_data().await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
}

#[tokio::test(start_paused = true)]
async fn too_many_errors_end_the_session() {
    let relay = Relay::start(Settings {
        max_errors: 3,
        ..settings()
    });
    let mut client = relay.session().await;
    let mut replies = Vec::new();
    for _ in 0..5 {
        client.say("FLY").await;
        let reply = client.reply().await;
        let over = reply.starts_with("421 ");
        replies.push(reply);
        if over {
            break;
        }
    }
    let (last, before) = replies.split_last().unwrap();
    assert!(last.starts_with("421 4.7.0 "), "{replies:?}");
    assert!(before.len() <= 3 && before.iter().all(|r| r.starts_with("500 ")));
    client.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_chunk_of_unknown_size_ends_the_session_so_that_content_cannot_pass_for_commands() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    client
        .send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<b@example.org>\r\nBDAT x LAST\r\nRSET\r\n")
        .await;
    client.expect("250 ").await;
    client.expect("250 ").await;
    client.expect("501 ").await;
    client.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn refused_recipients_count_as_errors() {
    let relay = Relay::start(Settings {
        max_errors: 10,
        ..settings()
    });
    let mut client = relay.session_from("192.0.2.7:1").await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    let mut replies = Vec::new();
    for i in 0..20 {
        client.say(&format!("RCPT TO:<u{i}@example.org>")).await;
        let reply = client.reply().await;
        let over = reply.starts_with("421 ");
        replies.push(reply);
        if over {
            break;
        }
    }
    let last = replies.last().unwrap();
    assert!(
        last.starts_with("421 4.7.0 ") && replies.len() <= 11,
        "{replies:?}"
    );
}
