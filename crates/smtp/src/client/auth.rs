//! AUTH on the client's side (RFC 4954): lines of an exchange that the driver conducts.

use super::{Connection, Expect};

impl Connection {
    /// Says a line of an AUTH exchange: `AUTH` with its mechanism, or an answer to a challenge, in the form
    /// of the wire. [`Event::Auth`](super::Event::Auth) is what comes of it. Only between transactions.
    pub fn auth(&mut self, line: &str) {
        self.say(line, Expect::Auth);
    }
}
