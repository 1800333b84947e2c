//! The clients of a scenario: one that only says what it hears, and two that keep mail.

use std::path::{Path, PathBuf};
use std::time::Duration;

use peers::{Client, Exim, Mail, Postfix, wait_until};

use crate::scenario::Who;

const PATIENCE: Duration = Duration::from_secs(60);
const FROM: &str = "anna@client.example";

pub(crate) struct Sender {
    how: How,
    relay: u16,
    directory: PathBuf,
    heard: std::sync::Mutex<String>,
}

enum How {
    Swaks,
    Postfix(Postfix),
    Exim(Exim),
}

impl Sender {
    pub(crate) fn new(who: Who, relay: u16, directory: &Path) -> Result<Sender, String> {
        let how = match who {
            Who::Swaks => How::Swaks,
            Who::Postfix => {
                let config = format!(
                    "virtual_mailbox_domains =\nrelayhost = [127.0.0.1]:{relay}\n\
                     smtp_destination_recipient_limit = 1000\n"
                );
                How::Postfix(Postfix::start(&config).map_err(|e| e.to_string())?)
            }
            Who::Exim => How::Exim(Exim::relaying(relay).map_err(|e| e.to_string())?),
        };
        Ok(Sender {
            how,
            relay,
            directory: directory.to_owned(),
            heard: std::sync::Mutex::default(),
        })
    }

    fn port(&self) -> u16 {
        match &self.how {
            How::Swaks => self.relay,
            How::Postfix(postfix) => postfix.port,
            How::Exim(exim) => exim.port,
        }
    }

    fn hand_in(&self, client: Client, to: &[String], content: &[u8]) -> Result<String, String> {
        let mail = Mail {
            from: FROM,
            to,
            content,
        };
        let sent = client.send(self.port(), &mail, &self.directory, Path::new("postrider"));
        sent.map_err(|e| e.to_string())
    }

    /// Hands in the message; a server takes it in any case.
    pub(crate) fn send(&self, to: &[String], content: &[u8]) -> Result<(), String> {
        match &self.how {
            How::Swaks => match self.hand_in(Client::Swaks, to, content) {
                Ok(said) => Err(format!("swaks was not refused: {said}")),
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
            How::Swaks => self.heard.lock().unwrap().clone(),
            How::Postfix(postfix) => postfix.log(),
            How::Exim(exim) => exim.log(),
        }
    }

    /// It has heard our reply, and keeps the mail or gives it up.
    pub(crate) fn heard(&self, reply: &str, ends: bool) -> Result<(), String> {
        let does = match (&self.how, ends) {
            (How::Swaks, _) => "",
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
            How::Swaks => return Ok(()),
            How::Postfix(_) => "sender non-delivery notification",
            How::Exim(_) => " <= <> ",
        };
        let found = wait_until(PATIENCE, || self.log().contains(told).then_some(()));
        found.ok_or_else(|| format!("the sender was not told:\n{}", self.log()))
    }

    /// Hands it in again, or lets the server do so.
    pub(crate) fn again(&self, to: &[String], content: &[u8]) -> Result<(), String> {
        match &self.how {
            How::Swaks => self.hand_in(Client::Swaks, to, content).map(|_| ()),
            How::Postfix(_) | How::Exim(_) => self.nudge(),
        }
    }

    /// Has a server go through its queue.
    pub(crate) fn nudge(&self) -> Result<(), String> {
        match &self.how {
            How::Swaks => Ok(()),
            How::Postfix(postfix) => postfix.flush().map_err(|e| e.to_string()),
            How::Exim(exim) => exim.flush().map_err(|e| e.to_string()),
        }
    }
}
