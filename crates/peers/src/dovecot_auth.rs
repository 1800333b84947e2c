//! Debian's Dovecot, as the one who knows users.

use std::path::PathBuf;
use std::process::Command;

use crate::place::{Place, tool};
use crate::process::{PATIENCE, Process};
use crate::{PeerError, Result, wait_until};

/// A private Dovecot that checks passwords, and does nothing else.
pub struct DovecotAuth {
    /// Its socket for authentication clients.
    pub socket: PathBuf,
    process: Process,
    _place: Place,
}

impl DovecotAuth {
    /// Starts it for users with these passwords.
    pub fn start(users: &[(&str, &str)]) -> Result<DovecotAuth> {
        let place = Place::new("dovecot")?;
        let run = place.directory("run")?;
        let state = place.directory("state")?;
        let lines = users
            .iter()
            .map(|(name, password)| format!("{name}:{{PLAIN}}{password}::::::\n"));
        let users = place.file("users", &lines.collect::<String>())?;
        let config = place.file(
            "dovecot.conf",
            &format!(
                "protocols =
base_dir = {run}
state_dir = {state}
log_path = {place}/log
ssl = no
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {users}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  unix_listener auth-client {{
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
                users = users.display(),
            ),
        )?;
        let mut command = Command::new(tool("dovecot")?);
        command.arg("-F").arg("-c").arg(&config);
        let process = Process::start("dovecot", &mut command, &place.path().join("output"))?;
        let socket = run.join("auth-client");
        wait_until(PATIENCE, || socket.exists().then_some(())).ok_or_else(|| {
            PeerError::Failed {
                program: "dovecot".to_owned(),
                what: "no socket for authentication".to_owned(),
            }
        })?;
        Ok(DovecotAuth {
            socket,
            process,
            _place: place,
        })
    }

    /// Stops it; its socket stays behind.
    pub fn stop(self) -> Result<()> {
        self.process.stop().map(|_| ())
    }
}
