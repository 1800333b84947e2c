//! Debian's `pebble`, an authority that speaks ACME (RFC 8555), with its name server.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::place::{Place, free_port, tool};
use crate::process::Process;

/// A private `pebble`. Every name has the address 127.0.0.1; it asks there for challenges.
pub struct Pebble {
    /// Its directory.
    pub directory: String,
    /// The port on which it asks for challenges of HTTP-01.
    pub http_port: u16,
    place: Place,
    _process: Process,
    _names: Process,
}

impl Pebble {
    /// Starts it with a certificate for 127.0.0.1 and its key, both in PEM. What it issues is valid for
    /// so many seconds.
    pub fn start(certificate: &str, key: &str, validity: u64) -> Result<Pebble> {
        let place = Place::new("pebble")?;
        let (port, management, http_port) = (free_port()?, free_port()?, free_port()?);
        let (tls_port, dns_port, dns_management) = (free_port()?, free_port()?, free_port()?);
        let certificate = place.file("pebble.pem", certificate)?;
        let key = place.file("pebble.key", key)?;
        let mut command = Command::new(tool("pebble-challtestsrv")?);
        command.args(["-dns01", &format!("127.0.0.1:{dns_port}")]);
        command.args(["-management", &format!("127.0.0.1:{dns_management}")]);
        command.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        command.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]);
        let mut names = Process::start(
            "pebble-challtestsrv",
            &mut command,
            &place.path().join("names.log"),
        )?;
        names.listening(dns_management)?;
        let config = format!(
            "{{\"pebble\": {{\"listenAddress\": \"127.0.0.1:{port}\",
 \"managementListenAddress\": \"127.0.0.1:{management}\",
 \"certificate\": \"{}\", \"privateKey\": \"{}\",
 \"httpPort\": {http_port}, \"tlsPort\": {tls_port}, \"certificateValidityPeriod\": {validity},
 \"domainBlocklist\": [\"blocked.example\"]}}}}
",
            certificate.display(),
            key.display(),
        );
        let config = place.file("pebble.json", &config)?;
        let mut command = Command::new(tool("pebble")?);
        command.arg("-config").arg(&config);
        command.args(["-dnsserver", &format!("127.0.0.1:{dns_port}")]);
        command.env("PEBBLE_VA_NOSLEEP", "1");
        command.env_remove("PEBBLE_VA_ALWAYS_VALID");
        // Each name is to be shown each time.
        command.env("PEBBLE_AUTHZREUSE", "0");
        let mut process = Process::start("pebble", &mut command, &place.path().join("log"))?;
        process.listening(port)?;
        Ok(Pebble {
            directory: format!("https://127.0.0.1:{port}/dir"),
            http_port,
            place,
            _process: process,
            _names: names,
        })
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    /// A directory of its own, for what belongs to it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Writes a file beside its own.
    pub fn file(&self, name: &str, content: &str) -> Result<PathBuf> {
        self.place.file(name, content)
    }
}
