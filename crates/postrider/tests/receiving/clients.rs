//! The clients of a scenario: one that only says what it hears, and two that keep mail.

use std::path::{Path, PathBuf};
use std::time::Duration;

use peers::{Client, Exim, Mail, Postfix, wait_until};

use crate::scenario::{Login, Who};

const PATIENCE: Duration = Duration::from_secs(60);
const FROM: &str = "anna@client.example";

pub(crate) struct Sender {
    /// The reverse-path, where it is not anna's.
    pub(crate) from: Option<String>,
    login: Option<Login>,
    how: How,
    relay: u16,
    directory: PathBuf,
    heard: std::sync::Mutex<String>,
}

enum How {
    /// swaks, or msmtp.
    Says(Client),
    Postfix(Postfix),
    Exim(Exim),
}

impl Sender {
    pub(crate) fn new(
        who: Who,
        relay: u16,
        directory: &Path,
        login: Option<&Login>,
    ) -> Result<Sender, String> {
        let how = match who {
            Who::Swaks => How::Says(Client::Swaks),
            Who::Msmtp => How::Says(Client::Msmtp),
            Who::Postfix => {
                let config = format!(
                    "virtual_mailbox_domains =\nrelayhost = [127.0.0.1]:{relay}\n\
                     smtp_destination_recipient_limit = 1000\n{}",
                    login.map(sasl).unwrap_or_default()
                );
                How::Postfix(Postfix::start(&config).map_err(|e| e.to_string())?)
            }
            Who::Exim => How::Exim(
                match login {
                    Some(Login { user, password }) => Exim::relaying_as(relay, user, password),
                    None => Exim::relaying(relay),
                }
                .map_err(|e| e.to_string())?,
            ),
        };
        Ok(Sender {
            from: None,
            login: login.cloned(),
            how,
            relay,
            directory: directory.to_owned(),
            heard: std::sync::Mutex::default(),
        })
    }

    fn port(&self) -> u16 {
        match &self.how {
            How::Says(_) => self.relay,
            How::Postfix(postfix) => postfix.port,
            How::Exim(exim) => exim.port,
        }
    }

    fn hand_in(&self, client: Client, to: &[String], content: &[u8]) -> Result<String, String> {
        let mail = Mail {
            from: self.from.as_deref().unwrap_or(FROM),
            to,
            content,
        };
        let (port, directory) = (self.port(), &self.directory);
        let login = self.login.as_ref().filter(|_| port == self.relay);
        let sent = match login {
            Some(Login { user, password }) => {
                client.send_as(port, &mail, directory, (user, password))
            }
            None => client.send(port, &mail, directory, Path::new("postrider")),
        };
        sent.map_err(|e| e.to_string())
    }

    /// Hands in the message; a server takes it in any case.
    pub(crate) fn send(&self, to: &[String], content: &[u8]) -> Result<(), String> {
        match &self.how {
            How::Says(client) => match self.hand_in(*client, to, content) {
                Ok(said) => Err(format!("{client:?} was not refused: {said}")),
                Err(said) => {
                    *self.heard.lock().unwrap() = said;
                    Ok(())
                }
            },
            How::Postfix(_) | How::Exim(_) => {
                self.hand_in(Client::Smtplib, to, content).map(|_| ())
            }
        }
    }

    /// What it has been told.
    pub(crate) fn log(&self) -> String {
        match &self.how {
            How::Says(_) => self.heard.lock().unwrap().clone(),
            How::Postfix(postfix) => postfix.log(),
            How::Exim(exim) => exim.log(),
        }
    }

    /// It has heard our reply, and keeps the mail or gives it up.
    pub(crate) fn heard(&self, reply: &str, ends: bool) -> Result<(), String> {
        let does = match (&self.how, ends) {
            (How::Says(_), _) => "",
            (How::Postfix(_), false) => "status=deferred",
            (How::Postfix(_), true) => "status=bounced",
            (How::Exim(_), false) => " == ",
            (How::Exim(_), true) => " ** ",
        };
        let found = wait_until(PATIENCE, || {
            let log = self.log();
            let line = log
                .lines()
                .any(|line| line.contains(reply) && line.contains(does));
            line.then_some(())
        });
        found.ok_or_else(|| format!("the client has not heard `{reply}`:\n{}", self.log()))
    }

    /// The sender is told that it ends here.
    pub(crate) fn gave_up(&self) -> Result<(), String> {
        let told = match &self.how {
            How::Says(_) => return Ok(()),
            How::Postfix(_) => "sender non-delivery notification",
            How::Exim(_) => " <= <> ",
        };
        let found = wait_until(PATIENCE, || self.log().contains(told).then_some(()));
        found.ok_or_else(|| format!("the sender was not told:\n{}", self.log()))
    }

    /// Hands it in again, or lets the server do so.
    pub(crate) fn again(&self, to: &[String], content: &[u8]) -> Result<(), String> {
        match &self.how {
            How::Says(client) => self.hand_in(*client, to, content).map(|_| ()),
            How::Postfix(_) | How::Exim(_) => self.nudge(),
        }
    }

    /// Has a server go through its queue.
    pub(crate) fn nudge(&self) -> Result<(), String> {
        match &self.how {
            How::Says(_) => Ok(()),
            How::Postfix(postfix) => postfix.flush().map_err(|e| e.to_string()),
            How::Exim(exim) => exim.flush().map_err(|e| e.to_string()),
        }
    }
}

/// Lines of Postfix's `main.cf`.
fn sasl(login: &Login) -> String {
    let Login { user, password } = login;
    format!(
        "smtp_sasl_auth_enable = yes\nsmtp_sasl_security_options =\n\
         smtp_sasl_password_maps = static:{user}:{password}\n\
         smtp_sasl_mechanism_filter = plain\n"
    )
}
