//! Debian's BIND, as the DNS.

use std::process::Command;

use crate::Result;
use crate::place::{Place, free_port, tool};
use crate::process::Process;

/// A private name server for one zone.
pub struct Named {
    /// Its port, TCP and UDP.
    pub port: u16,
    _process: Process,
    _place: Place,
}

impl Named {
    /// Starts it for a zone with these records, in the form of a zone file.
    pub fn start(zone: &str, records: &str) -> Result<Named> {
        let place = Place::new("named")?;
        let port = free_port()?;
        let head =
            "$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n";
        let file = place.file("zone", &format!("{head}{records}\n"))?;
        let config = place.file(
            "named.conf",
            &format!(
                "options {{
  directory \"{place}\";
  pid-file \"{place}/pid\";
  session-keyfile \"{place}/session.key\";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  allow-query {{ any; }};
}};
controls {{ }};
zone \"{zone}\" {{ type primary; file \"{file}\"; }};
",
                place = place.path().display(),
                file = file.display(),
            ),
        )?;
        let mut command = Command::new(tool("named")?);
        command.arg("-g").arg("-n").arg("1").arg("-c").arg(&config);
        let mut process = Process::start("named", &mut command, &place.path().join("log"))?;
        process.listening(port)?;
        Ok(Named {
            port,
            _process: process,
            _place: place,
        })
    }
}
