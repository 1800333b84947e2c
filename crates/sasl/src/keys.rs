//! What a server keeps of a password for SCRAM-SHA-256, and what it pretends to keep.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::{Password, Unprepared, prepared};

/// How often the password is hashed for new keys. RFC 7677 §4 asks for 4,096 at least and recommends
/// 15,000.
pub const ITERATIONS: u32 = 15_000;
/// More would let a server keep its clients busy (RFC 5802 §9).
const MOST_ITERATIONS: u32 = 10_000_000;

/// RFC 5802 §3: what proves a password without being it. As text, the form of RFC 5803.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: u32,
    pub(crate) stored: [u8; 32],
    pub(crate) server: [u8; 32],
}

impl Keys {
    /// Derives them. Takes milliseconds.
    pub fn derive(password: &Password, salt: &[u8], iterations: u32) -> Result<Keys, Unprepared> {
        let salted = salted(password, salt, iterations)?;
        Ok(Keys {
            salt: salt.to_vec(),
            iterations,
            stored: hash(&mac(&salted, b"Client Key")),
            server: mac(&salted, b"Server Key"),
        })
    }

    /// Whether they are those of this password. Takes as long as to derive them.
    #[must_use]
    pub fn are_of(&self, password: &Password) -> bool {
        use subtle::ConstantTimeEq as _;
        let derived = Keys::derive(password, &self.salt, self.iterations);
        derived.is_ok_and(|keys| bool::from(keys.stored.ct_eq(&self.stored)))
    }
}

/// Not for logs.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// RFC 5803 §2: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] =
            [&self.salt[..], &self.stored, &self.server].map(|b| BASE64.encode(b));
        write!(
            f,
            "SCRAM-SHA-256${}:{salt}${stored}:{server}",
            self.iterations
        )
    }
}

/// The text is not `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey")]
pub struct ParseKeysError;

impl FromStr for Keys {
    type Err = ParseKeysError;

    fn from_str(text: &str) -> Result<Keys, ParseKeysError> {
        let parts = || {
            let rest = text.strip_prefix("SCRAM-SHA-256$")?;
            let (first, second) = rest.split_once('$')?;
            let (iterations, salt) = first.split_once(':')?;
            let (stored, server) = second.split_once(':')?;
            let key = |text: &str| BASE64.decode(text.as_bytes()).ok()?.try_into().ok();
            Some(Keys {
                salt: BASE64
                    .decode(salt.as_bytes())
                    .ok()
                    .filter(|salt| !salt.is_empty())?,
                iterations: read_iterations(iterations)?,
                stored: key(stored)?,
                server: key(server)?,
            })
        };
        parts().ok_or(ParseKeysError)
    }
}

/// RFC 5802 §7 `iteration-count`: a positive number.
pub(crate) fn read_iterations(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| digits)?;
    (1..=MOST_ITERATIONS).contains(&number).then_some(number)
}

/// Known to this server alone: from it come keys for names that nobody has, always the same for one
/// name, so that asking tells nobody who has an account.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes it.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Keys for a name that nobody has. No password has them.
    #[must_use]
    pub fn keys_for(&self, name: &str) -> Keys {
        let of = |what: &[u8]| mac(&self.0, &[what, b"\0", name.as_bytes()].concat());
        Keys {
            salt: of(b"salt")[..SALT].to_vec(),
            iterations: ITERATIONS,
            stored: of(b"stored"),
            server: of(b"server"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Bytes of the salt of new keys.
const SALT: usize = 16;

/// RFC 5802 §2.2 `Hi`, of the prepared password.
pub(crate) fn salted(
    password: &Password,
    salt: &[u8],
    iterations: u32,
) -> Result<[u8; 32], Unprepared> {
    let password = prepared(password.expose())?;
    Ok(pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(
        password.as_bytes(),
        salt,
        iterations,
    ))
}

pub(crate) fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length; without one there is no error to speak of.
    match <Hmac<Sha256> as Mac>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(data);
            mac.finalize().into_bytes().into()
        }
        Err(_) => hash(key),
    }
}

pub(crate) fn hash(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::derive(&Password::new("pencil"), b"saltsaltsaltsalt", 4096).unwrap()
    }

    #[test]
    fn keys_read_back_from_their_text() {
        let text = keys().to_string();
        assert_eq!(text.parse(), Ok(keys()));
        for wrong in [
            text.replace("4096", "0"),
            text.replace("4096", "99999999"),
            text.replace("SHA-256", "SHA-1"),
            text.replace("4096:", "4096"),
            text[..text.len() - 4].to_owned(),
            String::new(),
        ] {
            assert_eq!(wrong.parse::<Keys>(), Err(ParseKeysError), "{wrong}");
        }
    }

    #[test]
    fn keys_are_of_their_password_alone_in_whatever_form_it_is_written() {
        assert!(keys().are_of(&Password::new("pencil")));
        // RFC 4013 §3: a soft hyphen is mapped to nothing.
        assert!(keys().are_of(&Password::new("pen\u{ad}cil")));
        assert!(!keys().are_of(&Password::new("Pencil")));
        assert!(!keys().are_of(&Password::new("pencil\u{7}")));
        assert!(!keys().are_of(&Password::new("")));
    }

    #[test]
    fn a_name_that_nobody_has_always_has_the_same_keys_and_others_have_others() {
        let secret = Secret::new([7; 32]);
        let of = |name| secret.keys_for(name);
        assert_eq!(of("anna"), of("anna"));
        assert_ne!(of("anna").salt, of("bert").salt);
        assert_ne!(of("anna").salt, Secret::new([8; 32]).keys_for("anna").salt);
        assert_eq!(of("anna").salt.len(), SALT);
        assert_eq!(of("anna").iterations, ITERATIONS);
    }
}
