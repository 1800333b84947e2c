//! The machine: its memory, its programs.

use std::fs;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::program::{self, Ended, Input, Program};

/// How much memory there is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What this process holds in memory itself.
    pub resident: u64,
    /// What could still be had without pushing others out: of the machine, or of the control group
    /// where that has less.
    pub available: u64,
}

/// The machine on which the relay runs.
#[async_trait]
pub trait Host: Send + Sync {
    /// Its memory. Reads a few small files of the kernel, which do not wait for a disk.
    fn memory(&self) -> io::Result<Memory>;

    /// Runs a program, which reads `input`, to its end. `Err` where it could not be started, or its
    /// input failed.
    async fn run(&self, program: &Program, input: Input) -> io::Result<Ended>;
}

/// The machine itself, as Linux tells it in `/proc` and `/sys/fs/cgroup`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealHost;

#[async_trait]
impl Host for RealHost {
    fn memory(&self) -> io::Result<Memory> {
        let status = fs::read_to_string("/proc/self/status")?;
        let machine = fs::read_to_string("/proc/meminfo")?;
        let resident = kib(&status, "VmRSS:").ok_or(io::ErrorKind::InvalidData)?;
        let of_machine = kib(&machine, "MemAvailable:").ok_or(io::ErrorKind::InvalidData)?;
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let of_group = group_of(&own).and_then(|group| left_in(Path::new("/sys/fs/cgroup"), group));
        Ok(Memory {
            resident,
            available: of_machine.min(of_group.unwrap_or(u64::MAX)),
        })
    }

    async fn run(&self, program: &Program, input: Input) -> io::Result<Ended> {
        program::run(program, input).await
    }
}

/// The number after a name in a file of lines like `VmRSS:  1234 kB`, in bytes.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    number.checked_mul(1024)
}

/// The control group (version 2) of `/proc/self/cgroup`: the path after `0::`.
fn group_of(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// What the group and those above it still allow; `None` where none has a limit.
fn left_in(root: &Path, group: &str) -> Option<u64> {
    let group = root.join(group.trim_start_matches('/'));
    let groups = group.ancestors().take_while(|g| g.starts_with(root));
    groups.filter_map(left_of).min()
}

fn left_of(group: &Path) -> Option<u64> {
    let number = |file: &str| -> Option<u64> {
        let text = fs::read_to_string(group.join(file)).ok()?;
        text.trim().parse().ok()
    };
    // `max` is no number: no limit.
    let (most, used) = (number("memory.max")?, number("memory.current")?);
    let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    // Pages of files that nobody uses are given back when they are asked for.
    let cached = stat
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file "));
    let cached: u64 = cached.and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    Some(most.saturating_sub(used.saturating_sub(cached)))
}

/// A machine whose memory is what a test says.
#[derive(Debug)]
pub struct SimHost(Mutex<Memory>);

impl SimHost {
    /// With this memory.
    #[must_use]
    pub fn new(memory: Memory) -> SimHost {
        SimHost(Mutex::new(memory))
    }

    /// From now on with this memory.
    pub fn set(&self, memory: Memory) {
        *self.0.lock() = memory;
    }
}

impl Default for SimHost {
    /// Plenty.
    fn default() -> SimHost {
        SimHost::new(Memory {
            resident: 0,
            available: u64::MAX,
        })
    }
}

#[async_trait]
impl Host for SimHost {
    fn memory(&self) -> io::Result<Memory> {
        Ok(*self.0.lock())
    }

    /// There are no programs on it.
    async fn run(&self, _: &Program, _: Input) -> io::Result<Ended> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_and_this_process_uses_some_of_it() {
        let memory = RealHost.memory().unwrap();
        assert!(memory.resident > 100 << 10, "{memory:?}");
        assert!(memory.available > 1 << 20, "{memory:?}");
    }

    #[test]
    fn the_tightest_group_above_counts_and_cached_files_are_free() {
        let root = tempfile::tempdir().unwrap();
        let (outer, inner) = (root.path().join("a"), root.path().join("a/b"));
        fs::create_dir_all(&inner).unwrap();
        let write = |dir: &Path, file: &str, text: &str| fs::write(dir.join(file), text).unwrap();
        write(&inner, "memory.max", "max\n");
        write(&inner, "memory.current", "10\n");
        assert_eq!(left_in(root.path(), "/a/b"), None);
        write(&outer, "memory.max", "1000\n");
        write(&outer, "memory.current", "900\n");
        write(&outer, "memory.stat", "anon 5\ninactive_file 300\n");
        assert_eq!(left_in(root.path(), "/a/b"), Some(400));
        assert_eq!(group_of("1:name=x:/old\n0::/a/b\n"), Some("/a/b"));
        assert_eq!(left_in(root.path(), "/../../etc"), None);
    }
}
