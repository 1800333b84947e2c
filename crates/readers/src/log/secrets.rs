//! What must never be shown again: passwords and what stands for them in AUTH exchanges.

use crate::Span;

use super::line::begins;

/// Stands in the place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// Words after which a secret follows: the next word, or the value after `=` or `:`.
const BEFORE: &[&[u8]] = &[
    // RFC 4954 §4: the initial response follows the mechanism.
    b"AUTH PLAIN ",
    b"AUTH LOGIN ",
    b"AUTH CRAM-MD5 ",
    b"AUTH XOAUTH2 ",
    b"AUTH OAUTHBEARER ",
    b"AUTH NTLM ",
    b"AUTH GSSAPI ",
    b"AUTH EXTERNAL ",
    b"authentication failed: ",
    b"authentication failure: ",
    // RFC 4954 §4: a challenge.
    b"334 ",
    b"password=",
    b"password:",
    b"passwd=",
    b"passwd:",
    b"passphrase=",
    b"pass=",
    b"pwd=",
    b"secret=",
    b"token=",
    b"Bearer ",
];

/// Where the secrets of a text are, in order.
pub(crate) fn find(text: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    // All of the words above begin with one of these letters.
    while let Some(next) = text[at..].iter().position(|b| {
        matches!(
            b,
            b'A' | b'a' | b'P' | b'p' | b'S' | b's' | b'T' | b't' | b'B' | b'b' | b'3'
        )
    }) {
        at += next;
        let Some(words) = BEFORE.iter().find(|words| begins(&text[at..], words)) else {
            at += 1;
            continue;
        };
        let from = at + words.len();
        let from = from + text[from..].iter().take_while(|b| **b == b' ').count();
        let length = text[from..]
            .iter()
            .take_while(|b| !b.is_ascii_whitespace() && !b",;)\"'&".contains(b))
            .count();
        if length > 0 && (!needs_base64(words) || is_base64(&text[from..from + length])) {
            found.push((from, from + length));
        }
        at = (from + length).max(at + 1);
    }
    found
}

/// Words that other things follow too than what a client sent.
fn needs_base64(words: &[u8]) -> bool {
    words.starts_with(b"auth") || words == b"334 "
}

/// Eight or more letters of the base64 alphabet, which are not simply a word.
fn is_base64(word: &[u8]) -> bool {
    let alphabet = word
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b));
    let plain = word.iter().skip(1).all(u8::is_ascii_lowercase);
    alphabet && word.len() >= 8 && !plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> String {
        let mut shown = text.to_owned();
        for (start, end) in find(text.as_bytes()).into_iter().rev() {
            shown.replace_range(start..end, HIDDEN);
        }
        shown
    }

    #[test]
    fn what_a_client_proves_itself_with_is_hidden() {
        for (text, shown) in [
            ("AUTH PLAIN AGEAc2VjcmV0", "AUTH PLAIN ***"),
            ("auth login dXNlcg== refused", "auth login *** refused"),
            (
                "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
                "535 5.7.8 Error: authentication failed: ***",
            ),
            (
                "login with password=hunter2, user=me",
                "login with password=***, user=me",
            ),
            ("password: hunter2", "password: ***"),
        ] {
            assert_eq!(hidden(text), shown);
        }
    }

    #[test]
    fn words_about_authentication_stay() {
        for text in [
            "535 5.7.8 authentication failed: mechanism too weak",
            "550 5.7.1 authentication failed",
            "your password has expired",
            "530 Authentication required",
            "334",
        ] {
            assert_eq!(hidden(text), text);
        }
    }
}
