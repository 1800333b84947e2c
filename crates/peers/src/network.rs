//! Networks of the tests' own: hosts that are network namespaces, each with a cable to one home.
//!
//! A thread can be at one host at a time ([`Network::at`]); the servers that it starts there stay there.
//! Making namespaces needs root.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::os::fd::AsFd;

use crate::place::tool;
use crate::process::run;
use crate::{Doing, PeerError, Result};

/// A home and hosts around it. The thread that makes it is at home until this is dropped.
pub struct Network {
    prefix: String,
    hosts: Vec<String>,
    /// Where the thread was before.
    outside: File,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);
const HOME: &str = "h";

impl Network {
    /// A home with these addresses, and nothing around it.
    pub fn new(addresses: &[&str]) -> Result<Network> {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let outside = File::open("/proc/thread-self/ns/net");
        let mut network = Network {
            // Names of interfaces have at most 15 letters.
            prefix: format!("p{}x{number}", std::process::id()),
            hosts: Vec::new(),
            outside: outside.doing("looking at our network namespace")?,
        };
        network.add(HOME)?;
        for address in addresses {
            network.ip(HOME, &["addr", "add", address, "dev", "lo"])?;
        }
        network.enter(HOME)?;
        Ok(network)
    }

    fn add(&mut self, host: &str) -> Result<()> {
        let namespace = self.name(host);
        run(Command::new(tool("ip")?).args(["netns", "add", &namespace]))?;
        self.hosts.push(host.to_owned());
        self.ip(host, &["link", "set", "lo", "up"])
    }

    fn name(&self, host: &str) -> String {
        format!("{}{host}", self.prefix)
    }

    /// A host with these addresses at the end of a cable from home: at home the cable's end is named as
    /// the host, there it is `cable`.
    pub fn host(&mut self, host: &str, addresses: &[&str]) -> Result<()> {
        self.add(host)?;
        let there = self.name(host);
        let home = self.name(HOME);
        run(Command::new(tool("ip")?).args([
            "link", "add", host, "netns", &home, "type", "veth", "peer", "name", "cable", "netns",
            &there,
        ]))?;
        self.ip(HOME, &["link", "set", host, "up"])?;
        for address in addresses {
            let family = if address.contains(':') { "-6" } else { "-4" };
            let mut add = vec!["addr", "add", address, "dev", "cable"];
            if family == "-6" {
                // Else it is tentative for a while.
                add.push("nodad");
            }
            self.ip(host, &add)?;
        }
        self.ip(host, &["link", "set", "cable", "up"])?;
        for family in ["-4", "-6"] {
            self.ip(host, &[family, "route", "add", "default", "dev", "cable"])?;
        }
        for address in addresses {
            let family = if address.contains(':') { "-6" } else { "-4" };
            self.ip(HOME, &[family, "route", "add", address, "dev", host])?;
        }
        Ok(())
    }

    /// Runs `ip` at a host; the home is `h`.
    pub fn ip(&self, host: &str, arguments: &[&str]) -> Result<()> {
        let namespace = self.name(host);
        let mut command = Command::new(tool("ip")?);
        run(command.args(["-n", &namespace]).args(arguments)).map(|_| ())
    }

    fn enter(&self, host: &str) -> Result<()> {
        let path = Path::new("/run/netns").join(self.name(host));
        let file = File::open(&path).doing(format!("opening {}", path.display()))?;
        enter(&file)
    }

    /// Does something at a host, and comes home again.
    pub fn at<T>(&self, host: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.enter(host)?;
        let done = work();
        self.enter(HOME)?;
        done
    }
}

fn enter(file: &File) -> Result<()> {
    let moved = move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network));
    let moved = moved.map_err(io::Error::from);
    moved.map_err(|source| PeerError::System {
        doing: "entering a network namespace".to_owned(),
        source,
    })
}

impl Drop for Network {
    fn drop(&mut self) {
        // Nothing can be done about a namespace that stays; its name is of this process alone.
        let _ = enter(&self.outside);
        for host in &self.hosts {
            let name = self.name(host);
            if let Ok(ip) = tool("ip") {
                let _ = run(Command::new(ip).args(["netns", "del", &name]));
            }
        }
    }
}
