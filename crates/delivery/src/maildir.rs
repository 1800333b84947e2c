//! Final delivery into a Maildir on this machine.
//!
//! The file is written to `tmp`, synced, renamed into `new`, and the directory is synced: only then
//! is the message delivered. Lines end in LF there, as every reader of Maildirs expects.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use diagnosis::facts::Local;
use queue::{Body, Message, Recipient, StoreError};
use smtp::Address;
use world::Disk;

use crate::lane::Work;
use crate::mailboxes;

/// How much of a large message is read at once.
const PIECE: usize = 64 * 1024;

/// Why a message could not be put into a Maildir.
#[derive(Debug)]
pub(crate) enum MaildirError {
    /// The file system refused.
    Disk(Local),
    /// The queue could not give the message's content.
    Store(StoreError),
    /// The message has been put into this mailbox before: its forwarding leads back.
    Loop {
        /// `Delivered-To` fields that it has.
        times: u32,
        /// The mailbox.
        mailbox: String,
    },
}

/// Puts a message for one recipient into a Maildir.
pub(crate) async fn deliver(
    disk: &Arc<dyn Disk>,
    (maildir, delimiters): (&Path, &str),
    work: &Work,
    recipient: &Recipient,
    body: &Body,
) -> Result<(), MaildirError> {
    been_here(body, &recipient.address).await?;
    let mut names = Names::new(maildir, &work.message, recipient.index);
    if let Some(folder) = folder_name(&recipient.address, delimiters) {
        names.folder = Some(folder);
    }
    let (file, bytes, names) =
        begin(disk.clone(), &names, header(work.sender(), recipient)).await?;
    let mut written_bytes = bytes;
    let mut file = Some(file);
    let mut offset = 0;
    let mut carriage_return = false;
    loop {
        let piece = match body {
            Body::Inline(bytes) if offset == 0 => bytes.clone(),
            Body::Inline(_) => Bytes::new(),
            Body::File(source) => source
                .read(offset, PIECE)
                .await
                .map_err(MaildirError::Store)?,
        };
        offset += piece.len() as u64;
        let end = piece.is_empty();
        let lines = unix_lines(&piece, &mut carriage_return, end);
        written_bytes += lines.len() as u64;
        let Some(mut open) = file.take() else { break };
        let (at, names_here) = (disk.clone(), names.clone());
        let written = tokio::task::spawn_blocking(move || {
            open.write_all(&lines)?;
            if end {
                open.sync()?;
                drop(open);
                at.rename(&names_here.tmp, &names_here.new)?;
                at.sync_dir(&names_here.new_dir)?;
                if let Err(error) = mailboxes::note(&*at, &names_here.root, written_bytes) {
                    // The message is there; the sums are made anew when they say that it is full.
                    tracing::warn!(%error, maildir = %names_here.root.display(), "maildirsize");
                }
                return Ok(None);
            }
            Ok(Some(open))
        });
        file = finished(written.await, &names, disk)?;
        if end {
            break;
        }
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct Names {
    tmp: PathBuf,
    new: PathBuf,
    new_dir: PathBuf,
    root: PathBuf,
    /// The folder of the mailbox that it goes into, where there is one of that name.
    folder: Option<String>,
}

impl Names {
    /// The name is the message's and the recipient's, so that a second delivery after a crash
    /// replaces the first while it is still in `new`, instead of standing beside it.
    fn new(maildir: &Path, message: &Message, index: u32) -> Names {
        let name = format!(
            "{}.{}.R{index}.postrider",
            message.received_at.as_second(),
            message.id
        );
        Names {
            tmp: maildir.join("tmp").join(&name),
            new: maildir.join("new").join(&name),
            new_dir: maildir.join("new"),
            root: maildir.to_owned(),
            folder: None,
        }
    }

    /// With the folder, where the mailbox has it: as written, or in lower case.
    fn placed(mut self, disk: &dyn Disk) -> io::Result<Names> {
        let Some(folder) = self.folder.take() else {
            return Ok(self);
        };
        for name in [folder.to_lowercase(), folder] {
            let folder = self.root.join(format!(".{name}"));
            if disk.exists(&folder.join("new"))? && disk.exists(&folder.join("tmp"))? {
                let file = self.new.file_name().unwrap_or_default().to_owned();
                self.tmp = folder.join("tmp").join(&file);
                self.new = folder.join("new").join(&file);
                self.new_dir = folder.join("new");
                break;
            }
        }
        Ok(self)
    }
}

/// What follows the delimiter, where that can be the name of a folder.
fn folder_name(address: &Address, delimiters: &str) -> Option<String> {
    let local = address.local();
    let at = local
        .find(|c| delimiters.contains(c))
        .filter(|at| *at > 0)?;
    let name = local.get(at + 1..)?;
    let plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | '"');
    let fits = !name.is_empty() && name.len() <= 200 && !name.starts_with('.');
    (fits && name.chars().all(plain)).then(|| name.to_owned())
}

pub(crate) fn header(sender: &Address, recipient: &Recipient) -> Vec<u8> {
    // RFC 5321 §4.4: the delivery agent adds the return path.
    let sender = if sender.is_null() {
        String::new()
    } else {
        sender.to_string()
    };
    let sender = sender.trim_start_matches('<').trim_end_matches('>');
    let mut header = format!(
        "Return-Path: <{sender}>\nDelivered-To: {}\n",
        recipient.address
    );
    if let Some(original) = recipient.original() {
        header.push_str(&format!("X-Original-To: {original}\n"));
    }
    header.into_bytes()
}

/// How much of a message is looked at for its header.
const HEADER_LIMIT: usize = 64 * 1024;

/// Whether the message was put into this mailbox before: then forwarding leads it back here, and each
/// round would leave a copy. Our own `Delivered-To` is the sign, as with Postfix and qmail.
async fn been_here(body: &Body, mailbox: &Address) -> Result<(), MaildirError> {
    let head = match body {
        Body::Inline(bytes) => bytes.slice(..bytes.len().min(HEADER_LIMIT)),
        Body::File(source) => source
            .read(0, HEADER_LIMIT)
            .await
            .map_err(MaildirError::Store)?,
    };
    let mailbox = mailbox.to_string();
    let times = dsn::field_values(&head, "Delivered-To")
        .filter(|value| value.eq_ignore_ascii_case(mailbox.as_bytes()))
        .count();
    match u32::try_from(times).unwrap_or(u32::MAX) {
        0 => Ok(()),
        times => Err(MaildirError::Loop { times, mailbox }),
    }
}

/// Makes the directories of a Maildir that is not there yet, for nobody but us, and makes them survive
/// a loss of power.
fn make(disk: &dyn Disk, root: &Path) -> io::Result<()> {
    if disk.exists(&root.join("cur"))? {
        return Ok(());
    }
    let mut missing: Vec<&Path> = Vec::new();
    for path in root.ancestors() {
        if disk.exists(path)? {
            break;
        }
        missing.push(path);
    }
    // `cur` comes last: where it is, all of them are.
    for part in ["tmp", "new", "cur"] {
        disk.create_private_dirs(&root.join(part))?;
    }
    disk.sync_dir(root)?;
    for path in missing {
        if let Some(above) = path.parent() {
            disk.sync_dir(above)?;
        }
    }
    Ok(())
}

async fn begin(
    disk: Arc<dyn Disk>,
    names: &Names,
    header: Vec<u8>,
) -> Result<(Box<dyn world::DiskFile>, u64, Names), MaildirError> {
    let here = names.clone();
    let (opener, names_for_error) = (disk.clone(), names.clone());
    let opened = tokio::task::spawn_blocking(move || {
        if let Some(lock) = mailboxes::lock_of(&*opener, &here.root)? {
            let held = format!("the mailbox is locked by {}", lock.display());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, held));
        }
        make(&*opener, &here.root)?;
        let here = here.placed(&*opener)?;
        let mut file = match opener.create_private(&here.tmp) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Left by an attempt that was cut off.
                opener.remove(&here.tmp)?;
                opener.create_private(&here.tmp)?
            }
            other => other?,
        };
        file.write_all(&header)?;
        Ok((file, header.len() as u64, here))
    });
    finished(opened.await, &names_for_error, &disk)
}

fn finished<T>(
    result: Result<io::Result<T>, tokio::task::JoinError>,
    names: &Names,
    disk: &Arc<dyn Disk>,
) -> Result<T, MaildirError> {
    let failed = |reported: String| {
        // What is half written must not stay; that it may already be gone is no matter.
        let _ = disk.remove(&names.tmp);
        let doing = format!("writing {}", names.tmp.display());
        MaildirError::Disk(Local { doing, reported })
    };
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// CRLF becomes LF; a lone CR or LF stays what it is. A CR at the end of a piece waits for the next.
pub(crate) fn unix_lines(piece: &[u8], carriage_return: &mut bool, end: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(piece.len() + 1);
    let mut rest = piece;
    if *carriage_return && (end || !rest.is_empty()) {
        if rest.first() != Some(&b'\n') {
            out.push(b'\r');
        }
        *carriage_return = false;
    }
    while let Some(at) = rest.iter().position(|b| *b == b'\r') {
        out.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            Some(b'\n') => {}
            Some(_) => out.push(b'\r'),
            None => *carriage_return = true,
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests;
