//! The server's side of a mechanism.

use data_encoding::BASE64;
use subtle::ConstantTimeEq as _;

use crate::keys::Keys;
use crate::scram::{attribute, is_nonce, prove, read_name, signature, stored_key};
use crate::{Mechanism, Password, prepared};

/// One exchange. Give it the client's responses in turn until it says [`Step::Check`], [`Step::Done`] or
/// an error.
#[derive(Debug)]
pub struct Server(State);

#[derive(Debug)]
enum State {
    Plain,
    LoginName,
    LoginPassword {
        name: String,
    },
    ScramFirst {
        nonce: String,
    },
    ScramKeys(First),
    ScramFinal {
        first: First,
        keys: Keys,
        challenge: String,
    },
    ScramDone {
        name: String,
    },
    Over,
}

/// The client's first message of SCRAM.
#[derive(Debug)]
struct First {
    name: String,
    /// The header that says which channel is bound: none.
    gs2: String,
    bare: String,
    /// The client's nonce and ours.
    nonce: String,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this.
    Challenge(Vec<u8>),
    /// The exchange is over; it is for the driver to see whether the password is this user's.
    Check {
        /// Who, in prepared form.
        name: String,
        /// With what.
        password: Password,
    },
    /// Give the keys of this user, real ones or pretended ones, to [`Server::keys`].
    Keys {
        /// Who, in prepared form.
        name: String,
    },
    /// The client has proved that it is this user.
    Done {
        /// Who, in prepared form.
        name: String,
    },
}

/// Why the client is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The response is not as the mechanism has it.
    #[error("the response is not as the mechanism has it")]
    Malformed,
    /// The name or the password holds what they cannot hold (RFC 4013).
    #[error("the name or the password holds a character that they cannot have (RFC 4013)")]
    Unprepared,
    /// The client wants to act as somebody else.
    #[error("the client wants to act as somebody else than it authenticates as")]
    ActsAsOther,
    /// The client wants channel binding, which is not offered (RFC 5802 §6).
    #[error("channel binding is not offered")]
    ChannelBinding,
    /// The proof is wrong, and with it the password.
    #[error("wrong password")]
    WrongProof,
}

impl Server {
    /// An exchange. `nonce` is printable, without commas, never used before, and not to be guessed: 24
    /// characters of base64 do. SCRAM alone needs it.
    #[must_use]
    pub fn new(mechanism: Mechanism, nonce: impl Into<String>) -> Server {
        Server(match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::LoginName,
            Mechanism::ScramSha256 => State::ScramFirst {
                nonce: nonce.into(),
            },
        })
    }

    /// Takes the next response; `None` where AUTH came without one.
    pub fn respond(&mut self, response: Option<&[u8]>) -> Result<Step, Refused> {
        let state = std::mem::replace(&mut self.0, State::Over);
        let Some(response) = response else {
            return self.ask(state);
        };
        let text = std::str::from_utf8(response).map_err(|_| Refused::Malformed)?;
        match state {
            State::Plain => plain(text),
            State::LoginName => {
                let name = prepared(text).map_err(|_| Refused::Unprepared)?;
                self.0 = State::LoginPassword { name };
                Ok(Step::Challenge(b"Password:".to_vec()))
            }
            State::LoginPassword { name } => {
                let password = Password::new(text);
                Ok(Step::Check { name, password })
            }
            State::ScramFirst { nonce } => {
                let first = client_first(text, &nonce)?;
                let name = first.name.clone();
                self.0 = State::ScramKeys(first);
                Ok(Step::Keys { name })
            }
            State::ScramFinal {
                first,
                keys,
                challenge,
            } => {
                let final_message = client_final(text, &first, &keys, &challenge)?;
                self.0 = State::ScramDone { name: first.name };
                Ok(Step::Challenge(final_message))
            }
            // RFC 4954 §4: what comes with success is a challenge, and the response to it is empty.
            State::ScramDone { name } if text.is_empty() => Ok(Step::Done { name }),
            State::ScramDone { .. } | State::ScramKeys(_) | State::Over => Err(Refused::Malformed),
        }
    }

    /// The first challenge, where the client did not speak first.
    fn ask(&mut self, state: State) -> Result<Step, Refused> {
        let challenge: &[u8] = match &state {
            State::Plain | State::ScramFirst { .. } => b"",
            // As the draft has it, and all servers; clients read no meaning from it.
            State::LoginName => b"Username:",
            _ => return Err(Refused::Malformed),
        };
        self.0 = state;
        Ok(Step::Challenge(challenge.to_vec()))
    }

    /// Answers [`Step::Keys`].
    pub fn keys(&mut self, keys: Keys) -> Result<Step, Refused> {
        match std::mem::replace(&mut self.0, State::Over) {
            State::ScramKeys(first) => {
                let salt = BASE64.encode(&keys.salt);
                let challenge = format!("r={},s={salt},i={}", first.nonce, keys.iterations);
                let step = Step::Challenge(challenge.clone().into_bytes());
                self.0 = State::ScramFinal {
                    first,
                    keys,
                    challenge,
                };
                Ok(step)
            }
            _ => Err(Refused::Malformed),
        }
    }
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`.
fn plain(text: &str) -> Result<Step, Refused> {
    let parts: Vec<&str> = text.split('\0').collect();
    let [other, name, password] = parts[..] else {
        return Err(Refused::Malformed);
    };
    let name = prepared(name).map_err(|_| Refused::Unprepared)?;
    if !other.is_empty() && prepared(other).as_ref() != Ok(&name) {
        return Err(Refused::ActsAsOther);
    }
    if password.is_empty() {
        return Err(Refused::Malformed);
    }
    let password = Password::new(password);
    Ok(Step::Check { name, password })
}

/// RFC 5802 §7 `client-first-message`.
fn client_first(text: &str, nonce: &str) -> Result<First, Refused> {
    let mut parts = text.splitn(3, ',');
    let (binding, other, bare) = (parts.next(), parts.next(), parts.next());
    let (Some(binding), Some(other), Some(bare)) = (binding, other, bare) else {
        return Err(Refused::Malformed);
    };
    match binding {
        // RFC 5802 §6: `y` says that the client could, and believes that we cannot; it is right.
        "n" | "y" => {}
        _ if binding.starts_with("p=") => return Err(Refused::ChannelBinding),
        _ => return Err(Refused::Malformed),
    }
    let mut values = bare.split(',');
    let name = attribute(values.next(), 'n')
        .and_then(read_name)
        .ok_or(Refused::Malformed)?;
    let theirs = attribute(values.next(), 'r')
        .filter(|text| is_nonce(text))
        .ok_or(Refused::Malformed)?;
    let nonce = format!("{theirs}{nonce}");
    let name = prepared(&name).map_err(|_| Refused::Unprepared)?;
    if !other.is_empty() {
        let other = attribute(Some(other), 'a')
            .and_then(read_name)
            .ok_or(Refused::Malformed)?;
        if prepared(&other).as_ref() != Ok(&name) {
            return Err(Refused::ActsAsOther);
        }
    }
    Ok(First {
        name,
        gs2: text[..text.len() - bare.len()].to_owned(),
        bare: bare.to_owned(),
        nonce,
    })
}

/// RFC 5802 §7 `client-final-message`; answers `server-final-message`.
fn client_final(
    text: &str,
    first: &First,
    keys: &Keys,
    challenge: &str,
) -> Result<Vec<u8>, Refused> {
    let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Refused::Malformed)?;
    let mut values = without_proof.split(',');
    let binding = attribute(values.next(), 'c').ok_or(Refused::Malformed)?;
    let nonce = attribute(values.next(), 'r').ok_or(Refused::Malformed)?;
    let proof = BASE64.decode(proof.as_bytes()).ok();
    let proof: [u8; 32] = proof
        .and_then(|proof| proof.try_into().ok())
        .ok_or(Refused::Malformed)?;
    if binding != BASE64.encode(first.gs2.as_bytes()) || nonce != first.nonce {
        return Err(Refused::Malformed);
    }
    let auth_message = format!("{},{challenge},{without_proof}", first.bare);
    let client_key = prove(&proof, &keys.stored, &auth_message);
    if !bool::from(stored_key(&client_key).ct_eq(&keys.stored)) {
        return Err(Refused::WrongProof);
    }
    Ok(format!("v={}", signature(&keys.server, &auth_message)).into_bytes())
}
