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
            options: queue::Options::default(),
        }
    }

    fn names(dir: &Path, folder: &str) -> Vec<PathBuf> {
        let found = std::fs::read_dir(dir.join(folder)).unwrap();
        found.map(|entry| entry.unwrap().path()).collect()
    }

    fn recipient(index: u32, address: &str, original: Option<&str>) -> Recipient {
        let original = original.map(|text| text.parse().unwrap());
        Recipient {
            index,
            address: address.parse().unwrap(),
            destination: queue::DestinationKey::new("maildir:/x"),
            state: queue::RecipientState::Queued,
            next_attempt: None,
            attempts: 0,
            last: None,
            basis: None,
            options: queue::RecipientOptions::default(),
            rewritten: queue::Rewritten::of(None, original).map(Arc::new),
        }
    }

    fn work(to: &Recipient) -> Work {
        Work::new(Arc::new(message()), vec![to.clone()], None)
    }

    const BODY: Body = Body::Inline(Bytes::from_static(b"a\r\n\r\nb\r\n"));

    #[tokio::test]
    async fn a_second_delivery_after_a_crash_replaces_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
        let to = recipient(0, "bert@dest.example", None);
        // A crash while the file was being written leaves it in `tmp`; one before the record, in `new`.
        let left = Names::new(dir.path(), &message(), 0).tmp;
        std::fs::create_dir_all(dir.path().join("tmp")).unwrap();
        std::fs::write(&left, "half").unwrap();
        for _ in 0..2 {
            deliver(&disk, (dir.path(), "+"), &work(&to), &to, &BODY)
                .await
                .unwrap();
            assert!(names(dir.path(), "tmp").is_empty());
            let new = names(dir.path(), "new");
            assert_eq!(new.len(), 1);
            let text = std::fs::read_to_string(&new[0]).unwrap();
            assert!(text.ends_with("\na\n\nb\n"), "{text}");
        }
        // Another recipient of the message has a file of its own.
        let other = recipient(1, "bert@dest.example", None);
        deliver(&disk, (dir.path(), "+"), &work(&other), &other, &BODY)
            .await
            .unwrap();
        assert_eq!(names(dir.path(), "new").len(), 2);
    }

    #[tokio::test]
    async fn a_mailbox_is_made_on_its_first_mail_for_nobody_but_us() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
        let path = dir.path().join("ours.example/bert");
        let to = recipient(0, "bert@ours.example", Some("Info@ours.example"));
        deliver(&disk, (&path, "+"), &work(&to), &to, &BODY)
            .await
            .unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for part in ["", "tmp", "new", "cur", ".."] {
            assert_eq!(mode(&path.join(part)), 0o700, "{part}");
        }
        let file = &names(&path, "new")[0];
        assert_eq!(mode(file), 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.starts_with(
                "Return-Path: <anna@client.example>\nDelivered-To: bert@ours.example\n\
                 X-Original-To: Info@ours.example\na\n"
            ),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_detail_names_a_folder_where_there_is_one_and_leads_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(dir.path().join(".shop").join(part)).unwrap();
        }
        let deliver_to = async |index, address: &str| {
            let to = recipient(index, address, None);
            let place = (dir.path(), "+");
            deliver(&disk, place, &work(&to), &to, &BODY).await.unwrap();
        };
        deliver_to(0, "bert+Shop@ours.example").await;
        assert_eq!(names(dir.path(), ".shop/new").len(), 1);
        assert!(names(dir.path(), "new").is_empty());
        for (index, address) in [
            (1, "bert+other@ours.example"),
            (2, "bert+../x@ours.example"),
            (3, "bert+./.shop@ours.example"),
            (4, "+shop@ours.example"),
        ] {
            let Ok(_) = address.parse::<Address>() else {
                continue;
            };
            deliver_to(index, address).await;
        }
        assert_eq!(names(dir.path(), ".shop/new").len(), 1);
        assert_eq!(
            folder_name(&"b+../x@y".parse().unwrap_or(Address::null()), "+"),
            None
        );
    }

    #[tokio::test]
    async fn mail_that_comes_back_to_a_mailbox_is_a_loop_and_other_mail_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(world::RealDisk);
        let to = recipient(0, "bert@ours.example", None);
        let text = b"Delivered-To: Bert@Ours.example\r\n\r\nDelivered-To: x\r\n";
        let body = Body::Inline(Bytes::from_static(text));
        let looped = deliver(&disk, (dir.path(), "+"), &work(&to), &to, &body).await;
        assert!(
            matches!(looped, Err(MaildirError::Loop { times: 1, .. })),
            "{looped:?}"
        );
        let other = recipient(0, "carla@ours.example", None);
        deliver(&disk, (dir.path(), "+"), &work(&other), &other, &body)
            .await
            .unwrap();
    }

    /// A disk on which no more than the first few bytes of a file have room.
    struct FullDisk;

    struct FullFile(Box<dyn world::DiskFile>);

    impl Write for FullFile {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            if buf.len() > 100 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }

    impl world::DiskFile for FullFile {
        fn sync(&mut self) -> io::Result<()> {
            self.0.sync()
        }
    }

    impl Disk for FullDisk {
        fn create_dir_all(&self, path: &Path) -> io::Result<()> {
            world::RealDisk.create_dir_all(path)
        }
        fn create(&self, path: &Path) -> io::Result<Box<dyn world::DiskFile>> {
            Ok(Box::new(FullFile(world::RealDisk.create(path)?)))
        }
        fn append(&self, path: &Path) -> io::Result<Box<dyn world::DiskFile>> {
            world::RealDisk.append(path)
        }
        fn exists(&self, path: &Path) -> io::Result<bool> {
            world::RealDisk.exists(path)
        }
        fn open(&self, path: &Path) -> io::Result<Box<dyn world::DiskRead>> {
            world::RealDisk.open(path)
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            world::RealDisk.rename(from, to)
        }
        fn sync_dir(&self, path: &Path) -> io::Result<()> {
            world::RealDisk.sync_dir(path)
        }
        fn remove(&self, path: &Path) -> io::Result<()> {
            world::RealDisk.remove(path)
        }
        fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
            world::RealDisk.list(path)
        }
        fn free(&self, path: &Path) -> io::Result<world::Space> {
            world::RealDisk.free(path)
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_a_failure_of_ours_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(FullDisk);
        let to = recipient(0, "bert@ours.example", None);
        let body = Body::Inline(Bytes::from(vec![b'x'; 2_000]));
        let failed = deliver(&disk, (dir.path(), "+"), &work(&to), &to, &body).await;
        assert!(matches!(failed, Err(MaildirError::Disk(_))), "{failed:?}");
        assert!(names(dir.path(), "tmp").is_empty() && names(dir.path(), "new").is_empty());
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
