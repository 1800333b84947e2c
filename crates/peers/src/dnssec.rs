//! Signed zones, and a resolver that validates them: two of Debian's BIND.

use std::path::Path;
use std::process::Command;

use crate::place::{Place, free_port, tool};
use crate::process::{Process, run};
use crate::{Doing, Result};

/// A zone.
pub struct Zone<'a> {
    /// Its name, without the final dot.
    pub name: &'a str,
    /// Its records besides SOA and NS, in the form of a zone file.
    pub records: &'a str,
    /// Whether it is signed.
    pub signing: Signing<'a>,
}

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing<'a> {
    /// Not at all.
    None,
    /// With a key that the resolver trusts.
    Good,
    /// The same, and then this text in the signed file was replaced by the other: what holds it is
    /// bogus.
    Tampered(&'a str, &'a str),
}

/// A name server that serves the zones, and beside it a resolver that knows nothing else, and that
/// trusts the keys of the signed ones.
pub struct Dnssec {
    /// The resolver's port on loopback, TCP and UDP.
    pub port: u16,
    _processes: [Process; 2],
    _place: Place,
}

const HEAD: &str =
    "$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n";

impl Dnssec {
    /// Signs the zones and starts both.
    pub fn start(zones: &[Zone<'_>]) -> Result<Dnssec> {
        let place = Place::new("dnssec")?;
        let (mut served, mut anchors) = (String::new(), String::new());
        for zone in zones {
            let file = place.file(zone.name, &format!("{HEAD}{}\n", zone.records))?;
            let file = match zone.signing {
                Signing::None => file,
                Signing::Good => sign(&place, zone.name, &mut anchors)?,
                Signing::Tampered(from, to) => {
                    let signed = sign(&place, zone.name, &mut anchors)?;
                    let text = std::fs::read_to_string(&signed).doing("reading a zone")?;
                    assert!(text.contains(from), "nothing to tamper with in:\n{text}");
                    std::fs::write(&signed, text.replace(from, to)).doing("writing a zone")?;
                    signed
                }
            };
            served.push_str(&format!(
                "zone \"{}\" {{ type primary; file \"{}\"; check-names ignore; check-integrity no; }};\n",
                zone.name,
                file.display(),
            ));
        }
        let port = free_port()?;
        let server = format!("recursion no;\n  dnssec-validation no;\n}};\n{served}");
        let server = start(&place, "server", port, &server)?;
        let more = format!(
            "recursion yes;\n  dnssec-validation yes;\n  forward only;\n  \
             forwarders {{ 127.0.0.1 port {port}; }};\n}};\ntrust-anchors {{\n{anchors}}};\n"
        );
        let port = free_port()?;
        let resolver = start(&place, "resolver", port, &more)?;
        Ok(Dnssec {
            port,
            _processes: [server, resolver],
            _place: place,
        })
    }
}

/// The signed zone's file; its key is added to the trust anchors.
fn sign(place: &Place, zone: &str, anchors: &mut String) -> Result<std::path::PathBuf> {
    let directory = place.path();
    let mut keygen = Command::new(tool("dnssec-keygen")?);
    keygen
        .current_dir(directory)
        .args(["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone]);
    let key = run(&mut keygen)?;
    let key = directory.join(format!("{}.key", key.trim()));
    let mut signzone = Command::new(tool("dnssec-signzone")?);
    signzone
        .current_dir(directory)
        .args(["-q", "-S", "-z", "-O", "full", "-o", zone, "-f"])
        .arg(format!("{zone}.signed"))
        .arg(zone);
    run(&mut signzone)?;
    anchors.push_str(&anchor(zone, &key)?);
    Ok(directory.join(format!("{zone}.signed")))
}

/// `zone. IN DNSKEY 257 3 13 …` as a trust anchor.
fn anchor(zone: &str, key: &Path) -> Result<String> {
    let text = std::fs::read_to_string(key).doing("reading a key")?;
    let line = text.lines().find(|line| !line.starts_with(';'));
    let (_, data) = line
        .and_then(|line| line.split_once(" DNSKEY "))
        .unwrap_or_default();
    let mut fields = data.split_whitespace();
    let numbers: Vec<&str> = fields.by_ref().take(3).collect();
    let (numbers, material) = (numbers.join(" "), fields.collect::<String>());
    Ok(format!(
        "  \"{zone}\" static-key {numbers} \"{material}\";\n"
    ))
}

fn start(place: &Place, name: &str, port: u16, more: &str) -> Result<Process> {
    let directory = place.path().display();
    let config = place.file(
        &format!("{name}.conf"),
        &format!(
            "options {{
  directory \"{directory}\";
  pid-file \"{directory}/{name}.pid\";
  session-keyfile \"{directory}/{name}.key\";
  managed-keys-directory \"{directory}\";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  allow-query {{ any; }};
  {more}
controls {{ }};
"
        ),
    )?;
    let mut command = Command::new(tool("named")?);
    command.arg("-g").arg("-n").arg("1").arg("-c").arg(&config);
    let log = place.path().join(format!("{name}.log"));
    let mut process = Process::start("named", &mut command, &log)?;
    process.listening(port)?;
    Ok(process)
}
