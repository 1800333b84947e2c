//! Debian's Postfix.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::maildir::Maildir;
use crate::place::{Place, free_port, tool};
use crate::process::{PATIENCE, run, stop_by_id, wait_until};
use crate::{Doing, PeerError, Result};

/// A private Postfix: it relays for loopback, and delivers mail for `dest.example` into one Maildir.
/// `nobody@dest.example` does not exist.
pub struct Postfix {
    place: Place,
    config: PathBuf,
    /// The port of its SMTP server, on every address of loopback.
    pub port: u16,
    /// What has been delivered.
    pub maildir: Maildir,
}

impl Postfix {
    /// Starts it with these further lines of `main.cf`.
    pub fn start(more: &str) -> Result<Postfix> {
        Postfix::start_at(free_port()?, more)
    }

    /// The same on this port.
    pub fn start_at(port: u16, more: &str) -> Result<Postfix> {
        let place = Place::new("postfix")?;
        let config = place.directory("config")?;
        let queue = place.directory("queue")?;
        let data = place.directory_of("data", "postfix")?;
        let mail = place.directory_of("mail", "nobody")?;
        let (uid, gid) = (65534, 65534);
        let users = place.file("users", "/^nobody@/ DUNNO\n/@/ all/\n")?;
        fs::write(&users, "if !/^nobody@/\n/@/ all/\nendif\n").doing("writing the users")?;
        let main = format!(
            "compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.dest.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = ipv4
virtual_mailbox_domains = dest.example
virtual_mailbox_base = {mail}
virtual_mailbox_maps = regexp:{users}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_mailbox_limit = 0
message_size_limit = 104857600
alias_maps =
alias_database =
maillog_file = {place}/log
maillog_file_prefixes = {place}
smtpd_client_connection_count_limit = 0
smtp_dns_support_level = disabled
smtp_host_lookup = native
{more}
",
            queue = queue.display(),
            data = data.display(),
            mail = mail.display(),
            users = users.display(),
            place = place.path().display(),
        );
        fs::write(config.join("main.cf"), main).doing("writing main.cf")?;
        fs::write(config.join("master.cf"), master(port)?).doing("writing master.cf")?;
        let postfix = Postfix {
            maildir: Maildir::at(&mail.join("all")),
            config,
            port,
            place,
        };
        let started = run(Command::new(tool("postfix")?)
            .arg("-c")
            .arg(&postfix.config)
            .arg("start"));
        started.map_err(|error| PeerError::Failed {
            program: "postfix".to_owned(),
            what: format!("{error}\n{}", postfix.log()),
        })?;
        let there = wait_until(PATIENCE, || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        there.map(|_| ()).ok_or_else(|| PeerError::Failed {
            program: "postfix".to_owned(),
            what: postfix.log(),
        })?;
        Ok(postfix)
    }

    /// Has it try again what it has put off.
    pub fn flush(&self) -> Result<()> {
        let mut command = Command::new(tool("postqueue")?);
        run(command.arg("-c").arg(&self.config).arg("-f")).map(|_| ())
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }
}

/// Debian's `master.cf` with our port and without chroots.
fn master(port: u16) -> Result<String> {
    let installed = fs::read_to_string("/etc/postfix/master.cf");
    let text = installed.or_else(|_| fs::read_to_string("/usr/share/postfix/master.cf.dist"));
    let text = text.doing("reading Debian's master.cf")?;
    let mut out = String::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        let address = format!("{port}");
        if fields.len() >= 8 && !line.starts_with(['#', ' ']) {
            fields[4] = "n";
            if fields[0] == "smtp" && fields[1] == "inet" {
                fields[0] = &address;
            }
            out.push_str(&fields.join(" "));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    Ok(out)
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.place.path().join("queue/pid/master.pid"));
        if let Some(pid) = pid.ok().and_then(|text| text.trim().parse().ok()) {
            stop_by_id(pid);
        }
    }
}
