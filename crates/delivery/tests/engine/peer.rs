//! A server within the process that answers as told and keeps what it took.

use std::net::SocketAddr;
use std::sync::Arc;

use ::tls::Acceptor;
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use world::{Listener, Stream};

/// What a server does at a step.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Say(&'static str),
    Drop,
}

/// Where the server is asked what to do.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Greeting,
    Hello,
    Mail,
    /// The recipient, and how many of this transaction were taken before.
    Rcpt(String, usize),
    EndOfData,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) content: String,
}

type Script = Box<dyn FnMut(&Ask) -> Answer + Send>;

/// What is known about a server.
pub(crate) struct Peer {
    script: Mutex<Script>,
    hellos: Mutex<Vec<String>>,
    pub(crate) taken: Mutex<Vec<Taken>>,
    heard: Mutex<Vec<String>>,
    acceptor: Option<Acceptor>,
    pub(crate) connections: Mutex<(usize, usize, usize)>,
}

impl Peer {
    /// Starts a server. Where the script has nothing to say it should give `Answer::Say("")`, which
    /// stands for the usual yes.
    pub(crate) fn start(
        listener: Listener,
        script: impl FnMut(&Ask) -> Answer + Send + 'static,
    ) -> Arc<Peer> {
        Peer::start_secure(listener, None, script)
    }

    /// One that takes STARTTLS with this; without it, what follows STARTTLS is no handshake.
    pub(crate) fn start_secure(
        listener: Listener,
        acceptor: Option<Acceptor>,
        script: impl FnMut(&Ask) -> Answer + Send + 'static,
    ) -> Arc<Peer> {
        let peer = Arc::new(Peer {
            script: Mutex::new(Box::new(script)),
            hellos: Mutex::default(),
            taken: Mutex::default(),
            heard: Mutex::default(),
            acceptor,
            connections: Mutex::default(),
        });
        let accepting = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        peer
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().clone()
    }

    /// By which names clients greeted it.
    pub(crate) fn hellos(&self) -> Vec<String> {
        self.hellos.lock().clone()
    }

    /// The command lines, in order.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().clone()
    }

    /// Connections in all, and the most at one time.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let (all, _, most) = *self.connections.lock();
        (all, most)
    }

    async fn serve(self: Arc<Self>, stream: Stream) {
        {
            let mut count = self.connections.lock();
            count.0 += 1;
            count.1 += 1;
            count.2 = count.2.max(count.1);
        }
        // The client may go away at any point; that is its right.
        let _ = self.talk(stream).await;
        self.connections.lock().1 -= 1;
    }

    fn ask(&self, ask: &Ask, usual: &'static str) -> Option<&'static str> {
        match (self.script.lock())(ask) {
            Answer::Say("") => Some(usual),
            Answer::Say(words) => Some(words),
            Answer::Drop => None,
        }
    }

    async fn talk(&self, stream: Stream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut taking = Taken {
            sender: String::new(),
            recipients: Vec::new(),
            content: String::new(),
        };
        let Some(greeting) = self.ask(&Ask::Greeting, "220 peer ESMTP") else {
            return Ok(());
        };
        say(&mut stream, greeting).await?;
        let mut has_sender = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if let Some(name) = line.strip_prefix("EHLO ") {
                self.hellos.lock().push(name.to_owned());
            }
            self.heard.lock().push(line.to_owned());
            let path = || {
                line.split_once('<')
                    .and_then(|(_, r)| r.split_once('>'))
                    .unwrap()
                    .0
                    .to_owned()
            };
            let answer = match line
                .split([' ', ':'])
                .next()
                .unwrap()
                .to_ascii_uppercase()
                .as_str()
            {
                "EHLO" => self.ask(
                    &Ask::Hello,
                    "250-peer\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE",
                ),
                "MAIL" => {
                    taking = Taken {
                        sender: path(),
                        recipients: Vec::new(),
                        content: String::new(),
                    };
                    let answer = self.ask(&Ask::Mail, "250 2.1.0 ok");
                    has_sender = answer.is_some_and(|a| a.starts_with('2'));
                    answer
                }
                "RCPT" if !has_sender => Some("503 5.5.1 MAIL first"),
                "RCPT" => {
                    let answer =
                        self.ask(&Ask::Rcpt(path(), taking.recipients.len()), "250 2.1.5 ok");
                    if answer.is_some_and(|a| a.starts_with('2')) {
                        taking.recipients.push(path());
                    }
                    answer
                }
                "DATA" if taking.recipients.is_empty() => Some("554 5.5.1 no valid recipients"),
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    taking.content = read_content(&mut stream).await?;
                    let answer = self.ask(&Ask::EndOfData, "250 2.0.0 taken");
                    // Whoever drops the connection after the final dot has the message.
                    if answer.is_none_or(|a| a.starts_with('2')) {
                        self.taken.lock().push(taking.clone());
                    }
                    answer
                }
                "STARTTLS" => {
                    say(&mut stream, "220 go on").await?;
                    let Some(acceptor) = &self.acceptor else {
                        say(&mut stream, "454 but I cannot").await?;
                        return Ok(());
                    };
                    let met = acceptor.accept(stream.into_inner()).await;
                    let Ok((secured, _)) = met else {
                        return Ok(());
                    };
                    self.heard.lock().push("(handshake)".to_owned());
                    stream = BufReader::new(secured);
                    has_sender = false;
                    continue;
                }
                "QUIT" => return say(&mut stream, "221 bye").await,
                _ => Some("250 ok"),
            };
            match answer {
                Some(words) => say(&mut stream, words).await?,
                None => return Ok(()),
            }
        }
    }
}

async fn read_content(stream: &mut BufReader<Stream>) -> std::io::Result<String> {
    let mut content = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(content);
        }
        content.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

async fn say(stream: &mut BufReader<Stream>, words: &str) -> std::io::Result<()> {
    stream
        .get_mut()
        .write_all(format!("{words}\r\n").as_bytes())
        .await?;
    stream.get_mut().flush().await
}

/// The address of the exchanger number `n`.
pub(crate) fn at(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 25))
}
