//! `postrider sendmail`, and `sendmail` itself where the binary is called so: handing in a message
//! as programs have done since 4.2BSD, with the exit statuses of sysexits.h.

mod arguments;
mod message;
mod submit;

use std::ffi::OsString;
use std::io::Read;
use std::net::SocketAddr;
use std::process::ExitCode;

use smtp::Address;

use crate::place::{Options, ServerFile};
use arguments::{Arguments, Mode};
use message::Draft;

/// The exit statuses of sysexits.h that are in use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// `EX_USAGE`.
    Usage = 64,
    /// `EX_DATAERR`.
    Data = 65,
    /// `EX_NOUSER`.
    NoUser = 67,
    /// `EX_UNAVAILABLE`.
    Unavailable = 69,
    /// `EX_IOERR`.
    Io = 74,
    /// `EX_TEMPFAIL`.
    TemporaryFailure = 75,
    /// `EX_NOPERM`.
    NoPermission = 77,
    /// `EX_CONFIG`.
    Config = 78,
}

/// Why a message was not handed in.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Refused {
    status: Status,
    text: String,
}

impl Refused {
    fn new(status: Status, text: impl Into<String>) -> Refused {
        Refused {
            status,
            text: text.into(),
        }
    }
}

/// Whether the binary was called by one of sendmail's names.
pub(crate) fn is_called_so(arguments: &[OsString]) -> bool {
    let name = arguments
        .first()
        .map(std::path::Path::new)
        .and_then(|p| p.file_name());
    name.is_some_and(|name| name == "sendmail" || name == "mailq")
}

/// Where the word `sendmail` stands among `postrider`'s arguments, if it is the subcommand.
pub(crate) fn subcommand_at(arguments: &[OsString]) -> Option<usize> {
    let mut at = 1;
    loop {
        let argument = arguments.get(at)?.to_str()?;
        match argument {
            "sendmail" => return help_is_not_asked(arguments, at).then_some(at),
            "--data" | "--config" => at += 2,
            _ if argument.starts_with("--data=") || argument.starts_with("--config=") => at += 1,
            _ => return None,
        }
    }
}

fn help_is_not_asked(arguments: &[OsString], at: usize) -> bool {
    arguments
        .get(at + 1)
        .is_none_or(|a| a != "--help" && a != "-h")
}

pub(crate) fn main(arguments: &[OsString], options: &Options) -> ExitCode {
    let called_mailq = std::env::args_os().next().is_some_and(|name| {
        std::path::Path::new(&name)
            .file_name()
            .is_some_and(|n| n == "mailq")
    });
    let parsed = match Arguments::read(arguments) {
        Ok(parsed) => parsed,
        Err(refused) => return end(Err(refused)),
    };
    match parsed.mode {
        Mode::List => crate::queue_command::list_all(options),
        _ if called_mailq => crate::queue_command::list_all(options),
        Mode::Nothing => ExitCode::SUCCESS,
        Mode::Smtp => end(server(options).and_then(submit::pipe)),
        Mode::Deliver => end(deliver(&parsed, options)),
    }
}

fn end(done: Result<(), Refused>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => {
            eprintln!("sendmail: {refused}");
            ExitCode::from(refused.status as u8)
        }
    }
}

/// Where the running server takes mail; without one, where the configuration says it would.
fn server(options: &Options) -> Result<SocketAddr, Refused> {
    if let Some(address) = ServerFile::read(&options.data()).and_then(|f| f.smtp.first().copied()) {
        return Ok(address);
    }
    let config = options
        .config()
        .map_err(|e| Refused::new(Status::Config, e.to_string()))?;
    let first = config.listen.smtp.first().copied();
    first.ok_or_else(|| {
        Refused::new(
            Status::Config,
            "the configuration names no address in [listen] smtp",
        )
    })
}

fn deliver(arguments: &Arguments, options: &Options) -> Result<(), Refused> {
    let host = crate::serve::hostname_of(options);
    let mut input = Vec::new();
    std::io::stdin()
        .read_to_end(&mut input)
        .map_err(|e| Refused::new(Status::Io, format!("reading the message: {e}")))?;
    let mut draft = Draft::read(&input, !arguments.ignore_dots);
    let mut recipients = arguments.recipients.clone();
    if arguments.recipients_from_header {
        let found = draft.recipients();
        draft.remove_bcc();
        recipients.extend(found);
    }
    let recipients = addresses(&recipients, &host)?;
    if recipients.is_empty() {
        let from_where = if arguments.recipients_from_header {
            "the message names none in To, Cc or Bcc"
        } else {
            "name them as arguments, or use -t to take them from the message"
        };
        return Err(Refused::new(
            Status::Usage,
            format!("no recipients: {from_where}"),
        ));
    }
    let sender = match &arguments.sender {
        Some(text) => address(text, &host)?,
        None => address(&message::user_name(), &host)?,
    };
    draft.complete(&sender, arguments.full_name.as_deref(), &host);
    submit::submit(
        server(options)?,
        &host,
        sender,
        recipients,
        &draft.into_bytes(),
    )
}

fn addresses(texts: &[String], host: &str) -> Result<Vec<Address>, Refused> {
    let mut all: Vec<Address> = Vec::new();
    for text in texts {
        let address = address(text, host)?;
        if !all.contains(&address) {
            all.push(address);
        }
    }
    Ok(all)
}

/// An address as people write it: with or without brackets; without a domain, it is of this host.
fn address(text: &str, host: &str) -> Result<Address, Refused> {
    let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
    if bare.is_empty() {
        return Ok(Address::null());
    }
    let full = if bare.contains('@') {
        bare.to_owned()
    } else {
        format!("{bare}@{host}")
    };
    Address::parse(&full, true)
        .map_err(|e| Refused::new(Status::Data, format!("`{text}` is no address: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_subcommand_is_found_behind_options_of_every_command() {
        assert_eq!(
            subcommand_at(&os(&["postrider", "sendmail", "-t"])),
            Some(1)
        );
        assert_eq!(
            subcommand_at(&os(&["postrider", "--data", "d", "sendmail", "-t"])),
            Some(3)
        );
        assert_eq!(
            subcommand_at(&os(&["postrider", "--config=c", "sendmail"])),
            Some(2)
        );
        assert_eq!(subcommand_at(&os(&["postrider", "queue", "list"])), None);
        assert_eq!(
            subcommand_at(&os(&["postrider", "sendmail", "--help"])),
            None
        );
        assert!(is_called_so(&os(&["/usr/sbin/sendmail", "-t"])));
        assert!(!is_called_so(&os(&["postrider"])));
    }

    #[test]
    fn an_address_without_domain_is_of_this_host() {
        assert_eq!(
            address("root", "h.example").unwrap().as_str(),
            "root@h.example"
        );
        assert_eq!(
            address("<a@b.example>", "h").unwrap().as_str(),
            "a@b.example"
        );
        assert!(address("<>", "h").unwrap().is_null());
        assert_eq!(address("a b@c", "h").unwrap_err().status, Status::Data);
    }
}
