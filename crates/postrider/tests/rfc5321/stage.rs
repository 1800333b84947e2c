//! A relay that delivers everything into a Maildir, and a client that says what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use peers::{Maildir, Relay, wait_until};

pub(crate) struct Server {
    relay: Relay,
    inbox: Maildir,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::with("")
    }

    /// With these sections of its configuration.
    pub(crate) fn with(more: &str) -> Server {
        let mut relay = Relay::prepare(Path::new(env!("CARGO_BIN_EXE_postrider")), "").unwrap();
        let inbox = relay.directory().join("box");
        relay
            .configure(&format!(
                "[routes]\n\"*\" = \"maildir:{}\"\n{more}",
                inbox.display()
            ))
            .unwrap();
        relay.run().unwrap();
        Server {
            inbox: Maildir::at(&inbox),
            relay,
        }
    }

    /// A client that has been greeted.
    pub(crate) fn client(&self) -> Client {
        let mut client = self.connect();
        client.expect("220 ");
        client
    }

    /// One that has said EHLO.
    pub(crate) fn session(&self) -> Client {
        let mut client = self.client();
        client.ask("EHLO client.example", "250");
        client
    }

    /// One that has heard nothing yet.
    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", self.relay.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Client(BufReader::new(stream))
    }

    /// Waits for so many messages; the recipient and the content of each, with LF lines.
    #[track_caller]
    pub(crate) fn delivered(&self, count: usize) -> Vec<(String, String)> {
        let there = wait_until(Duration::from_secs(60), || {
            (self.inbox.count() >= count).then_some(())
        });
        assert!(
            there.is_some(),
            "{} of {count}:\n{}",
            self.inbox.count(),
            self.relay.log()
        );
        let all = self.inbox.messages().unwrap().into_iter();
        all.map(|one| (one.recipient, String::from_utf8(one.content).unwrap()))
            .collect()
    }

    /// Nothing was delivered, though something came through after it.
    #[track_caller]
    pub(crate) fn delivered_only(&self, subject: &str) {
        let all = self.delivered(1);
        assert_eq!(all.len(), 1);
        assert!(
            all[0].1.contains(&format!("\nSubject: {subject}\n")),
            "{}",
            all[0].1
        );
    }
}

pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next reply, with all its lines; empty at the end of the connection.
    pub(crate) fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let from = reply.len();
            // A connection that is reset has ended, too.
            if self.0.read_line(&mut reply).unwrap_or(0) == 0 {
                return reply;
            }
            if reply.as_bytes().get(from + 3) != Some(&b'-') {
                return reply;
            }
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, start: &str) -> String {
        let reply = self.reply();
        assert!(
            reply.starts_with(start),
            "expected `{start}`, got `{reply}`"
        );
        reply
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str, start: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        let reply = self.reply();
        assert!(
            reply.starts_with(start),
            "{line}: expected `{start}`, got `{reply}`"
        );
        reply
    }

    /// A transaction up to the go-ahead for the content.
    #[track_caller]
    pub(crate) fn up_to_data(&mut self) {
        self.ask("MAIL FROM:<anna@client.example>", "250");
        self.ask("RCPT TO:<bert@dest.example>", "250");
        self.ask("DATA", "354");
    }

    /// A whole message of this subject.
    #[track_caller]
    pub(crate) fn mail(&mut self, subject: &str) {
        self.up_to_data();
        self.send(format!("Subject: {subject}\r\n\r\nhello\r\n.\r\n").as_bytes());
        self.expect("250");
    }

    /// The server closes without another word.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = String::new();
        let _ = self.0.read_to_string(&mut rest);
        assert_eq!(rest, "", "the connection has ended");
    }
}
