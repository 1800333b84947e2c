//! A plain SMTP client, which knows what it was told.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    /// Connects and says hello.
    pub(crate) fn begin(port: u16) -> io::Result<Talk> {
        let mut talk = Talk::connect(port)?;
        talk.reply()?;
        talk.ask("EHLO client.example")?;
        Ok(talk)
    }

    pub(crate) fn connect(port: u16) -> io::Result<Talk> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Talk {
            stream: BufReader::new(stream),
        })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// The next reply's last line.
    pub(crate) fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }

    pub(crate) fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Hands in a message; the answer that decided about it.
    pub(crate) fn mail(&mut self, from: &str, to: &str, content: &[u8]) -> io::Result<String> {
        for line in [&format!("MAIL FROM:<{from}>"), &format!("RCPT TO:<{to}>")] {
            let reply = self.ask(line)?;
            if !reply.starts_with('2') {
                return Ok(reply);
            }
        }
        let reply = self.ask("DATA")?;
        if !reply.starts_with("354") {
            return Ok(reply);
        }
        self.send(content)?;
        self.ask(".")
    }
}

/// What stands in brackets: the token by which a test knows its message.
pub(crate) fn content(token: &str, bytes: usize) -> Vec<u8> {
    let mut content = format!("Subject: [{token}]\r\n\r\n").into_bytes();
    while content.len() < bytes {
        content.extend_from_slice(
            b"0123456789012345678901234567890123456789012345678901234567890\r\n",
        );
    }
    content
}

pub(crate) fn token(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(&content[..content.len().min(2000)]).into_owned();
    let token = text
        .split_once("Subject: [")
        .and_then(|(_, rest)| rest.split_once(']'));
    token.map(|(token, _)| token.to_owned()).unwrap_or_default()
}
