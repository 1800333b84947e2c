//! What both sides of SCRAM (RFC 5802) share: the messages' attributes, names and proofs.

use data_encoding::BASE64;

use crate::keys::{hash, mac};

/// RFC 5802 §5.1: a value with its letter before it.
pub(crate) fn attribute(text: Option<&str>, letter: char) -> Option<&str> {
    text?.strip_prefix(letter)?.strip_prefix('=')
}

/// RFC 5802 §7 `saslname`: `,` and `=` are written as `=2C` and `=3D`.
pub(crate) fn read_name(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        name.push_str(&rest[..at]);
        rest = &rest[at..];
        name.push(match rest.get(..3)? {
            "=2C" => ',',
            "=3D" => '=',
            _ => return None,
        });
        rest = &rest[3..];
    }
    name.push_str(rest);
    (!name.is_empty() && !name.contains('\0')).then_some(name)
}

pub(crate) fn write_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// RFC 5802 §7: printable ASCII without a comma.
pub(crate) fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21..=0x2b | 0x2d..=0x7e))
}

/// RFC 5802 §3 `ClientProof`, or from a proof the client's key: it is the same step.
pub(crate) fn prove(key: &[u8; 32], stored: &[u8; 32], auth_message: &str) -> [u8; 32] {
    let mut proof = mac(stored, auth_message.as_bytes());
    proof
        .iter_mut()
        .zip(key)
        .for_each(|(byte, key)| *byte ^= key);
    proof
}

pub(crate) fn stored_key(client_key: &[u8; 32]) -> [u8; 32] {
    hash(client_key)
}

pub(crate) fn signature(server_key: &[u8; 32], auth_message: &str) -> String {
    BASE64.encode(&mac(server_key, auth_message.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_so_that_they_can_stand_between_commas() {
        for name in ["anna", "a,b=c", "=2C", "é"] {
            assert_eq!(read_name(&write_name(name)).as_deref(), Some(name));
        }
        for wrong in ["", "a=", "a=2", "a=2c", "a=41", "a=é", "a\0"] {
            assert_eq!(read_name(wrong), None, "{wrong}");
        }
    }
}
