//! Debian's BIND, as the DNS.

use std::process::Command;

use crate::place::{Place, free_port, tool};
use crate::process::{PATIENCE, Process, wait_until};
use crate::{PeerError, Result};

/// A private name server for some zones. It knows nothing else and asks nobody: what is not in its
/// zones it refuses.
pub struct Named {
    /// Its port, TCP and UDP.
    pub port: u16,
    process: Process,
    place: Place,
    zones: Vec<String>,
    serial: u32,
}

const HEAD: &str =
    "$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 5\n@ IN NS ns\nns IN A 127.0.0.1\n";

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
            process,
            place,
            zones: zones.iter().map(|(zone, _)| (*zone).to_owned()).collect(),
            serial: 1,
        })
    }

    /// Has a zone hold these records from now on.
    pub fn publish(&mut self, zone: &str, records: &str) -> Result<()> {
        let failed = |what: &str| PeerError::Failed {
            program: "named".to_owned(),
            what: format!("{what}: {zone}"),
        };
        let number = self.zones.iter().position(|name| name == zone);
        let number = number.ok_or_else(|| failed("no such zone"))?;
        self.serial += 1;
        let head = HEAD.replace("hostmaster 1 ", &format!("hostmaster {} ", self.serial));
        self.place
            .file(&format!("zone{number}"), &format!("{head}{records}\n"))?;
        self.process.hang_up();
        // It takes a moment; whoever asks then gets the new records.
        let serial = format!("loaded serial {}", self.serial);
        let log = self.place.path().join("log");
        let loaded = wait_until(PATIENCE, || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            text.contains(&serial).then_some(())
        });
        loaded.ok_or_else(|| failed("the zone was not loaded"))
    }
}
