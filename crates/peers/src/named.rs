//! Debian's BIND, as the DNS.

use std::process::Command;

use crate::Result;
use crate::place::{Place, free_port, tool};
use crate::process::Process;

/// A private name server for some zones. It knows nothing else and asks nobody: what is not in its
/// zones it refuses.
pub struct Named {
    /// Its port, TCP and UDP.
    pub port: u16,
    _process: Process,
    _place: Place,
}

const HEAD: &str =
    "$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n";

impl Named {
    /// Starts it for a zone with these records, in the form of a zone file.
    pub fn start(zone: &str, records: &str) -> Result<Named> {
        Named::start_zones(&[(zone, records)])
    }

    /// Starts it for several zones. For one whose records are no zone file it answers SERVFAIL.
    pub fn start_zones(zones: &[(&str, &str)]) -> Result<Named> {
        let place = Place::new("named")?;
        let port = free_port()?;
        let mut lines = String::new();
        for (number, (zone, records)) in zones.iter().enumerate() {
            let file = place.file(&format!("zone{number}"), &format!("{HEAD}{records}\n"))?;
            let file = file.display();
            lines.push_str(&format!(
                "zone \"{zone}\" {{ type primary; file \"{file}\"; check-names ignore; check-mx ignore; check-mx-cname ignore; check-integrity no; }};\n"
            ));
        }
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
{lines}",
                place = place.path().display(),
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
