//! Each transient refusal in its situation: what is said, with which wait, and that mail comes through
//! when the situation is over.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use diagnosis::{Cause, Diagnosis, Dialect, Hint, Statement, interpret};
use queue::{GreylistPolicy, MailboxTrouble, Mailboxes};
use reception::{Neighbours, Rate, Rates, Settings, Watermarks};
use store_sqlite::SqliteGreylist;
use world::{Memory, SimHost, World};

use crate::support::{Client, LOCAL, Relay, settings, world};

/// Reads a reply as the sending side of another Postrider does.
fn read(reply: &str) -> Diagnosis {
    let reply = reply.trim_end();
    let (code, rest) = reply.split_at(3);
    let (status, text) = rest.trim_start().split_once(' ').unwrap();
    interpret(&Statement {
        reply: Some(code.parse().unwrap()),
        status: Some(status.parse().unwrap()),
        ..Statement::new(text)
    })
}

#[track_caller]
pub(crate) fn means(reply: &str, cause: Cause, wait: u64) {
    let diagnosis = read(reply);
    assert_eq!(diagnosis.cause, cause, "{reply}");
    assert_eq!(diagnosis.dialect, Some(Dialect::Postrider), "{reply}");
    let hint = Some(Hint::RetryAfter(Duration::from_secs(wait)));
    assert_eq!(diagnosis.hint, hint, "{reply}");
    assert!(diagnosis.confidence >= 0.9, "{reply}: {diagnosis:?}");
}

async fn mail(client: &mut Client) -> String {
    client.say("MAIL FROM:<a@client.example>").await;
    client.reply().await
}

#[tokio::test(start_paused = true)]
async fn a_paused_relay_says_so_at_mail_and_what_is_being_received_may_end() {
    let relay = Relay::start(settings());
    let mut under_way = relay.session().await;
    under_way.up_to_data().await;
    relay.receiver.set_paused(true);
    let mut client = relay.session().await;
    client.ask("NOOP", "250 ").await;
    let reply = mail(&mut client).await;
    assert!(reply.starts_with("421 4.3.2 "), "{reply}");
    means(&reply, Cause::ServerNotAccepting, 300);
    client.expect_end().await;
    under_way.send(b"x\r\n.\r\n").await;
    under_way.expect("250 ").await;
    assert!(mail(&mut under_way).await.starts_with("421 4.3.2 "));
    relay.receiver.set_paused(false);
    let mut client = relay.session().await;
    client.up_to_data().await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_without_inodes_takes_no_mail_until_there_is_a_margin() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    relay.store.few_files.store(true, Ordering::SeqCst);
    let reply = mail(&mut client).await;
    assert!(reply.starts_with("452 4.3.1 "), "{reply}");
    assert!(reply.contains("5 inodes free, 1250 needed"), "{reply}");
    means(&reply, Cause::ServerFull, 300);
    relay.store.few_files.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(2)).await;
    client.up_to_data().await;
}

#[tokio::test(start_paused = true)]
async fn low_memory_of_the_machine_or_too_much_of_our_own_takes_no_mail() {
    const MIB: u64 = 1 << 20;
    let host = Arc::new(SimHost::default());
    let relay = Relay::start_in(
        World {
            host: host.clone(),
            ..world()
        },
        Settings {
            watermarks: Watermarks {
                available_memory: 100 * MIB,
                resident_memory: 400 * MIB,
                ..Watermarks::default()
            },
            ..settings()
        },
        Neighbours::default(),
    );
    let mut client = relay.session().await;
    for (available, resident, taken) in [
        (100, 400, true),
        (99, 0, false),
        (124, 0, false),
        (125, 0, true),
        (9_999, 401, false),
        (9_999, 301, false),
        (9_999, 300, true),
    ] {
        host.set(Memory {
            resident: resident * MIB,
            available: available * MIB,
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        let reply = mail(&mut client).await;
        if taken {
            assert!(reply.starts_with("250 "), "{available} {resident}: {reply}");
            client.ask("RSET", "250 ").await;
        } else {
            assert!(
                reply.starts_with("452 4.3.1 "),
                "{available} {resident}: {reply}"
            );
            means(&reply, Cause::ServerFull, 300);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_connections_of_a_client_and_of_its_network_are_told_apart() {
    let relay = Relay::start(Settings {
        max_connections_per_client: 1,
        max_connections_per_network: 2,
        max_connections: 3,
        ..settings()
    });
    let _open = [
        relay.session_from("192.0.2.1:1").await,
        relay.session_from("192.0.2.2:1").await,
        relay.session_from("198.51.100.1:1").await,
    ];
    let mut more = relay.connect_from("198.51.100.2:1").await;
    let reply = more.expect("421 4.3.2 ").await;
    means(&reply, Cause::ServerBusy, 60);
    drop(_open);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let _open = [
        relay.session_from("192.0.2.1:1").await,
        relay.session_from("192.0.2.2:1").await,
    ];
    for (from, whom) in [
        ("192.0.2.1:2", "192.0.2.1/32"),
        ("192.0.2.3:1", "192.0.2.0/24"),
    ] {
        let mut more = relay.connect_from(from).await;
        let reply = more.expect("421 4.2.1 ").await;
        assert!(reply.contains(whom), "{reply}");
        means(&reply, Cause::PolicyConnections, 60);
    }
}

fn rate(count: u32, seconds: u64) -> Option<Rate> {
    Some(Rate {
        count,
        per: Duration::from_secs(seconds),
    })
}

const OUTSIDE: &str = "192.0.2.9:1";

fn open_to_all() -> Settings {
    Settings {
        relay_networks: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
        ..settings()
    }
}

#[tokio::test(start_paused = true)]
async fn connections_and_messages_beyond_the_rate_are_put_off_for_as_long_as_is_said() {
    let relay = Relay::start(Settings {
        client_rates: Rates {
            connections: rate(2, 120),
            messages: rate(3, 3_600),
            recipients: None,
            ..Rates::default()
        },
        ..open_to_all()
    });
    let mut client = relay.session_from(OUTSIDE).await;
    for _ in 0..3 {
        client.ask("MAIL FROM:<a@client.example>", "250 ").await;
        client.ask("RSET", "250 ").await;
    }
    let reply = mail(&mut client).await;
    assert!(reply.starts_with("421 4.7.0 "), "{reply}");
    means(&reply, Cause::PolicyRate, 1_200);
    client.expect_end().await;
    let _second = relay.session_from(OUTSIDE).await;
    let mut third = relay.connect_from(OUTSIDE).await;
    let reply = third.expect("421 4.7.0 ").await;
    means(&reply, Cause::PolicyRate, 60);
    // This machine, and others, are not touched; and the waits are honest.
    let mut local = relay.session().await;
    local.up_to_data().await;
    let mut other = relay.session_from("203.0.113.1:1").await;
    other.up_to_data().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut again = relay.session_from(OUTSIDE).await;
    assert!(mail(&mut again).await.starts_with("421 "));
    tokio::time::sleep(Duration::from_secs(1_140)).await;
    let mut again = relay.session_from(OUTSIDE).await;
    again.up_to_data().await;
}

#[tokio::test(start_paused = true)]
async fn recipients_beyond_the_rate_leave_those_before_them_accepted() {
    let relay = Relay::start(Settings {
        network_rates: Rates {
            recipients: rate(2, 60),
            ..Rates::default()
        },
        ..open_to_all()
    });
    let mut client = relay.session_from(OUTSIDE).await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    client.ask("RCPT TO:<b0@example.org>", "250 ").await;
    client.ask("RCPT TO:<b1@example.org>", "250 ").await;
    let reply = client.ask("RCPT TO:<b2@example.org>", "450 4.7.0 ").await;
    means(&reply, Cause::PolicyRate, 30);
    client.ask("DATA", "354 ").await;
    client.send(b"x\r\n.\r\n").await;
    client.expect("250 ").await;
    assert_eq!(relay.store.only().0.recipients.len(), 2);
    // With none accepted the session ends: nothing is lost by it.
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    client.ask("RCPT TO:<b2@example.org>", "421 4.7.0 ").await;
    client.expect_end().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let mut client = relay.session_from(OUTSIDE).await;
    client.up_to_data().await;
}

#[tokio::test(start_paused = true)]
async fn more_recipients_than_one_transaction_has_are_told_to_come_at_once() {
    let relay = Relay::start(Settings {
        max_recipients: 100,
        ..settings()
    });
    let mut client = relay.connect_from(LOCAL).await;
    client.expect("220 ").await;
    let hello = client.ask("EHLO client.example", "250").await;
    assert!(hello.contains("LIMITS RCPTMAX=100\r\n"), "{hello}");
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    for number in 0..100 {
        let rcpt = format!("RCPT TO:<b{number}@example.org>");
        client.ask(&rcpt, "250 ").await;
    }
    let reply = client.ask("RCPT TO:<b100@example.org>", "452 4.5.3 ").await;
    means(&reply, Cause::TooManyRecipients, 0);
    client.ask("DATA", "354 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_put_off_comes_back_from_its_network_and_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start_in(
        world(),
        Settings {
            greylisting: Some(GreylistPolicy::default()),
            ..open_to_all()
        },
        Neighbours {
            greylist: Some(Arc::new(SqliteGreylist::open(dir.path()).unwrap())),
            ..Neighbours::default()
        },
    );
    let ask = async |from: &str| {
        let mut client = relay.session_from(from).await;
        client.ask("MAIL FROM:<a@Client.example>", "250 ").await;
        client.say("RCPT TO:<b@example.org>").await;
        client.reply().await
    };
    let reply = ask("192.0.2.1:1").await;
    assert!(reply.starts_with("451 4.7.1 "), "{reply}");
    means(&reply, Cause::Greylisting, 300);
    tokio::time::sleep(Duration::from_secs(100)).await;
    means(&ask("192.0.2.1:2").await, Cause::Greylisting, 200);
    assert!(ask(LOCAL).await.starts_with("250 "));
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert!(ask("192.0.2.77:1").await.starts_with("250 "));
    assert!(ask("192.0.2.1:3").await.starts_with("250 "));
    assert!(ask("198.51.100.1:1").await.starts_with("451 "));
    assert!(ask("[2001:db8:1:2::1]:1").await.starts_with("451 "));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert!(ask("[2001:db8:1:2:ffff::1]:1").await.starts_with("250 "));
}

/// A mailbox with this trouble.
#[derive(Debug)]
struct Troubled(parking_lot::Mutex<Option<MailboxTrouble>>);

#[async_trait::async_trait]
impl Mailboxes for Troubled {
    async fn look(
        &self,
        _: &queue::route::Target,
        _: Option<queue::MailboxQuota>,
        _: Option<u64>,
    ) -> Result<(), MailboxTrouble> {
        self.0.lock().clone().map_or(Ok(()), Err)
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_in_trouble_is_told_for_its_recipient_and_the_session_goes_on() {
    let troubled = Arc::new(Troubled(parking_lot::Mutex::new(None)));
    let neighbours = Neighbours {
        mailboxes: Some(troubled.clone()),
        ..Neighbours::default()
    };
    let relay = Relay::start_in(world(), settings(), neighbours);
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    for (trouble, answer, cause, wait) in [
        (
            MailboxTrouble::Locked {
                lock: "/mail/b.lock".into(),
            },
            "450 4.2.0 ",
            Cause::MailboxBusy,
            300,
        ),
        (
            MailboxTrouble::Full {
                used: 10,
                count: 1,
                quota: "10S".to_owned(),
            },
            "452 4.2.2 ",
            Cause::MailboxFull,
            14_400,
        ),
        (
            MailboxTrouble::Failed {
                doing: "reading",
                path: "/mail/b/maildirsize".into(),
                reported: "I/O error".to_owned(),
            },
            "451 4.3.0 ",
            Cause::ServerDownstreamFailed,
            300,
        ),
    ] {
        *troubled.0.lock() = Some(trouble);
        let reply = client.ask("RCPT TO:<b@example.org>", answer).await;
        means(&reply, cause, wait);
        assert!(!reply.contains("/mail"), "our paths are ours: {reply}");
    }
    *troubled.0.lock() = Some(MailboxTrouble::TooLarge { size: 20, most: 10 });
    let reply = client.ask("RCPT TO:<b@example.org>", "552 5.2.3 ").await;
    assert_eq!(read(&reply).cause, Cause::MessageTooLarge);
    *troubled.0.lock() = None;
    client.ask("RCPT TO:<c@example.org>", "250 ").await;
    client.ask("DATA", "354 ").await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_has_been_here_too_often_is_a_loop_long_before_it_has_too_many_hops() {
    let relay = Relay::start(settings());
    let mut client = relay.session().await;
    for (times, answer) in [(4, "250 "), (5, "554 5.4.6 ")] {
        client.up_to_data().await;
        for _ in 0..times {
            client
                .send(b"Received: from x by Relay.Example with SMTP; d\r\nReceived: from x by other.example; d\r\n")
                .await;
        }
        client.send(b"\r\nx\r\n.\r\n").await;
        let reply = client.expect(answer).await;
        if times == 5 {
            assert!(
                reply.contains("has been at relay.example 5 times"),
                "{reply}"
            );
            assert!(
                reply.contains("more than once: relay.example, other.example"),
                "{reply}"
            );
            let diagnosis = read(&reply);
            assert_eq!(diagnosis.cause, Cause::RouteLoop);
            assert_eq!(diagnosis.dialect, Some(Dialect::Postrider));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_times_the_load_is_told_to_come_later_and_all_that_was_accepted_is_kept() {
    let relay = Arc::new(Relay::start(Settings {
        max_connections: 40,
        ..open_to_all()
    }));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..400_u32 {
        let relay = relay.clone();
        clients.spawn(async move {
            let address: IpAddr = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number * 256).into();
            let mut client = relay.connect_from(&format!("{address}:1")).await;
            let greeting = client.reply().await;
            if !greeting.starts_with("220 ") {
                assert!(greeting.starts_with("421 4.3.2 "), "{greeting}");
                return false;
            }
            client.ask("EHLO client.example", "250").await;
            client.up_to_data().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.send(b"x\r\n.\r\n").await;
            client.expect("250 ").await;
            client.ask("QUIT", "221 ").await;
            true
        });
    }
    let taken = clients.join_all().await;
    let accepted = taken.iter().filter(|taken| **taken).count();
    assert!((40..200).contains(&accepted), "{accepted}");
    assert_eq!(relay.store.messages().len(), accepted);
    let mut after = relay.session_from("192.0.2.1:1").await;
    after.up_to_data().await;
}

#[tokio::test(start_paused = true)]
async fn a_route_may_go_by_the_sender_and_by_a_field_of_the_header() {
    let mut routes = queue::route::Routes::default();
    let rule = |sender: Option<&str>, header: Option<&str>, to: &str| queue::route::Rule {
        sender: sender.map(|sender| sender.parse().unwrap()),
        recipient: None,
        header: header.map(|value| ("X-Stream".to_owned(), value.to_owned())),
        line: to.parse::<queue::route::NextHop>().unwrap().into(),
    };
    routes
        .push(rule(None, Some("bulk"), "smtp://bulk:25"))
        .unwrap();
    routes
        .push(rule(Some("news.example"), None, "smtp://news:25"))
        .unwrap();
    routes.push(rule(None, Some("nowhere"), "none")).unwrap();
    let relay = Relay::start(Settings {
        routes: Arc::new(routes),
        ..settings()
    });
    let mut client = relay.session().await;
    for (sender, header, answer, to) in [
        (
            "a@news.example",
            "X-Stream: Bulk\r\n",
            "250 ",
            Some("smtp://bulk:25"),
        ),
        (
            "a@news.example",
            "X-Stream: other\r\n",
            "250 ",
            Some("smtp://news:25"),
        ),
        ("a@else.example", "", "250 ", Some("mx:example.org")),
        (
            "a@else.example",
            "x-stream: nowhere\r\n",
            "451 4.4.4 ",
            None,
        ),
    ] {
        client.ask(&format!("MAIL FROM:<{sender}>"), "250 ").await;
        client.ask("RCPT TO:<b@example.org>", "250 ").await;
        client.ask("DATA", "354 ").await;
        client
            .send(format!("{header}\r\nX-Stream: bulk\r\n.\r\n").as_bytes())
            .await;
        client.expect(answer).await;
        let kept = relay.store.messages();
        if let Some(to) = to {
            let last = kept.last().unwrap();
            assert_eq!(last.recipients[0].destination.as_str(), to);
        }
    }
    assert_eq!(relay.store.messages().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_domain_whose_route_is_none_is_put_off_until_the_administrator_names_one() {
    let mut routes = queue::route::Routes::default();
    routes.insert("example.org", "none".parse().unwrap());
    let relay = Relay::start(Settings {
        routes: Arc::new(routes),
        ..settings()
    });
    let mut client = relay.session().await;
    client.ask("MAIL FROM:<a@client.example>", "250 ").await;
    let reply = client.ask("RCPT TO:<b@Example.org>", "451 4.4.4 ").await;
    means(&reply, Cause::RouteMissing, 3_600);
    client.ask("RCPT TO:<b@example.com>", "250 ").await;
}
