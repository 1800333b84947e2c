//! A sink that runs, and what speaks HTTP with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The program under test.
pub(crate) fn postrider() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_postrider"))
}

/// A running sink; it is stopped by its process id when this is dropped.
pub(crate) struct Sink {
    child: Child,
    /// What it said when it was ready.
    pub(crate) ready: Value,
}

impl Sink {
    /// Starts it on free ports, with its API.
    pub(crate) fn start(arguments: &[&str]) -> Sink {
        let mut child = Command::new(postrider())
            .args(["sink", "--port", "0", "--api", "0", "--quiet"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line}"));
        Sink { child, ready }
    }

    pub(crate) fn scenario(name: &str) -> Sink {
        Sink::start(&["--scenario", name])
    }

    pub(crate) fn port(&self) -> u16 {
        port(&self.ready["smtp_port"])
    }

    /// Asks the API: the status, and the body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let api = port(&self.ready["api_port"]);
        let mut stream = TcpStream::connect(("127.0.0.1", api)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: sink\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn messages(&self) -> Vec<Value> {
        self.get("/messages")["messages"]
            .as_array()
            .unwrap()
            .clone()
    }
}

fn port(value: &Value) -> u16 {
    u16::try_from(value.as_u64().unwrap()).unwrap()
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself; that is no concern of the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
