//! Debian's PostgreSQL.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::place::{Place, free_port, user_ids};
use crate::process::{Process, run};
use crate::{Doing, PeerError, Result};

/// A private PostgreSQL with a database `mail`, whose owner is `postgres`. Over its socket everybody is
/// believed; over TCP a password is asked for.
pub struct Postgres {
    /// Its port on loopback.
    pub port: u16,
    /// Its socket.
    pub socket: PathBuf,
    data: PathBuf,
    programs: PathBuf,
    user: (u32, u32),
    process: Option<Process>,
    place: Place,
}

impl Postgres {
    /// Makes the database and starts it.
    pub fn start() -> Result<Postgres> {
        let place = Place::new("postgres")?;
        let port = free_port()?;
        let (data, run_directory) = (
            place.directory_of("data", "postgres")?,
            place.directory_of("run", "postgres")?,
        );
        let mut postgres = Postgres {
            port,
            socket: run_directory.join(format!(".s.PGSQL.{port}")),
            data,
            programs: programs()?,
            user: user_ids("postgres")?,
            process: None,
            place,
        };
        let mut initdb = postgres.command("initdb");
        initdb
            .arg("-D")
            .arg(&postgres.data)
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .args(["--encoding=UTF8", "--locale=C", "--no-sync"]);
        run(&mut initdb)?;
        postgres.run()?;
        postgres.sql("postgres", "CREATE DATABASE mail")?;
        Ok(postgres)
    }

    /// Starts it, again if it was stopped.
    pub fn run(&mut self) -> Result<()> {
        let mut command = self.command("postgres");
        let directory = self.socket.parent().unwrap_or(&self.data);
        command.arg("-D").arg(&self.data).arg("-k").arg(directory);
        command
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1"])
            .args(["-c", "fsync=off"]);
        let log = self.place.path().join("log");
        let mut process = Process::start("postgres", &mut command, &log)?;
        process.listening(self.port)?;
        self.process = Some(process);
        // It listens before it answers.
        let mut ready = self.command("pg_isready");
        ready.args(["-t", "30", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        let answered = crate::wait_until(crate::process::PATIENCE, || run(&mut ready).ok());
        answered.map(|_| ()).ok_or_else(|| PeerError::Failed {
            program: "postgres".to_owned(),
            what: fs::read_to_string(log).unwrap_or_default(),
        })
    }

    /// Ends it as a crash would, with all of its processes: those of its clients would otherwise go on
    /// to answer for a moment.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            let mut stop = self.command("pg_ctl");
            stop.arg("-D")
                .arg(&self.data)
                .args(["stop", "-m", "immediate", "-w"]);
            // Where that fails, what follows does not.
            let _ = run(&mut stop);
            process.kill();
        }
    }

    /// Runs statements in a database.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String> {
        let mut psql = self.command("psql");
        let directory = self.socket.parent().unwrap_or(&self.data);
        psql.arg("-h").arg(directory);
        psql.args(["-p", &self.port.to_string(), "-d", database])
            .args(["-v", "ON_ERROR_STOP=1", "-qAt", "-c", statements]);
        run(&mut psql)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // It refuses to be root.
        command.uid(self.user.0).gid(self.user.1);
        command.current_dir(self.place.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Asked kindly, it would wait for its clients.
        self.kill();
    }
}

/// Debian keeps the programs of each version apart; the newest.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").doing("looking for PostgreSQL")?;
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    let found = versions.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = found
        .filter(|path| path.join("bin/postgres").exists())
        .max_by_key(number);
    let newest = newest.ok_or_else(|| PeerError::Missing("PostgreSQL".to_owned()))?;
    Ok(newest.join("bin"))
}
