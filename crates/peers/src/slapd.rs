//! Debian's OpenLDAP server.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::place::{Place, free_port, tool};
use crate::process::{Process, run};
use crate::{Doing, Result};

/// A private `slapd` for `dc=example`. Whoever reads there is `cn=reader,dc=example` with the password
/// `secret`; everybody is over its socket too.
pub struct Slapd {
    /// Its port on loopback.
    pub port: u16,
    /// Its socket.
    pub socket: PathBuf,
    config: PathBuf,
    process: Option<Process>,
    place: Place,
}

impl Slapd {
    /// Starts it with these further entries (LDIF).
    pub fn start(entries: &str) -> Result<Slapd> {
        let place = Place::new("slapd")?;
        let data = place.directory("data")?;
        let config = place.file(
            "slapd.conf",
            &format!(
                "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {place}/pid
database mdb
suffix dc=example
rootdn cn=admin,dc=example
directory {data}
access to attrs=userPassword by anonymous auth
access to * by dn.exact=cn=reader,dc=example read
",
                place = place.path().display(),
                data = data.display(),
            ),
        )?;
        let all = format!(
            "dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\no: example\ndc: example\n\n\
             dn: cn=reader,dc=example\nobjectClass: organizationalRole\n\
             objectClass: simpleSecurityObject\ncn: reader\nuserPassword: secret\n\n{entries}"
        );
        let ldif = place.file("entries.ldif", &all)?;
        let mut add = Command::new(tool("slapadd")?);
        run(add.arg("-f").arg(&config).arg("-l").arg(&ldif))?;
        let mut slapd = Slapd {
            port: free_port()?,
            socket: place.path().join("ldapi"),
            config,
            process: None,
            place,
        };
        slapd.run()?;
        Ok(slapd)
    }

    /// Starts it, again if it was stopped.
    pub fn run(&mut self) -> Result<()> {
        if self.socket.exists() {
            fs::remove_file(&self.socket).doing("removing what a crash left")?;
        }
        let socket = self.socket.display().to_string().replace('/', "%2F");
        let urls = format!("ldap://127.0.0.1:{}/ ldapi://{socket}/", self.port);
        let mut command = Command::new(tool("slapd")?);
        command
            .args(["-d", "0", "-h", &urls])
            .arg("-f")
            .arg(&self.config);
        let log = self.place.path().join("log");
        let mut process = Process::start("slapd", &mut command, &log)?;
        process.listening(self.port)?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }
}
