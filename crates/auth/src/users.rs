//! The file of users, as text.

use std::collections::HashMap;
use std::fmt::Write as _;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Argon2, Params};
use data_encoding::BASE64;
use sasl::{ITERATIONS, Keys, Password, Secret, Unprepared, prepared};

/// Users, in the order of their file.
#[derive(Clone, Debug, Default)]
pub struct Users {
    lines: Vec<Line>,
    /// Where each stands, by its name in lower case.
    places: HashMap<String, usize>,
    secret: Option<Secret>,
}

#[derive(Clone, Debug)]
enum Line {
    User(User),
    /// A comment, or nothing.
    Other(String),
    Secret,
    /// A user who was removed.
    Gone,
}

/// A user.
#[derive(Clone)]
pub struct User {
    /// The name as written.
    pub name: String,
    /// The argon2 hash, as PHC string.
    hash: String,
    /// For SCRAM-SHA-256; none: this user cannot use it.
    keys: Option<Keys>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("User").field(&self.name).finish()
    }
}

/// Why a file of users cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The system does not let us read it.
    #[error("{path}: {reported}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reported: String,
    },
    /// It is not text.
    #[error("{path}: not UTF-8")]
    NotText {
        /// The file.
        path: String,
    },
    /// A line is wrong.
    #[error("{path}:{line}: {problem}")]
    Line {
        /// The file.
        path: String,
        /// Which, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// It does not have two or three fields.
    #[error(
        "write a name, an argon2 hash and, where there are any, SCRAM-SHA-256 keys, with spaces between them"
    )]
    Fields,
    /// The name cannot be one.
    #[error("the name holds a character that names cannot have (RFC 4013)")]
    Name,
    /// The name is there already.
    #[error("this user stands in an earlier line")]
    Twice,
    /// The hash is none.
    #[error("the second field is no argon2 hash, like $argon2id$v=19$m=19456,t=2,p=1$…")]
    Hash,
    /// Checking the password would take too much.
    #[error("the hash asks for more than 1 GiB of memory or 100 passes")]
    Costly,
    /// The keys are none.
    #[error("the third field is not SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey")]
    Keys,
    /// The secret is none.
    #[error("`!secret` has 32 bytes in base64 after it")]
    Secret,
}

const HEAD: &str = "# Users of Postrider, kept by `postrider user`. A line has a name, an argon2 hash, and SCRAM-SHA-256 keys.";

impl Users {
    /// Reads the text of a file; an error has the line, counted from 1.
    pub fn parse(text: &str) -> Result<Users, (usize, LineProblem)> {
        let mut users = Users::default();
        for (index, line) in text.lines().enumerate() {
            users.read(line).map_err(|problem| (index + 1, problem))?;
        }
        Ok(users)
    }

    fn read(&mut self, line: &str) -> Result<(), LineProblem> {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            self.lines.push(Line::Other(line.to_owned()));
            return Ok(());
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let (name, hash, keys) = match fields[..] {
            ["!secret", secret] => {
                let bytes = BASE64.decode(secret.as_bytes()).ok();
                let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
                self.secret = Some(Secret::new(bytes.ok_or(LineProblem::Secret)?));
                self.lines.push(Line::Secret);
                return Ok(());
            }
            [name, hash] => (name, hash, None),
            [name, hash, keys] => (name, hash, Some(keys)),
            _ => return Err(LineProblem::Fields),
        };
        let key = key_of(name).map_err(|_| LineProblem::Name)?;
        check_hash(hash)?;
        let keys = keys.map(|keys| keys.parse().map_err(|_| LineProblem::Keys));
        if self.places.insert(key, self.lines.len()).is_some() {
            return Err(LineProblem::Twice);
        }
        self.lines.push(Line::User(User {
            name: name.to_owned(),
            hash: hash.to_owned(),
            keys: keys.transpose()?,
        }));
        Ok(())
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            // Writing to a String does not fail.
            let _ = match line {
                Line::User(User { name, hash, keys }) => match keys {
                    Some(keys) => writeln!(text, "{name} {hash} {keys}"),
                    None => writeln!(text, "{name} {hash}"),
                },
                Line::Other(other) => writeln!(text, "{other}"),
                Line::Secret => match &self.secret {
                    Some(secret) => writeln!(text, "!secret {}", BASE64.encode(secret.expose())),
                    None => Ok(()),
                },
                Line::Gone => Ok(()),
            };
        }
        text
    }

    /// Who has this name, in any case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&User> {
        match &self.lines[*self.places.get(&key_of(name).ok()?)?] {
            Line::User(user) => Some(user),
            _ => None,
        }
    }

    /// All users.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.lines.iter().filter_map(|line| match line {
            Line::User(user) => Some(user),
            _ => None,
        })
    }

    /// From which keys for unknown names are made.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Gives a user a password, and makes the user where there is none. Takes a second or so. `chance`
    /// fills bytes that nobody can guess.
    pub fn set(
        &mut self,
        name: &str,
        password: &Password,
        chance: &dyn Fn(&mut [u8]),
    ) -> Result<(), Unprepared> {
        let key = key_of(name)?;
        if name.contains(char::is_whitespace) || name.starts_with(['#', '!']) {
            return Err(Unprepared);
        }
        let (mut salt, mut scram_salt) = ([0; 16], [0; 16]);
        chance(&mut salt);
        chance(&mut scram_salt);
        let user = User {
            name: self.find(name).map_or(name, |user| &user.name).to_owned(),
            hash: hashed(password, &salt)?,
            keys: Some(Keys::derive(password, &scram_salt, ITERATIONS)?),
        };
        if self.lines.is_empty() {
            self.lines.push(Line::Other(HEAD.to_owned()));
        }
        if self.secret.is_none() {
            let mut bytes = [0; 32];
            chance(&mut bytes);
            self.secret = Some(Secret::new(bytes));
            self.lines.push(Line::Secret);
        }
        match self.places.get(&key) {
            Some(place) => self.lines[*place] = Line::User(user),
            None => {
                self.places.insert(key, self.lines.len());
                self.lines.push(Line::User(user));
            }
        }
        Ok(())
    }

    /// Removes a user; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let place = key_of(name).ok().and_then(|key| self.places.remove(&key));
        if let Some(place) = place {
            self.lines[place] = Line::Gone;
        }
        place.is_some()
    }
}

impl User {
    /// Whether this is the password. Takes as long as its hash asks for.
    #[must_use]
    pub fn has(&self, password: &Password) -> bool {
        verify(&self.hash, password)
    }

    /// For SCRAM-SHA-256.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }
}

/// A name as it is compared. Like the names of mailboxes nearly everywhere it has no case.
fn key_of(name: &str) -> Result<String, Unprepared> {
    Ok(prepared(name)?.to_lowercase())
}

/// The argon2id hash of a password, with the parameters that OWASP recommends (19 MiB, 2 passes).
pub(crate) fn hashed(password: &Password, salt: &[u8; 16]) -> Result<String, Unprepared> {
    let password = prepared(password.expose())?;
    let salt = SaltString::encode_b64(salt).map_err(|_| Unprepared)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    // Only a password of 4 GiB is too long.
    Ok(hash.map_err(|_| Unprepared)?.to_string())
}

pub(crate) fn verify(hash: &str, password: &Password) -> bool {
    let (Ok(hash), Ok(password)) = (PasswordHash::new(hash), prepared(password.expose())) else {
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok()
}

fn check_hash(text: &str) -> Result<(), LineProblem> {
    let hash = PasswordHash::new(text).map_err(|_| LineProblem::Hash)?;
    let is_argon2 = argon2::Algorithm::try_from(hash.algorithm).is_ok() && hash.hash.is_some();
    let params = Params::try_from(&hash).ok().filter(|_| is_argon2);
    let params = params.ok_or(LineProblem::Hash)?;
    match params.m_cost() > 1 << 20 || params.t_cost() > 100 {
        true => Err(LineProblem::Costly),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

    fn chance(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    #[test]
    fn a_user_who_is_made_has_the_password_and_no_other() {
        let mut users = Users::default();
        users
            .set(
                "Anna@office.example",
                &Password::new("s\u{ad}ecret"),
                &chance,
            )
            .unwrap();
        let text = users.to_text();
        let users = Users::parse(&text).unwrap();
        assert_eq!(users.to_text(), text);
        let anna = users.find("anna@OFFICE.example").unwrap();
        assert!(anna.has(&Password::new("secret")), "RFC 4013 §3");
        assert!(!anna.has(&Password::new("Secret")));
        assert!(!anna.has(&Password::new("")));
        assert!(anna.keys().unwrap().are_of(&Password::new("secret")));
        assert!(users.secret().is_some());
        assert!(!text.contains("ecret\n") && !format!("{users:?}").contains("$argon2"));
    }

    #[test]
    fn a_change_keeps_comments_order_and_everybody_else() {
        let text = format!("# ours\n\nbert {HASH}\n# more\ncarla {HASH}\n");
        let mut users = Users::parse(&text).unwrap();
        assert_eq!(users.to_text(), text);
        users.set("BERT", &Password::new("new"), &chance).unwrap();
        assert!(users.remove("carla") && !users.remove("carla"));
        let now = users.to_text();
        assert!(now.starts_with("# ours\n\nbert $argon2id$"), "{now}");
        assert!(now.contains("# more\n") && !now.contains("carla"));
        let names: Vec<&str> = users.iter().map(|user| &*user.name).collect();
        assert_eq!(names, ["bert"]);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let good = format!("anna {HASH}\n");
        for (line, problem) in [
            ("anna".to_owned(), LineProblem::Fields),
            (format!("bert {HASH} x y"), LineProblem::Fields),
            (format!("be\u{7}rt {HASH}"), LineProblem::Name),
            (format!("ANNA {HASH}"), LineProblem::Twice),
            ("bert secret".to_owned(), LineProblem::Hash),
            (
                "bert $2y$10$abcdefghijklmnopqrstuv".to_owned(),
                LineProblem::Hash,
            ),
            (
                format!("bert {}", HASH.replace("19456", "2000000")),
                LineProblem::Costly,
            ),
            (format!("bert {HASH} SCRAM-SHA-256$x"), LineProblem::Keys),
            ("!secret AAAA".to_owned(), LineProblem::Secret),
        ] {
            let read = Users::parse(&format!("{good}{line}\n"));
            assert_eq!(read.err(), Some((2, problem)), "{line}");
        }
    }

    #[test]
    fn a_name_that_would_not_read_back_is_refused() {
        let mut users = Users::default();
        for name in ["", "an na", "#anna", "!secret", "a\u{7}"] {
            assert_eq!(
                users.set(name, &Password::new("x"), &chance),
                Err(Unprepared),
                "{name}"
            );
        }
        assert_eq!(
            users.set("anna", &Password::new(""), &chance),
            Err(Unprepared)
        );
    }
}
