//! Debian's Exim, unpacked beside Postfix (`tools/install-peers`).

use std::path::PathBuf;
use std::process::Command;

use crate::maildir::Maildir;
use crate::place::{Place, free_port, root_of_the_workspace};
use crate::process::{Process, run};
use crate::{PeerError, Result};

/// A private Exim that takes everything for everybody, except for `nobody@…`, into one Maildir.
pub struct Exim {
    /// The port of its SMTP server.
    pub port: u16,
    /// What has been delivered.
    pub maildir: Maildir,
    binary: PathBuf,
    config: PathBuf,
    _process: Process,
    place: Place,
}

impl Exim {
    /// Starts it with these further lines of its main configuration.
    pub fn start(more: &str) -> Result<Exim> {
        Exim::start_with(more, "driver = accept\n  transport = maildir", "")
    }

    /// One that hands everything to a server at a port of loopback.
    pub fn relaying(to: u16) -> Result<Exim> {
        let router =
            "driver = manualroute\n  route_list = * 127.0.0.1\n  self = send\n  transport = remote";
        let transport = format!(
            "remote:\n  driver = smtp\n  port = {to}\n  max_rcpt = 1000\n  hosts_try_chunking =\n"
        );
        Exim::start_with("recipients_max = 2000", router, &transport)
    }

    /// The same, as this user, and with no mail while that fails.
    pub fn relaying_as(to: u16, user: &str, password: &str) -> Result<Exim> {
        let router =
            "driver = manualroute\n  route_list = * 127.0.0.1\n  self = send\n  transport = remote";
        let transport = format!(
            "remote:\n  driver = smtp\n  port = {to}\n  hosts_require_auth = *\n  hosts_try_chunking =\n"
        );
        // `^` stands for a NUL.
        let authenticators = format!(
            "\nbegin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  \
             client_send = ^{user}^{password}\n"
        );
        Exim::start_all("", router, &transport, &authenticators)
    }

    fn start_with(more: &str, router: &str, transport: &str) -> Result<Exim> {
        Exim::start_all(more, router, transport, "")
    }

    fn start_all(more: &str, router: &str, transport: &str, authenticators: &str) -> Result<Exim> {
        let binary = root_of_the_workspace().join(".peers/exim/usr/sbin/exim4");
        let binary = binary
            .canonicalize()
            .map_err(|_| PeerError::Missing("Exim".to_owned()))?;
        let place = Place::new("exim")?;
        let port = free_port()?;
        let mail = place.directory_of("mail", "Debian-exim")?;
        let spool = place.directory_of("spool", "Debian-exim")?;
        let logs = place.directory_of("log", "Debian-exim")?;
        let config = place.file(
            "exim.conf",
            &format!(
                "exim_path = {binary}
spool_directory = {spool}
log_file_path = {logs}/%slog
pid_file_path = {spool}/pid
primary_hostname = exim.dest.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
deliver_drop_privilege
message_size_limit = 100M
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = rcpt
acl_smtp_data = data
{more}
begin acl
rcpt:
  deny local_parts = nobody
       message = Unrouteable address
  accept
data:
  accept
begin routers
all:
  {router}
begin transports
{transport}maildir:
  driver = appendfile
  directory = {mail}/all
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
  user = Debian-exim
begin retry
* * F,1h,1m
{authenticators}",
                binary = binary.display(),
                spool = spool.display(),
                logs = logs.display(),
                mail = mail.display(),
            ),
        )?;
        let mut command = Command::new(&binary);
        command.arg("-bdf").arg("-C").arg(&config);
        let mut process = Process::start("exim", &mut command, &place.path().join("output"))?;
        process.listening(port)?;
        Ok(Exim {
            port,
            maildir: Maildir::at(&mail.join("all")),
            binary,
            config,
            _process: process,
            place,
        })
    }

    /// Has it try again what it has put off, whatever it has planned.
    pub fn flush(&self) -> Result<()> {
        let mut command = Command::new(&self.binary);
        run(command.arg("-C").arg(&self.config).arg("-qff")).map(|_| ())
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log/mainlog")).unwrap_or_default()
    }
}
