//! Delivery to a program on this machine (`pipe:`).
//!
//! It is run as the relay's own user, once for each recipient, without a shell, with the message on its
//! standard input: lines end in LF, `Return-Path` and `Delivered-To` come first. It has taken the message
//! when it ends with 0.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use diagnosis::facts::{ProgramEnd, ProgramFailure};
use parking_lot::Mutex;
use queue::route::{Command, Word};
use queue::{Body, Message, Recipient, StoreError};
use smtp::Address;
use tokio::sync::mpsc;
use world::{Ending, Host, Program};

use crate::maildir::{header, unix_lines};

/// How much of a large message is read at once.
const PIECE: usize = 64 * 1024;
/// Where a program finds others.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// Why a program has not taken a message.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// By its own doing.
    Program(ProgramFailure),
    /// The queue could not give the message's content.
    Store(StoreError),
}

/// Gives a message for one recipient to a program.
pub(crate) async fn deliver(
    host: &dyn Host,
    command: &Command,
    message: &Message,
    recipient: &Recipient,
    body: &Body,
    patience: Duration,
) -> Result<(), NotTaken> {
    let failed = |how, output: &[u8]| {
        NotTaken::Program(ProgramFailure {
            program: command.program().display().to_string(),
            how,
            output: String::from_utf8_lossy(output).into_owned(),
        })
    };
    let to = &recipient.address;
    let arguments = command.arguments(|word| value(word, message, to));
    let bare = command.arguments(|_| String::new());
    // An argument that begins with a hyphen is an option to most programs, wherever it came from.
    let mut both = arguments.iter().zip(&bare);
    if both.any(|(filled, bare)| filled.starts_with('-') && !bare.starts_with('-')) {
        return Err(failed(ProgramEnd::LooksLikeOption, b""));
    }
    let program = Program {
        path: command.program().to_owned(),
        arguments,
        environment: environment(message, to),
        patience,
    };
    let (sender, input) = mpsc::channel(2);
    let fault = Arc::new(Mutex::new(None));
    let feeding = feed(
        header(&message.sender, recipient),
        body.clone(),
        sender,
        fault.clone(),
    );
    let feeding = tokio::spawn(feeding);
    let ended = host.run(&program, input).await;
    feeding.abort();
    if let Some(error) = fault.lock().take() {
        return Err(NotTaken::Store(error));
    }
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            let reported = error.to_string();
            return Err(failed(ProgramEnd::NotStarted { reported }, b""));
        }
    };
    let how = match ended.how {
        Ending::Exited(0) => return Ok(()),
        Ending::Exited(status) => ProgramEnd::Exited { status },
        Ending::Killed(signal) => ProgramEnd::Killed { signal },
        Ending::TimedOut => ProgramEnd::TimedOut {
            seconds: patience.as_secs(),
        },
    };
    Err(failed(how, &ended.output))
}

fn sender_of(message: &Message) -> String {
    match message.sender.is_null() {
        true => String::new(),
        false => message.sender.as_str().to_owned(),
    }
}

fn value(word: &Word, message: &Message, recipient: &Address) -> String {
    match word {
        Word::Text(text) => text.clone(),
        Word::Recipient => recipient.as_str().to_owned(),
        Word::Local => recipient.local().to_owned(),
        Word::Domain => recipient.domain().unwrap_or_default().to_owned(),
        Word::Sender => sender_of(message),
        Word::Id => message.id.to_string(),
    }
}

/// The names that delivery programs know from other mail servers, and nothing of our own environment.
fn environment(message: &Message, recipient: &Address) -> Vec<(String, String)> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair("PATH", PATH.to_owned()),
        pair("SENDER", sender_of(message)),
        pair("RECIPIENT", recipient.as_str().to_owned()),
        pair("POSTRIDER_ID", message.id.to_string()),
    ]
}

async fn feed(
    header: Vec<u8>,
    body: Body,
    to: mpsc::Sender<io::Result<Bytes>>,
    fault: Arc<Mutex<Option<StoreError>>>,
) {
    let mut piece = Bytes::from(header);
    let (mut offset, mut carriage_return) = (0, false);
    loop {
        // A program that does not read on is told by how it ends.
        if to.send(Ok(piece)).await.is_err() {
            return;
        }
        let read = match &body {
            Body::Inline(bytes) if offset == 0 => Ok(bytes.clone()),
            Body::Inline(_) => Ok(Bytes::new()),
            Body::File(source) => source.read(offset, PIECE).await,
        };
        let read = match read {
            Ok(read) if read.is_empty() && offset < body.size() => Err(StoreError::Uncertain),
            other => other,
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                let told = io::Error::other(error.to_string());
                *fault.lock() = Some(error);
                // Whoever reads has gone: then nothing is left to tell.
                let _ = to.send(Err(told)).await;
                return;
            }
        };
        let end = read.is_empty();
        offset += read.len() as u64;
        piece = unix_lines(&read, &mut carriage_return, end).into();
        if end && piece.is_empty() {
            return;
        }
    }
}
