//! Real mail clients: each hands in a message.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::message::with_lf;
use crate::place::{root_of_the_workspace, tool};
use crate::process::run;
use crate::{Doing, Result};

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// `swaks`
    Swaks,
    /// `msmtp`
    Msmtp,
    /// `curl smtp://…`
    Curl,
    /// Python's `smtplib`
    Smtplib,
    /// Node's nodemailer
    Nodemailer,
    /// `postrider sendmail`
    Sendmail,
}

/// What is handed in.
pub struct Mail<'a> {
    /// The reverse-path.
    pub from: &'a str,
    /// The forward-paths.
    pub to: &'a [String],
    /// The content with CRLF lines.
    pub content: &'a [u8],
}

const SMTPLIB: &str = "\
import smtplib, sys
port, sender, message = sys.argv[1:4]
to = open(message + '.to').read().split()
with smtplib.SMTP('127.0.0.1', int(port), local_hostname='client.example') as server:
    server.ehlo()
    code, reply = server.mail(sender, ['BODY=8BITMIME'])
    assert code == 250, (code, reply)
    for one in to:
        code, reply = server.rcpt(one)
        assert code == 250, (code, reply)
    code, reply = server.data(open(message, 'rb').read())
    assert code == 250, (code, reply)
";

const NODEMAILER: &str = "\
const [port, sender, message] = process.argv.slice(1);
const fs = require('fs');
const to = fs.readFileSync(message + '.to', 'utf8').split(/\\s+/).filter(Boolean);
const transport = require(process.env.NODEMAILER).createTransport(
  { host: '127.0.0.1', port: Number(port), ignoreTLS: true });
transport.sendMail({ envelope: { from: sender, to, use8BitMime: true }, raw: fs.readFileSync(message) })
  .then(done => { if (done.rejected.length) throw new Error(JSON.stringify(done)); })
  .catch(error => { console.error(error.message); process.exit(1); });
";

impl Client {
    /// The same as a user, whose password goes over the connection as it is: swaks and msmtp can.
    pub fn send_as(
        self,
        port: u16,
        mail: &Mail<'_>,
        directory: &Path,
        (user, password): (&str, &str),
    ) -> Result<String> {
        let login: Vec<String> = match self {
            Client::Swaks => [
                "--auth",
                "PLAIN",
                "--auth-user",
                user,
                "--auth-password",
                password,
            ]
            .map(str::to_owned)
            .to_vec(),
            Client::Msmtp => vec![
                "--auth=plain".to_owned(),
                format!("--user={user}"),
                format!("--passwordeval=echo {password}"),
            ],
            Client::Curl | Client::Smtplib | Client::Nodemailer | Client::Sendmail => {
                return Err(crate::PeerError::Missing(format!("a login for {self:?}")));
            }
        };
        self.hand_in(port, mail, directory, Path::new(""), &login)
    }

    /// Hands in a message at a port of loopback. An error has what the client said.
    pub fn send(
        self,
        port: u16,
        mail: &Mail<'_>,
        directory: &Path,
        postrider: &Path,
    ) -> Result<String> {
        self.hand_in(port, mail, directory, postrider, &[])
    }

    fn hand_in(
        self,
        port: u16,
        mail: &Mail<'_>,
        directory: &Path,
        postrider: &Path,
        login: &[String],
    ) -> Result<String> {
        let file = directory.join("to-send.eml");
        fs::write(&file, mail.content).doing("writing the message")?;
        let list = directory.join("to-send.eml.to");
        fs::write(list, mail.to.join("\n")).doing("writing the recipients")?;
        let to = mail.to.join(",");
        let port = port.to_string();
        let mut command;
        match self {
            Client::Swaks => {
                // Ends the content with a line break of its own.
                let content = mail.content.strip_suffix(b"\r\n").unwrap_or(mail.content);
                fs::write(&file, content).doing("writing the message")?;
                command = Command::new(tool("swaks")?);
                let server = format!("127.0.0.1:{port}");
                command.args([
                    "--server",
                    &server,
                    "--helo",
                    "client.example",
                    "--from",
                    mail.from,
                ]);
                command
                    .args(login)
                    .args(["--to", &to, "--data"])
                    .arg(format!("@{}", file.display()));
            }
            Client::Msmtp => {
                // Reads lines with LF and makes CRLF of them.
                fs::write(&file, with_lf(mail.content)).doing("writing the message")?;
                command = Command::new(tool("msmtp")?);
                command.args([
                    "--host=127.0.0.1",
                    &format!("--port={port}"),
                    "--auth=off",
                    "--tls=off",
                ]);
                // The last word on the same question counts.
                command.args(login);
                command
                    .args(["--domain=client.example", "-f", mail.from, "--"])
                    .args(mail.to);
                command.stdin(fs::File::open(&file).doing("opening the message")?);
            }
            Client::Curl => {
                command = Command::new(tool("curl")?);
                command.args(["--silent", "--show-error", "--mail-from", mail.from]);
                for one in mail.to {
                    command.args(["--mail-rcpt", one]);
                }
                command
                    .arg("--upload-file")
                    .arg(&file)
                    .arg(format!("smtp://127.0.0.1:{port}/client.example"));
            }
            Client::Smtplib => {
                command = Command::new(tool("python3")?);
                command.args(["-c", SMTPLIB, &port, mail.from]).arg(&file);
            }
            Client::Nodemailer => {
                command = Command::new(tool("node")?);
                let modules = root_of_the_workspace().join(".peers/node/node_modules/nodemailer");
                command.env(
                    "NODEMAILER",
                    modules.canonicalize().doing("finding nodemailer")?,
                );
                command
                    .args(["-e", NODEMAILER, "--", &port, mail.from])
                    .arg(&file);
            }
            Client::Sendmail => {
                fs::write(&file, with_lf(mail.content)).doing("writing the message")?;
                command = Command::new(postrider);
                command.env("POSTRIDER_DATA", directory.join("data"));
                command
                    .args(["sendmail", "-i", "-f", mail.from, "--"])
                    .args(mail.to);
                command.stdin(fs::File::open(&file).doing("opening the message")?);
            }
        }
        run(&mut command)
    }
}
