//! A store in a directory, and its copies after a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diagnosis::Attempt;
use diagnosis::Outcome;
use diagnosis::facts::{RecipientAttempt, Route};
use jiff::Timestamp;
use queue::{
    AttemptRecord, Body, BodyKind, Decision, DestinationKey, Message, MessageId, MessageKind,
    NewMessage, NewRecipient, Origin, Recipient, Store, StoreError, Verdict,
};
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use world::World;

use crate::disk::{Noted, NotedDisk};

/// Content of this size lies in the database.
pub(crate) const SMALL: usize = 4_000;
/// Content of this size lies in a file.
pub(crate) const LARGE: usize = 300_000;

pub(crate) struct Stage {
    pub(crate) store: SqliteStore,
    pub(crate) dir: TempDir,
    pub(crate) disk: Arc<Noted>,
    pub(crate) now: Timestamp,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage::on(tempfile::tempdir().unwrap())
    }

    fn on(dir: TempDir) -> Stage {
        let disk = Arc::new(Noted::default());
        let world = World {
            disk: Arc::new(NotedDisk(disk.clone())),
            ..World::real()
        };
        let store = SqliteStore::open(dir.path(), &world).unwrap();
        let now = world.clock.now();
        disk.take();
        Stage {
            store,
            dir,
            disk,
            now,
        }
    }

    /// A crash at this moment, and the next start on what it left.
    pub(crate) fn crash(&self) -> Stage {
        let left = tempfile::tempdir().unwrap();
        copy(self.dir.path(), left.path());
        Stage::on(left)
    }

    /// A crash, after which the directory is changed before the next start.
    pub(crate) fn crash_and(&self, change: impl FnOnce(&Path)) -> Stage {
        let left = tempfile::tempdir().unwrap();
        copy(self.dir.path(), left.path());
        change(left.path());
        Stage::on(left)
    }

    /// Takes content in, as reception does, up to the row.
    pub(crate) async fn content(&self, id: MessageId, bytes: usize) -> Result<Body, StoreError> {
        let mut writer = self.store.stage(id);
        for piece in content(id, bytes).chunks(50_000) {
            writer.write(piece).await?;
        }
        writer.finish().await
    }

    pub(crate) async fn accept(&self, id: MessageId, bytes: usize, to: &[&str]) {
        let body = self.content(id, bytes).await.unwrap();
        let new = self.message(id, body, to);
        self.store.accept(new).await.unwrap();
    }

    pub(crate) fn message(&self, id: MessageId, body: Body, to: &[&str]) -> NewMessage {
        let recipient = |address: &&str| NewRecipient {
            address: address.parse().unwrap(),
            destination: destination(),
            next_attempt: self.now,
            rewritten: None,
            options: queue::RecipientOptions::default(),
        };
        NewMessage {
            message: Message {
                id,
                sender: "anna@client.example".parse().unwrap(),
                received_at: self.now,
                expires_at: self.now + std::time::Duration::from_secs(86_400),
                size: body.size(),
                body_kind: BodyKind::SevenBit,
                smtputf8: false,
                hops: 1,
                kind: MessageKind::Mail,
                origin: Origin {
                    client: "127.0.0.1".to_owned(),
                    helo: None,
                    protocol: "ESMTP".to_owned(),
                    about: None,
                },
                options: queue::Options::default(),
            },
            body,
            recipients: to.iter().map(recipient).collect(),
            events: Vec::new(),
            held: false,
        }
    }

    pub(crate) async fn recipients(&self, id: MessageId) -> Vec<Recipient> {
        self.store.story(id).await.unwrap().recipients
    }

    /// Whether the message is there, whole.
    pub(crate) async fn has(&self, id: MessageId, bytes: usize) -> bool {
        match self.store.body(id).await {
            Ok(Body::Inline(found)) => found == content(id, bytes),
            Ok(Body::File(file)) => {
                let found = file.read(0, usize::MAX).await.unwrap();
                found == content(id, bytes)
            }
            Err(StoreError::NotFound(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// The files of bodies, finished or not.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(self.dir.path())
    }

    /// The writer lets go of what it was asked to keep just after it has answered.
    pub(crate) fn has_no_files_soon(&self) {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !self.files().is_empty() {
            assert!(std::time::Instant::now() < end, "{:?}", self.files());
            std::thread::yield_now();
        }
    }

    /// What an attempt came to where this was decided for each recipient.
    pub(crate) fn outcome(&self, id: MessageId, decisions: Vec<Decision>) -> AttemptRecord {
        let of = |index: u32| RecipientAttempt {
            index,
            address: "bert@dest.example".parse().unwrap(),
            outcome: Outcome::Accepted(None),
        };
        AttemptRecord {
            message: id,
            destination: destination(),
            started_at: self.now,
            ended_at: self.now,
            attempt: Attempt {
                route: Route::default(),
                steps: Vec::new(),
                recipients: (0..decisions.len() as u32).map(of).collect(),
            },
            verdicts: (0..)
                .zip(decisions)
                .map(|(index, decision)| Verdict {
                    index,
                    diagnosis: None,
                    decision,
                })
                .collect(),
        }
    }
}

pub(crate) fn destination() -> DestinationKey {
    DestinationKey::new("smtp://127.0.0.1:1")
}

pub(crate) fn id(n: u8) -> MessageId {
    MessageId::new(1_700_000_000_000 + u64::from(n), &[n; 10])
}

pub(crate) fn content(id: MessageId, bytes: usize) -> Vec<u8> {
    let mut content = format!("Subject: {id}\r\n\r\n").into_bytes();
    while content.len() < bytes {
        content.extend_from_slice(format!("line {}\r\n", content.len()).as_bytes());
    }
    content
}

pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let list = |dir: PathBuf| {
        let found = std::fs::read_dir(dir).into_iter().flatten();
        found.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    list(dir.join("bodies"))
        .into_iter()
        .flat_map(list)
        .collect()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
