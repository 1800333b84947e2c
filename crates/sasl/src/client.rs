//! The client's side of a mechanism.

use data_encoding::BASE64;
use subtle::ConstantTimeEq as _;

use crate::keys::{mac, read_iterations, salted};
use crate::scram::{attribute, is_nonce, prove, signature, stored_key, write_name};
use crate::{Mechanism, Password, Unprepared, prepared};

/// One exchange: send what [`Client::initial`] says with the command, answer each challenge by
/// [`Client::respond`], and ask [`Client::finish`] once the server has said yes.
#[derive(Debug)]
pub struct Client {
    name: String,
    password: Password,
    state: State,
}

#[derive(Debug)]
enum State {
    Plain,
    LoginName,
    LoginPassword,
    ScramFirst {
        nonce: String,
    },
    ScramFinal {
        nonce: String,
    },
    ScramSignature {
        expected: String,
    },
    /// Nothing more is to be said.
    Said,
}

/// Why the client does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The challenge is not as the mechanism has it.
    #[error("the server's challenge is not as the mechanism has it")]
    Malformed,
    /// The server asks for less work than is safe, or for more than is sensible (RFC 5802 §9).
    #[error("the server's iteration count is not acceptable")]
    Iterations,
    /// The server says that the exchange failed, in the words of RFC 5802 §7.
    #[error("the server refused the proof")]
    Refused,
    /// The server does not know the password either (RFC 5802 §3): it is not whom we think.
    #[error("the server could not prove that it knows the password")]
    ServerUnproven,
    /// The password holds what it cannot hold (RFC 4013).
    #[error(transparent)]
    Unprepared(#[from] Unprepared),
}

/// RFC 7677 §4.
const LEAST_ITERATIONS: u32 = 4096;

/// The best mechanism that a server offers; those that send the password only where the connection is
/// `secret`.
#[must_use]
pub fn choose<'a>(offered: impl IntoIterator<Item = &'a str>, secret: bool) -> Option<Mechanism> {
    let offered: Vec<Mechanism> = offered.into_iter().filter_map(Mechanism::find).collect();
    let mut best = Mechanism::ALL.into_iter();
    best.find(|one| offered.contains(one) && (secret || !one.sends_password()))
}

impl Client {
    /// An exchange. `nonce` as for the server.
    pub fn new(
        mechanism: Mechanism,
        name: &str,
        password: Password,
        nonce: impl Into<String>,
    ) -> Result<Client, Unprepared> {
        Ok(Client {
            name: prepared(name)?,
            password,
            state: match mechanism {
                Mechanism::Plain => State::Plain,
                Mechanism::Login => State::LoginName,
                Mechanism::ScramSha256 => State::ScramFirst {
                    nonce: nonce.into(),
                },
            },
        })
    }

    /// What goes with the AUTH command; `None`: nothing, the server speaks first.
    pub fn initial(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        match self.state {
            // Old servers of LOGIN know no initial response.
            State::LoginName => Ok(None),
            _ => self.respond(b"").map(Some),
        }
    }

    /// The response to a challenge.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, ClientError> {
        match std::mem::replace(&mut self.state, State::Said) {
            // RFC 4616 §2.
            State::Plain => {
                let password = prepared(self.password.expose())?;
                Ok(format!("\0{}\0{password}", self.name).into_bytes())
            }
            State::LoginName => {
                self.state = State::LoginPassword;
                Ok(self.name.clone().into_bytes())
            }
            State::LoginPassword => Ok(self.password.expose().as_bytes().to_vec()),
            State::ScramFirst { nonce } => {
                let bare = self.bare(&nonce);
                self.state = State::ScramFinal { nonce };
                Ok(format!("n,,{bare}").into_bytes())
            }
            State::ScramFinal { nonce } => self.prove(challenge, &nonce),
            State::ScramSignature { expected } => {
                let text = std::str::from_utf8(challenge).map_err(|_| ClientError::Malformed)?;
                if text.starts_with("e=") {
                    return Err(ClientError::Refused);
                }
                let first = text.split(',').next();
                let said = attribute(first, 'v').ok_or(ClientError::Malformed)?;
                match bool::from(said.as_bytes().ct_eq(expected.as_bytes())) {
                    true => Ok(Vec::new()),
                    false => Err(ClientError::ServerUnproven),
                }
            }
            State::Said => Err(ClientError::Malformed),
        }
    }

    /// After the server has said yes: whether it may be believed. A server that skips its own proof may
    /// not.
    pub fn finish(&self) -> Result<(), ClientError> {
        match self.state {
            State::Said => Ok(()),
            _ => Err(ClientError::ServerUnproven),
        }
    }

    /// RFC 5802 §7 `client-first-message-bare`.
    fn bare(&self, nonce: &str) -> String {
        format!("n={},r={nonce}", write_name(&self.name))
    }

    /// RFC 5802 §7: from `server-first-message` to `client-final-message`.
    fn prove(&mut self, challenge: &[u8], nonce: &str) -> Result<Vec<u8>, ClientError> {
        let text = std::str::from_utf8(challenge).map_err(|_| ClientError::Malformed)?;
        let mut values = text.split(',');
        let whole = attribute(values.next(), 'r').filter(|text| is_nonce(text));
        let salt =
            attribute(values.next(), 's').and_then(|text| BASE64.decode(text.as_bytes()).ok());
        let iterations = attribute(values.next(), 'i');
        let (Some(whole), Some(salt), Some(iterations)) = (whole, salt, iterations) else {
            return Err(ClientError::Malformed);
        };
        // RFC 5802 §5.1: it must begin with ours, and have something of the server's.
        if !whole.starts_with(nonce) || whole.len() == nonce.len() {
            return Err(ClientError::Malformed);
        }
        let iterations = read_iterations(iterations).filter(|count| *count >= LEAST_ITERATIONS);
        let iterations = iterations.ok_or(ClientError::Iterations)?;
        let salted = salted(&self.password, &salt, iterations)?;
        // `biws` is `n,,`: no channel is bound.
        let without_proof = format!("c=biws,r={whole}");
        let auth_message = format!("{},{text},{without_proof}", self.bare(nonce));
        let client_key = mac(&salted, b"Client Key");
        let proof = prove(&client_key, &stored_key(&client_key), &auth_message);
        let expected = signature(&mac(&salted, b"Server Key"), &auth_message);
        self.state = State::ScramSignature { expected };
        Ok(format!("{without_proof},p={}", BASE64.encode(&proof)).into_bytes())
    }
}
