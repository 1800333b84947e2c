//! Final delivery into a Maildir on this machine.
//!
//! The file is written to `tmp`, synced, renamed into `new`, and the directory is synced: only then
//! is the message delivered. Lines end in LF there, as every reader of Maildirs expects.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use diagnosis::facts::Local;
use queue::{Body, Message, StoreError};
use smtp::Address;
use world::Disk;

/// How much of a large message is read at once.
const PIECE: usize = 64 * 1024;

/// Why a message could not be put into a Maildir.
#[derive(Debug)]
pub(crate) enum MaildirError {
    /// The file system refused.
    Disk(Local),
    /// The queue could not give the message's content.
    Store(StoreError),
}

/// Puts a message for one recipient into a Maildir.
pub(crate) async fn deliver(
    disk: &Arc<dyn Disk>,
    maildir: &Path,
    message: &Message,
    recipient: (u32, &Address),
    body: &Body,
) -> Result<(), MaildirError> {
    let names = Names::new(maildir, message, recipient.0);
    let file = begin(disk.clone(), &names, header(&message.sender, recipient.1)).await?;
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
        let Some(mut open) = file.take() else { break };
        let (at, names_here) = (disk.clone(), names.clone());
        let written = tokio::task::spawn_blocking(move || {
            open.write_all(&lines)?;
            if end {
                open.sync()?;
                drop(open);
                at.rename(&names_here.tmp, &names_here.new)?;
                at.sync_dir(&names_here.new_dir)?;
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
        }
    }
}

fn header(sender: &Address, recipient: &Address) -> Vec<u8> {
    // RFC 5321 §4.4: the delivery agent adds the return path.
    let sender = if sender.is_null() {
        String::new()
    } else {
        sender.to_string()
    };
    let sender = sender.trim_start_matches('<').trim_end_matches('>');
    format!("Return-Path: <{sender}>\nDelivered-To: {recipient}\n").into_bytes()
}

async fn begin(
    disk: Arc<dyn Disk>,
    names: &Names,
    header: Vec<u8>,
) -> Result<Box<dyn world::DiskFile>, MaildirError> {
    let here = names.clone();
    let (opener, names_for_error) = (disk.clone(), names.clone());
    let opened = tokio::task::spawn_blocking(move || {
        for part in ["tmp", "new", "cur"] {
            opener.create_dir_all(&here.root.join(part))?;
        }
        let mut file = match opener.create(&here.tmp) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Left by an attempt that was cut off.
                opener.remove(&here.tmp)?;
                opener.create(&here.tmp)?
            }
            other => other?,
        };
        file.write_all(&header)?;
        Ok(file)
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
fn unix_lines(piece: &[u8], carriage_return: &mut bool, end: bool) -> Vec<u8> {
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
mod tests {
    use super::*;

    fn message() -> Message {
        let now = jiff::Timestamp::UNIX_EPOCH;
        Message {
            id: queue::MessageId::new(0, &[7; 10]),
            sender: "anna@client.example".parse().unwrap(),
            received_at: now,
            expires_at: now,
            size: 7,
            body_kind: queue::BodyKind::SevenBit,
            smtputf8: false,
            hops: 1,
            kind: queue::MessageKind::Mail,
            origin: queue::Origin {
                client: "127.0.0.1".to_owned(),
                helo: None,
                protocol: "ESMTP".to_owned(),
                about: None,
            },
        }
    }

    fn names(dir: &Path, folder: &str) -> Vec<PathBuf> {
        let found = std::fs::read_dir(dir.join(folder)).unwrap();
        found.map(|entry| entry.unwrap().path()).collect()
    }

    #[tokio::test]
    async fn a_second_delivery_after_a_crash_replaces_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
        let (message, to) = (message(), "bert@dest.example".parse().unwrap());
        let body = Body::Inline(Bytes::from_static(b"a\r\n\r\nb\r\n"));
        // A crash while the file was being written leaves it in `tmp`; one before the record, in `new`.
        let left = Names::new(dir.path(), &message, 0).tmp;
        std::fs::create_dir_all(dir.path().join("tmp")).unwrap();
        std::fs::write(&left, "half").unwrap();
        for _ in 0..2 {
            deliver(&disk, dir.path(), &message, (0, &to), &body)
                .await
                .unwrap();
            assert!(names(dir.path(), "tmp").is_empty());
            let new = names(dir.path(), "new");
            assert_eq!(new.len(), 1);
            let text = std::fs::read_to_string(&new[0]).unwrap();
            assert!(text.ends_with("\na\n\nb\n"), "{text}");
        }
        // Another recipient of the message has a file of its own.
        deliver(&disk, dir.path(), &message, (1, &to), &body)
            .await
            .unwrap();
        assert_eq!(names(dir.path(), "new").len(), 2);
    }

    #[test]
    fn line_ends_become_lf_wherever_the_pieces_are_cut() {
        let text = b"a\r\nb\rc\nd\r\r\n\r";
        let whole = unix_lines(text, &mut false, false);
        assert_eq!(whole, b"a\nb\rc\nd\r\n");
        for cut in 0..=text.len() {
            let mut carriage_return = false;
            let mut out = unix_lines(&text[..cut], &mut carriage_return, false);
            out.extend(unix_lines(&text[cut..], &mut carriage_return, false));
            out.extend(unix_lines(b"", &mut carriage_return, true));
            assert_eq!(out, b"a\nb\rc\nd\r\n\r", "cut at {cut}");
        }
    }
}
