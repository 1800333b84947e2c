//! `postrider user`: the file of users.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use auth::{LineProblem, Users};
use sasl::{Password, Unprepared};
use world::World;

use crate::cli::UserCommand;
use crate::exit;
use crate::place::Options;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
enum UserError {
    #[error(
        "no file of users: write [auth] users = \"/etc/postrider/users\" into the configuration, or give --file"
    )]
    NoFile,
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        problem: LineProblem,
    },
    #[error("there is a user {0} already: `postrider user passwd` changes the password")]
    There(String),
    #[error("there is no user {0}")]
    NotThere(String),
    #[error("the password cannot be read: {0}")]
    Password(io::Error),
    #[error("the two passwords differ")]
    Differ,
    #[error("the password is empty")]
    Empty,
    #[error("name or password: {0}; a name has no spaces, and does not begin with # or !")]
    Unprepared(#[from] Unprepared),
}

pub(crate) fn main(command: &UserCommand, options: &Options) -> ExitCode {
    match run(command, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::problem(&error),
    }
}

fn run(command: &UserCommand, options: &Options) -> Result<(), UserError> {
    let (UserCommand::Add { file, .. }
    | UserCommand::Remove { file, .. }
    | UserCommand::Passwd { file, .. }
    | UserCommand::List { file, .. }) = command;
    let configured = || options.config().ok().and_then(|config| config.auth.users);
    let path = file.clone().or_else(configured).ok_or(UserError::NoFile)?;
    let mut users = read(&path)?;
    match command {
        UserCommand::Add { name, .. } => {
            if users.find(name).is_some() {
                return Err(UserError::There(name.clone()));
            }
            set(&mut users, name)?;
        }
        UserCommand::Passwd { name, .. } => {
            if users.find(name).is_none() {
                return Err(UserError::NotThere(name.clone()));
            }
            set(&mut users, name)?;
        }
        UserCommand::Remove { name, .. } => {
            if !users.remove(name) {
                return Err(UserError::NotThere(name.clone()));
            }
        }
        UserCommand::List { json, .. } => {
            for user in users.iter() {
                match json {
                    true => println!(
                        "{}",
                        serde_json::json!({ "name": user.name, "scram": user.keys().is_some() })
                    ),
                    false => println!("{}", user.name),
                }
            }
            return Ok(());
        }
    }
    write(&path, &users.to_text()).map_err(|source| UserError::File { path, source })
}

fn set(users: &mut Users, name: &str) -> Result<(), UserError> {
    let password = password()?;
    let world = World::real();
    users.set(name, &password, &|bytes| world.random.fill(bytes))?;
    Ok(())
}

/// From the terminal, twice and unseen; else a line of the standard input. Never from the command line,
/// which everybody on the machine can read.
fn password() -> Result<Password, UserError> {
    let ask = |what: &str| rpassword::prompt_password(what).map_err(UserError::Password);
    let text = if io::stdin().is_terminal() {
        let first = ask("Password: ")?;
        if ask("The same again: ")? != first {
            return Err(UserError::Differ);
        }
        first
    } else {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.map_err(UserError::Password)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    match text.is_empty() {
        true => Err(UserError::Empty),
        false => Ok(Password::new(text)),
    }
}

/// A file that is not there yet has no users.
fn read(path: &Path) -> Result<Users, UserError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => {
            let path = path.to_owned();
            return Err(UserError::File { path, source });
        }
    };
    Users::parse(&text).map_err(|(line, problem)| UserError::Line {
        path: path.to_owned(),
        line,
        problem,
    })
}

/// Whole or not at all, with the owner and the rights that the file has; a new one is for its owner alone.
fn write(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.clone().into_os_string();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let _ = fs::remove_file(&fresh);
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    let written = (|| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if let Ok(old) = fs::metadata(&path) {
            fs::set_permissions(&fresh, old.permissions())?;
            chown(&fresh, Some(old.uid()), Some(old.gid()))?;
        }
        fs::rename(&fresh, &path)
    })();
    if written.is_err() {
        // What is half done is of no use to anybody.
        let _ = fs::remove_file(&fresh);
    }
    written
}
