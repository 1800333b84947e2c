//! The Maildirs on this machine, as the receiving role asks about them: locks and quotas.
//!
//! A quota is kept as Maildir++ has it: `maildirsize` in the Maildir has the quota in its first line
//! (`10485760S,1000C`: bytes and messages) and in each further line what came or went (`2048 1`,
//! `-2048 -1`). Other programs of Maildir++ (Courier, Dovecot, maildrop) read and write the same file.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::route::{NextHop, Target};
use queue::{MailboxQuota, MailboxTrouble, Mailboxes};
use world::{Disk, World};

/// A file of sums that is longer is written anew (Maildir++: 5120 bytes).
const LONG: usize = 5_120;
/// How often a full mailbox is counted anew: programs that know no Maildir++ remove mail without a note.
const RECOUNT: Duration = Duration::from_secs(60);

/// What a mailbox may hold; 0 is any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Bytes.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
}

impl From<MailboxQuota> for Quota {
    fn from(own: MailboxQuota) -> Quota {
        Quota {
            bytes: own.bytes,
            messages: own.messages,
        }
    }
}

impl Quota {
    fn is_none(self) -> bool {
        self == Quota::default()
    }

    /// As the first line of `maildirsize`.
    fn line(self) -> String {
        let mut line = String::new();
        if self.bytes > 0 {
            // Writing to a String does not fail.
            let _ = write!(line, "{}S", self.bytes);
        }
        if self.messages > 0 {
            let comma = if line.is_empty() { "" } else { "," };
            let _ = write!(line, "{comma}{}C", self.messages);
        }
        line
    }

    fn read(line: &str) -> Option<Quota> {
        let mut quota = Quota::default();
        for part in line.trim().split(',').filter(|part| !part.is_empty()) {
            if let Some(bytes) = part.strip_suffix('S') {
                quota.bytes = bytes.parse().ok()?;
            } else if let Some(messages) = part.strip_suffix('C') {
                quota.messages = messages.parse().ok()?;
            } else {
                return None;
            }
        }
        Some(quota)
    }

    /// Whether a message still goes in.
    fn judge(self, usage: Usage, size: Option<u64>) -> Result<(), MailboxTrouble> {
        let size_or_one = size.unwrap_or(1);
        if self.bytes > 0
            && let Some(size) = size.filter(|size| *size > self.bytes)
        {
            let most = self.bytes;
            return Err(MailboxTrouble::TooLarge { size, most });
        }
        let too_big = self.bytes > 0 && usage.bytes.saturating_add(size_or_one) > self.bytes;
        let too_many = self.messages > 0 && usage.messages >= self.messages;
        if too_big || too_many {
            return Err(MailboxTrouble::Full {
                used: usage.bytes,
                count: usage.messages,
                quota: self.line(),
            });
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    bytes: u64,
    messages: u64,
}

/// The sums of a `maildirsize`; `None` where it is not one, or is too long to be kept.
fn read_sums(text: &str) -> Option<(Quota, Usage)> {
    if text.len() > LONG {
        return None;
    }
    let mut lines = text.lines();
    let quota = Quota::read(lines.next()?)?;
    let (mut bytes, mut messages) = (0_i64, 0_i64);
    for line in lines {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<i64>);
        let (Some(Ok(size)), Some(Ok(count))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        bytes = bytes.checked_add(size)?;
        messages = messages.checked_add(count)?;
    }
    let usage = Usage {
        bytes: bytes.try_into().ok()?,
        messages: messages.try_into().ok()?,
    };
    Some((quota, usage))
}

/// The Maildirs of `maildir:` routes.
pub struct Maildirs {
    world: World,
    /// For all of them; where there is none, what each `maildirsize` says.
    quota: Quota,
    counted: Arc<Mutex<HashMap<PathBuf, Timestamp>>>,
}

impl std::fmt::Debug for Maildirs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maildirs")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl Maildirs {
    /// With a quota for each; [`Quota::default`]: what each says itself.
    #[must_use]
    pub fn new(world: World, quota: Quota) -> Maildirs {
        Maildirs {
            world,
            quota,
            counted: Arc::default(),
        }
    }
}

#[async_trait]
impl Mailboxes for Maildirs {
    async fn look(
        &self,
        target: &Target,
        quota: Option<MailboxQuota>,
        size: Option<u64>,
    ) -> Result<(), MailboxTrouble> {
        let Target::Hop(NextHop::Maildir(path)) = target else {
            return Ok(());
        };
        let look = Look {
            disk: self.world.disk.clone(),
            maildir: path.clone(),
            quota: quota.map_or(self.quota, Quota::from),
            now: self.world.clock.now(),
            counted: self.counted.clone(),
        };
        let looked = tokio::task::spawn_blocking(move || look.take(size)).await;
        // Only a panic, or a runtime that shuts down, keeps the look from ending.
        looked.unwrap_or_else(|error| {
            Err(MailboxTrouble::Failed {
                doing: "looking at",
                path: path.clone(),
                reported: error.to_string(),
            })
        })
    }
}

/// The lock that somebody holds on a Maildir, as a file beside it (`inbox.lock`) or in it (`.lock`).
/// Maildir needs none to deliver; an administrator who moves or restores one does.
pub(crate) fn lock_of(disk: &dyn Disk, maildir: &Path) -> io::Result<Option<PathBuf>> {
    let mut beside = maildir.to_owned().into_os_string();
    beside.push(".lock");
    for lock in [PathBuf::from(beside), maildir.join(".lock")] {
        if disk.exists(&lock)? {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}

/// Notes a message in the sums of a Maildir, where it has sums.
pub(crate) fn note(disk: &dyn Disk, maildir: &Path, size: u64) -> io::Result<()> {
    match disk.append(&maildir.join("maildirsize")) {
        // One call: Maildir++ asks that the line goes to the end as a whole.
        Ok(mut sums) => sums.write_all(format!("{size} 1\n").as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

struct Look {
    disk: Arc<dyn Disk>,
    maildir: PathBuf,
    quota: Quota,
    now: Timestamp,
    counted: Arc<Mutex<HashMap<PathBuf, Timestamp>>>,
}

impl Look {
    fn take(&self, size: Option<u64>) -> Result<(), MailboxTrouble> {
        let lock = lock_of(&*self.disk, &self.maildir);
        if let Some(lock) = lock.map_err(|e| self.failed("looking for a lock of", &e))? {
            return Err(MailboxTrouble::Locked { lock });
        }
        let sums = self.sums();
        let sums = sums.map_err(|e| self.failed("reading maildirsize in", &e))?;
        let own = sums.map_or(Quota::default(), |(quota, _)| quota);
        let quota = if self.quota.is_none() {
            own
        } else {
            self.quota
        };
        if quota.is_none() {
            return Ok(());
        }
        let known = sums.filter(|_| quota == own).map(|(_, usage)| usage);
        match known.map(|usage| quota.judge(usage, size)) {
            Some(Ok(())) => Ok(()),
            Some(Err(full)) if self.counted_lately() => Err(full),
            Some(Err(_)) | None => {
                let usage = self.count(quota);
                let usage = usage.map_err(|e| self.failed("counting the mail in", &e))?;
                quota.judge(usage, size)
            }
        }
    }

    fn failed(&self, doing: &'static str, error: &io::Error) -> MailboxTrouble {
        MailboxTrouble::Failed {
            doing,
            path: self.maildir.clone(),
            reported: error.to_string(),
        }
    }

    fn counted_lately(&self) -> bool {
        let counted = self.counted.lock();
        let since = counted
            .get(&self.maildir)
            .map(|at| self.now.duration_since(*at));
        since.is_some_and(|since| since.unsigned_abs() < RECOUNT)
    }

    fn sums(&self) -> io::Result<Option<(Quota, Usage)>> {
        let file = match self.disk.open(&self.maildir.join("maildirsize")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = vec![0; LONG + 1];
        let mut length = 0;
        while length < text.len() {
            match file.read_at(length as u64, &mut text[length..])? {
                0 => break,
                more => length += more,
            }
        }
        text.truncate(length);
        Ok(read_sums(&String::from_utf8_lossy(&text)))
    }

    /// Counts what is there and writes the sums anew.
    fn count(&self, quota: Quota) -> io::Result<Usage> {
        let mut usage = Usage::default();
        for folder in self.folders()? {
            for part in ["new", "cur"] {
                for message in list(&*self.disk, &folder.join(part))? {
                    // One that was moved or removed meanwhile is not there.
                    let size = size_in_name(&message)
                        .or_else(|| self.disk.open(&message).and_then(|file| file.size()).ok());
                    if let Some(size) = size {
                        usage.bytes = usage.bytes.saturating_add(size);
                        usage.messages += 1;
                    }
                }
            }
        }
        self.counted.lock().insert(self.maildir.clone(), self.now);
        if self.disk.exists(&self.maildir.join("tmp"))? {
            self.write_sums(quota, usage)?;
        }
        Ok(usage)
    }

    /// The Maildir and its folders; mail in the trash does not count (Maildir++).
    fn folders(&self) -> io::Result<Vec<PathBuf>> {
        let below = list(&*self.disk, &self.maildir)?.into_iter().filter(|p| {
            let name = p.file_name().unwrap_or_default().as_encoded_bytes();
            name.first() == Some(&b'.') && name != b".Trash"
        });
        Ok(std::iter::once(self.maildir.clone()).chain(below).collect())
    }

    fn write_sums(&self, quota: Quota, usage: Usage) -> io::Result<()> {
        let text = format!("{}\n{} {}\n", quota.line(), usage.bytes, usage.messages);
        let made = self.maildir.join("tmp/maildirsize.postrider");
        match self.disk.remove(&made) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.disk.create(&made)?;
        file.write_all(text.as_bytes())?;
        drop(file);
        self.disk.rename(&made, &self.maildir.join("maildirsize"))
    }
}

/// What is in a directory; nothing where there is none.
fn list(disk: &dyn Disk, path: &Path) -> io::Result<Vec<PathBuf>> {
    match disk.list(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        listed => listed,
    }
}

/// Maildir++: `…,S=1234` in a name is the file's size.
fn size_in_name(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let (_, rest) = name.split_once(",S=")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use world::RealDisk;

    use super::*;

    fn box_of(quota: Quota) -> (tempfile::TempDir, Maildirs, Target) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        for part in ["tmp", "new", "cur", ".Sent/new", ".Sent/cur", ".Trash/cur"] {
            RealDisk.create_dir_all(&path.join(part)).unwrap();
        }
        let maildirs = Maildirs::new(World::real(), quota);
        (dir, maildirs, Target::Hop(NextHop::Maildir(path)))
    }

    fn write(path: &Path, bytes: usize) {
        let mut file = RealDisk.create(path).unwrap();
        file.write_all(&vec![b'x'; bytes]).unwrap();
    }

    fn read(path: &Path) -> String {
        let file = RealDisk.open(path).unwrap();
        let mut text = vec![0; file.size().unwrap() as usize];
        file.read_at(0, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_lock_beside_or_within_the_mailbox_holds_mail_back() {
        let (dir, maildirs, target) = box_of(Quota::default());
        assert_eq!(maildirs.look(&target, None, None).await, Ok(()));
        for name in ["box.lock", "box/.lock"] {
            let lock = dir.path().join(name);
            write(&lock, 0);
            let looked = maildirs.look(&target, None, None).await;
            let expected = Err(MailboxTrouble::Locked { lock: lock.clone() });
            assert_eq!(looked, expected);
            RealDisk.remove(&lock).unwrap();
        }
        assert_eq!(maildirs.look(&target, None, None).await, Ok(()));
    }

    #[tokio::test]
    async fn a_quota_counts_all_folders_but_the_trash_and_keeps_its_sums() {
        let quota = Quota {
            bytes: 1_000,
            messages: 0,
        };
        let (dir, maildirs, target) = box_of(quota);
        write(&dir.path().join("box/new/1"), 300);
        write(&dir.path().join("box/cur/2,S=200:2,S"), 1);
        write(&dir.path().join("box/.Sent/cur/3"), 400);
        write(&dir.path().join("box/.Trash/cur/4"), 5_000);
        assert_eq!(maildirs.look(&target, None, Some(100)).await, Ok(()));
        let sums = dir.path().join("box/maildirsize");
        assert_eq!(read(&sums), "1000S\n900 3\n");
        let full = maildirs.look(&target, None, Some(101)).await.unwrap_err();
        assert!(
            matches!(
                full,
                MailboxTrouble::Full {
                    used: 900,
                    count: 3,
                    ..
                }
            ),
            "{full}"
        );
        let too_large = maildirs.look(&target, None, Some(1_001)).await.unwrap_err();
        assert!(matches!(too_large, MailboxTrouble::TooLarge { .. }));
        note(&RealDisk, &dir.path().join("box"), 100).unwrap();
        assert_eq!(read(&sums), "1000S\n900 3\n100 1\n");
        assert!(maildirs.look(&target, None, None).await.is_err());
    }

    #[tokio::test]
    async fn a_mailbox_may_bring_its_own_quota_and_is_counted_anew_when_it_seems_full() {
        let (dir, maildirs, target) = box_of(Quota::default());
        let sums = dir.path().join("box/maildirsize");
        RealDisk
            .create(&sums)
            .unwrap()
            .write_all(b"5000S,2C\n10 1\n10 1\n")
            .unwrap();
        write(&dir.path().join("box/new/1"), 10);
        // The second message is gone; nobody had noted it.
        assert_eq!(maildirs.look(&target, None, None).await, Ok(()));
        assert_eq!(read(&sums), "5000S,2C\n10 1\n");
        write(&dir.path().join("box/new/2"), 10);
        note(&RealDisk, &dir.path().join("box"), 10).unwrap();
        assert!(maildirs.look(&target, None, None).await.is_err());
    }

    #[test]
    fn what_is_no_file_of_sums_is_counted_anew_and_never_panics() {
        for text in [
            "",
            "x\n",
            "10S\n5\n",
            "10S\n-5 -1\n",
            "10S\n9223372036854775807 1\n1 1\n",
            "S\n",
        ] {
            assert_eq!(read_sums(text), None, "{text:?}");
        }
        let known = read_sums("10S,3C\n5 1\n-2 0\n").unwrap();
        assert_eq!((known.1.bytes, known.1.messages), (3, 1));
        assert_eq!(known.0.line(), "10S,3C");
    }

    #[tokio::test]
    async fn what_is_no_mailbox_here_has_room() {
        let (_dir, maildirs, _) = box_of(Quota {
            bytes: 1,
            messages: 1,
        });
        let elsewhere = Target::Domain("example.org".to_owned());
        assert_eq!(maildirs.look(&elsewhere, None, Some(99)).await, Ok(()));
    }
}
