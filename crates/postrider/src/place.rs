//! Where things are: the data directory, the configuration, the running server.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Options {
    /// The configuration file; without one, the defaults hold.
    #[arg(long, global = true, value_name = "FILE", env = "POSTRIDER_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The data directory, which holds the queue [default: ./postrider-data].
    #[arg(long, global = true, value_name = "DIR", env = "POSTRIDER_DATA")]
    pub(crate) data: Option<PathBuf>,
}

/// Why there is no configuration to go by.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it says is wrong; rendered, with the places.
    #[error("{rendered}")]
    Wrong {
        /// The problems, as shown to people.
        rendered: String,
    },
}

impl Options {
    /// Reads `--config` and `--data` where clap cannot: before `sendmail`.
    pub(crate) fn read(arguments: &[OsString]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let text = argument.to_string_lossy();
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(OsString::from(value))),
                None => (text.clone().into_owned(), None),
            };
            let value = value.or_else(|| rest.next().cloned());
            let value = value
                .map(PathBuf::from)
                .ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--config" => options.config = Some(value),
                "--data" => options.data = Some(value),
                _ => return Err(format!("unknown option {name} before `sendmail`")),
            }
        }
        Ok(options)
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        let from_environment = || std::env::var_os("POSTRIDER_DATA").map(PathBuf::from);
        let given = self.data.clone().or_else(from_environment);
        given.unwrap_or_else(|| PathBuf::from("postrider-data"))
    }

    fn config_file(&self) -> Option<PathBuf> {
        let from_environment = || std::env::var_os("POSTRIDER_CONFIG").map(PathBuf::from);
        self.config.clone().or_else(from_environment)
    }

    /// Reads the configuration; `None` stands for the defaults.
    pub(crate) fn config(&self) -> Result<config::Config, ConfigError> {
        self.parsed_config().map(|parsed| parsed.config)
    }

    /// The configuration with its warnings.
    pub(crate) fn parsed_config(&self) -> Result<config::Parsed, ConfigError> {
        let (name, text) = match self.config_file() {
            Some(path) => match std::fs::read_to_string(&path) {
                Ok(text) => (path.display().to_string(), text),
                Err(source) => return Err(ConfigError::Unreadable { path, source }),
            },
            None => ("(defaults)".to_owned(), String::new()),
        };
        let color = color();
        config::Config::parse(&text).map_err(|errors| ConfigError::Wrong {
            rendered: errors.render(&name, &text, color),
        })
    }

    /// The name and text of the configuration file, for showing places in it.
    pub(crate) fn config_text(&self) -> Option<(String, String)> {
        let path = self.config_file()?;
        let text = std::fs::read_to_string(&path).ok()?;
        Some((path.display().to_string(), text))
    }
}

/// Whether the standard error shows colours.
pub(crate) fn color() -> bool {
    use std::io::IsTerminal;
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// What a running server tells about itself, in `server.json` in the data directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServerFile {
    /// Its process.
    pub(crate) pid: u32,
    /// Where it takes SMTP.
    pub(crate) smtp: Vec<std::net::SocketAddr>,
    /// Where it takes SMTP under TLS from the first byte.
    #[serde(default)]
    pub(crate) smtps: Vec<std::net::SocketAddr>,
    /// Its control socket.
    pub(crate) control: PathBuf,
}

const SERVER_FILE: &str = "server.json";
const CONTROL_SOCKET: &str = "control.sock";

/// The control socket in a data directory.
pub(crate) fn control_socket(data: &Path) -> PathBuf {
    data.join(CONTROL_SOCKET)
}

impl ServerFile {
    /// What the server in this data directory told, if one is running.
    pub(crate) fn read(data: &Path) -> Option<ServerFile> {
        let text = std::fs::read(data.join(SERVER_FILE)).ok()?;
        let file: ServerFile = serde_json::from_slice(&text).ok()?;
        // A crash leaves the file behind; the process tells.
        let pid = rustix::process::Pid::from_raw(i32::try_from(file.pid).ok()?)?;
        match rustix::process::test_kill_process(pid) {
            Ok(()) | Err(rustix::io::Errno::PERM) => Some(file),
            Err(_) => None,
        }
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, data: &Path) -> io::Result<()> {
        let fresh = data.join(format!("{SERVER_FILE}.new"));
        std::fs::write(&fresh, serde_json::to_vec(self)?)?;
        std::fs::rename(&fresh, data.join(SERVER_FILE))
    }

    /// Removes it.
    pub(crate) fn remove(data: &Path) {
        // It may be gone already; that is what is wanted.
        let _ = std::fs::remove_file(data.join(SERVER_FILE));
    }
}
