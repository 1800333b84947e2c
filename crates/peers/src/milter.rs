//! Milters of Debian: `opendkim`, and scripts for `python3-milter`, which is libmilter itself.

use std::process::Command;

use crate::Result;
use crate::place::{Place, free_port, tool};
use crate::process::Process;

/// A private milter.
pub struct Milter {
    /// Its port.
    pub port: u16,
    _process: Process,
    place: Place,
}

impl Milter {
    /// `opendkim` as a signer for a domain, with a key that is made for it.
    pub fn opendkim_signer(domain: &str, selector: &str) -> Result<Milter> {
        let place = Place::new("opendkim")?;
        let port = free_port()?;
        let key = place.path().join("key.pem");
        let mut openssl = Command::new(tool("openssl")?);
        openssl
            .args(["genrsa", "-traditional", "-out"])
            .arg(&key)
            .arg("2048");
        crate::process::run(&mut openssl)?;
        let config = format!(
            "Mode s\nDomain {domain}\nSelector {selector}\nKeyFile {}\nSocket inet:{port}@127.0.0.1\n\
             Canonicalization simple/simple\nRequireSafeKeys no\nSyslog no\n",
            key.display()
        );
        let config = place.file("opendkim.conf", &config)?;
        let mut command = Command::new(tool("opendkim")?);
        command.arg("-f").arg("-x").arg(&config);
        Milter::run(place, port, &mut command)
    }

    /// `opendkim` as a verifier, which knows these TXT records: name and text.
    pub fn opendkim_verifier(records: &[(String, String)]) -> Result<Milter> {
        let place = Place::new("opendkim")?;
        let port = free_port()?;
        let lines: String = records
            .iter()
            .map(|(name, text)| format!("{name} {text}\n"))
            .collect();
        let data = place.file("records", &lines)?;
        let config = format!(
            "Mode v\nSocket inet:{port}@127.0.0.1\nTestDNSData {}\nAlwaysAddARHeader yes\n\
             AuthservID verifier.example\nInternalHosts 192.0.2.1\nExternalIgnoreList 192.0.2.1\nSyslog no\n",
            data.display()
        );
        let config = place.file("opendkim.conf", &config)?;
        let mut command = Command::new(tool("opendkim")?);
        command.arg("-f").arg("-x").arg(&config);
        Milter::run(place, port, &mut command)
    }

    /// A script for Python's `Milter`, which gets its port as argument.
    pub fn python(script: &str) -> Result<Milter> {
        let place = Place::new("milter")?;
        let port = free_port()?;
        let file = place.file("script.py", script)?;
        // Debian's packages belong to Debian's Python.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(&file).arg(port.to_string());
        Milter::run(place, port, &mut command)
    }

    fn run(place: Place, port: u16, command: &mut Command) -> Result<Milter> {
        let mut process = Process::start("milter", command, &place.path().join("log"))?;
        process.listening(port)?;
        Ok(Milter {
            port,
            _process: process,
            place,
        })
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    /// The TXT record for the key of a signer.
    pub fn public_key(&self) -> Result<String> {
        let mut openssl = Command::new(tool("openssl")?);
        let key = self.place.path().join("key.pem");
        openssl.arg("rsa").arg("-in").arg(key).args(["-pubout"]);
        let pem = crate::process::run(&mut openssl)?;
        let begun = pem
            .lines()
            .skip_while(|line| !line.starts_with("-----BEGIN"));
        let key = begun.skip(1).take_while(|line| !line.starts_with('-'));
        let base64: String = key.collect();
        Ok(format!("v=DKIM1; k=rsa; p={base64}"))
    }
}
