//! Disk and memory: below which marks no mail is taken.
//!
//! The marks are looked at when mail is about to come, at most once a second. Once one is passed, it
//! counts as passed until there is a margin beyond it, so that mail is not taken and refused in turns.

use std::time::Duration;

use parking_lot::Mutex;
use queue::{Room, Store, StoreError};
use tokio::time::Instant;
use world::World;

use crate::refusal::Refusal;

/// How long a look holds.
const HOLDS: Duration = Duration::from_secs(1);
const MIB: u64 = 1024 * 1024;

/// The marks; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// Bytes that stay free on the queue's disk, also after a message of the size that is announced.
    pub free_bytes: u64,
    /// Files (inodes) that stay free there.
    pub free_files: u64,
    /// Bytes of memory that this machine, or our control group, must still have.
    pub available_memory: u64,
    /// Bytes of memory that the relay itself may hold.
    pub resident_memory: u64,
    /// Percent beyond a mark from which on mail is taken again.
    pub margin: u32,
}

impl Default for Watermarks {
    fn default() -> Watermarks {
        Watermarks {
            free_bytes: 32 * MIB,
            free_files: 1_000,
            available_memory: 32 * MIB,
            resident_memory: 0,
            margin: 25,
        }
    }
}

/// What runs short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scarce {
    DiskBytes,
    DiskFiles,
    AvailableMemory,
    ResidentMemory,
}

impl Scarce {
    const ALL: [Scarce; 4] = [
        Scarce::DiskBytes,
        Scarce::DiskFiles,
        Scarce::AvailableMemory,
        Scarce::ResidentMemory,
    ];

    /// A stable name for logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scarce::DiskBytes => "low-disk-space",
            Scarce::DiskFiles => "low-disk-inodes",
            Scarce::AvailableMemory => "low-memory",
            Scarce::ResidentMemory => "own-memory",
        }
    }
}

/// A mark that is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) what: Scarce,
    /// What there is.
    pub(crate) now: u64,
    /// What there must be, or at most (for our own memory).
    pub(crate) mark: u64,
}

#[derive(Clone, Copy, Debug)]
struct Levels {
    room: Room,
    available: u64,
    resident: u64,
}

impl Levels {
    fn of(&self, what: Scarce) -> u64 {
        match what {
            Scarce::DiskBytes => self.room.bytes,
            Scarce::DiskFiles => self.room.files,
            Scarce::AvailableMemory => self.available,
            Scarce::ResidentMemory => self.resident,
        }
    }
}

/// Watches the marks.
#[derive(Debug)]
pub(crate) struct Watch {
    marks: Watermarks,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    at: Option<Instant>,
    levels: Option<Result<Levels, StoreError>>,
    /// Marks that were passed and are not yet left behind by the margin.
    closed: [bool; Scarce::ALL.len()],
}

impl Watch {
    pub(crate) fn new(marks: Watermarks) -> Watch {
        Watch {
            marks,
            seen: Mutex::default(),
        }
    }

    /// Whether a message of this size may come.
    pub(crate) fn admits(
        &self,
        store: &dyn Store,
        world: &World,
        size: u64,
    ) -> Result<(), Refusal> {
        let mut seen = self.seen.lock();
        let now = Instant::now();
        let fresh = seen.at.is_some_and(|at| now.duration_since(at) < HOLDS);
        if !fresh {
            let levels = look(store, world);
            if let Ok(levels) = &levels {
                self.judge(levels, &mut seen.closed);
            }
            seen.at = Some(now);
            seen.levels = Some(levels);
        }
        let levels = match &seen.levels {
            Some(Ok(levels)) => levels,
            Some(Err(error)) => return Err(Refusal::Store(error.clone())),
            None => return Ok(()),
        };
        for (what, closed) in Scarce::ALL.into_iter().zip(seen.closed) {
            if closed {
                return Err(Refusal::Short(Shortage {
                    what,
                    now: levels.of(what),
                    mark: self.opens_at(what),
                }));
            }
        }
        // RFC 1870 §6.1: the size that the client announces is room that it will need. One large
        // message that does not fit keeps no small one out.
        let mark = self.marks.free_bytes.saturating_add(size);
        if levels.room.bytes < mark {
            return Err(Refusal::Short(Shortage {
                what: Scarce::DiskBytes,
                now: levels.room.bytes,
                mark,
            }));
        }
        Ok(())
    }

    fn mark(&self, what: Scarce) -> u64 {
        match what {
            Scarce::DiskBytes => self.marks.free_bytes,
            Scarce::DiskFiles => self.marks.free_files,
            Scarce::AvailableMemory => self.marks.available_memory,
            Scarce::ResidentMemory => self.marks.resident_memory,
        }
    }

    /// The level from which on mail is taken again after the mark was passed.
    fn opens_at(&self, what: Scarce) -> u64 {
        let mark = self.mark(what);
        let margin = u128::from(mark) * u128::from(self.marks.margin) / 100;
        let margin = u64::try_from(margin).unwrap_or(u64::MAX);
        match what {
            // Never so low that it could not be reached.
            Scarce::ResidentMemory => mark.saturating_sub(margin.min(mark / 2)),
            _ => mark.saturating_add(margin),
        }
    }

    fn judge(&self, levels: &Levels, closed: &mut [bool; Scarce::ALL.len()]) {
        for (what, closed) in Scarce::ALL.into_iter().zip(closed) {
            let (now, mark, opens) = (levels.of(what), self.mark(what), self.opens_at(what));
            let was = *closed;
            let limit = if was { opens } else { mark };
            *closed = match what {
                Scarce::ResidentMemory => mark > 0 && now > limit,
                _ => now < limit,
            };
            match (was, *closed) {
                (false, true) => {
                    tracing::warn!(
                        reason = what.name(),
                        value = now,
                        mark,
                        opens_at = opens,
                        "no mail is taken: a watermark is passed"
                    );
                }
                (true, false) => {
                    tracing::info!(
                        reason = what.name(),
                        value = now,
                        mark,
                        "mail is taken again"
                    );
                }
                (false, false) | (true, true) => {}
            }
        }
    }
}

fn look(store: &dyn Store, world: &World) -> Result<Levels, StoreError> {
    let room = store.room()?;
    let memory = world.host.memory();
    if let Err(error) = &memory {
        tracing::debug!(%error, "how much memory there is cannot be told");
    }
    Ok(Levels {
        room,
        available: memory.as_ref().map_or(u64::MAX, |m| m.available),
        resident: memory.map_or(0, |m| m.resident),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(bytes: u64, files: u64, available: u64, resident: u64) -> Levels {
        Levels {
            room: Room { bytes, files },
            available,
            resident,
        }
    }

    const MARKS: Watermarks = Watermarks {
        free_bytes: 1_000,
        free_files: 100,
        available_memory: 10_000,
        resident_memory: 5_000,
        margin: 20,
    };

    fn closed_after(steps: &[Levels]) -> [bool; 4] {
        let watch = Watch::new(MARKS);
        let mut closed = [false; 4];
        for step in steps {
            watch.judge(step, &mut closed);
        }
        closed
    }

    #[test]
    fn each_mark_closes_when_it_is_passed_and_opens_beyond_its_margin() {
        let plenty = levels(9_999, 9_999, 99_999, 0);
        assert_eq!(closed_after(&[plenty]), [false; 4]);
        let at_the_mark = levels(1_000, 100, 10_000, 5_000);
        assert_eq!(closed_after(&[at_the_mark]), [false; 4]);
        let short = levels(999, 99, 9_999, 5_001);
        assert_eq!(closed_after(&[short]), [true; 4]);
        assert_eq!(closed_after(&[short, at_the_mark]), [true; 4]);
        let almost = levels(1_199, 119, 11_999, 4_001);
        assert_eq!(closed_after(&[short, almost]), [true; 4]);
        let beyond = levels(1_200, 120, 12_000, 4_000);
        assert_eq!(closed_after(&[short, beyond]), [false; 4]);
    }

    #[test]
    fn a_mark_of_zero_is_none() {
        let watch = Watch::new(Watermarks {
            free_bytes: 0,
            free_files: 0,
            available_memory: 0,
            resident_memory: 0,
            margin: 25,
        });
        let mut closed = [false; 4];
        watch.judge(&levels(0, 0, 0, u64::MAX), &mut closed);
        assert_eq!(closed, [false; 4]);
    }
}
