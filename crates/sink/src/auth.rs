//! AUTH (RFC 4954) as far as the sink plays it: PLAIN and LOGIN.

use data_encoding::BASE64;

/// Where an exchange stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// The response of PLAIN is awaited.
    Plain,
    /// The name of LOGIN.
    LoginName,
    /// The password of LOGIN.
    LoginPassword {
        /// The name.
        name: String,
    },
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask on, with this challenge.
    Challenge(Exchange, &'static str),
    /// The client has said who it is.
    Done {
        /// Its name.
        name: String,
        /// What it knows.
        password: String,
    },
    /// The mechanism is not known (RFC 4954 §4).
    NoMechanism,
    /// The response cannot be read, or the client gives up (RFC 4954 §4).
    Broken,
}

/// What follows the word AUTH on its line.
pub(crate) fn begin(rest: &str) -> Next {
    let mut words = rest.split_ascii_whitespace();
    let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
    match (mechanism.as_str(), words.next()) {
        ("PLAIN", None) => Next::Challenge(Exchange::Plain, ""),
        ("PLAIN", Some(response)) => plain(response),
        ("LOGIN", None) => Next::Challenge(Exchange::LoginName, "VXNlcm5hbWU6"),
        ("LOGIN", Some(response)) => go_on(Exchange::LoginName, response),
        _ => Next::NoMechanism,
    }
}

/// A further line of the client.
pub(crate) fn go_on(exchange: Exchange, line: &str) -> Next {
    match exchange {
        Exchange::Plain => plain(line),
        Exchange::LoginName => match decoded(line) {
            Some(name) => Next::Challenge(Exchange::LoginPassword { name }, "UGFzc3dvcmQ6"),
            None => Next::Broken,
        },
        Exchange::LoginPassword { name } => match decoded(line) {
            Some(password) => Next::Done { name, password },
            None => Next::Broken,
        },
    }
}

/// RFC 4616 §2: authorization identity, name and password, parted by NUL.
fn plain(response: &str) -> Next {
    let text = decoded(response).unwrap_or_default();
    match text.split('\0').collect::<Vec<_>>()[..] {
        [_, name, password] if !name.is_empty() => Next::Done {
            name: name.to_owned(),
            password: password.to_owned(),
        },
        _ => Next::Broken,
    }
}

/// `=` stands for nothing (RFC 4954 §4).
fn decoded(text: &str) -> Option<String> {
    if text == "=" {
        return Some(String::new());
    }
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_out_of_plain_and_login() {
        let response = BASE64.encode(b"\0anna\0secret");
        let anna = || Next::Done {
            name: "anna".into(),
            password: "secret".into(),
        };
        assert_eq!(begin(&format!("plain {response}")), anna());
        assert_eq!(begin("PLAIN"), Next::Challenge(Exchange::Plain, ""));
        assert_eq!(go_on(Exchange::Plain, &response), anna());
        let Next::Challenge(exchange, _) = go_on(Exchange::LoginName, "YW5uYQ==") else {
            panic!("no challenge");
        };
        assert_eq!(go_on(exchange, "c2VjcmV0"), anna());
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(begin("CRAM-MD5"), Next::NoMechanism);
        assert_eq!(begin(""), Next::NoMechanism);
        assert_eq!(go_on(Exchange::Plain, "*"), Next::Broken);
        assert_eq!(go_on(Exchange::Plain, "YQ=="), Next::Broken);
        assert_eq!(go_on(Exchange::LoginName, "\u{e9}"), Next::Broken);
    }
}
