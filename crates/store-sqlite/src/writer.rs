//! The writer thread: takes all requests that wait, makes them one transaction, and answers them
//! when it is durable.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use queue::StoreError;
use tokio::sync::oneshot;

use crate::db::Db;
use crate::error::{Fault, Gravity};
use crate::room::Room;

/// Most requests of one transaction.
const BATCH: usize = 256;
/// Bytes of content of one transaction, from which on no further request is added.
const BATCH_BYTES: usize = 1 << 20;

/// A request to the database.
pub(crate) trait Job: Send {
    /// Does it within the open transaction. `Err` means that the whole transaction is spoiled.
    fn run(&mut self, db: &mut Db) -> Result<(), Fault>;
    /// Tells the caller: what [`run`](Job::run) came to, or why nothing was done.
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
    /// Bytes of content that it brings.
    fn weight(&self) -> usize;
    /// Whether it takes on new mail: such a request is refused while room is kept for the rest.
    fn is_intake(&self) -> bool;
}

/// How a request counts against the batch and the room.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Burden {
    pub(crate) bytes: usize,
    pub(crate) intake: bool,
}

struct Request<F, T> {
    burden: Burden,
    op: F,
    done: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Request<F, T>
where
    F: FnMut(&mut Db) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, db: &mut Db) -> Result<(), Fault> {
        self.done = Some(run_guarded(db, &mut self.op)?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let answer = match (end, self.done) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => Err(StoreError::Uncertain),
        };
        // The caller may have gone; what was done stays done.
        let _ = self.caller.send(answer);
    }

    fn weight(&self) -> usize {
        self.burden.bytes
    }

    fn is_intake(&self) -> bool {
        self.burden.intake
    }
}

/// Runs an operation; a refusal that has changed nothing leaves the transaction as it was.
pub(crate) fn run_guarded<T>(
    db: &mut Db,
    op: &mut impl FnMut(&mut Db) -> Result<T, Fault>,
) -> Result<Result<T, StoreError>, Fault> {
    let before = db.conn().total_changes();
    match op(db) {
        Ok(value) => Ok(Ok(value)),
        Err(Fault::Refused(error)) if db.conn().total_changes() == before => Ok(Err(error)),
        Err(fault) => Err(fault),
    }
}

/// The way to the writer thread.
pub(crate) struct Writer {
    requests: Option<Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(db: Db, room: Room) -> std::io::Result<Writer> {
        let (requests, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                Desk {
                    db,
                    room,
                    broken: false,
                }
                .work(&inbox)
            })?;
        Ok(Writer {
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    /// Sends an operation and waits until it is durable. Once sent it is done, also when the caller
    /// stops waiting. It must be repeatable: a spoiled transaction is undone and tried again.
    pub(crate) async fn call<F, T>(&self, burden: Burden, op: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Db) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let request = Box::new(Request {
            burden,
            op,
            done: None,
            caller,
        });
        let sent = self
            .requests
            .as_ref()
            .is_some_and(|r| r.send(request).is_ok());
        if !sent {
            return Err(StoreError::Uncertain);
        }
        answer.await.unwrap_or(Err(StoreError::Uncertain))
    }
}

impl Drop for Writer {
    /// Waits until what was sent is done and the database is closed.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer thread ended by a panic");
        }
    }
}

/// The thread's own.
struct Desk {
    db: Db,
    room: Room,
    /// A sync has failed: nothing can be promised until the database is opened anew.
    broken: bool,
}

impl Desk {
    fn work(mut self, inbox: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = inbox.recv() {
            let mut bytes = first.weight();
            let mut batch = vec![first];
            while batch.len() < BATCH && bytes < BATCH_BYTES {
                let Ok(next) = inbox.try_recv() else { break };
                bytes += next.weight();
                batch.push(next);
            }
            self.serve(batch);
            self.room.extend_log(self.db.path(), self.db.wal_pages());
            self.checkpoint_if_due();
        }
        if !self.broken
            && let Err(fault) = self.db.checkpoint(true)
        {
            tracing::warn!(
                ?fault,
                "the log could not be moved into the database at the end"
            );
        }
    }

    fn serve(&mut self, mut batch: Vec<Box<dyn Job>>) {
        if self.broken {
            return refuse(batch, &self.broken_error());
        }
        if let Some(error) = self.room.refusal(&self.db) {
            let (intake, rest) = batch.into_iter().partition(|job| job.is_intake());
            refuse(intake, &error);
            batch = rest;
        }
        match self.transact(&mut batch) {
            Ok(()) => self.confirm(batch),
            Err(fault) => self.one_by_one(batch, fault),
        }
    }

    fn confirm(&mut self, batch: Vec<Box<dyn Job>>) {
        for job in batch {
            job.answer(Ok(()));
        }
        for id in self.db.take_discarded() {
            self.room.remove_body(id);
        }
    }

    /// After a failure: each request in a transaction of its own, so that one cannot spoil another.
    fn one_by_one(&mut self, batch: Vec<Box<dyn Job>>, fault: Trouble) {
        if let Some(error) = self.uncertain(&fault) {
            return refuse(batch, &error);
        }
        if matches!(fault.fault.gravity(), Gravity::Full | Gravity::Write) {
            self.give_back_log();
        }
        for job in batch {
            let mut alone = vec![job];
            if self.broken {
                refuse(alone, &self.broken_error());
                continue;
            }
            match self.transact(&mut alone) {
                Ok(()) => self.confirm(alone),
                Err(trouble) => {
                    let error = match self.uncertain(&trouble) {
                        Some(error) => error,
                        None => self.room.name(trouble.fault, self.db.path()),
                    };
                    refuse(alone, &error);
                }
            }
        }
    }

    fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Trouble> {
        let db = &mut self.db;
        let ran = db
            .begin()
            .and_then(|()| batch.iter_mut().try_for_each(|job| job.run(db)));
        let (result, at_commit) = match ran {
            Ok(()) => (self.db.commit(), true),
            Err(fault) => (Err(fault), false),
        };
        result.map_err(|fault| {
            self.db.rollback();
            Trouble { fault, at_commit }
        })
    }

    /// A commit that failed otherwise than for want of room may still be found after a crash.
    fn uncertain(&mut self, trouble: &Trouble) -> Option<StoreError> {
        let gravity = trouble.fault.gravity();
        if gravity == Gravity::Sync {
            self.broken = true;
            tracing::error!(fault = ?trouble.fault, "the disk cannot be synced; the store stops");
        }
        let certain = matches!(gravity, Gravity::Full | Gravity::Write);
        (trouble.at_commit && !certain).then_some(StoreError::Uncertain)
    }

    fn broken_error(&self) -> StoreError {
        StoreError::Database {
            path: self.db.path().to_owned(),
            reported: "stopped after the disk failed to sync; start again when it is mended"
                .to_owned(),
        }
    }

    fn checkpoint_if_due(&mut self) {
        if self.broken || self.db.wal_pages() < self.room.wal_limit() {
            return;
        }
        self.checkpoint(false);
    }

    fn give_back_log(&mut self) {
        self.checkpoint(true);
    }

    fn checkpoint(&mut self, truncate: bool) {
        match self.db.checkpoint(truncate) {
            Ok(()) => {}
            Err(fault) if fault.gravity() == Gravity::Sync => {
                self.broken = true;
                tracing::error!(?fault, "the disk cannot be synced; the store stops");
            }
            Err(fault) => tracing::warn!(?fault, "the log cannot be moved into the database now"),
        }
    }
}

/// Why a transaction failed, and whether that was when it was committed.
struct Trouble {
    fault: Fault,
    at_commit: bool,
}

fn refuse(jobs: Vec<Box<dyn Job>>, error: &StoreError) {
    for job in jobs {
        job.answer(Err(error.clone()));
    }
}
