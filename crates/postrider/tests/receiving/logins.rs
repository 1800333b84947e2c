//! Users of the relay, and those who fail to be one.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;

use peers::Relay;

use crate::scenario::Login;

/// Makes users (`add`), or gives them another password (`passwd`).
pub(crate) fn set(relay: &Relay, how: &str, users: &[Login]) -> Result<(), String> {
    for Login { user, password } in users {
        let mut command = relay.command();
        command.args(["user", how, user]);
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| e.to_string())?;
        let mut input = child.stdin.take().ok_or("no standard input")?;
        writeln!(input, "{password}").map_err(|e| e.to_string())?;
        drop(input);
        let ended = child.wait_with_output().map_err(|e| e.to_string())?;
        if !ended.status.success() {
            return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
        }
    }
    Ok(())
}

/// Logs in so often with a wrong password, over a connection for each.
pub(crate) fn fail(port: u16, times: usize) -> Result<(), String> {
    for _ in 0..times {
        let said = wrong(port).map_err(|e| e.to_string())?;
        if !said.starts_with("535 ") {
            return Err(format!("a wrong password was answered {said}"));
        }
    }
    Ok(())
}

fn wrong(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    // A NUL, `anna`, a NUL, `guess`.
    write!(
        stream,
        "EHLO client.example\r\nAUTH PLAIN AGFubmEAZ3Vlc3M=\r\n"
    )?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if !line.starts_with('2') {
            return Ok(line);
        }
    }
    Err(std::io::ErrorKind::UnexpectedEof.into())
}
