//! Files of entries, and included lists.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use recipients::{Entry, Table, TableFailed};
use world::{Disk, FileStamp, World};

/// How often a file is looked at for changes, at most.
const FRESH: Duration = Duration::from_secs(1);
/// A file that is longer is none that people write.
const LONGEST: u64 = 64 << 20;
/// Lists that are remembered.
const LISTS: usize = 1_000;

type Entries = Arc<HashMap<String, Entry>>;

/// What is known of a file.
#[derive(Clone, Debug)]
struct Known<T> {
    looked_at: Timestamp,
    stamp: Option<FileStamp>,
    content: Option<T>,
    /// Why it could not be read the last time.
    failed: Option<String>,
}

/// A file with an entry a line, as in aliases(5).
pub struct FileTable {
    name: String,
    path: PathBuf,
    world: World,
    known: Arc<Mutex<Option<Known<Entries>>>>,
}

impl std::fmt::Debug for FileTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FileTable").field(&self.path).finish()
    }
}

impl FileTable {
    /// The table in this file, which goes by `name`.
    #[must_use]
    pub fn new(name: &str, path: &Path, world: World) -> FileTable {
        FileTable {
            name: name.to_owned(),
            path: path.to_owned(),
            world,
            known: Arc::default(),
        }
    }
}

#[async_trait]
impl Table for FileTable {
    fn name(&self) -> &str {
        &self.name
    }

    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        let known = self.known.lock().clone();
        let now = self.world.clock.now();
        let entries = current(&self.world.disk, &self.path, known, now, &read_entries).await;
        let known = entries?;
        let content = content(&known, &self.path)?;
        *self.known.lock() = Some(known);
        Ok(content.get(key).cloned())
    }
}

/// Lists in files, by their paths.
pub struct Includes {
    world: World,
    known: Mutex<HashMap<PathBuf, Known<Arc<str>>>>,
}

impl std::fmt::Debug for Includes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Includes").finish_non_exhaustive()
    }
}

impl Includes {
    /// Lists on this disk.
    #[must_use]
    pub fn new(world: World) -> Includes {
        Includes {
            world,
            known: Mutex::default(),
        }
    }
}

#[async_trait]
impl Table for Includes {
    fn name(&self) -> &str {
        ":include:"
    }

    async fn look_up(&self, key: &str) -> Result<Option<Entry>, TableFailed> {
        let path = PathBuf::from(key);
        let known = self.known.lock().get(&path).cloned();
        let now = self.world.clock.now();
        let read = |text: &str| Ok(Arc::from(recipients::include(text)));
        let known = current(&self.world.disk, &path, known, now, &read).await?;
        let value = content(&known, &path)?.to_string();
        let mut lists = self.known.lock();
        if lists.len() >= LISTS {
            lists.clear();
        }
        lists.insert(path, known);
        Ok(Some(Entry { value, line: None }))
    }
}

fn read_entries(text: &str) -> Result<Entries, String> {
    let entries = recipients::entries(text).map_err(|problem| problem.to_string())?;
    Ok(Arc::new(entries.into_iter().collect()))
}

fn content<T: Clone>(known: &Known<T>, path: &Path) -> Result<T, TableFailed> {
    let failed = || known.failed.clone().unwrap_or_default();
    let content = known.content.clone();
    content.ok_or_else(|| TableFailed(format!("{}: {}", path.display(), failed())))
}

/// What is known of a file now: read anew where it has changed since.
async fn current<T, R>(
    disk: &Arc<dyn Disk>,
    path: &Path,
    known: Option<Known<T>>,
    now: Timestamp,
    read: &R,
) -> Result<Known<T>, TableFailed>
where
    T: Clone,
    R: Fn(&str) -> Result<T, String>,
{
    if let Some(known) = &known
        && now.duration_since(known.looked_at).unsigned_abs() < FRESH
    {
        return Ok(known.clone());
    }
    let before = known.as_ref().and_then(|known| known.stamp);
    let (from, at) = (disk.clone(), path.to_owned());
    let looked = tokio::task::spawn_blocking(move || look(&*from, &at, before)).await;
    // Only a panic, or a runtime that shuts down, keeps the look from ending.
    let looked = looked.unwrap_or_else(|error| Err(io::Error::other(error)));
    let mut next = known.clone().unwrap_or(Known {
        looked_at: now,
        stamp: None,
        content: None,
        failed: None,
    });
    next.looked_at = now;
    let result = match looked {
        Ok(Look::Same) => return Ok(next),
        Ok(Look::Changed(stamp, text)) => {
            next.stamp = Some(stamp);
            read(&text)
        }
        Err(error) => {
            next.stamp = None;
            Err(error.to_string())
        }
    };
    match result {
        Ok(content) => {
            if next.content.is_some() {
                tracing::info!(table = %path.display(), "read anew");
            }
            (next.content, next.failed) = (Some(content), None);
        }
        Err(reported) => {
            if next.failed.as_ref() != Some(&reported) {
                let kept = next.content.is_some();
                tracing::warn!(table = %path.display(), %reported, kept, "a table cannot be read; what it said before holds where it is kept");
            }
            next.failed = Some(reported);
        }
    }
    Ok(next)
}

enum Look {
    Same,
    Changed(FileStamp, String),
}

fn look(disk: &dyn Disk, path: &Path, before: Option<FileStamp>) -> io::Result<Look> {
    let stamp = disk.stamp(path)?;
    if before == Some(stamp) {
        return Ok(Look::Same);
    }
    if stamp.size > LONGEST {
        return Err(io::Error::other(format!("longer than {LONGEST} bytes")));
    }
    let file = disk.open(path)?;
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read_at(bytes.len() as u64, &mut piece)? {
            0 => break,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    Ok(Look::Changed(stamp, text))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use world::{SimHost, VirtualClock};

    use super::*;

    fn world() -> World {
        let start = "2026-11-24T02:00:00Z".parse().unwrap();
        World {
            clock: Arc::new(VirtualClock::new(start)),
            host: Arc::new(SimHost::default()),
            ..World::real()
        }
    }

    async fn value(table: &impl Table, key: &str) -> Option<String> {
        table.look_up(key).await.unwrap().map(|entry| entry.value)
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_read_anew_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aliases");
        fs::write(&path, "info: anna\n").unwrap();
        let table = FileTable::new("file:aliases", &path, world());
        let entry = table.look_up("info").await.unwrap().unwrap();
        assert_eq!((entry.value.as_str(), entry.line), ("anna", Some(1)));
        assert_eq!(value(&table, "other").await, None);
        fs::write(&path, "# new\ninfo: bert, carla\n").unwrap();
        assert_eq!(
            value(&table, "info").await.as_deref(),
            Some("anna"),
            "not yet"
        );
        tokio::time::sleep(FRESH).await;
        assert_eq!(value(&table, "info").await.as_deref(), Some("bert, carla"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_holds_while_the_file_is_broken_or_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aliases");
        let table = FileTable::new("file:aliases", &path, world());
        let missing = table.look_up("info").await.unwrap_err();
        assert!(missing.0.contains("aliases"), "{missing}");
        fs::write(&path, "info: anna\n").unwrap();
        tokio::time::sleep(FRESH).await;
        assert_eq!(value(&table, "info").await.as_deref(), Some("anna"));
        fs::write(&path, "info: anna\ninfo: bert\n").unwrap();
        tokio::time::sleep(FRESH).await;
        assert_eq!(value(&table, "info").await.as_deref(), Some("anna"));
        fs::remove_file(&path).unwrap();
        tokio::time::sleep(FRESH).await;
        assert_eq!(value(&table, "info").await.as_deref(), Some("anna"));
        fs::write(&path, "info: dora\n").unwrap();
        tokio::time::sleep(FRESH).await;
        assert_eq!(value(&table, "info").await.as_deref(), Some("dora"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_is_read_from_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        fs::write(&path, "a@x.example\nb@y.example\n").unwrap();
        let lists = Includes::new(world());
        let read = value(&lists, path.to_str().unwrap()).await;
        assert_eq!(read.as_deref(), Some("a@x.example, b@y.example"));
        assert!(lists.look_up("/nowhere/list").await.is_err());
    }
}
