//! Debian's Dovecot, as an LMTP server.

use std::path::PathBuf;
use std::process::Command;

use crate::maildir::Maildir;
use crate::place::{Place, free_port, tool};
use crate::process::Process;
use crate::{PeerError, Result, wait_until};

/// A private Dovecot that takes mail by LMTP: into a Maildir for each, except for
/// `nobody@dest.example`, who does not exist, and `full@dest.example`, whose mailbox holds one KB.
pub struct Dovecot {
    /// The port of its LMTP server.
    pub port: u16,
    /// Its LMTP socket.
    pub socket: PathBuf,
    /// What has been delivered.
    pub maildir: Maildir,
    _process: Process,
    _place: Place,
}

impl Dovecot {
    /// Starts it for these recipients and `full@dest.example`, with these further lines of its
    /// configuration.
    pub fn start<'a>(recipients: impl IntoIterator<Item = &'a str>, more: &str) -> Result<Dovecot> {
        let place = Place::new("dovecot")?;
        let port = free_port()?;
        let mail = place.directory_of("mail", "nobody")?;
        let home = place.directory_of("home", "nobody")?;
        let run = place.directory("run")?;
        let state = place.directory("state")?;
        let mut users = String::new();
        let special = ["nobody@dest.example", "full@dest.example"];
        let usual = recipients.into_iter().filter(|r| !special.contains(r));
        for user in usual {
            users.push_str(&format!("{user}:::::{}::\n", home.display()));
        }
        users.push_str(&format!(
            "full@dest.example:::::{}::userdb_quota_rule=*:bytes=1000\n",
            home.display(),
        ));
        let users = place.file("users", &users)?;
        let config = place.file(
            "dovecot.conf",
            &format!(
                "protocols = lmtp
base_dir = {run}
state_dir = {state}
log_path = {place}/log
ssl = no
mail_location = maildir:{mail}/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
mail_plugins = quota
postmaster_address = postmaster@dest.example
hostname = dovecot.dest.example
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = passwd-file
  args = {users}
  default_fields = uid=nobody gid=nogroup
}}
plugin {{
  quota = count:mailbox
  quota_vsizes = yes
  quota_rule = *:storage=10G
}}
{more}
service lmtp {{
  client_limit = 1
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
",
                run = run.display(),
                state = state.display(),
                place = place.path().display(),
                mail = mail.display(),
                users = users.display(),
            ),
        )?;
        let mut command = Command::new(tool("dovecot")?);
        command.arg("-F").arg("-c").arg(&config);
        let mut process = Process::start("dovecot", &mut command, &place.path().join("output"))?;
        process.listening(port)?;
        let socket = run.join("lmtp");
        wait_until(crate::process::PATIENCE, || socket.exists().then_some(())).ok_or_else(
            || PeerError::Failed {
                program: "dovecot".to_owned(),
                what: "no LMTP socket".to_owned(),
            },
        )?;
        Ok(Dovecot {
            port,
            socket,
            maildir: Maildir::per_user(&mail),
            _process: process,
            _place: place,
        })
    }
}
