//! [`SqliteStore`]: the store trait.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use queue::route::Imprint;
use queue::{
    AttemptRecord, Body, BodyWriter, CameBack, Deadline, DestinationKey, DestinationUpdate, Due,
    DueDestination, Event, Lease, MessageId, Move, Moving, NewMessage, Queued, Recipient,
    RecipientState, Room, Row, RowFilter, Store, StoreError, Story, Waiting,
};
use rusqlite::Connection;
use world::World;

use crate::accept::Prepared;
use crate::body::{Bodies, BodyFile};
use crate::change;
use crate::db::Db;
use crate::error::{Fault, io_error};
use crate::lock::Lock;
use crate::readers::Readers;
use crate::record::{self, Outcomes, PreparedUpdate, Recording};
use crate::returned;
use crate::staging::Staging;
use crate::verified;
use crate::writer::{Burden, Writer, run_guarded};
use crate::{due, gate, late, list, outage, rerouting, turns};

/// The queue in a SQLite database.
pub struct SqliteStore {
    seat: Seat,
    world: World,
    dir: PathBuf,
    bodies: Option<Arc<Bodies>>,
}

/// Where the work is done.
pub(crate) enum Seat {
    /// By a writer thread and readers beside it.
    Threads {
        writer: Writer,
        readers: Readers,
        free_bytes: Arc<AtomicU64>,
        /// Let go of after the writer has closed the database: fields drop in this order.
        _lock: Lock,
    },
    /// On the calling task.
    Inline(Mutex<Db>),
    /// By readers only.
    Reader(Readers),
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    pub(crate) fn new(
        seat: Seat,
        world: &World,
        dir: &Path,
        bodies: Option<Arc<Bodies>>,
    ) -> SqliteStore {
        SqliteStore {
            seat,
            world: world.clone(),
            dir: dir.to_owned(),
            bodies,
        }
    }

    async fn write<F, T>(&self, burden: Burden, mut op: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Db) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        match &self.seat {
            Seat::Threads { writer, .. } => writer.call(burden, op).await,
            Seat::Inline(db) => write_inline(&mut db.lock(), &mut op),
            Seat::Reader(_) => Err(self.read_only()),
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.seat {
            Seat::Threads { readers, .. } | Seat::Reader(readers) => readers.call(read).await,
            Seat::Inline(db) => {
                let db = db.lock();
                read(db.conn()).map_err(|fault| fault.into_store(&self.dir))
            }
        }
    }

    fn read_only(&self) -> StoreError {
        StoreError::ReadOnly {
            path: self.dir.clone(),
        }
    }

    async fn prepare(&self, new: NewMessage) -> Result<Prepared, StoreError> {
        Prepared::new(new, self.bodies.as_ref()).await
    }

    fn fault(&self, fault: Fault) -> StoreError {
        fault.into_store(&self.dir)
    }
}

fn write_inline<T>(
    db: &mut Db,
    op: &mut impl FnMut(&mut Db) -> Result<T, Fault>,
) -> Result<T, StoreError> {
    let mut transact = || {
        db.begin()?;
        let answer = run_guarded(db, op)?;
        db.commit()?;
        Ok(answer)
    };
    match transact() {
        Ok(answer) => answer,
        Err(fault) => {
            db.rollback();
            Err(Fault::into_store(fault, db.path()))
        }
    }
}

/// Files that rows are about to name. A request goes on when its caller has stopped waiting, so they
/// count as named from the moment it is sent until it is known to have failed.
struct Naming(Vec<Arc<BodyFile>>);

impl Naming {
    fn begin<'a>(messages: impl IntoIterator<Item = &'a Prepared>) -> Naming {
        let files: Vec<_> = messages
            .into_iter()
            .filter_map(|m| m.file().cloned())
            .collect();
        files.iter().for_each(|file| file.keep(true));
        Naming(files)
    }

    fn end<T>(self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(&answer, Err(error) if *error != StoreError::Uncertain) {
            self.0.iter().for_each(|file| file.keep(false));
        }
        answer
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn stage(&self, id: MessageId) -> Box<dyn BodyWriter> {
        Box::new(Staging::new(id, self.bodies.clone()))
    }

    async fn accept(&self, new: NewMessage) -> Result<(), StoreError> {
        let message = self.prepare(new).await?;
        let burden = Burden {
            bytes: message.weight(),
            intake: true,
        };
        let naming = Naming::begin([&message]);
        naming.end(self.write(burden, move |db| message.write(db)).await)
    }

    async fn due_destinations(&self) -> Result<Vec<DueDestination>, StoreError> {
        self.read(due::due_destinations).await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        self.read(due::waiting).await
    }

    async fn lease(&self, destination: &DestinationKey) -> Result<Lease, StoreError> {
        let key = destination.clone();
        self.write(Burden::default(), move |db| db.lease(&key))
            .await
    }

    async fn due(
        &self,
        lease: &Lease,
        now: Timestamp,
        limit: usize,
        except: &[(MessageId, u32)],
        turn: Option<i64>,
    ) -> Result<Due, StoreError> {
        let asked = turns::Asked {
            now,
            limit,
            except: except.iter().copied().collect(),
            turn,
        };
        let (lease, bodies) = (lease.clone(), self.bodies.clone());
        self.read(move |conn| due::due(conn, &lease, &asked, bodies.as_ref()))
            .await
    }

    async fn note_findings(&self, verified: queue::Verified) -> Result<(), StoreError> {
        let op = move |db: &mut Db| verified::note(db, &verified);
        self.write(Burden::default(), op).await
    }

    async fn note_outage(&self, began: Timestamp, until: Timestamp) -> Result<(), StoreError> {
        self.write(Burden::default(), move |db| outage::note(db, began, until))
            .await
    }

    async fn overdue(
        &self,
        destination: &DestinationKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        let key = destination.clone();
        self.read(move |conn| due::overdue(conn, &key, now, limit))
            .await
    }

    async fn body(&self, id: MessageId) -> Result<Body, StoreError> {
        let bodies = self.bodies.clone();
        self.read(move |conn| due::body(conn, id, bodies.as_ref()))
            .await
    }

    async fn begin(
        &self,
        lease: &Lease,
        message: MessageId,
        recipients: &[u32],
    ) -> Result<(), StoreError> {
        let (lease, recipients) = (lease.clone(), recipients.to_vec());
        let now = self.world.clock.now();
        let op = move |db: &mut Db| record::begin(db, &lease, message, &recipients, now);
        self.write(Burden::default(), op).await
    }

    async fn record(
        &self,
        lease: &Lease,
        record: AttemptRecord,
        destination: Option<DestinationUpdate>,
        reports: Vec<NewMessage>,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        let mut prepared = Vec::with_capacity(reports.len());
        for report in reports {
            prepared.push(self.prepare(report).await?);
        }
        let destination = destination.as_ref().map(PreparedUpdate::new).transpose();
        let recording = Recording {
            lease: lease.clone(),
            outcomes: Outcomes::new(&record).map_err(|fault| self.fault(fault))?,
            destination: destination.map_err(|fault| self.fault(fault))?,
            reports: prepared,
            events,
        };
        let burden = Burden {
            bytes: recording.weight(),
            intake: false,
        };
        let naming = Naming::begin(&recording.reports);
        naming.end(self.write(burden, move |db| recording.write(db)).await)
    }

    async fn tell(&self, reports: Vec<NewMessage>, events: Vec<Event>) -> Result<(), StoreError> {
        let mut prepared = Vec::with_capacity(reports.len());
        for report in reports {
            prepared.push(self.prepare(report).await?);
        }
        let burden = Burden {
            bytes: prepared.iter().map(Prepared::weight).sum(),
            intake: false,
        };
        let naming = Naming::begin(&prepared);
        let write = self.write(burden, move |db| {
            prepared.iter().try_for_each(|report| report.write(db))?;
            events.iter().try_for_each(|event| db.write_event(event))
        });
        naming.end(write.await)
    }

    async fn late(
        &self,
        after: Option<MessageId>,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError> {
        self.read(move |conn| late::late(conn, after, before, limit))
            .await
    }

    async fn deadlines(&self) -> Result<Vec<(MessageId, Deadline)>, StoreError> {
        self.read(late::deadlines).await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(Burden::default(), move |db| record::recover(db, now))
            .await
    }

    async fn rows(&self, filter: RowFilter) -> Result<Vec<Row>, StoreError> {
        self.read(move |conn| list::rows(conn, &filter)).await
    }

    async fn find(&self, text: &str) -> Result<MessageId, StoreError> {
        let text = text.to_owned();
        self.read(move |conn| list::find(conn, &text)).await
    }

    async fn find_envelope(&self, envelope_id: &str) -> Result<Option<MessageId>, StoreError> {
        let text = envelope_id.to_owned();
        self.read(move |conn| returned::find_envelope(conn, &text))
            .await
    }

    async fn returned(
        &self,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<CameBack>, StoreError> {
        self.read(move |conn| returned::all(conn, since, limit))
            .await
    }

    async fn story(&self, id: MessageId) -> Result<Story, StoreError> {
        self.read(move |conn| list::story(conn, id)).await
    }

    async fn change(
        &self,
        id: MessageId,
        recipients: Option<&[u32]>,
        to: RecipientState,
        at: Timestamp,
    ) -> Result<Vec<Recipient>, StoreError> {
        let (only, now) = (recipients.map(<[u32]>::to_vec), self.world.clock.now());
        let op = move |db: &mut Db| change::change(db, id, only.as_deref(), to, at, now);
        self.write(Burden::default(), op).await
    }

    async fn pause(
        &self,
        destination: &DestinationKey,
        paused: bool,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = destination.clone();
        self.write(Burden::default(), move |db| {
            change::pause(db, &key, paused, at)
        })
        .await
    }

    async fn routed_by(&self) -> Result<Option<Imprint>, StoreError> {
        self.read(rerouting::routed_by).await
    }

    async fn note_routed_by(&self, routes: Option<Imprint>) -> Result<(), StoreError> {
        let op = move |db: &mut Db| rerouting::note_routed_by(db, routes.as_ref());
        self.write(Burden::default(), op).await
    }

    async fn movable(
        &self,
        after: Option<(MessageId, u32)>,
        limit: usize,
    ) -> Result<Vec<Moving>, StoreError> {
        self.read(move |conn| rerouting::movable(conn, after, limit))
            .await
    }

    async fn reroute(&self, moves: Vec<Move>, at: Timestamp) -> Result<u64, StoreError> {
        let op = move |db: &mut Db| rerouting::reroute(db, &moves, at);
        self.write(Burden::default(), op).await
    }

    async fn prune(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.write(Burden::default(), move |db| {
            change::prune(db, before, limit)
        })
        .await
    }

    async fn pause_intake(
        &self,
        paused: bool,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.write(Burden::default(), move |db| gate::set(db, paused, at))
            .await
    }

    async fn intake_paused(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(gate::closed_at).await
    }

    /// The disk's free bytes and those that free pages of the database hold.
    fn room(&self) -> Result<Room, StoreError> {
        let Seat::Threads { free_bytes, .. } = &self.seat else {
            return Ok(Room {
                bytes: u64::MAX,
                files: u64::MAX,
            });
        };
        let space = self.world.disk.free(&self.dir);
        let space = space.map_err(|e| io_error("asking for the room on", &self.dir, &e))?;
        let inside = free_bytes.load(Ordering::Relaxed);
        Ok(Room {
            bytes: space.bytes.saturating_add(inside),
            files: space.inodes,
        })
    }
}
