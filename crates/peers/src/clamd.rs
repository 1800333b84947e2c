//! Debian's `clamd`, with a signature database of its own: the test file of EICAR and nothing else.

use std::process::Command;

use crate::Result;
use crate::place::{Place, free_port, tool};
use crate::process::Process;

/// The test file of EICAR, which every scanner knows and which harms nobody. In two pieces, so that no
/// scanner takes this source for it.
#[must_use]
pub fn eicar() -> String {
    concat!(
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-",
        "ANTIVIRUS-TEST-FILE!$H+H*"
    )
    .to_owned()
}

/// A private `clamd`.
pub struct Clamd {
    /// Its port.
    pub port: u16,
    /// Its Unix socket.
    pub socket: std::path::PathBuf,
    _process: Process,
    _place: Place,
}

impl Clamd {
    /// Starts it; streams of more bytes than `most` are refused by it.
    pub fn start(most: u64) -> Result<Clamd> {
        let place = Place::new("clamd")?;
        let port = free_port()?;
        let database = place.directory("db")?;
        let hex: String = eicar().bytes().map(|b| format!("{b:02x}")).collect();
        place.file("db/test.ndb", &format!("Eicar-Test:0:*:{hex}\n"))?;
        let socket = place.path().join("clamd.sock");
        let config = format!(
            "DatabaseDirectory {}\nTCPSocket {port}\nTCPAddr 127.0.0.1\nLocalSocket {}\n\
             Foreground yes\nStreamMaxLength {most}\nMaxThreads 4\n",
            database.display(),
            socket.display(),
        );
        let config = place.file("clamd.conf", &config)?;
        let mut command = Command::new(tool("clamd")?);
        command.arg("-F").arg("-c").arg(&config);
        let mut process = Process::start("clamd", &mut command, &place.path().join("log"))?;
        process.listening(port)?;
        Ok(Clamd {
            port,
            socket,
            _process: process,
            _place: place,
        })
    }
}
