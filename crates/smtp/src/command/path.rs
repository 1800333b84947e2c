//! The path of MAIL and RCPT (RFC 5321 §4.1.2).

use crate::address::check_domain;
use crate::{Address, AddressError};

/// What is wrong with the path of MAIL or RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There are no angle brackets around it.
    #[error("put the address between < and >")]
    NoBrackets,
    /// RCPT TO:<>.
    #[error("a recipient cannot be empty")]
    Empty,
    /// MAIL FROM:<postmaster>.
    #[error("the address has no @ and domain")]
    NoDomain,
    /// The source route before the mailbox.
    #[error("the source route before the address is not valid")]
    Route,
    /// The mailbox.
    #[error("{0}")]
    Address(#[from] AddressError),
}

/// RFC 5321 §4.1.2 `Path`; answers what follows it too.
pub(super) fn path<'a>(
    text: &'a str,
    qualify: Option<&str>,
) -> Result<(Address, &'a str), PathError> {
    let inner = text.strip_prefix('<').ok_or(PathError::NoBrackets)?;
    let end = closing_bracket(inner).ok_or(PathError::NoBrackets)?;
    let (inner, rest) = (&inner[..end], &inner[end + 1..]);
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return Err(PathError::NoBrackets);
    }
    let mailbox = if inner.starts_with('@') {
        without_route(inner)?
    } else {
        inner
    };
    if mailbox.len() < inner.len() && mailbox.is_empty() {
        return Err(PathError::Route);
    }
    // Whether characters beyond ASCII are allowed here depends on SMTPUTF8, which comes later.
    let address = match qualify.filter(|_| !mailbox.is_empty()) {
        Some(domain) if lacks_domain(mailbox) => {
            Address::parse(&format!("{mailbox}@{domain}"), true)?
        }
        _ => Address::parse(mailbox, true)?,
    };
    Ok((address, rest))
}

/// Whether a mailbox is a local part alone.
fn lacks_domain(mailbox: &str) -> bool {
    match Address::parse(mailbox, true) {
        Ok(address) => address.domain().is_none() && !address.is_null(),
        Err(error) => error.problem == crate::AddressProblem::NoDomain && error.at == mailbox.len(),
    }
}

/// The `>` that is not within a quoted local part.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|byte| {
        let closes = byte == b'>' && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        closes
    })
}

/// RFC 5321 §3.6.1 and §C: a source route is taken and ignored.
fn without_route(text: &str) -> Result<&str, PathError> {
    let mut rest = text;
    loop {
        let hop = rest.strip_prefix('@').ok_or(PathError::Route)?;
        let literal = if hop.starts_with('[') {
            hop.find(']').ok_or(PathError::Route)?
        } else {
            0
        };
        let end = literal + hop[literal..].find([',', ':']).ok_or(PathError::Route)?;
        check_domain(&hop[..end]).map_err(|_| PathError::Route)?;
        rest = &hop[end + 1..];
        if hop.as_bytes()[end] == b':' {
            return Ok(rest);
        }
    }
}
