//! Processes that end with their guards.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Signal, getrlimit, kill_process, setrlimit, test_kill_process,
};

use crate::{Doing, PeerError, Result};

/// How long anything on a busy machine may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks again and again until there is an answer, for at most `patience`.
pub fn wait_until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Makes sure that this process may have so many files open, where the system allows it.
pub fn allow_open_files(needed: u64) -> Result<()> {
    let mut files = getrlimit(Resource::Nofile);
    if files.current.is_some_and(|now| now < needed) {
        files.current = Some(needed);
        let set = setrlimit(Resource::Nofile, files);
        set.map_err(std::io::Error::from)
            .doing("raising the limit of open files")?;
    }
    Ok(())
}

/// A child process, ended when this is dropped: asked first, killed after five seconds.
pub struct Process {
    child: Child,
    name: String,
    log: Option<PathBuf>,
}

impl Process {
    /// Starts it; what it says goes into the file `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Process> {
        let file = std::fs::File::options().create(true).append(true).open(log);
        let file = file.doing(format!("opening {}", log.display()))?;
        let error = file.try_clone().doing("opening the log")?;
        command.stdin(Stdio::null()).stdout(file).stderr(error);
        let child = command.spawn().doing(format!("starting {name}"))?;
        Ok(Process {
            child,
            name: name.to_owned(),
            log: Some(log.to_owned()),
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it accepts connections on a port of loopback.
    pub fn listening(&mut self, port: u16) -> Result<()> {
        let there = wait_until(PATIENCE, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(Err(status));
            }
            TcpStream::connect(("127.0.0.1", port)).ok().map(|_| Ok(()))
        });
        match there {
            Some(Ok(())) => Ok(()),
            Some(Err(status)) => Err(self.failed(&format!("ended at once: {status}"))),
            None => Err(self.failed(&format!("does not listen on port {port}"))),
        }
    }

    fn failed(&self, what: &str) -> PeerError {
        let log = self
            .log
            .as_ref()
            .map(|log| std::fs::read_to_string(log).unwrap_or_default());
        PeerError::Failed {
            program: self.name.clone(),
            what: format!("{what}\n{}", log.unwrap_or_default()),
        }
    }

    /// Kills it, as a crash would, and waits until it is gone.
    pub fn kill(mut self) {
        // It may be gone already; that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop and waits until it is gone.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.ask();
        let ended = wait_until(PATIENCE, || self.child.try_wait().ok().flatten());
        ended.ok_or_else(|| self.failed("does not stop"))
    }

    /// Has it read its files again, as daemons do on SIGHUP.
    pub fn hang_up(&self) {
        signal(self.child.id(), Signal::HUP);
    }

    fn ask(&self) {
        signal(self.child.id(), Signal::TERM);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        self.ask();
        let asked = wait_until(Duration::from_secs(5), || {
            self.child.try_wait().ok().flatten()
        });
        if asked.is_none() {
            // It may be gone already; that is what is wanted.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn signal(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may be gone already; that is what is wanted.
        let _ = kill_process(pid, signal);
    }
}

/// Stops a process that is not our child, by its id.
pub(crate) fn stop_by_id(id: u32) {
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return;
    };
    signal(id, Signal::TERM);
    let gone = wait_until(Duration::from_secs(5), || {
        test_kill_process(pid).is_err().then_some(())
    });
    if gone.is_none() {
        signal(id, Signal::KILL);
    }
}

/// Runs a program to its end; its output if it succeeded.
pub fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().doing(format!("running {program}"))?;
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&both).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(PeerError::Failed {
        program,
        what: format!("{}\n{text}", output.status),
    })
}
