//! Talking to the running server: one JSON object a line, over a Unix socket that only the server's
//! user can open.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use queue::{MessageId, RecipientState};
use serde::{Deserialize, Serialize};

/// What is asked of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Changes open recipients of a message.
    Change {
        /// The message.
        message: MessageId,
        /// Which of its recipients; all where none are named.
        recipients: Option<Vec<u32>>,
        /// To what.
        to: RecipientState,
    },
    /// Stops receiving or lets it go on.
    PauseReceiving {
        /// Stopped or not.
        paused: bool,
    },
    /// Reads certificates again that have changed.
    ReloadCertificates,
    /// Sends reports on TLS now.
    SendTlsReports {
        /// The day that they are about; all where none is named.
        day: Option<jiff::civil::Date>,
    },
    /// Stops a destination or lets it go on.
    Pause {
        /// A destination's key.
        destination: String,
        /// Stopped or not.
        paused: bool,
    },
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The recipients that were changed.
    Changed(Vec<String>),
    /// Done.
    Done,
    /// What came of reading changed certificates again.
    Reloaded(Vec<Reloaded>),
    /// So many reports on TLS are sent on their way.
    TlsReports(u64),
    /// Not done, for this reason.
    Failed(String),
}

/// What came of reading a changed certificate again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// Whether the new one is in use.
    pub(crate) changed: bool,
    /// Which it is, or why the old one stays.
    pub(crate) said: String,
}

/// Why the server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// Nobody is there.
    #[error("no server is running on the data directory {0}; start one with `postrider serve`")]
    NoServer(String),
    /// The talk broke.
    #[error("the server's control socket: {0}")]
    Broken(#[from] io::Error),
}

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the server of a data directory.
pub(crate) fn ask(data: &Path, request: &Request) -> Result<Answer, ControlError> {
    let path = crate::place::control_socket(data);
    let mut stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Err(ControlError::NoServer(data.display().to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer).map_err(io::Error::from)?)
}
